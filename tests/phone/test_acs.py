"""The phone and an ACS that options name: what it downloads, reports and says. The ACS is a script of plain XML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import pytest

from netprov.phone.action import Action, Fetch, Response, Result, Say, Step
from netprov.phone.boot import Outcome, boot
from netprov.phone.handset.memory import Handset
from netprov.phone.walk import walk
from tests.phone.world import CA, PHONE, PROFILE, Server, World, no_chance

ACS = "http://10.20.0.1:7547/acs"
OPTION_43 = {43: b"\x01" + bytes([len(ACS)]) + ACS.encode()}
MANAGED = replace(PHONE, tr069=True)
FILES = {
    "/p.xml": PROFILE,
    "/torn.xml": b"<flat-profile>",
    "/ca.pem": CA.encode(),
    "/fw/sip8800.12-0-1.loads": b"\0",
}

ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:cwmp="urn:dslforum-org:cwmp-1-0">'
    "<soap:Header><cwmp:ID soap:mustUnderstand='1'>{id}</cwmp:ID></soap:Header><soap:Body>{body}</soap:Body>"
    "</soap:Envelope>"
)
DOWNLOAD = (
    "<cwmp:Download><CommandKey>k</CommandKey><FileType>{type}</FileType><URL>{url}</URL><Username/><Password/>"
    "<FileSize>0</FileSize><TargetFileName/><DelaySeconds>0</DelaySeconds><SuccessURL/><FailureURL/></cwmp:Download>"
)


def download(file_type: str, path: str) -> str:
    return DOWNLOAD.format(type=file_type, url=f"http://10.20.0.1{path}")


@dataclass
class ScriptedAcs:
    """Answers Inform and TransferComplete, and says its lines, one each time that the phone has nothing more to say."""

    lines: list[str] = field(default_factory=list)
    status: int = 200
    heard: list[str] = field(default_factory=list)

    def __call__(self, body: bytes) -> Response:
        if self.status != 200:
            return Response(self.status)
        said = re.search(rb"<soap[^:]*:Body>\s*<cwmp:(\w+)", body)
        name = said[1].decode() if said else ""
        self.heard.append(body.decode())
        if name in {"Inform", "TransferComplete"}:
            number = re.search(rb"<cwmp:ID[^>]*>([^<]*)<", body)
            inner = "<MaxEnvelopes>1</MaxEnvelopes>" if name == "Inform" else ""
            reply = f"<cwmp:{name}Response>{inner}</cwmp:{name}Response>"
            return Response(
                200, ENVELOPE.format(id=number[1].decode() if number else "", body=reply).encode()
            )
        if self.lines:
            return Response(200, ENVELOPE.format(id="7", body=self.lines.pop(0)).encode())
        return Response(204)


def provision(
    acs: ScriptedAcs, options: dict[int, bytes] | None = None, handset: Handset | None = None
) -> tuple[Outcome, list[Step]]:
    """Boot a phone whose DHCP names that ACS."""
    world = World(options or OPTION_43, servers={"http 10.20.0.1 80": Server(FILES)})

    def answer(action: Action) -> Result:
        if isinstance(action, Fetch) and action.url.port == 7547:
            return acs(action.body)
        return world(action)

    phone = handset or Handset(MANAGED, no_chance)
    return walk(phone, boot(phone), answer)


def fault_of(acs: ScriptedAcs) -> str:
    """Return the fault code that the phone's TransferComplete reports."""
    (found,) = (
        re.search(r"<FaultCode>(\d+)<", each) for each in acs.heard if "cwmp:TransferComplete>" in each
    )
    return found[1] if found else ""


def lines(steps: list[Step]) -> list[str]:
    return [step.action.text for step in steps if isinstance(step.action, Say)]


def test_profile_that_the_acs_names_is_loaded_and_reported() -> None:
    acs = ScriptedAcs([download("3 Vendor Configuration File", "/p.xml")])
    outcome, steps = provision(acs)
    assert (outcome.provisioned, outcome.method, outcome.url) == (True, "acs", "http://10.20.0.1/p.xml")
    assert "0 BOOTSTRAP" in acs.heard[0]
    assert fault_of(acs) == "0"
    assert any("reported http://10.20.0.1/p.xml: done" in line for line in lines(steps))


@pytest.mark.parametrize(
    ("file_type", "path", "fault"),
    [
        ("3 Vendor Configuration File", "/none.xml", "9010"),
        ("3 Vendor Configuration File", "/torn.xml", "9018"),
        ("1 Firmware Upgrade Image", "/none.loads", "9010"),
        ("X CISCO Custom CA", "/p.xml", "9018"),
    ],
)
def test_download_that_fails_is_reported_with_its_fault(file_type: str, path: str, fault: str) -> None:
    """TR-069 A.5.1: 9010 download failure, 9018 file corrupted or unusable."""
    acs = ScriptedAcs([download(file_type, path)])
    outcome, _ = provision(acs)
    assert not outcome.provisioned
    assert fault_of(acs) == fault


def test_firmware_is_installed_before_the_profile_is_fetched() -> None:
    acs = ScriptedAcs(
        [
            download("1 Firmware Upgrade Image", "/fw/sip8800.12-0-1.loads"),
            download("3 Vendor Configuration File", "/p.xml"),
        ]
    )
    handset = Handset(MANAGED, no_chance)
    outcome, steps = provision(acs, handset=handset)
    assert outcome.provisioned
    assert handset.software == "sip8800.12-0-1"
    assert "Firmware sip8800.12-0-1 installed" in lines(steps)


def test_custom_ca_that_the_acs_names_is_trusted_from_then_on() -> None:
    acs = ScriptedAcs(
        [download("X CISCO Custom CA", "/ca.pem"), download("3 Vendor Configuration File", "/p.xml")]
    )
    handset = Handset(MANAGED, no_chance)
    outcome, _ = provision(acs, handset=handset)
    assert outcome.provisioned
    assert CA in handset.anchors


@pytest.mark.parametrize(
    ("acs", "options", "reason"),
    [
        (ScriptedAcs(), OPTION_43, "had the phone load nothing"),
        (ScriptedAcs(status=503), OPTION_43, "503"),
        (ScriptedAcs(), {43: b"\x01\x10http://nowhere./"}, "nowhere"),
    ],
    ids=["says nothing", "refuses", "has no address"],
)
def test_acs_that_brings_no_profile_is_named_with_the_reason(
    acs: ScriptedAcs, options: dict[int, bytes], reason: str
) -> None:
    outcome, steps = provision(acs, options)
    assert not outcome.provisioned
    assert any(reason in line for line in [outcome.reason, *lines(steps)])


def test_session_that_never_ends_is_ended() -> None:
    acs = ScriptedAcs([download("3 Vendor Configuration File", "/none.xml")] * 500)
    outcome, steps = provision(acs)
    assert not outcome.provisioned
    assert sum(isinstance(step.action, Fetch) for step in steps) < 200
