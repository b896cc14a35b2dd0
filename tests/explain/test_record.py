"""`netprov explain records`: from the events that servers report, through the device records, to the cause."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli.verb.answer.explain import command
from netprov.cwmp.device import InformReceived, MessageRefused
from netprov.dhcp.lease import Bound, Expired, Lease, LeaseState, Nak
from netprov.explain.verdict import WITHHELD
from netprov.hostport import Scheme
from netprov.machine import Dropped, Endpoint, Event
from netprov.provision.event import Asked, PhoneSaid, RequestRefused, TlsFailed, TransferFailed
from netprov.provision.syslog import PhoneStatement
from netprov.state.clock import LeaseClock
from netprov.state.device import load_devices, load_history
from netprov.state.device_record import DeviceRecords
from netprov.state.lease import open_store

MAC = "00:12:34:ab:45:de"
OCTETS = bytes.fromhex(MAC.replace(":", ""))
IP = "10.20.0.100"
LEASE = Lease(0x0A140064, "voice", OCTETS, OCTETS, LeaseState.BOUND, 0, 1e12, vendor_class="CP-8851-3PCC")
GONE = replace(Bound(LEASE), lease=LEASE._replace(state=LeaseState.EXPIRED))
UNSERVED = Dropped("client is not served on network voice", Endpoint("0.0.0.0", 68, "lan0", OCTETS))
PROFILE = Asked("http", IP, "GET", "/8851-3PCC.xml", 200, "profile", 175)
MISSING = Asked("http", IP, "GET", "/8851-3PCC.xml", 404, reason="no such file")
UNFILLED = replace(
    MISSING, status=503, mac=MAC, reason="source crm: it did not answer within 3 s", why="source-failed"
)

INVENTORY = """domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
"""
LISTED = f"phones: [{{mac: '{MAC}', model: CP-8851-3PCC%s}}]\n"


def recorded(state: Path, *events: tuple[str, Event]) -> None:
    """Let the records observe what services report, and keep the leases as the DHCP server does."""

    async def run() -> None:
        records = DeviceRecords(state)
        await records.start()
        for service, event in events:
            records.observe(service, event)
        await records.stop()

    asyncio.run(run())
    leases = [event for _, event in events if isinstance(event, Bound | Expired)]
    if leases:
        store = open_store(state)
        store.commit(leases, LeaseClock(None).anchor())
        store.close()


def told(state: Path, extra: str = "") -> dict[str, object]:
    """Return the story of the phone, as JSON gives it."""
    inventory = state / "netprov.yaml"
    inventory.write_text(INVENTORY + extra)
    arguments = ["records", MAC, "-f", str(inventory), "--state", str(state), "--json"]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    (story,) = json.loads(result.output)
    assert result.return_value == (0 if story["provisioned"] else 1)
    return dict(story)


LOCKED = "classes: {desk: {encryption: {}}}\n" + LISTED % ", class: desk"
BOUND = ("dhcp", Bound(LEASE))
HTTPS = "srv: {https: [{target: pr1, port: 443}], http: []}\nhosts: {pr1: 10.20.0.9}\n"


@pytest.mark.parametrize(
    ("events", "extra", "cause", "detail"),
    [
        ([], LISTED % "", "dhcp-unheard", ""),
        ([("dhcp", UNSERVED)], "", "dhcp-unserved", "client is not served on network voice"),
        ([("dhcp", Nak(OCTETS, "voice", "10.9.9.9 is not yours"))], "", "dhcp-nak", "10.9.9.9 is not yours"),
        ([("dhcp", UNSERVED), BOUND, ("http", PROFILE)], "", None, ""),
        ([BOUND, ("http", PROFILE), ("dhcp", UNSERVED)], "", "dhcp-unserved", "not served"),
        ([("http", replace(PROFILE, mac=MAC))], "", None, ""),
        ([BOUND], "", "asked-nothing", "netprov.example.com"),
        ([BOUND], HTTPS, "tls-untrusted", "pr1.example.com"),
        (
            [BOUND],
            LISTED % ", method: dhcp, options: {160: 'http://10.20.0.250/x'}",
            "elsewhere",
            "10.20.0.250",
        ),
        ([BOUND, ("http", MISSING)], "", "file-missing", "/8851-3PCC.xml"),
        (
            [BOUND, ("tftp", replace(MISSING, scheme="tftp", method="RRQ"))],
            "",
            "file-missing",
            "8851-3PCC.xml",
        ),
        ([BOUND, ("http", replace(MISSING, status=401, reason="why"))], "", "unauthorized", "401"),
        ([BOUND, ("http", replace(MISSING, status=503, reason="why"))], "", "server-error", "503"),
        (
            [BOUND, ("http", UNFILLED)],
            LISTED % "",
            "source-failed",
            "source crm: it did not answer within 3 s",
        ),
        (
            [BOUND, ("tftp", replace(UNFILLED, scheme="tftp", method="RRQ", why="source-answer"))],
            LISTED % "",
            "source-answer",
            "source crm: it did not answer within 3 s",
        ),
        ([BOUND, ("http", TlsFailed(IP, "tlsv1 alert unknown ca"))], "", "tls-untrusted", "unknown ca"),
        ([BOUND, ("http", TlsFailed(IP, "sslv3 alert bad certificate"))], "", "tls-rejected", "example.com"),
        ([BOUND, ("http", TlsFailed(IP, "SSLV3_ALERT_CERTIFICATE_EXPIRED"))], "", "tls-expired", ""),
        ([BOUND, ("http", TlsFailed(IP, "no shared cipher"))], "", "tls-version", "no shared cipher"),
        ([BOUND, ("http", TlsFailed(IP, "tlsv1 alert unknown ca")), ("http", PROFILE)], "", None, ""),
        (
            [
                BOUND,
                ("tftp", replace(PROFILE, scheme="tftp")),
                ("tftp", TransferFailed(IP, "/x", "no answer")),
            ],
            "",
            "tftp-stalled",
            "no answer",
        ),
        ([BOUND, ("acs", InformReceived("d", MAC, IP, ("0 BOOTSTRAP",), listed=True))], "", "acs-idle", ""),
    ],
)
def test_records_name_the_cause(
    tmp_path: Path, events: list[tuple[str, Event]], extra: str, cause: str | None, detail: str
) -> None:
    recorded(tmp_path, *events)
    story = told(tmp_path, extra)
    found = story["cause"]
    assert (found["rule"] if isinstance(found, dict) else None) == cause, story
    assert detail in str(story["detail"])


def test_a_phone_with_a_lease_is_told_with_class_options_and_lease_time(tmp_path: Path) -> None:
    extra = 'classes: {mpp: {match: {vendor_class: "CP-*"}, method: dhcp, options: {66: 10.20.0.1}}}\n'
    recorded(tmp_path, BOUND, ("http", MISSING))
    steps = told(tmp_path, extra)["steps"]
    assert isinstance(steps, list)
    lease = steps[0]
    assert lease["asked"] == "DISCOVER, REQUEST as 'CP-8851-3PCC'"
    assert lease["options"]["66"] == b"10.20.0.1".hex()
    for words in (f"{MAC} gets {IP} on voice", "s left", "class mpp by vendor class 'CP-8851-3PCC'"):
        assert words in lease["evidence"]


def test_a_lease_that_ran_out_says_so(tmp_path: Path) -> None:
    recorded(tmp_path, BOUND, ("dhcp", Expired(GONE.lease)), ("http", MISSING))
    steps = told(tmp_path)["steps"]
    assert isinstance(steps, list)
    assert f"lease on {IP}, expired" in steps[0]["evidence"]
    assert [step["kind"] for step in steps] == ["dhcp", "phone", "http"]


def test_only_the_last_boot_is_told(tmp_path: Path) -> None:
    recorded(tmp_path, BOUND, ("http", replace(MISSING, path="/old.xml")), BOUND, ("http", PROFILE))
    assert "old.xml" not in json.dumps(told(tmp_path))


def test_what_a_phone_said_itself_is_on_the_road(tmp_path: Path) -> None:
    said = PhoneSaid(IP, MAC, PhoneStatement(MAC, "CP-8851-3PCC", "resync", "failed", error="File not found"))
    recorded(tmp_path, BOUND, ("http", MISSING), ("syslog", said))
    assert "resync failed: File not found" in json.dumps(told(tmp_path)["steps"])


def test_dhcp_names_the_phone_behind_an_address_but_makes_no_device_of_a_laptop(tmp_path: Path) -> None:
    recorded(tmp_path, BOUND)
    assert load_devices(tmp_path) == ()
    recorded(tmp_path, ("http", TlsFailed(IP, "tlsv1 alert unknown ca")))  # another process, as under systemd
    assert [each.mac for each in load_devices(tmp_path)] == [MAC]


def test_renewals_and_the_same_refusal_again_are_not_kept(tmp_path: Path) -> None:
    renewed = ("dhcp", Bound(LEASE, renewed=True))
    recorded(tmp_path, BOUND, renewed, *[("dhcp", UNSERVED)] * 3, renewed, renewed)
    assert [line.kind for line in load_history(tmp_path, MAC)] == ["Bound", "Unanswered", "Bound"]


@pytest.mark.parametrize(
    ("events", "extra", "cause"),
    [
        ([BOUND, ("http", replace(PROFILE, path="/ca.pem", kind="ca", mac=MAC))], "", "asked-nothing"),
        ([BOUND, ("http", replace(PROFILE, path="/own/p.xml", kind="file", octets=0))], "", None),
        ([BOUND, ("http", replace(PROFILE, status=304))], "", None),
        ([BOUND, ("http", replace(PROFILE, kind="bootstrap"))], LOCKED, "asked-no-more"),
        ([BOUND, ("http", replace(PROFILE, kind="bootstrap")), ("http", PROFILE)], LOCKED, None),
        ([BOUND, ("http", replace(PROFILE, kind="bootstrap"))], "", "asked-no-more"),
        ([BOUND, ("http", RequestRefused("http", IP, 400, "no Host", "GET / HTTP/1.1"))], "", "bad-request"),
        ([BOUND, ("acs", RequestRefused("http", IP, 401, "wrong password", "Basic"))], "", "acs-refuses"),
        ([BOUND, ("acs", MessageRefused(IP, "not XML", MAC))], "", "acs-refuses"),
        ([BOUND, ("http", TlsFailed(IP, "PEER_DID_NOT_RETURN_A_CERTIFICATE"))], "", "client-certificate"),
        (
            [BOUND, ("http", PROFILE)],
            LISTED % ", values: {Profile_Rule: 'http://nowhere.example.com/x.xml'}",
            "host-no-address",
        ),
        ([BOUND, ("http", PROFILE)], LISTED % ", values: {Profile_Rule: 'gds://'}", "activation"),
    ],
)
def test_what_was_sent_is_not_taken_for_more_than_it_is(
    tmp_path: Path, events: list[tuple[str, Event]], extra: str, cause: str | None
) -> None:
    recorded(tmp_path, *events)
    story = told(tmp_path, extra)
    found = story["cause"]
    assert (found["rule"] if isinstance(found, dict) else None) == cause, story


@pytest.mark.parametrize("scheme", ["https", "http", "tftp"])
@pytest.mark.parametrize("why", sorted(WITHHELD))
def test_what_is_kept_from_a_phone_is_told_with_its_own_cause(
    tmp_path: Path, scheme: Scheme, why: str
) -> None:
    refused = Asked(scheme, IP, "GET", "/8851-3PCC.xml", 403, mac=MAC, reason="kept", why=why)
    recorded(tmp_path, ("dhcp", Bound(LEASE)), ("http", MISSING), ("http", refused))
    cause = told(tmp_path, LISTED % "")["cause"]
    assert isinstance(cause, dict)
    assert cause["rule"] == why
