"""Steps of a boot written as packets, with dnspython and OpenSSL: what tcpdump would have caught on the phone's port.

The headers are made here, octet by octet: a grid of captures by scapy takes ten times as long.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from netprov.phone.action import AskDhcp, Failed, Fetch, Found, Lease, Resolve, Response, Step, Trouble
from netprov.pki.bundle import Bundle
from tests.pki.chains import made

SERVER_MAC = "02:00:00:00:00:01"
START = 1_800_000_000.0
LONG_AGO, LONG_HENCE = 1_600_000_000.0, 2_200_000_000.0
RCODES = {Trouble.NXDOMAIN: 3, Trouble.NODATA: 0, Trouble.DNS_REFUSED: 5, Trouble.DNS_FAILED: 2}
REASONS = {200: "OK", 302: "Found", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
COOKIE = b"\x63\x82\x53\x63"
ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
PORT_UNREACHABLE, HOST_UNREACHABLE = 3, 1


@dataclass(frozen=True)
class Payload:
    """What an IP packet carries: a protocol and its octets."""

    protocol: int
    data: bytes


def udp(sport: int, dport: int, data: bytes) -> Payload:
    return Payload(UDP, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data)


def tcp(sport: int, dport: int, flags: int, seq: int, data: bytes = b"", *, ack: int = 0) -> Payload:
    return Payload(TCP, struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 8192, 0, 0) + data)


def unreachable(code: int, packet: bytes) -> Payload:
    """Return the ICMP message about an IP packet (RFC 792)."""
    return Payload(ICMP, struct.pack(">BBHI", 3, code, 0, 0) + packet)


def ip(source: str, destination: str, payload: Payload) -> bytes:
    """Return an IP packet (RFC 791); its checksum is left out, as a card that computes it leaves it to a capture."""
    head = struct.pack(">BBHIBBH", 0x45, 0, 20 + len(payload.data), 0, 64, payload.protocol, 0)
    return head + socket.inet_aton(source) + socket.inet_aton(destination) + payload.data


def ethernet(source: str, destination: str, packet: bytes, kind: int = 0x0800) -> bytes:
    return bytes.fromhex(f"{destination}{source}".replace(":", "")) + kind.to_bytes(2, "big") + packet


def write_pcap(path: Path, frames: Sequence[bytes]) -> None:
    """Write a capture file of version 2.4, LINKTYPE_ETHERNET, the frames a millisecond apart."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            seconds, milliseconds = divmod(number, 1000)
            stamp = struct.pack("<II", int(START) + seconds, milliseconds * 1000)
            file.write(stamp + struct.pack("<II", len(frame), len(frame)) + frame)


