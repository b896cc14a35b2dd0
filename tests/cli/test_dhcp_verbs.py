"""`netprov explain dhcp`, `netprov decode`, `netprov leases`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group
from netprov.dhcp.lease import Bound, Lease, LeaseState
from netprov.errors import ServiceError
from netprov.state.clock import LeaseClock
from netprov.state.lease import open_store

INVENTORY = """\
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/24}
classes:
  cpe: {match: {vendor_class_contains: dslforum.org}, method: acs, acs_url: "https://a/"}
  old: {method: dhcp, options: {66: 10.20.0.1}}
  mpp: {match: {vendor_class: "CP-*"}, options: {160: "http://h/"}}
phones:
  - {mac: 00:12:34:ab:45:de, model: CP-8851-3PCC}
  - {mac: 00:12:34:ab:45:df, class: old, address: 10.20.0.50}
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(group, words, standalone_mode=False)


@pytest.fixture
def site(tmp_path: Path) -> str:
    path = tmp_path / "site.yaml"
    path.write_text(INVENTORY)
    return str(path)


def test_explain_tells_class_by_class_why(site: str) -> None:
    result = run("explain", "dhcp", "001234ab45de", "-f", site)
    assert result.return_value == 0
    assert f"class    cpe: no match, {site}:5:3 (vendor class contains dslforum.org: no)" in result.output
    assert f"class    mpp: matched, {site}:7:3 (vendor class like CP-*: yes)" in result.output
    assert "not sent: option 160" in result.output
    assert "would keep a phone of method srv" in result.output


def test_explain_gives_the_line_of_each_option(site: str) -> None:
    result = run("explain", "dhcp", "00-12-34-AB-45-DF", "-f", site, "--json")
    found = json.loads(result.output)
    assert (found["address"], found["class"], found["method"]) == ("10.20.0.50", "old", "dhcp")
    assert next(each for each in found["options"] if each["code"] == 66) == {
        "code": 66,
        "name": "TFTP Server Name",
        "value": '"10.20.0.1"',
        "octets": b"10.20.0.1".hex(),
        "from": f"{site}:6:37",
    }


def test_explain_follows_what_the_client_asks(site: str) -> None:
    result = run(
        "explain",
        "dhcp",
        "02:00:00:00:00:01",
        "--vendor-class",
        "x dslforum.org",
        "--asks",
        "125,1",
        "--json",
        "-f",
        site,
    )
    assert [each["code"] for each in json.loads(result.output)["options"]] == [
        54,
        51,
        58,
        59,
        125,
        1,
        3,
        6,
        15,
    ]


def test_explain_says_that_a_stranger_gets_nothing(site: str) -> None:
    result = run("explain", "dhcp", "02:00:00:00:00:01", "-f", site)
    assert result.return_value == 1
    assert "network voice, which serves `clients: phones`" in result.output


@pytest.mark.parametrize(
    ("words", "expected", "code"),
    [
        (["43", "0103613a2f"], '1 acs_url = "a:/"', 0),
        (["43", "01:03:61:3a:2f:ff"], "ends in 255", 1),
        (["43", b"http://a".hex()], "a URL without sub-options", 1),
        (["43", "3132"], "not made of whole sub-options", 1),
        (["43", "020161"], "no sub-option 1", 1),
        (["66", "0a", "14", "00", "01"], "may mean 10.20.0.1", 1),
        (["66", b"10.20.0.1\0".hex()], "ends in NUL", 1),
        (["150", b"10.20.0.1".hex()], "is the text '10.20.0.1'", 1),
        (["160", b"68747470733a2f2f61".hex()], "spells out hexadecimal", 1),
        (["125", "00000de90a0b08" + b"http://a".hex()], '11 acs_url = "http://a"', 0),
        (["125", "00000de90a0108" + b"http://a".hex()], "sub-option 11; 1 is a device's OUI", 1),
        (["125", "0000000903010161"], "nothing of enterprise 3561", 1),
        (["125", "00000009020161"], "Enterprise 9 says 2 octets, its sub-option 1 needs 97", 1),
        (["43", ""], "Option 43 is empty", 1),
        (["15", b"example.com.".hex()], "ends in a dot", 1),
        (["224", "0102"], "0x0102", 0),
    ],
)
def test_decode(words: list[str], expected: str, code: int) -> None:
    result = run("decode", *words)
    assert expected in result.output
    assert result.return_value == code


