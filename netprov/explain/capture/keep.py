"""Which packets of a capture are kept for whom: those of the phones that are told of, within stated limits.

Of a long stream, a firmware's, the beginning is kept and of the rest the lengths. Each phone has a share of its own of the
limits, and what is left over goes to who comes first; so none takes another's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from netprov.dhcp.message import SERVER_PORT
from netprov.explain.capture.client import Client
from netprov.explain.capture.packet import FIN, RST, SYN, Packet

MOST_OF_ONE = 50_000
"""Packets that are kept of one phone."""
SHARED_PACKETS, SPARE_PACKETS = 100_000, 150_000
"""Packets that are kept: shared out between all phones, and for who needs more."""
SHARED_OCTETS, SPARE_OCTETS = 24 << 20, 24 << 20
"""Octets of payloads, in the same way."""
MOST_OF_STREAM = 1 << 20
"""Octets that are kept of what one port says to another."""
HEAD = 5
"""Octets that are kept of every payload: a TLS record's or TFTP packet's header."""


@dataclass(slots=True)
class Kept:
    """One address's packets, from one on, in the order of their times; `shed` is how many there was no room for."""

    since: int
    packets: list[Packet] = field(default_factory=list)
    octets: int = 0
    shed: int = 0


def keep(
    packets: Iterable[Packet], since: Mapping[str, int], unconfirmed: Mapping[str, Client] | None = None
) -> dict[str, Kept]:
    """Keep the packets of each address, from the number that is given for it.

    The `unconfirmed` are clients, by MAC address, whose ACK is not in the capture; from which address they speak is found
    here.
    """
    found = {address: Kept(number) for address, number in since.items()}
    silent = dict(unconfirmed or {})
    offered = {each.offered.address: mac for mac, each in silent.items() if each.offered}
    room = _Room(len(found) + len(silent))
    for packet in packets:
        mac = packet.mac if packet.mac in silent else offered.get(packet.source, "")
        if mac in silent and _speaks(packet, silent[mac]):
            client = silent.pop(mac)
            client.address = packet.source
            found.setdefault(packet.source, Kept(client.first.number if client.first else 0))
        ends = (
            (packet.source,) if packet.source == packet.destination else (packet.source, packet.destination)
        )
        for address in ends:
            kept = found.get(address)
            if kept is not None and packet.number >= kept.since:
                room.take(packet, kept)
    for kept in found.values():
        kept.packets.sort(key=lambda packet: packet.time)
    return found


def _speaks(packet: Packet, client: Client) -> bool:
    """Say whether a client has an address by then, and uses it."""
    later = client.first is not None and packet.number > client.first.number
    return later and packet.kind != "icmp" and packet.dport != SERVER_PORT and packet.source != "0.0.0.0"


class _Room:
    """What may still be kept."""

    def __init__(self, phones: int) -> None:
        self._packets_each = min(MOST_OF_ONE, SHARED_PACKETS // max(1, phones))
        self._octets_each = SHARED_OCTETS // max(1, phones)
        self._packets, self._octets = SPARE_PACKETS, SPARE_OCTETS
        self._streams: dict[tuple[str, int, str, int], int] = {}

    def take(self, packet: Packet, kept: Kept) -> None:
        """Keep a packet for one phone, as much of it as there is room for."""
        stream = (packet.source, packet.sport, packet.destination, packet.dport)
        said = self._streams.get(stream, 0)
        if not packet.payload and packet.kind == "tcp" and not packet.flags & (SYN | FIN | RST):
            back = (packet.destination, packet.dport, packet.source, packet.sport)
            if self._streams.get(back, 0) >= MOST_OF_STREAM:
                return  # an acknowledgement within a long stream tells nothing
        if not self._has_place(kept):
            kept.shed += 1
            return
        size = len(packet.payload)
        wanted = max(min(size, HEAD), min(size, MOST_OF_STREAM - said))
        if not self._has_octets(kept, wanted):
            kept.shed += 1
            return
        if size:
            self._streams[stream] = said + size
        if wanted < size:
            packet = packet._replace(payload=packet.payload[:wanted], left=size - wanted)
        kept.packets.append(packet)
        kept.octets += wanted

    def _has_place(self, kept: Kept) -> bool:
        if len(kept.packets) < self._packets_each:
            return True
        if self._packets <= 0 or len(kept.packets) >= MOST_OF_ONE:
            return False
        self._packets -= 1
        return True

    def _has_octets(self, kept: Kept, size: int) -> bool:
        if kept.octets + size <= self._octets_each:
            return True
        if self._octets < size:
            return False
        self._octets -= size
        return True
