"""The emulated phone and an ACS that shares no code with ours: every method, every event, every kind of download."""

from __future__ import annotations

import pytest

from netprov.cwmp.action import Answer, Fetch, Restart
from netprov.cwmp.cpe import Cpe
from netprov.cwmp.parameter import lines, telephone
from tests.cwmp.link import MAC, PHONE
from tests.cwmp.peer.acs import PeerAcs, Said

VERSIONS = ("1-0", "1-1", "1-2", "1-3", "1-4")
LINE = "Device.Services.VoiceService.1.VoiceProfile.1.Line."
XSI = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'


def names(*each: str) -> str:
    return f"<ParameterNames>{''.join(f'<string>{name}</string>' for name in each)}</ParameterNames>"


def values(kind: str, **each: str) -> str:
    """Return the arguments of SetParameterValues, for parameters of a type below Device.ManagementServer."""
    structs = "".join(
        f"<ParameterValueStruct><Name>Device.ManagementServer.{name}</Name>"
        f'<Value {XSI} i:type="x:{kind}">{value}</Value></ParameterValueStruct>'
        for name, value in each.items()
    )
    return f"<ParameterList>{structs}</ParameterList><ParameterKey>key</ParameterKey>"


def attributes(name: str, notification: int) -> str:
    return (
        f"<ParameterList><SetParameterAttributesStruct><Name>{name}</Name><NotificationChange>1</NotificationChange>"
        f"<Notification>{notification}</Notification><AccessListChange>0</AccessListChange><AccessList/>"
        "</SetParameterAttributesStruct></ParameterList>"
    )


def download(kind: str, key: str = "k1") -> str:
    return f"<CommandKey>{key}</CommandKey><FileType>{kind}</FileType><URL>http://10.20.0.1/f</URL>"


METHODS = {
    "GetRPCMethods": ("", "MethodList/string"),
    "GetParameterNames": ("<ParameterPath>Device.</ParameterPath><NextLevel>1</NextLevel>", "ParameterList/*/Name"),
    "GetParameterValues": (names("Device.LAN."), "ParameterList/*/Value"),
    "GetParameterAttributes": (names("Device.LAN."), "ParameterList/*/Notification"),
    "SetParameterAttributes": (attributes("Device.LAN.IPAddress", 2), ""),
    "SetParameterValues": (values("unsignedInt", PeriodicInformInterval="90"), "Status"),
    "AddObject": (f"<ObjectName>{LINE}</ObjectName><ParameterKey>k</ParameterKey>", "InstanceNumber"),
    "Download": (download("3 Vendor Configuration File"), "Status"),
    "Reboot": ("<CommandKey>why</CommandKey>", ""),
    "FactoryReset": ("", ""),
}  # fmt: skip
"""Each method's arguments, and what its answer has to have; DeleteObject goes with AddObject."""


def started(version: str = "1-0") -> PeerAcs:
    """Return the ACS of a phone that has told it that it is there."""
    cpe = Cpe(PHONE, telephone(PHONE, "http://acs/", mac=MAC), lambda: 0.5, tables=(lines(4),))
    acs = PeerAcs(cpe, version)
    cpe.boot(0, bootstrap=True)
    assert events(acs.session()[0]) == [("0 BOOTSTRAP", ""), ("1 BOOT", "")]
    return acs


def events(said: Said) -> list[tuple[str, str]]:
    assert said.method == "Inform"
    return list(zip(said.texts("Event/*/EventCode"), said.texts("Event/*/CommandKey"), strict=True))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("method", METHODS)
def test_method_is_answered_in_the_namespace_of_its_call_with_its_id(method: str, version: str) -> None:
    arguments, path = METHODS[method]
    said = started().ask(method, arguments, version=version)
    assert (said.method, said.namespace) == (f"{method}Response", f"urn:dslforum-org:cwmp-{version}")
    assert not path or said.texts(path)


def test_an_object_that_was_added_can_be_set_and_deleted() -> None:
    acs = started()
    [number] = acs.ask("AddObject", METHODS["AddObject"][0]).texts("InstanceNumber")
    assert acs.ask("GetParameterValues", names(f"{LINE}{number}.")).method == "GetParameterValuesResponse"
    arguments = f"<ObjectName>{LINE}{number}.</ObjectName><ParameterKey>k</ParameterKey>"
    assert acs.ask("DeleteObject", arguments).texts("Status") == ["0"]
    assert acs.ask("GetParameterValues", names(f"{LINE}{number}.")).fault == "9005"


@pytest.mark.parametrize(
    "method",
    [*("ScheduleInform", "Upload", "GetQueuedTransfers", "GetAllQueuedTransfers", "SetVouchers", "GetOptions"),
     *("ScheduleDownload", "CancelTransfer", "ChangeDUState", "Inform", "TransferComplete", "Kicked", "X_Evil")],
)  # fmt: skip
def test_method_that_a_phone_has_not_is_fault_9000_and_the_session_goes_on(method: str) -> None:
    acs = started()
    inner = "<DeviceId><SerialNumber>1</SerialNumber></DeviceId>" if method == "Inform" else ""
    assert acs.ask(method, inner).fault == "9000"
    assert acs.cpe.failure == ""


