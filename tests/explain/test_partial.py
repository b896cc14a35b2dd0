"""Captures that hold a part of what happened: a filter, a mirror port of one direction, a card that lost packets.

Every recorded capture is read again with packets left out. What is said then is the planted cause, or that it cannot be seen.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from netprov.dhcp.message import Type, decode
from netprov.errors import LabError
from netprov.explain.capture.packet import SYN, Packet, read_packets
from netprov.explain.capture.reading import read, read_capture
from netprov.explain.engine import explain
from tests.explain.situations import BLIND
from tests.lab.planted import FAILURES, HEALTHY, Planted

CAPTURES = Path(__file__).parent / "captures"
PHONE = "00:12:34:ab:45:de"
EVERY = {**{each.name: each for each in FAILURES}, **{each.name: each for each in HEALTHY}}
OF_THE_LEASE = {"option-octets", "option-value", "option-in-header", "tr069-off", "no-domain", "no-dns"}
"""Causes that are in the lease, and seen nowhere else."""

LESS = {"dns-closed": "dns-silent", "dns-silent": "unreachable", "acs-unreachable": "port-closed"}
"""What is left of a cause, and true, without the ICMP message or the lease that shows the rest of it."""

Keep = Callable[[Packet], bool]


def is_dhcp(packet: Packet) -> bool:
    return packet.kind == "udp" and {packet.sport, packet.dport} <= {67, 68}


def type_of(packet: Packet) -> int | None:
    return decode(packet.payload).type if is_dhcp(packet) else None


def is_dns(packet: Packet) -> bool:
    return packet.kind == "udp" and 53 in {packet.sport, packet.dport}


PARTS: dict[str, Keep] = {
    "ACK lost": lambda packet: type_of(packet) != Type.ACK,
    "OFFER and ACK lost": lambda packet: type_of(packet) not in {Type.OFFER, Type.ACK},
    "no DHCP": lambda packet: not is_dhcp(packet),
    "DHCP and DNS alone": lambda packet: is_dhcp(packet) or is_dns(packet),
    "DNS alone": is_dns,
    "TCP alone": lambda packet: packet.kind == "tcp",
    "SYN lost": lambda packet: not (packet.kind == "tcp" and packet.flags & SYN),
    "from the phone alone": lambda packet: packet.mac == PHONE,
}


@cache
def packets_of(planted: Planted) -> tuple[Packet, ...]:
    folder = "failed" if planted.cause else "healthy"
    return tuple(read_packets(str(CAPTURES / folder / f"{planted.name}.pcap")))


CASES = [
    (name, part)
    for name, planted in EVERY.items()
    for part in PARTS
    if planted.cause not in {"dhcp-silent", "rival-dhcp"}
    and (planted.cause not in OF_THE_LEASE or part == "DHCP and DNS alone")
]
"""Without those whose cause is the very thing that is left out."""


@pytest.mark.parametrize(("name", "part"), CASES)
def test_what_is_not_in_a_capture_is_no_evidence(name: str, part: str) -> None:
    planted = EVERY[name]
    for sighting in read(list(filter(PARTS[part], packets_of(planted)))).phones:
        story = explain(sighting.steps)
        said = story.cause.id if story.cause else ""
        less = LESS.get(planted.cause, "")
        assert said in {planted.cause, less} or said in BLIND or story.hidden, story


@pytest.mark.parametrize("part", ["TCP alone", "DNS alone", "no DHCP"])
@pytest.mark.parametrize("name", ["srv-https", "cert-expired", "target-rude-tls"])
def test_a_phone_that_is_known_by_its_mac_address_is_found_without_dhcp(name: str, part: str) -> None:
    kept = list(filter(PARTS[part], packets_of(EVERY[name])))
    assert [each.mac for each in read(kept, frozenset({PHONE})).phones] == [PHONE]


@pytest.mark.parametrize("length", [68, 96, 262])
def test_packets_that_are_cut_are_told(tmp_path: Path, length: int) -> None:
    whole = (CAPTURES / "healthy" / "srv-http.pcap").read_bytes()
    cut, place = bytearray(whole[:24]), 24
    while place < len(whole):
        seconds, micro, kept, wire = struct.unpack("<IIII", whole[place : place + 16])
        cut += struct.pack("<IIII", seconds, micro, min(kept, length), wire)
        cut += whole[place + 16 : place + 16 + min(kept, length)]
        place += 16 + kept
    (tmp_path / "cut.pcap").write_bytes(cut)
    with pytest.raises(LabError, match="cut short"):
        read_capture(str(tmp_path / "cut.pcap"))
