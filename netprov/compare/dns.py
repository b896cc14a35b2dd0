"""DNS as it is compared: every name of the zones, every type that phones or people ask for, both transports."""

from __future__ import annotations

import socket
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from netprov.compare.answer import Answer, DnsAnswer, DnsQuestion, Question
from netprov.dns.iana.rrtype import TYPES
from netprov.dns.message.name import format_host
from netprov.dns.stub import Reply, build_query, parse_reply
from netprov.errors import Malformed
from netprov.plan import Plan

ASKED = ("A", "AAAA", "SRV", "TXT", "CNAME", "PTR", "MX", "NAPTR")
"""Types that are asked for at every name."""

_WAIT_S = 2.0
_TRIES = 2
_MISSING = ("nobody", "www.nobody", "_ciscoprov-https._tcp")
"""Names that most domains do not have: what is said of them is compared too."""


def dns_questions(plan: Plan, further: Iterable[str] = ()) -> tuple[DnsQuestion, ...]:
    """Return what to ask: every name of the plan's zones, names that are not there, and further ones."""
    names: dict[str, None] = {}
    for zone in plan.dns.zones:
        origin = format_host(zone.origin)
        for name, _ in zone.rrsets():
            text = format_host(name)
            if not text.startswith("*."):
                names[text] = None
        names |= dict.fromkeys(f"{each}.{origin}" for each in _MISSING)
    names |= dict.fromkeys(further)
    return tuple(DnsQuestion(name, kind, tcp) for name in names for kind in ASKED for tcp in (False, True))


Exchange = Callable[[bytes, bool], bytes | None]
"""What brings the reply to a query, over UDP or TCP (True); None where none comes."""


def ask_dns(exchange: Exchange, questions: Sequence[DnsQuestion]) -> dict[Question, Answer]:
    """Put every question to one server; return its answers."""
    found: dict[Question, Answer] = {}
    for number, each in enumerate(questions, 1):
        query = build_query(each.name, TYPES[each.type], id_=number & 0xFFFF, edns=True)
        message = exchange(query, each.tcp)
        try:
            found[each] = _answer(parse_reply(message, query) if message else None)
        except Malformed:
            found[each] = DnsAnswer("malformed")
    return found


def over_sockets(address: str, port: int = 53) -> Exchange:
    """Return what asks a server at an address; its socket is made in the namespace of the caller, and ends with it."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, port))

    def exchange(query: bytes, tcp: bool) -> bytes | None:
        return _over_tcp((address, port), query) if tcp else _over_udp(sock, query)

    weakref.finalize(exchange, sock.close)
    return exchange


def _over_udp(sock: socket.socket, query: bytes) -> bytes | None:
    for _ in range(_TRIES):
        with suppress(OSError):
            sock.send(query)
        end = time.monotonic() + _WAIT_S
        while (left := end - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                message = sock.recv(65535)
            except OSError:
                break
            if message[:2] == query[:2]:
                return message
    return None


def _over_tcp(server: tuple[str, int], query: bytes) -> bytes | None:
    try:
        with socket.create_connection(server, _WAIT_S) as sock:
            sock.sendall(len(query).to_bytes(2, "big") + query)
            return _exactly(sock, int.from_bytes(_exactly(sock, 2), "big"))
    except OSError:
        return None


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError("the server ended the connection")
        data += piece
    return data


def _answer(reply: Reply | None) -> DnsAnswer:
    if reply is None:
        return DnsAnswer()
    records = tuple((each.name.lower(), str(each.type), str(each.data).lower()) for each in reply.records)
    ttls = tuple(each.ttl for each in reply.records)
    return DnsAnswer(reply.status.value, records, ttls, reply.authoritative)