@pytest.mark.parametrize(
    "word", ["43", "option43", "opt-43", "Option 43", "DHCP option 43", "vendor specific information"]
)
def test_decode_takes_an_option_as_people_write_it(word: str) -> None:
    assert "option 43, Vendor Specific Information" in run("decode", word, "0103613a2f").output


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("optoin43", "did you mean 43 (Vendor Specific Information)?"),
        ("tftp server", "did you mean 66 (TFTP Server Name)"),
        ("0", "give its number, from 1 to 254"),
        ("255", "give its number, from 1 to 254"),
        ("zzz", "give its number, from 1 to 254"),
    ],
)
def test_decode_says_which_option_was_meant(word: str, said: str) -> None:
    assert said in str(run("decode", word, "01").exception)


@pytest.fixture
def state(tmp_path: Path) -> str:
    store = open_store(tmp_path)
    clock = LeaseClock(store.anchor())
    now = clock.now()
    mac = bytes.fromhex("001234ab45de")
    bound = Lease(
        0x0A140064, "voice", b"\x01" + mac, mac, LeaseState.BOUND, now, now + 3600, "desk", "CP-8851-3PCC"
    )
    ended = Lease(
        0x0A140065, "voice", b"\x00x", b"\x02" * 6, LeaseState.RELEASED, now, now, relay=b"\x01\x01p"
    )
    store.commit([Bound(bound), Bound(ended)], clock.anchor())
    store.close()
    return str(tmp_path)


def test_leases_are_listed(state: str) -> None:
    table = run("leases", "list", "--state", state).output
    assert "10.20.0.100  00:12:34:ab:45:de  desk      voice    bound" in table
    assert "10.20.0.101" not in table
    assert "released" in run("leases", "list", "--all", "--state", state).output
    (lease,) = json.loads(run("leases", "list", "--format", "json", "--state", state).output)
    assert (lease["address"], lease["hostname"]) == ("10.20.0.100", "desk")


@pytest.mark.parametrize("which", ["10.20.0.100", "00-12-34-ab-45-de", "DESK"])
def test_lease_is_shown(state: str, which: str) -> None:
    result = run("leases", "show", which, "--state", state)
    assert result.return_value == 0
    assert "vendor_class  CP-8851-3PCC" in result.output
    assert run("leases", "show", "10.20.0.9", "--state", state).return_value == 4


def test_leases_are_exported_for_other_servers(state: str) -> None:
    kea = run("leases", "export", "--format", "kea", "--state", state).output.splitlines()
    assert kea[0].startswith("address,hwaddr,client_id,valid_lifetime,expire,subnet_id")
    assert kea[1].startswith("10.20.0.100,00:12:34:ab:45:de,,3600,")
    isc = run("leases", "export", "--format", "isc", "--state", state).output
    assert "lease 10.20.0.100 {\n" in isc
    assert '  client-hostname "desk";' in isc
    assert "binding state active;" in isc
    assert "10.20.0.101" in run("leases", "export", "--state", state).output


def test_missing_lease_file_is_told(tmp_path: Path) -> None:
    result = run("leases", "list", "--state", str(tmp_path))
    assert isinstance(result.exception, ServiceError)
    assert "no lease file" in result.exception.message


def test_release_of_nothing_is_told(state: str) -> None:
    assert run("leases", "release", "10.20.0.101", "--state", state).return_value == 4
    released = run("leases", "release", "10.20.0.100", "--state", state)
    assert "will be released when one starts" in released.output


def test_verbs_are_explained_by_example() -> None:
    for words in (["explain"], ["explain", "dhcp"], ["decode"], ["leases"]):
        result: Any = CliRunner().invoke(group, [*words, "--help"])
        assert "Examples:" in result.output
