"""`netprov phones adopt`: who is listed as a stranger, and who of them is taken in."""

from __future__ import annotations

import json
import time
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group
from netprov.dhcp.lease import Bound, Lease, LeaseState
from netprov.inventory.load import load
from netprov.provision.event import Asked
from netprov.provision.requester import Agent
from netprov.provision.standing import fact_of
from netprov.state.clock import LeaseClock
from netprov.state.device_file import DeviceFile, Noted, RecordLimits
from netprov.state.lease import open_store

DESK, LOBBY, LAPTOP, LISTED = (f"00:12:34:ab:45:{each}" for each in ("de", "df", "e0", "e1"))
SITE = """domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
classes: {mpp: {match: {vendor_class: "CP-*-3PCC*"}}}
phones: {csv: phones.csv}
server: {state: %s}
"""


def lease(mac: str, address: str, vendor_class: str, relay: bytes) -> Bound:
    now = LeaseClock(None).now()
    octets = bytes.fromhex(mac.replace(":", ""))
    number = int(IPv4Address(address))
    key = b"\x01" + octets
    return Bound(
        Lease(number, "voice", key, octets, LeaseState.BOUND, now, now + 3600, "", vendor_class, relay)
    )


def option_82(circuit: bytes) -> bytes:
    return bytes((1, len(circuit))) + circuit


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return an inventory with one phone, on whose LAN two strangers and a laptop were seen."""
    file = tmp_path / "site.yaml"
    file.write_text(SITE % tmp_path)
    (tmp_path / "phones.csv").write_text(f"mac,name\n{LISTED},known\n")
    store = open_store(tmp_path)
    leases = [
        lease(DESK, "10.20.0.100", "CP-8851-3PCC", option_82(b"ge-0/0/1")),
        lease(LOBBY, "10.20.0.101", "CP-7841-3PCC dslforum.org", option_82(b"ge-0/0/2")),
        lease(LAPTOP, "10.20.0.102", "MSFT 5.0", option_82(b"xe-0/0/1")),
        lease(LISTED, "10.20.0.103", "CP-8851-3PCC", b""),
    ]
    store.commit(leases, LeaseClock(None).anchor())
    store.close()
    records = DeviceFile(tmp_path, RecordLimits(), lambda _: None)
    records.open()
    agent = Agent("CP-8865-3PCC", "12.0.1", DESK)
    asked = Asked("https", "10.20.0.100", "GET", "/x.xml", 200, "profile", 10, DESK, agent=agent)
    fact = fact_of(asked)
    assert fact is not None
    records.write([Noted(time.time(), "http", asked, fact)])
    records.close()
    return file


def adopt(site: Path, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(
        group, ("phones", "adopt", "-f", str(site), *words), input=given, standalone_mode=False
    )


def listed(site: Path) -> list[tuple[str, str | None]]:
    return [(each.mac, each.model) for each in load(str(site)).inventory.phones]


def test_who_was_seen_and_is_not_listed_is_shown_with_what_it_claims_and_where_it_is(site: Path) -> None:
    result = adopt(site, "--json")
    found = {each["mac"]: each for each in json.loads(result.stdout)}
    assert set(found) == {DESK, LOBBY, LAPTOP}
    assert found[LOBBY]["vendor_class"] == "CP-7841-3PCC dslforum.org"
    assert found[LOBBY]["claims"] == "CP-7841-3PCC"
    assert found[LAPTOP]["claims"] == ""
    assert (found[DESK]["claims"], found[DESK]["events"]) == ("CP-8865-3PCC", 1)
    assert found[DESK]["port"] == '1 circuit_id = "ge-0/0/1"'
    last = datetime.strptime(found[DESK]["last"], "%Y-%m-%dT%H:%M:%S%z")
    assert abs(last.timestamp() - time.time()) < 60


def test_one_that_is_named_is_taken_in_with_the_model_that_it_claims(site: Path) -> None:
    result = adopt(site, "10.20.0.101")
    assert result.return_value == 0, result.output
    assert listed(site) == [(LISTED, None), (LOBBY, "CP-7841-3PCC")]
    assert "its model is what it claims" in result.output


@pytest.mark.parametrize(
    ("words", "macs"),
    [
        (("--all",), {DESK, LOBBY, LAPTOP}),
        (("--port", "ge-0/0/*"), {DESK, LOBBY}),
        (("--port", "0x67652d302f302f32"), {LOBBY}),
        (("--model", "CP-78*"), {LOBBY}),
        (("--model", "CP-*", "--port", "xe-*"), set()),
    ],
)
def test_those_of_a_kind_are_taken_in(site: Path, words: tuple[str, ...], macs: set[str]) -> None:
    result = adopt(site, *words, "--yes")
    assert result.return_value == (0 if macs else 1)
    assert {mac for mac, _ in listed(site)} == macs | {LISTED}


def test_more_than_one_is_not_taken_unasked(site: Path) -> None:
    result = adopt(site, "--all")
    assert "3 phones are meant: say --yes, or name one" in str(result.exception)
    assert listed(site) == [(LISTED, None)]


def test_who_is_listed_and_who_was_never_seen_are_told_and_not_written(site: Path) -> None:
    result = adopt(site, LISTED, "00:12:34:00:00:01", "--yes")
    assert result.return_value == 1
    assert f"{LISTED} is listed already, at " in result.output
    assert "00:12:34:00:00:01 was never seen here" in result.output
    assert listed(site) == [(LISTED, None)]


def test_a_port_that_is_no_octets_is_refused(site: Path) -> None:
    assert "pairs of hexadecimal digits" in str(adopt(site, "--port", "0xyz", "--yes").exception)


def test_where_nobody_was_seen_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text((SITE % tmp_path).replace("phones: {csv: phones.csv}\n", ""))
    assert "nobody was seen who is not listed" in adopt(file).output
