"""DNS, TFTP and the TCP connections of one phone in a capture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from netprov.dns import stub
from netprov.errors import Malformed
from netprov.explain.capture.packet import ACK, SYN, Packet
from netprov.explain.capture.stream import Connection, numbers
from netprov.hostport import DHCP_PORT, DNS_PORT, NTP_PORT, SYSLOG_PORT
from netprov.number import whole
from netprov.phone.action import Failed, Fetch, Found, Resolve, Response, SrvRecord, Step, Trouble
from netprov.phone.rule.url import Url
from netprov.tftp.packet import Data, Error, ErrorCode, OptionAck, TftpRequest, decode

TYPES: Mapping[int, str] = {1: "A", 33: "SRV"}
DEFAULT_BLOCK = 512

_NEGATIVE: Mapping[stub.Status, Trouble] = {
    stub.Status.NXDOMAIN: Trouble.NXDOMAIN,
    stub.Status.NODATA: Trouble.NODATA,
    stub.Status.REFUSED: Trouble.DNS_REFUSED,
}


@dataclass(slots=True)
class _Question:
    name: str
    type: str
    servers: list[str]
    packets: list[Packet] = field(default_factory=list)
    result: Found | Failed | None = None


class Lookups:
    """The DNS of one phone; a question asked again is one question."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._open: dict[tuple[int, int], tuple[Packet, _Question]] = {}
        self._asked: dict[int, list[_Question]] = {}
        self._questions: list[_Question] = []

    def add(self, packet: Packet) -> None:
        """Take in any packet; only DNS over UDP matters."""
        if packet.kind == "udp" and packet.dport == 53 and packet.source == self._address:
            self._ask(packet)
        elif packet.kind == "udp" and packet.sport == 53 and packet.destination == self._address:
            self._answer(packet)
        elif packet.kind == "icmp" and packet.dport == 53 and packet.source == self._address:
            for question in self._asked.pop(packet.sport, ()):
                if question.result is None:
                    question.packets.append(packet)
                    question.result = Failed(
                        Trouble.REFUSED, f"ICMP says that {packet.destination} has no DNS port"
                    )

    def steps(self) -> list[Step]:
        """Return a step for each question."""
        return [
            Step(
                Resolve(each.name, each.type, tuple(dict.fromkeys(each.servers))),
                each.result or Failed(Trouble.TIMEOUT, f"asked {len(each.packets)} times"),
                each.packets[0].time,
                each.packets[-1].time - each.packets[0].time,
                evidence=numbers(each.packets),
            )
            for each in self._questions
        ]

    def names(self) -> dict[str, str]:
        """Return the name that each address was looked up by."""
        return {
            address: each.name
            for each in self._questions
            if isinstance(each.result, Found)
            for address in each.result.addresses
        }

    def _ask(self, packet: Packet) -> None:
        parsed = _question(packet.payload)
        if parsed is None:
            return
        name, kind = parsed
        last = self._questions[-1] if self._questions else None
        if last and (last.name, last.type) == (name, kind) and not isinstance(last.result, Found):
            if last.result is None or last.result.trouble in {Trouble.REFUSED, Trouble.DNS_FAILED}:
                question = last
                question.result = None
            else:
                return
        else:
            question = _Question(name, kind, [])
            self._questions.append(question)
        question.packets.append(packet)
        question.servers.append(packet.destination)
        self._asked.setdefault(packet.sport, []).append(question)
        self._open[packet.sport, int.from_bytes(packet.payload[:2], "big")] = packet, question

    def _answer(self, packet: Packet) -> None:
        key = packet.dport, int.from_bytes(packet.payload[:2], "big")
        if key not in self._open:
            return
        asked, question = self._open[key]
        try:
            reply = stub.parse_reply(packet.payload, asked.payload)
        except Malformed as error:
            question.result = Failed(Trouble.GARBAGE, str(error))
            return
        if reply is None:
            return
        question.packets.append(packet)
        if reply.status is stub.Status.ANSWER:
            records = tuple(SrvRecord(t.priority, t.weight, t.port, t.target) for t in reply.targets())
            question.result = Found(tuple(str(a) for a in reply.addresses() if a.version == 4), records)
        else:
            question.result = Failed(_NEGATIVE.get(reply.status, Trouble.DNS_FAILED), question.name)


