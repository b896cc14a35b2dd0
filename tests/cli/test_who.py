"""Phones by every name they have: each verb that takes one knows it, or refuses it in the same way."""

from __future__ import annotations

from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner

from netprov.cli.verb.answer import explain as explained
from netprov.cli.verb.answer import files, profile
from netprov.cli.verb.service import doctor, leases, phones
from netprov.dhcp.lease import Bound, Lease, LeaseState
from netprov.errors import InventoryError
from netprov.explain.who import names_of
from netprov.inventory.load import parse
from netprov.plan import derive
from netprov.state.clock import LeaseClock
from netprov.state.lease import open_store

MAC = "00:12:34:ab:45:de"
OTHER = bytes.fromhex("0012340000ff")
SITE = f"""domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
phones: [{{mac: '{MAC}', model: CP-8851-3PCC, name: desk1, address: 10.20.0.50}}]
"""


def test_a_phone_listed_by_its_name_in_full_is_known_by_the_short_one_too() -> None:
    site = derive(parse(SITE.replace("desk1", "desk1.example.com"), "site.yaml").inventory).site
    assert names_of(site).find("desk1") == names_of(site).find("desk1.example.com") == MAC


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a directory with the inventory and, as its state, a lease of a phone that is not listed."""
    (tmp_path / "site.yaml").write_text(SITE + f"server: {{state: '{tmp_path}'}}\n")
    store = open_store(tmp_path)
    lease = Lease(0x0A140065, "voice", OTHER, OTHER, LeaseState.BOUND, 0, 1e12, hostname="lobby")
    store.commit([Bound(lease)], LeaseClock(None).anchor())
    store.close()
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        MAC,
        "00-12-34-AB-45-DE",
        "0012.34ab.45de",
        "SEP001234AB45DE",
        "desk1",
        "DESK1",
        "desk1.example.com",
        "10.20.0.50",
    ],
)
def test_listed_phone_has_many_names(text: str) -> None:
    assert names_of(derive(parse(SITE, "site.yaml").inventory).site).find(text) == MAC


@pytest.mark.parametrize("text", ["lobby", "10.20.0.101", "00:12:34:00:00:ff"])
def test_phone_with_a_lease_is_known_by_it(folder: Path, text: str) -> None:
    assert names_of(derive(parse(SITE, "site.yaml").inventory).site, folder).find(text) == "00:12:34:00:00:ff"


VERBS: tuple[tuple[Command, tuple[str, ...]], ...] = (
    (explained.command, ("dhcp", "PHONE", "-f", "FILE")),
    (explained.command, ("phone", "PHONE", "-f", "FILE")),
    (explained.command, ("records", "PHONE", "-f", "FILE")),
    (explained.command, ("capture", "CAPTURE", "PHONE", "-f", "FILE")),
    (phones.command, ("show", "PHONE", "-f", "FILE")),
    (files.command, ("PHONE", "-f", "FILE")),
    (leases.command, ("show", "PHONE", "-f", "FILE")),
    (doctor.command, ("PHONE", "-f", "FILE", "--no-dhcp")),
    (profile.command, ("key", "PHONE", "-f", "FILE")),
)


@pytest.mark.parametrize(
    ("verb", "words"), VERBS, ids=lambda each: each[0] if isinstance(each, tuple) else ""
)
def test_unknown_phone_is_refused_alike_with_those_that_may_be_meant(
    folder: Path, verb: Command, words: tuple[str, ...]
) -> None:
    capture = Path(__file__).parents[1] / "explain" / "captures" / "healthy"
    standing = {
        "PHONE": "desk2",
        "FILE": str(folder / "site.yaml"),
        "CAPTURE": str(next(capture.glob("*.pcap"))),
    }
    result = CliRunner().invoke(verb, [standing.get(word, word) for word in words], standalone_mode=False)
    assert isinstance(result.exception, InventoryError)
    (problem,) = result.exception.problems
    assert problem.rule == "unknown-phone"
    assert "did you mean desk1" in problem.remedy


def test_unknown_phone_is_refused_before_there_is_any_record(folder: Path) -> None:
    words = ["show", "desk2", "-f", str(folder / "site.yaml"), "--state", str(folder / "fresh")]
    result = CliRunner().invoke(leases.command, words, standalone_mode=False)
    assert isinstance(result.exception, InventoryError)


def test_every_list_has_the_names_of_listed_phones(folder: Path) -> None:
    site = str(folder / "site.yaml")
    for verb, words in (
        (phones.command, ["list", "-f", site]),
        (explained.command, ["phone", "-f", site]),
        (explained.command, ["records", "-f", site]),
    ):
        result = CliRunner().invoke(verb, words, standalone_mode=False)
        assert "desk1" in result.output
