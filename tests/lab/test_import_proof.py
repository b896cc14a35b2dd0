"""`import --prove`: the source's own server and netprov with the draft give the same clients the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netprov.cli.side import Side, drafted, prove_draft
from netprov.compare.report import as_text
from tests.lab.conftest import needs

SOURCES = sorted((Path(__file__).parents[1] / "convert" / "sources").iterdir())
SAMPLE = {
    *("names.dnsmasq", "negation.dnsmasq", "two-lans.dnsmasq", "openwrt-bare-tags.dnsmasq"),
    *("cisco-voice-lan.dhcpd", "scopes.dhcpd", "subclasses.dhcpd"),
    *("shared.kea", "conditions.kea", "reservations.kea"),
}
"""Those that `make test` proves: of each daemon what the others are made of. `make prove` proves all."""
PROVED = [each for each in SOURCES if each.name in SAMPLE or os.environ.get("NETPROV_PROOFS") == "all"]
PROGRAMS = {"dnsmasq": "dnsmasq", "dhcpd": "dhcpd", "kea": "kea-dhcp4"}

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("source", PROVED, ids=[each.name for each in PROVED])
def test_draft_serves_what_its_source_serves(source: Path, tmp_path: Path) -> None:
    form = source.suffix[1:]
    needs(PROGRAMS[form])
    text = source.read_text()
    side = Side(source.name, form, text, drafted(source.name, text, form))
    verdict = prove_draft(side, tmp_path)
    assert not verdict.unexplained, "\n".join(as_text(verdict))
    assert verdict.answered > verdict.questions / 4


def test_there_are_as_many_sources_as_promised() -> None:
    assert len(SOURCES) >= 40
    assert {each.name for each in SOURCES} >= SAMPLE
    assert {each.suffix[1:] for each in SOURCES} == set(PROGRAMS)