@pytest.mark.parametrize(
    "kind", ["1 Firmware Upgrade Image", "3 Vendor Configuration File", "X CISCO Custom CA File"]
)
def test_download_is_told_until_the_acs_takes_it_in(kind: str) -> None:
    acs = started()
    assert acs.ask("Download", download(kind, "key 1")).texts("Status") == ["1"]
    fetch = acs.cpe.next_action(acs.now)
    assert fetch == Fetch("http://10.20.0.1/f", kind)
    acs.cpe.fetched(acs.now)
    acs.says = {"TransferComplete": Answer(503)}
    told = [("7 TRANSFER COMPLETE", ""), ("M Download", "key 1")]
    for _ in range(3):
        inform, report = acs.session()
        assert events(inform) == told
        assert (report.method, report.texts("CommandKey"), report.texts("FaultStruct/FaultCode")) == (
            "TransferComplete", ["key 1"], ["0"],
        )  # fmt: skip
        acs.now += 10_000
    acs.says = {}
    acs.cpe.boot(acs.now)  # not even a restart makes it forget
    assert events(acs.session()[0]) == [("1 BOOT", ""), *told]
    assert acs.cpe.settled


def test_failed_download_is_told_with_its_fault() -> None:
    acs = started()
    acs.ask("Download", download("1 Firmware Upgrade Image"))
    acs.cpe.next_action(acs.now)
    acs.cpe.fetch_failed(9016, "HTTP 404", acs.now)
    report = acs.session()[1]
    assert report.texts("FaultStruct/*") == ["9016", "HTTP 404"]


def test_phone_says_nothing_of_its_own_while_the_acs_holds_its_requests() -> None:
    acs = started()
    acs.ask("Download", download("1 Firmware Upgrade Image"))
    acs.cpe.next_action(acs.now)
    acs.cpe.fetched(acs.now)
    acs.hold = True
    assert [each.method for each in acs.session()] == ["Inform", ""]
    acs.hold = False
    assert [each.method for each in acs.session()] == ["Inform", "TransferComplete", ""]


def test_periodic_inform_and_the_two_kinds_of_notification() -> None:
    acs = started()
    acs.ask("SetParameterValues", values("unsignedInt", PeriodicInformInterval="90"))
    acs.ask("SetParameterAttributes", attributes("Device.LAN.IPAddress", 1))
    acs.cpe.change("LAN.IPAddress", "10.20.0.9", acs.now)
    assert acs.session() == []  # passive: with the next Inform, whatever that is for
    acs.now += 89
    assert acs.session() == []
    acs.now += 1
    assert events(acs.session()[0]) == [("2 PERIODIC", ""), ("4 VALUE CHANGE", "")]
    acs.ask("SetParameterAttributes", attributes("Device.LAN.IPAddress", 2))
    acs.cpe.change("LAN.IPAddress", "10.20.0.10", acs.now)
    assert events(acs.session()[0]) == [("4 VALUE CHANGE", "")]
    acs.ask("SetParameterAttributes", attributes("Device.LAN.IPAddress", 0))
    acs.cpe.change("LAN.IPAddress", "10.20.0.11", acs.now)
    assert acs.session() == []


def test_reboot_is_told_with_its_key_and_a_factory_reset_as_a_bootstrap() -> None:
    acs = started()
    acs.ask("Reboot", "<CommandKey>why</CommandKey>")
    assert acs.cpe.next_action(acs.now) == Restart()
    acs.cpe.boot(acs.now)
    assert sorted(events(acs.session()[0])) == [("1 BOOT", ""), ("M Reboot", "why")]
    acs.ask("FactoryReset")
    assert acs.cpe.next_action(acs.now) == Restart(factory=True)
    acs.cpe.boot(acs.now, bootstrap=True)
    assert events(acs.session()[0]) == [("0 BOOTSTRAP", ""), ("1 BOOT", "")]


def test_value_of_another_type_is_faulted_by_its_name() -> None:
    said = started().ask("SetParameterValues", values("string", PeriodicInformInterval="90"))
    assert said.fault == "9003"
    assert said.texts(".//SetParameterValuesFault/*")[:2] == [
        "Device.ManagementServer.PeriodicInformInterval", "9006",
    ]  # fmt: skip


def test_acs_that_is_named_in_a_session_is_bootstrapped_after_it() -> None:
    acs = started()
    acs.calls = [("SetParameterValues", values("string", URL="http://other/"))]
    assert events(acs.opened("6 CONNECTION REQUEST")[0]) == [("6 CONNECTION REQUEST", "")]
    assert getattr(acs.cpe.next_action(acs.now), "url", "") == "http://other/"
    assert events(acs.session()[0]) == [("0 BOOTSTRAP", "")]
    assert acs.cpe.settled