@dataclass
class Recorder:
    """Packets of one phone, a millisecond apart."""

    mac: str
    domain: str = "example.com"
    address: str = "0.0.0.0"
    frames: list[bytes] = field(default_factory=list)
    port: int = 40000

    def up(self, server: str, payload: Payload) -> None:
        self.frames.append(ethernet(self.mac, SERVER_MAC, ip(self.address, server, payload)))

    def down(self, server: str, payload: Payload) -> None:
        self.frames.append(ethernet(SERVER_MAC, self.mac, ip(server, self.address, payload)))

    def refused(self, server: str, code: int, payload: Payload) -> None:
        """Let the server say by ICMP that what the phone has sent reaches nobody."""
        self.down(server, unreachable(code, ip(self.address, server, payload)))

    def step(self, step: Step) -> None:
        match step.action:
            case AskDhcp():
                self.dhcp(step.action, step.result)
            case Resolve():
                self.dns(step.action, step.result)
            case Fetch() if step.action.url.scheme == "tftp":
                self.tftp(step.action, step.result)
            case Fetch():
                self.web(step.action, step.result)

    def dhcp(self, action: AskDhcp, result: object) -> None:
        def message(op: int, kind: int, options: bytes = b"", yiaddr: str = "0.0.0.0") -> bytes:
            chaddr = bytes.fromhex(self.mac.replace(":", ""))
            head = struct.pack(">BBBBIHHI", op, 1, 6, 0, 7, 0, 0, 0) + socket.inet_aton(yiaddr) + bytes(8)
            return (head + chaddr).ljust(236, b"\0") + COOKIE + bytes([53, 1, kind]) + options + b"\xff"

        def ask(kind: int) -> None:
            self.up("255.255.255.255", udp(68, 67, message(1, kind, own)))

        def answer(kind: int, options: bytes, yiaddr: str = "0.0.0.0") -> None:
            self.down("10.20.0.1", udp(67, 68, message(2, kind, server_id + options, yiaddr)))

        vendor = action.vendor_class.encode()
        own = bytes([60, len(vendor)]) + vendor
        server_id = bytes([54, 4, 10, 20, 0, 1])
        for _ in range(1 if isinstance(result, Lease) else 3):
            ask(1)
        if isinstance(result, Failed) and result.trouble is Trouble.DHCP_NAK:
            ask(3)
            answer(6, b"")
        if isinstance(result, Failed) and result.trouble is Trouble.DHCP_NO_ACK:
            answer(2, b"", "10.20.0.100")
            ask(3)
        if isinstance(result, Lease):
            given = b"".join(
                bytes([code, len(data)]) + data
                for code, data in result.options.items()
                if code not in {53, 54} and len(data) < 256
            )
            answer(2, given, result.address)
            ask(3)
            answer(5, given, result.address)
            self.address = result.address

    def dns(self, action: Resolve, result: object) -> None:
        query = dns.message.make_query(action.name, action.type)
        self.port += 1
        server = action.servers[0]
        tries = 2 if isinstance(result, Failed) and result.trouble is Trouble.TIMEOUT else 1
        for _ in range(tries):
            self.up(server, udp(self.port, 53, query.to_wire()))
        if isinstance(result, Failed) and result.trouble is Trouble.REFUSED:
            self.refused(server, PORT_UNREACHABLE, udp(self.port, 53, b""))
        elif isinstance(result, Found) or (isinstance(result, Failed) and result.trouble in RCODES):
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.AA
            if isinstance(result, Found):
                texts = (
                    [f"{r.priority} {r.weight} {r.port} {r.target}." for r in result.records]
                    if action.type == "SRV"
                    else list(result.addresses)
                )
                name = action.name.rstrip(".") + "."
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", action.type, *texts))
            else:
                reply.set_rcode(dns.rcode.Rcode(RCODES[result.trouble]))
            self.down(server, udp(53, self.port, reply.to_wire()))

    def tftp(self, action: Fetch, result: object) -> None:
        self.port += 1
        server, port, there = action.address, self.port, 50000
        request = b"\0\1" + action.url.path.lstrip("/").encode() + b"\0octet\0"
        trouble = result.trouble if isinstance(result, Failed) else None
        for _ in range(3 if trouble is Trouble.TIMEOUT else 1):
            self.up(server, udp(port, action.url.port, request))
        if trouble is Trouble.REFUSED:
            self.refused(server, PORT_UNREACHABLE, udp(port, action.url.port, b""))
        elif trouble in {Trouble.NOT_FOUND, Trouble.TRANSFER}:
            code = b"\0\1" if trouble is Trouble.NOT_FOUND else b"\0\2"
            self.down(server, udp(there, port, b"\0\5" + code + b"no\0"))
        elif trouble is Trouble.STALLED:
            self.down(server, udp(there, port, b"\0\3\0\1" + b"<" * 512))
            self.up(server, udp(port, there, b"\0\4\0\1"))
        elif isinstance(result, Response):
            for number in range(len(result.body) // 512 + 1):
                block = (number + 1).to_bytes(2, "big")
                data = result.body[number * 512 : number * 512 + 512]
                self.down(server, udp(there, port, b"\0\3" + block + data))
                self.up(server, udp(port, there, b"\0\4" + block))

    def web(self, action: Fetch, result: object) -> None:
        self.port += 1
        talk = Talk(self, action.address, self.port, action.url.port)
        trouble = result.trouble if isinstance(result, Failed) else None
        if trouble is Trouble.UNREACHABLE:
            first = tcp(self.port, action.url.port, SYN, 1000)
            self.up(action.address, first)
            self.refused(action.address, HOST_UNREACHABLE, first)
            return
        if trouble in {Trouble.TIMEOUT, Trouble.REFUSED}:
            talk.unanswered(refused=trouble is Trouble.REFUSED)
            return
        talk.open()
        if action.url.scheme == "https":
            self.secure(talk, action, result)
        else:
            talk.say(_request(action))
            if isinstance(result, Response):
                talk.hear(_answer(result))
            elif trouble is Trouble.GARBAGE:
                talk.hear(b"\x15\x03\x01\x00\x02\x02\x46")
        talk.close(reset=trouble is Trouble.RESET)

    def secure(self, talk: Talk, action: Fetch, result: object) -> None:
        """Let OpenSSL speak for both sides, with a certificate that has the fault."""
        trouble = result.trouble if isinstance(result, Failed) else None
        if trouble is Trouble.RESET:
            return
        if trouble is Trouble.NOT_TLS:
            talk.say(b"\x16\x03\x01\x00\x05hello")
            talk.hear(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        names = ("other.example.net",) if trouble is Trouble.WRONG_NAME else (action.verify,)
        end = 1_700_000_000.0 if trouble is Trouble.EXPIRED else LONG_HENCE
        wrong = trouble if trouble in {Trouble.UNTRUSTED, Trouble.TLS, Trouble.CLIENT_CERTIFICATE} else None
        for outward, data in handshake(names, end, action.verify, wrong):
            (talk.say if outward else talk.hear)(data)
        if isinstance(result, Response):
            request, answer = _request(action), _answer(result)
            talk.say(b"\x17\x03\x03" + len(request).to_bytes(2, "big") + request)
            talk.hear(b"\x17\x03\x03" + len(answer).to_bytes(2, "big") + answer)


@dataclass
class Talk:
    """One TCP connection."""

    recorder: Recorder
    server: str
    port: int
    there: int
    said: int = 1000
    heard: int = 5000

    def unanswered(self, *, refused: bool) -> None:
        for _ in range(1 if refused else 3):
            self.recorder.up(self.server, tcp(self.port, self.there, SYN, self.said))
        if refused:
            self.recorder.down(self.server, tcp(self.there, self.port, RST | ACK, 0))

    def open(self) -> None:
        self.unanswered(refused=False)
        del self.recorder.frames[-2:]
        self.said += 1
        self.recorder.down(self.server, tcp(self.there, self.port, SYN | ACK, self.heard, ack=self.said))
        self.heard += 1
        self.recorder.up(self.server, tcp(self.port, self.there, ACK, self.said, ack=self.heard))

    def say(self, data: bytes) -> None:
        self.recorder.up(self.server, tcp(self.port, self.there, PSH | ACK, self.said, data, ack=self.heard))
        self.said += len(data)

    def hear(self, data: bytes) -> None:
        for start in range(0, len(data), 1400):
            part = data[start : start + 1400]
            self.recorder.down(
                self.server, tcp(self.there, self.port, PSH | ACK, self.heard, part, ack=self.said)
            )
            self.heard += len(part)

    def close(self, *, reset: bool) -> None:
        self.recorder.down(self.server, tcp(self.there, self.port, RST if reset else FIN | ACK, self.heard))


def _request(action: Fetch) -> bytes:
    headers = {"Host": action.url.host, **action.headers, "Content-Length": str(len(action.body))}
    lines = [f"{action.method} {action.url.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + action.body


def _answer(result: Response) -> bytes:
    lines = [f"HTTP/1.1 {result.status} {REASONS.get(result.status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in result.headers if name.lower() != "content-length"]
    lines.append(f"Content-Length: {len(result.body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + result.body


@cache
def authority() -> Bundle:
    return made("Grid CA", authority=True, names=(), start=LONG_AGO, end=LONG_HENCE)


@cache
def handshake(
    names: tuple[str, ...], end: float, wanted: str, wrong: Trouble | None
) -> tuple[tuple[bool, bytes], ...]:
    """Return the flights of a TLS 1.2 handshake, alerts included: (from the phone, octets)."""
    return tuple(_flights(names, end, wanted, wrong))


def _flights(
    names: tuple[str, ...], end: float, wanted: str, wrong: Trouble | None
) -> Iterator[tuple[bool, bytes]]:
    import tempfile

    chain = made(names[0], names=names, issuer=authority(), start=LONG_AGO, end=end)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if wrong is Trouble.TLS:
        server_side.minimum_version = ssl.TLSVersion.TLSv1_3
    if wrong is Trouble.CLIENT_CERTIFICATE:
        server_side.verify_mode = ssl.CERT_REQUIRED
        server_side.load_verify_locations(cadata=authority().leaf.pem())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chain.pem"
        file.write_bytes(chain.encode())
        server_side.load_cert_chain(file)
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.maximum_version = ssl.TLSVersion.TLSv1_2
    if wrong is not Trouble.UNTRUSTED:
        client_side.load_verify_locations(cadata=authority().leaf.pem())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname=wanted)
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        failed = False
        for side, bio, outward in ((client, to_server, True), (server, to_client, False)):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                failed = True
            if bio.pending:
                data = bio.read()
                yield outward, data
                bio.write(data)
            if failed:
                return


def write(path: Path, mac: str, steps: Sequence[Step]) -> None:
    """Write a capture of these steps."""
    recorder = Recorder(mac)
    for step in steps:
        recorder.step(step)
    write_pcap(path, recorder.frames)
