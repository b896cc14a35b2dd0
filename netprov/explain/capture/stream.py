"""A TCP connection of a capture: how it opened, what each side said, how it ended, and the HTTP in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from netprov.explain.capture.packet import ACK, FIN, RST, SYN, Packet
from netprov.number import whole as decimal

HALF, SPAN = 1 << 31, 1 << 32
MOST_SAID = 32 << 20
"""Octets of one side of a connection that are put together."""
MOST_BODY = 1 << 20
"""Octets of a body that are kept; profiles are shorter."""
MOST_EXCHANGES = 1000
"""Requests of one connection that are read."""


@dataclass(slots=True)
class Connection:
    """One connection, seen from the client; packets are added in order."""

    client: str
    client_port: int
    server: str
    server_port: int
    packets: list[Packet] = field(default_factory=list)

    def add(self, packet: Packet) -> None:
        """Take in a packet of either direction."""
        self.packets.append(packet)

    @property
    def evidence(self) -> str:
        """Return the numbers of its packets."""
        return numbers(self.packets)

    @property
    def accepted(self) -> bool:
        """Whether the server answered the SYN with a SYN of its own, or the client speaks as if it had."""
        answered = any(p.flags & SYN and p.flags & ACK for p in self._of(client=False))
        return answered or any(p.flags & ACK and not p.flags & (SYN | RST) for p in self._of(client=True))

    @property
    def heard(self) -> bool:
        """Whether anything of the server is in the capture."""
        return any(True for _ in self._of(client=False))

    @property
    def torn(self) -> bool:
        """Whether a part of what was said is not in the capture: acknowledged, or between what is."""
        return any(self._hole(client=side) for side in (True, False))

    @property
    def reset_by_server(self) -> bool:
        """Whether the server sent RST."""
        return any(p.flags & RST for p in self._of(client=False))

    @property
    def closed_by_server(self) -> bool:
        """Whether the server sent RST, or FIN before the client did."""
        ends = [p for p in self.packets if p.flags & (FIN | RST)]
        return bool(ends) and ends[0].source == self.server and ends[0].sport == self.server_port

    def said(self, *, client: bool) -> bytes:
        """Return what one side sent, in order, without what was sent twice; a gap ends it.

        Octets that were not kept are noughts; of more than `MOST_SAID` the beginning is returned.
        """
        segments = sorted(
            {(p.seq, p.payload, p.left) for p in self._of(client=client) if p.payload and not p.flags & SYN}
        )
        if segments and segments[-1][0] - segments[0][0] > HALF:  # the sequence numbers wrapped around
            segments = sorted(
                ((seq + (1 << 32) if seq < HALF else seq), data, left) for seq, data, left in segments
            )
        whole, next_seq = bytearray(), segments[0][0] if segments else 0
        for seq, data, left in segments:
            if seq > next_seq or len(whole) >= MOST_SAID:
                break
            if seq + len(data) + left > next_seq:
                whole += (data + bytes(left))[next_seq - seq :]
                next_seq = seq + len(data) + left
        return bytes(whole)

    def _hole(self, *, client: bool) -> bool:
        own, others = self._of(client=client), self._of(client=not client)
        segments = [p for p in own if p.payload]
        opened = next((p.seq + 1 for p in own if p.flags & SYN), None)
        begun = min((p.seq for p in segments), default=None) if opened is None else opened
        if begun is None:
            return False
        reach = max(((p.seq - begun) % SPAN + p.size for p in segments), default=0)
        # A FIN counts as one octet. What is acknowledged before the first octet that is here was said too.
        acknowledged = [(p.ack - begun) % SPAN for p in others if p.flags & ACK and not p.flags & RST]
        if opened is not None:
            acknowledged = [each for each in acknowledged if each < HALF]
        return (
            any(p.cut for p in segments)
            or min(reach, MOST_SAID) > len(self.said(client=client))
            or any(reach + 1 < each for each in acknowledged)
        )

    def packets_at(self, *, client: bool) -> Callable[[int], Packet | None]:
        """Return what finds the packet that carries the octet at an offset of what one side sent."""
        first_at: dict[int, Packet] = {}
        for packet in self._of(client=client):
            if packet.payload:
                first_at.setdefault(packet.seq, packet)
        starts = sorted(first_at)

        def find(offset: int) -> Packet | None:
            place = bisect_right(starts, starts[0] + offset) if starts else 0
            packet = first_at[starts[place - 1]] if place else None
            return packet if packet and starts[0] + offset < packet.seq + packet.size else None

        return find

    def _of(self, *, client: bool) -> Sequence[Packet]:
        mine = (self.client, self.client_port) if client else (self.server, self.server_port)
        return [p for p in self.packets if (p.source, p.sport) == mine]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request with its answer; `status` is 0 where none came, `whole` False where it broke off."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int = 0
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer: bytes = b""
    whole: bool = True
    offset: int = 0


def exchanges(asked: bytes, answered: bytes, *, closed: bool) -> list[Exchange]:
    """Read the requests of one side and the answers of the other (RFC 9112); what is not HTTP ends the reading."""
    found: list[Exchange] = []
    position, place = 0, 0
    while position < len(asked) and len(found) < MOST_EXCHANGES:
        request = _message(asked, position, closed=True, answer_to="")
        if request is None:
            break
        first, headers, body, following, _ = request
        method, _, rest = first.partition(" ")
        target = rest.partition(" ")[0]
        answer = _message(answered, place, closed=closed, answer_to=method) if place < len(answered) else None
        if answer is None or not answer[0].startswith("HTTP/"):
            found.append(Exchange(method, target, headers, body, offset=position, whole=False))
            break
        status = answer[0].split(" ")[1] if answer[0].count(" ") else ""
        found.append(
            Exchange(
                method,
                target,
                headers,
                body,
                decimal(status) or 0,
                answer[1],
                answer[2],
                answer[4],
                position,
            )
        )
        position, place = following, answer[3]
    return found


_Message = tuple[str, tuple[tuple[str, str], ...], bytes, int, bool]


def _message(data: bytes, start: int, *, closed: bool, answer_to: str) -> _Message | None:
    """Return first line, headers, body, where the next message begins, and whether the body is whole."""
    end = data.find(b"\r\n\r\n", start)
    if end < 0:
        return None
    lines = data[start:end].decode("latin-1").split("\r\n")
    headers = tuple(
        (name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])
    )
    lower = {name.lower(): value for name, value in headers}
    body = end + 4
    status = lines[0].split(" ")[1] if answer_to and lines[0].count(" ") else ""
    if status in {"204", "304"} or status.startswith("1") or answer_to == "HEAD":
        return lines[0], headers, b"", body, True
    if "chunked" in lower.get("transfer-encoding", ""):
        content, following, whole = _chunks(data, body)
        return lines[0], headers, content, following, whole
    length = decimal(lower.get("content-length", ""))
    if length is not None:
        stop = body + length
        return (
            lines[0],
            headers,
            data[body : min(stop, body + MOST_BODY)],
            min(stop, len(data)),
            stop <= len(data) or len(data) >= MOST_SAID,
        )
    if answer_to:
        return lines[0], headers, data[body : body + MOST_BODY], len(data), closed or len(data) >= MOST_SAID
    return lines[0], headers, b"", body, True


def _chunks(data: bytes, start: int) -> tuple[bytes, int, bool]:
    whole = bytearray()
    while True:
        line = data.find(b"\r\n", start)
        if line < 0:
            return bytes(whole[:MOST_BODY]), len(data), len(data) >= MOST_SAID
        try:
            size = int(data[start:line].split(b";")[0], 16)
        except ValueError:
            return bytes(whole[:MOST_BODY]), len(data), False
        start = line + 2
        if size < 0:  # which int() reads, and which would lead back
            return bytes(whole[:MOST_BODY]), len(data), False
        if size == 0:
            end = data.find(b"\r\n", start)
            return bytes(whole[:MOST_BODY]), end + 2 if end >= 0 else len(data), end >= 0
        whole += data[start : start + size]
        start += size + 2


def numbers(packets: Sequence[Packet]) -> str:
    """Return packet numbers for people."""
    if not packets:
        return ""
    first, last = packets[0].number, packets[-1].number
    return f"packet {first}" if first == last else f"packets {first} to {last}"
