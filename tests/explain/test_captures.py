"""Causes named from recorded packets: every capture has one thing wrong, or nothing (tests/lab/planted.py made them)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netprov.errors import LabError
from netprov.explain.capture.packet import read_packets
from netprov.explain.capture.reading import read, read_capture
from netprov.explain.engine import explain
from tests.lab.planted import FAILURES, HEALTHY, Planted

CAPTURES = Path(__file__).parent / "captures"


@pytest.mark.parametrize("planted", FAILURES, ids=lambda planted: planted.name)
def test_the_planted_cause_is_named(planted: Planted) -> None:
    (sighting,) = read_capture(str(CAPTURES / "failed" / f"{planted.name}.pcap")).phones
    story = explain(sighting.steps)
    assert not story.provisioned
    assert story.cause is not None
    assert planted.cause == story.cause.id, story
    assert story.evidence.startswith("packet") or story.cause.id == "bad-rule", story


@pytest.mark.parametrize("planted", HEALTHY, ids=lambda planted: planted.name)
def test_nothing_wrong_is_said_about_healthy_phones(planted: Planted) -> None:
    (sighting,) = read_capture(str(CAPTURES / "healthy" / f"{planted.name}.pcap")).phones
    story = explain(sighting.steps)
    assert story.provisioned, story
    assert story.cause is None


def test_no_capture_tells_of_the_machine_that_made_it() -> None:
    """dnsmasq names the file that it did not find; write /srv/lab-staging over what stands there, and its checksum."""
    for path in CAPTURES.rglob("*.pcap"):
        assert not re.search(rb"/(tmp|home|root)/", path.read_bytes()), path.name


def test_packets_out_of_order_are_put_in_order() -> None:
    """As a capture of a card with several queues may have them."""
    packets = list(read_packets(str(CAPTURES / "healthy" / f"{HEALTHY[0].name}.pcap")))
    assert read(packets[::-1]) == read(packets)


def test_there_are_as_many_as_promised() -> None:
    assert len(FAILURES) >= 40
    assert len(HEALTHY) >= 20


@pytest.mark.parametrize("content", [b"", b"no capture at all, just text"])
def test_what_is_no_capture_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pcap").write_bytes(content)
    with pytest.raises(LabError):
        read_capture(str(tmp_path / "x.pcap"))
    with pytest.raises(LabError):
        read_capture(str(tmp_path / "missing.pcap"))
