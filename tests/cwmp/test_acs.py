"""The ACS, message by message: what opens a session, what it refuses, what it forgets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.cwmp import codec, rpc
from netprov.cwmp.acs import Acs
from netprov.cwmp.device import Device, Faulted, MessageRefused
from netprov.cwmp.session import AcsLimits, AcsRequest, Reply
from netprov.machine import Dropped
from tests.cwmp.cases import CASES
from tests.cwmp.link import MAC, PHONE, PROFILE, TARGET, config, said

INFORM = rpc.Inform(
    PHONE,
    (rpc.EventCode("0 BOOTSTRAP"), rpc.EventCode("1 BOOT")),
    (rpc.ParameterValue("Device.LAN.MACAddress", MAC),),
)
NOTHING = rpc.UNKNOWN_TIME


class Client:
    """Says things to an ACS by hand, with the cookie it was given."""

    def __init__(
        self, acs: Acs, *, source: str = "10.20.0.54", connection: str = "c1", version: str = "1-0"
    ) -> None:
        self.acs = acs
        self.source = source
        self.connection = connection
        self.version = version
        self.cookie = ""
        self.now = 1000.0
        self.tokens = 0
        self.asked = "77"

    def post(self, body: rpc.Rpc | bytes | None) -> Reply:
        data = (
            body
            if isinstance(body, bytes)
            else b""
            if body is None
            else codec.encode(rpc.Message(body, self.asked, self.version))
        )
        self.tokens += 1
        reply = self.acs.respond(
            AcsRequest(data, self.cookie, self.source, self.connection),
            self.now,
            f"{self.connection}-{self.tokens}",
        )
        for name, value in reply.headers:
            if name == "Set-Cookie":
                self.cookie = value.partition(";")[0]
        if reply.status == 200 and reply.body:
            self.asked = codec.decode(reply.body).id
        return reply

    def ask(self, body: rpc.Rpc | None) -> rpc.Message:
        reply = self.post(body)
        assert reply.status == 200
        assert ("Content-Type", "text/xml; charset=utf-8") in reply.headers
        return codec.decode(reply.body)


def dropped(acs: Acs) -> list[str]:
    return [event.reason for event in acs.events() if isinstance(event, Dropped | MessageRefused)]


@pytest.mark.parametrize("version", ["1-0", "1-1", "1-2", "1-3", "1-4"])
def test_response_repeats_id_and_namespace(version: str) -> None:
    client = Client(Acs(config()), version=version)
    assert rpc.Message(rpc.InformResponse(), "77", version) == client.ask(INFORM)
    call = client.ask(None)
    assert (version, "netprov-1") == (call.version, call.id)


def test_profile_is_asked_for_after_settings() -> None:
    client = Client(Acs(config()))
    client.ask(INFORM)
    settings = client.ask(None).rpc
    assert isinstance(settings, rpc.SetParameterValues)
    assert (
        settings.parameters[1].name, settings.parameters[1].value, settings.parameters[1].type,
    ) == ("Device.ManagementServer.PeriodicInformInterval", "3600", "xsd:unsignedInt")  # fmt: skip
    assert rpc.Download("r1", rpc.CONFIGURATION, PROFILE) == client.ask(rpc.SetParameterValuesResponse()).rpc
    assert client.post(rpc.DownloadResponse()).status == 204


def test_root_of_the_data_model_is_the_devices() -> None:
    client = Client(Acs(config()))
    client.ask(replace(INFORM, parameters=(rpc.ParameterValue("InternetGatewayDevice.LAN.MACAddress", MAC),)))
    settings = client.ask(None).rpc
    assert isinstance(settings, rpc.SetParameterValues)
    assert {"InternetGatewayDevice"} == {each.name.partition(".")[0] for each in settings.parameters}


def test_download_that_is_done_at_once_counts_as_transferred() -> None:
    acs = Acs(config())
    client = Client(acs)
    client.ask(INFORM)
    client.ask(None)
    client.ask(rpc.SetParameterValuesResponse())
    assert client.post(rpc.DownloadResponse(0)).status == 204
    assert [device.applied for device in acs.devices.values()] == ["r1"]


def test_refused_settings_are_not_asked_for_again_and_the_profile_is() -> None:
    acs = Acs(config())
    client = Client(acs)
    client.ask(INFORM)
    client.ask(None)
    fault = rpc.Fault(9003, "Invalid arguments", (rpc.ParameterFault("Device.X", 9005),))
    assert isinstance(client.ask(fault).rpc, rpc.Download)
    assert client.post(rpc.Fault(9001, "not now")).status == 204
    faults = [str(event) for event in acs.events() if isinstance(event, Faulted)]
    assert faults == [
        (
            "001234-CP-8851-3PCC-FCH2345ABCD: SetParameterValues refused: 9003 Invalid arguments; Device.X: 9005 "
            "Invalid parameter name"
        ),
        "001234-CP-8851-3PCC-FCH2345ABCD: Download refused: 9001 not now",
    ]
    client.ask(replace(INFORM, events=(rpc.EventCode("2 PERIODIC"),)))
    assert client.post(None).status == 204
    client.now += 301
    client.ask(replace(INFORM, events=(rpc.EventCode("2 PERIODIC"),)))
    assert isinstance(client.ask(None).rpc, rpc.Download)


def test_phone_that_was_asked_a_moment_ago_is_not_asked_again() -> None:
    client = Client(Acs(config()))
    periodic = replace(INFORM, events=(rpc.EventCode("2 PERIODIC"),))
    client.ask(INFORM)
    client.ask(None)
    client.ask(rpc.SetParameterValuesResponse())
    client.post(rpc.DownloadResponse())
    client.ask(periodic)
    assert client.post(None).status == 204
    client.now += 601
    client.ask(periodic)
    assert isinstance(client.ask(None).rpc, rpc.Download)


def test_empty_post_instead_of_an_answer_loses_the_call() -> None:
    acs = Acs(config())
    client = Client(acs)
    client.ask(INFORM)
    client.ask(None)
    assert isinstance(client.ask(None).rpc, rpc.Download)
    assert any(isinstance(event, Faulted) and "no answer" in str(event) for event in acs.events())


def test_methods_are_told() -> None:
    client = Client(Acs(config()))
    client.ask(INFORM)
    assert (
        rpc.GetRPCMethodsResponse(("Inform", "GetRPCMethods", "TransferComplete"))
        == client.ask(rpc.GetRPCMethods()).rpc
    )


def test_unknown_method_gets_fault_8000() -> None:
    client = Client(Acs(config()))
    client.ask(INFORM)
    data = codec.encode(rpc.Message(rpc.GetRPCMethods(), "5")).replace(b"GetRPCMethods", b"Kicked")
    assert rpc.Message(rpc.Fault(8000, "Method not supported"), "5") == codec.decode(client.post(data).body)


def test_call_outside_a_session_gets_fault_8001() -> None:
    acs = Acs(config())
    answer = Client(acs).ask(rpc.TransferComplete("r1"))
    assert isinstance(answer.rpc, rpc.Fault)
    assert answer.rpc.code == 8001
    assert dropped(acs) == ["TransferComplete outside a session"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "an empty POST outside a session"),
        (b"hello", "not XML"),
        (b"<!DOCTYPE x []><x/>", "document types and entities are refused"),
        (b"<html/>", "not a SOAP envelope"),
    ],
)
def test_garbage_is_answered_400_with_the_reason(body: bytes | None, reason: str) -> None:
    acs = Acs(config())
    reply = Client(acs).post(body)
    assert reply.status == 400
    assert reason in reply.body.decode()
    assert reason in dropped(acs)[0]


def test_garbage_ends_the_session() -> None:
    client = Client(Acs(config()))
    client.ask(INFORM)
    assert client.post(b"garbage").status == 400
    assert client.post(None).status == 400


@pytest.mark.parametrize("answer", [body for name, body, _ in CASES if name.endswith("Response")])
def test_answer_that_nobody_asked_for_ends_the_session(answer: rpc.Rpc) -> None:
    acs = Acs(config())
    client = Client(acs)
    client.ask(INFORM)
    assert client.post(answer).status == 400
    assert [f"{type(answer).__name__} that nobody asked for"] == dropped(acs)


@pytest.mark.parametrize("answer", [rpc.SetParameterValuesResponse(), rpc.Fault(9002)])
def test_answer_with_another_id_is_none(answer: rpc.Rpc) -> None:
    acs = Acs(config())
    client = Client(acs)
    client.ask(INFORM)
    client.ask(None)
    client.asked = "netprov-7"
    assert client.post(answer).status == 400
    assert ["with the ID 'netprov-7', 'netprov-1' was asked" in each for each in dropped(acs)] == [True]
    assert not any(device.taken_key or device.refused_key for device in acs.devices.values())


def test_answer_without_an_id_is_taken() -> None:
    client = Client(Acs(config()))
    client.ask(INFORM)
    client.ask(None)
    client.asked = ""
    assert isinstance(client.ask(rpc.SetParameterValuesResponse()).rpc, rpc.Download)


def settings_asked(client: Client, told: str = "") -> str:
    """Return the ParameterKey of the settings that a phone is asked to take, "" if it is not."""
    key = rpc.ParameterValue("Device.ManagementServer.ParameterKey", told)
    client.ask(replace(INFORM, events=(rpc.EventCode("2 PERIODIC"),), parameters=(*INFORM.parameters, key)))
    reply = client.post(None)
    asked = codec.decode(reply.body).rpc if reply.status == 200 else None
    if not isinstance(asked, rpc.SetParameterValues):
        return ""
    client.post(rpc.SetParameterValuesResponse())
    return asked.parameter_key


def test_settings_that_differ_late_have_another_key() -> None:
    """Two provisioning codes that are the same for 32 characters."""
    keys = set()
    for floor in "12":
        named = replace(TARGET, provisioning_code=f"building-north-of-the-river-floor-{floor}")
        keys.add(settings_asked(Client(Acs(config(named)))))
    assert len(keys) == 2
    assert all(len(key) <= 32 for key in keys)


def test_device_that_keeps_no_parameter_key_is_not_asked_for_ever() -> None:
    client = Client(Acs(config()))
    assert settings_asked(client)
    assert not settings_asked(client)
    client.acs.config = config(interval=60)
    assert settings_asked(client), "other settings"
    assert not settings_asked(client)
    assert settings_asked(client, "somebody else's"), "it keeps keys, and this is not ours"


def test_cookie_of_another_session_is_none() -> None:
    acs = Acs(config())
    client = Client(acs)
    client.ask(INFORM)
    client.cookie = "session=guessed"
    assert client.post(None).status == 400


def test_sessions_of_two_phones_do_not_meet() -> None:
    acs = Acs(config())
    first, second = Client(acs), Client(acs, source="10.20.0.55", connection="c2")
    first.ask(INFORM)
    stranger = replace(PHONE, serial="FCH9")
    second.ask(rpc.Inform(stranger, (rpc.EventCode("1 BOOT"),)))
    assert isinstance(first.ask(None).rpc, rpc.SetParameterValues)
    second.ask(None)
    assert second.post(rpc.SetParameterValuesResponse()).status == 204
    assert isinstance(first.ask(rpc.SetParameterValuesResponse()).rpc, rpc.Download)


def test_new_inform_of_a_phone_ends_its_old_session() -> None:
    acs = Acs(config())
    first, second = Client(acs), Client(acs, connection="c2")
    first.ask(INFORM)
    second.ask(INFORM)
    assert first.post(None).status == 400
    assert second.post(None).status == 200


def test_session_expires_when_it_goes_silent() -> None:
    client = Client(Acs(config()))
    client.ask(INFORM)
    client.now += 61
    assert client.post(None).status == 400


def test_session_has_a_longest_time_and_a_largest_number_of_messages() -> None:
    client = Client(Acs(config(), limits=AcsLimits(session=100, messages=8)))
    client.ask(INFORM)
    client.now += 50
    client.ask(rpc.GetRPCMethods())
    client.now += 51
    assert client.post(None).status == 400
    client.ask(INFORM)
    for _ in range(7):
        client.ask(rpc.GetRPCMethods())
    assert client.post(None).status == 400


def test_sessions_are_limited_and_the_next_is_asked_to_come_again() -> None:
    acs = Acs(config(), limits=AcsLimits(sessions=2))
    for number in range(2):
        Client(acs, connection=f"c{number}").ask(replace(INFORM, device=replace(PHONE, serial=f"S{number}")))
    third = Client(acs, connection="c3")
    reply = third.post(replace(INFORM, device=replace(PHONE, serial="S3")))
    assert (reply.status, reply.headers) == (503, (("Retry-After", "30"),))
    third.now += 61
    assert third.post(INFORM).status == 200


def test_records_are_limited_and_strangers_go_first() -> None:
    acs = Acs(config(), limits=AcsLimits(records=2))
    for serial, mac in (("A", MAC), ("B", ""), ("C", "")):
        device = replace(PHONE, serial=serial)
        Client(acs, source="10.20.0.150", connection=serial).ask(
            rpc.Inform(device, (), (rpc.ParameterValue("Device.LAN.MACAddress", mac),))
        )
    assert [key[-1] for key in acs.devices] == ["A", "C"]


def test_long_texts_of_a_device_are_cut() -> None:
    acs = Acs(config())
    client = Client(acs)
    long = "x" * 10_000
    client.ask(rpc.Inform(rpc.DeviceId(long, long, long, long), (rpc.EventCode(long),) * 100))
    client.ask(rpc.TransferComplete(long, 9010, long))
    [device] = acs.devices.values()
    assert all(len(str(value)) < 5000 for value in (device.key, device.codes, device.fault, device.requested))


def test_record_of_a_device_that_restarts_keeps_what_it_has() -> None:
    key = str(PHONE)
    acs = Acs(config(), [Device(key, MAC, listed=True, applied="r1")])
    client = Client(acs)
    client.ask(replace(INFORM, events=(rpc.EventCode("1 BOOT"),)))
    assert acs.devices[key].applied == "r1"
    client.ask(INFORM)
    assert acs.devices[key].applied == ""


@pytest.mark.fuzz
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from([body for _, body, _ in CASES]),
            st.none(),
            st.just(INFORM),
        ),
        max_size=12,
    )
)
def test_fuzz_whatever_is_said_nothing_is_raised(bodies: list[rpc.Rpc | bytes | None]) -> None:
    client = Client(Acs(config(replace(TARGET, mac="00:00:00:00:00:01"))))
    for body in bodies:
        reply = client.post(body)
        assert reply.status in {200, 204, 400}
        assert (reply.status == 200) == (said(reply.body, reply) not in {"204", "400"})
        client.now += 1