def _question(payload: bytes) -> tuple[str, str] | None:
    """Return name and type of a query's question, None for types that do not matter."""
    labels, position = [], 12
    while position < len(payload) and payload[position]:
        length = payload[position]
        labels.append(payload[position + 1 : position + 1 + length].decode("ascii", "replace"))
        position += 1 + length
    kind = TYPES.get(int.from_bytes(payload[position + 1 : position + 3], "big"))
    return (".".join(labels), kind) if kind and labels else None


@dataclass(slots=True)
class _Transfer:
    server: str
    port: int
    filename: str
    packets: list[Packet]
    block: int = DEFAULT_BLOCK
    blocks: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    """By number: what was kept of a block, and its octets."""
    error: Failed | None = None

    def result(self) -> Response | Failed:
        if self.error:
            return self.error
        whole = bytearray()
        for number in range(1, len(self.blocks) + 1):
            data, size = self.blocks.get(number & 0xFFFF, (b"", -1))
            if size < 0:
                break
            whole += data
            if size < self.block:
                return Response(200, bytes(whole))
        if self.blocks:
            return Failed(Trouble.STALLED, f"after block {len(self.blocks)}")
        return Failed(Trouble.TIMEOUT, f"asked {len(self.packets)} times")


class Transfers:
    """The TFTP of one phone (RFC 1350): each of its ports is one transfer."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._transfers: dict[int, _Transfer] = {}

    def add(self, packet: Packet) -> None:
        """Take in any packet."""
        if packet.kind == "icmp" and packet.source == self._address and packet.sport in self._transfers:
            transfer = self._transfers[packet.sport]
            if not transfer.blocks:
                transfer.packets.append(packet)
                transfer.error = Failed(Trouble.REFUSED, f"ICMP says that {transfer.server} has no TFTP port")
            return
        if packet.kind != "udp":
            return
        if packet.source == self._address:
            self._ask(packet)
        elif packet.destination == self._address and packet.dport in self._transfers:
            self._answer(self._transfers[packet.dport], packet)

    def steps(self, names: Mapping[str, str]) -> list[Step]:
        """Return a step for each transfer."""
        found = []
        for each in self._transfers.values():
            url = Url("tftp", names.get(each.server, each.server), each.port, "/" + each.filename.lstrip("/"))
            result = each.result()
            size = sum(octets for _, octets in each.blocks.values()) if isinstance(result, Response) else 0
            first, last = each.packets[0], each.packets[-1]
            evidence = numbers(each.packets)
            found.append(
                Step(Fetch(url, each.server), result, first.time, last.time - first.time, 0, size, evidence)
            )
        return found

    def _ask(self, packet: Packet) -> None:
        if packet.sport in self._transfers:
            self._transfers[packet.sport].packets.append(packet)
            return
        if packet.dport in {DNS_PORT, DHCP_PORT, NTP_PORT, SYSLOG_PORT}:
            return
        try:
            request = decode(packet.payload)
        except Malformed:
            return
        if isinstance(request, TftpRequest):
            self._transfers[packet.sport] = _Transfer(
                packet.destination, packet.dport, request.filename, [packet]
            )

    @staticmethod
    def _answer(transfer: _Transfer, packet: Packet) -> None:
        try:
            answer = decode(packet.payload)
        except Malformed:
            return
        transfer.packets.append(packet)
        match answer:
            case OptionAck(options) if (block_size := whole(options.get("blksize", ""))) is not None:
                transfer.block = block_size
            case Data(block, payload):
                transfer.blocks.setdefault(block, (payload, len(payload) + packet.left))
            case Error(code, message):
                missing = code == ErrorCode.FILE_NOT_FOUND
                transfer.error = Failed(Trouble.NOT_FOUND if missing else Trouble.TRANSFER, message)


def connections(packets: Iterable[Packet], address: str) -> list[Connection]:
    """Return the TCP connections that a phone opened, in order; a SYN on a used port opens another.

    One whose SYN is not in the capture begins with the first that the phone says.
    """
    found: list[Connection] = []
    open_: dict[tuple[int, str, int], Connection] = {}
    for packet in packets:
        if packet.kind not in {"tcp", "icmp"}:
            continue
        outward = packet.source == address
        key = (
            (packet.sport, packet.destination, packet.dport)
            if outward
            else (packet.dport, packet.source, packet.sport)
        )
        opens = packet.kind == "tcp" and outward and packet.flags & SYN and not packet.flags & ACK
        speaks = packet.kind == "tcp" and outward and packet.payload and key not in open_
        if speaks or (opens and (key not in open_ or open_[key].accepted)):
            open_[key] = Connection(address, packet.sport, packet.destination, packet.dport)
            found.append(open_[key])
        if key in open_:
            open_[key].add(packet)
    return found
