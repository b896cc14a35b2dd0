"""One TCP connection of a phone put into steps: refused, silent, HTTP in clear, or TLS as far as it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from netprov.explain.capture.handshake import APPLICATION, failure, read_side, server_name
from netprov.explain.capture.packet import Packet
from netprov.explain.capture.stream import Connection, Exchange, exchanges, numbers
from netprov.explain.verdict import SEALED
from netprov.hostport import PORTS, Scheme
from netprov.phone.action import Failed, Fetch, Response, Step, Trouble
from netprov.phone.rule.url import Url, is_host

HANDSHAKE_START = b"\x16\x03"


def steps_of(connection: Connection, host: str, domain: str) -> list[Step]:
    """Return the steps of a connection to `host`; `domain` is what DHCP gave the phone."""
    asked, answered = connection.said(client=True), connection.said(client=False)
    secure = asked.startswith(HANDSHAKE_START) or (not asked and connection.server_port == PORTS["https"])
    scheme: Scheme = "https" if secure else "http"
    url = Url(scheme, host, connection.server_port, "/")
    if connection.accepted and not connection.heard:
        failed = Failed(Trouble.UNSEEN, f"no packet of {connection.server} is in the capture")
        return [_step(connection, Fetch(url, connection.server), failed)]
    if not connection.accepted:
        return [_step(connection, Fetch(url, connection.server), _unopened(connection))]
    if secure:
        return [_unless_torn(connection, each) for each in _tls(connection, url, asked, answered, domain)]
    found = exchanges(asked, answered, closed=connection.closed_by_server)
    if not found:
        failed = Failed(Trouble.RESET if connection.closed_by_server else Trouble.TIMEOUT, "nothing was said")
        return [_unless_torn(connection, _step(connection, Fetch(url, connection.server), failed))]
    packet_at = connection.packets_at(client=True)
    return [_unless_torn(connection, _http(connection, host, each, packet_at(each.offset))) for each in found]


def _unless_torn(connection: Connection, step: Step) -> Step:
    """Return a step of a connection; a failure is none where a part of what was said is not in the capture."""
    if isinstance(step.result, Failed) and step.result.trouble not in _CERTAIN and connection.torn:
        return replace(
            step, result=Failed(Trouble.UNSEEN, "packets of this connection are not in the capture")
        )
    return step


_CERTAIN = frozenset(
    {Trouble.UNTRUSTED, Trouble.WRONG_NAME, Trouble.EXPIRED, Trouble.NOT_YET, Trouble.CLIENT_CERTIFICATE}
)
"""What the packets show that are there."""


def _unopened(connection: Connection) -> Failed:
    """Return why a connection did not open."""
    icmp = [packet for packet in connection.packets if packet.kind == "icmp"]
    if icmp:
        closed = icmp[0].icmp_code == 3
        return Failed(
            Trouble.REFUSED if closed else Trouble.UNREACHABLE, f"ICMP unreachable, code {icmp[0].icmp_code}"
        )
    if connection.reset_by_server:
        return Failed(Trouble.REFUSED, f"{connection.server} port {connection.server_port}")
    return Failed(Trouble.TIMEOUT, f"{len(connection.packets)} SYN without an answer")


def _http(connection: Connection, host: str, exchange: Exchange, packet: Packet | None) -> Step:
    headers = dict(exchange.headers)
    named = {key.lower(): value for key, value in exchange.headers}.get("host", "").partition(":")[0]
    url = Url("http", named if is_host(named) else host, connection.server_port, exchange.target or "/")
    action = Fetch(url, connection.server, method=exchange.method, body=exchange.body, headers=_soap(headers))
    evidence = f"packet {packet.number}" if packet else connection.evidence
    result: Response | Failed = Response(exchange.status, exchange.answer, exchange.answer_headers)
    if not exchange.status and connection.said(client=False):
        result = Failed(Trouble.GARBAGE, "the answer is not HTTP")
    elif not exchange.whole:
        what = "the answer breaks off" if exchange.status else "no answer"
        result = Failed(Trouble.RESET if connection.closed_by_server else Trouble.TIMEOUT, what)
    started = packet.time if packet else connection.packets[0].time
    return Step(action, result, started, 0.0, len(exchange.target), len(exchange.answer), evidence)


def _soap(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers with the name of SOAPAction as CWMP writes it."""
    return {
        ("SOAPAction" if name.lower() == "soapaction" else name): value for name, value in headers.items()
    }


def _tls(connection: Connection, url: Url, asked: bytes, answered: bytes, domain: str) -> list[Step]:
    client, server = read_side(asked), read_side(answered)
    wanted = server_name(client.hello) or domain
    action = Fetch(url, connection.server, verify=wanted)
    failed = failure(client, server, wanted=wanted, now=connection.packets[0].time)
    if failed is not None:
        return [_step(connection, action, failed)]
    if not answered:
        trouble = Trouble.RESET if connection.closed_by_server else Trouble.TIMEOUT
        return [_step(connection, action, Failed(trouble, "no ServerHello"))]
    if not client.application:
        trouble = Trouble.RESET if connection.closed_by_server else Trouble.TLS
        return [_step(connection, action, Failed(trouble, "the handshake does not end"))]
    return _sealed(connection, action)


def _sealed(connection: Connection, action: Fetch) -> list[Step]:
    """Return a step for each time that the phone spoke and then the server, as application records show."""
    turns: list[tuple[bool, list[Packet]]] = []
    for outward, group in groupby(_application(connection), key=lambda pair: pair[0]):
        turns.append((outward, [packet for _, packet in group]))
    found = []
    for place, (outward, packets) in enumerate(turns):
        if not outward:
            continue
        answer = turns[place + 1][1] if place + 1 < len(turns) else []
        size = sum(packet.size for packet in answer)
        evidence = numbers([*packets, *answer])
        if answer:
            result: Response | Failed = Response(SEALED)
        elif connection.closed_by_server:
            result = Failed(Trouble.RESET, "no answer")
        else:
            continue
        asked = sum(packet.size for packet in packets)
        found.append(Step(action, result, packets[0].time, 0.0, asked, size, evidence))
    return found


def _application(connection: Connection) -> Iterator[tuple[bool, Packet]]:
    """Yield (from the phone, packet) for packets that begin with or continue application data."""
    seen = {True: False, False: False}
    for packet in connection.packets:
        outward = packet.source == connection.client and packet.sport == connection.client_port
        if not packet.payload:
            continue
        if packet.payload[0] == APPLICATION and packet.payload[1:2] == b"\x03":
            seen[outward] = True
            yield outward, packet
        elif seen[outward] and packet.payload[0] not in {20, 21, 22}:
            yield outward, packet


def _step(connection: Connection, action: Fetch, result: Response | Failed) -> Step:
    first, last = connection.packets[0], connection.packets[-1]
    return Step(action, result, first.time, last.time - first.time, evidence=connection.evidence)
