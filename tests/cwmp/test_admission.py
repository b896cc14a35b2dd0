"""Whose Inform is taken in: versions that both speak, and client certificates that name a device."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netprov.cwmp import codec, rpc
from netprov.cwmp.acs import Acs
from netprov.cwmp.device import InformReceived, MessageRefused
from netprov.cwmp.session import AcsRequest, Reply
from tests.cwmp.link import MAC, PHONE, TARGET, config

OTHER = "00:12:34:ab:45:df"


def inform(*, mac: str = "", serial: str = "S1", supported: tuple[str, ...] = ()) -> bytes:
    parameters = (rpc.ParameterValue("Device.LAN.MACAddress", mac),) if mac else ()
    said = rpc.Inform(replace(PHONE, serial=serial), (rpc.EventCode("1 BOOT"),), parameters)
    return codec.encode(rpc.Message(said, "1", "1-2", supported=supported))


def say(
    acs: Acs, body: bytes, *, certificate: str = "", cookie: str = "", source: str = "10.20.0.66"
) -> Reply:
    return acs.respond(AcsRequest(body, cookie, source, "c1", certificate), 1000, "t")


def answer(acs: Acs, body: bytes, *, certificate: str = "", source: str = "10.20.0.66") -> rpc.Message:
    reply = say(acs, body, certificate=certificate, source=source)
    assert reply.status == 200
    return codec.decode(reply.body)


@pytest.mark.parametrize(
    ("supported", "used"),
    [
        ((), ""),
        (("1.0",), "1.0"),
        (("1.0", "1.1", "1.2", "1.3", "1.4"), "1.4"),
        (("1.4", "1.0"), "1.4"),
        (("1.3", "1.5", "2.0"), "1.3"),
    ],
)
def test_newest_version_that_both_speak_is_used(supported: tuple[str, ...], used: str) -> None:
    said = answer(Acs(config()), inform(supported=supported))
    assert (type(said.rpc), said.use, said.version) == (rpc.InformResponse, used, "1-2")


@pytest.mark.parametrize("supported", [("1.5",), ("2.0", "9"), ("1",), ("1.4x",)])
def test_cpe_that_speaks_no_version_of_ours_is_told_so_and_gets_no_session(
    supported: tuple[str, ...],
) -> None:
    acs = Acs(config())
    said = answer(acs, inform(supported=supported))
    assert isinstance(said.rpc, rpc.Fault)
    assert (said.rpc.code, acs.sessions) == (8006, 0)
    (event,) = acs.events()
    assert isinstance(event, MessageRefused)


def test_headers_of_versions_are_written_as_the_schema_says() -> None:
    asked = inform(supported=("1.0", "1.4"))
    assert b'<cwmp:SupportedCWMPVersions soap:mustUnderstand="0">1.0,1.4</cwmp:Supp' in asked
    said = say(Acs(config()), asked).body
    assert b'<cwmp:UseCWMPVersion soap:mustUnderstand="1">1.4</cwmp:UseCWMPVersion>' in said


def test_certificate_says_who_a_device_is_that_tells_nothing() -> None:
    acs = Acs(config())
    assert isinstance(answer(acs, inform(), certificate=MAC).rpc, rpc.InformResponse)
    (event,) = acs.events()
    assert isinstance(event, InformReceived)
    assert (event.mac, event.listed) == (MAC, True)


@pytest.mark.parametrize(
    ("told", "serial", "fixed"), [(MAC, "S1", ""), ("", MAC, ""), ("", "FCH1", ""), ("", "S1", "10.20.0.66")]
)
def test_device_with_another_ones_certificate_is_refused_in_words(told: str, serial: str, fixed: str) -> None:
    acs = Acs(config(replace(TARGET, serial="FCH1", address=fixed)))
    said = answer(acs, inform(mac=told, serial=serial), certificate=OTHER)
    if fixed:  # an address proves less than a certificate, and is no claim
        assert isinstance(said.rpc, rpc.InformResponse)
        assert [each.mac for each in acs.events() if isinstance(each, InformReceived)] == [OTHER]
        return
    assert said.rpc == rpc.Fault(
        8001, f"the client certificate is of {OTHER}, and the device says that it is {MAC}"
    )
    (event,) = acs.events()
    assert isinstance(event, MessageRefused)
    assert (event.mac, acs.sessions, list(acs.devices)) == (OTHER, 0, [])


def test_device_that_is_known_by_its_certificate_alone_must_show_it() -> None:
    acs = Acs(config(replace(TARGET, certified=True)))
    said = answer(acs, inform(mac=MAC)).rpc
    assert said == rpc.Fault(8001, f"{MAC} is known by its client certificate alone, and none was shown")
    (event,) = acs.events()
    assert isinstance(event, MessageRefused)
    assert event.mac == ""  # what a stranger says of himself is in no phone's record
    assert isinstance(answer(acs, inform(mac=MAC), certificate=MAC).rpc, rpc.InformResponse)
    assert isinstance(answer(acs, inform(mac=OTHER)).rpc, rpc.InformResponse)


def test_refused_inform_ends_no_session_of_the_device_whose_name_it_uses() -> None:
    acs = Acs(config(replace(TARGET, certified=True)))
    own = say(acs, inform(mac=MAC), certificate=MAC)
    say(acs, inform(mac=MAC))
    say(acs, inform(mac=MAC), certificate=OTHER)
    cookie = dict(own.headers)["Set-Cookie"].partition(";")[0]
    assert acs.sessions == 1
    assert say(acs, b"", certificate=OTHER, cookie=cookie).status == 400
    assert say(acs, b"", cookie=cookie).status == 400
    assert say(acs, b"", certificate=MAC, cookie=cookie).status == 200
