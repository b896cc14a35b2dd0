"""What an emulated phone asks by datagrams once it has an address: DNS and TFTP.

Every exchange leaves from the phone's own address and ends in a result, whatever happens: the errors of sockets, TLS
and HTTP are turned into the troubles that a phone knows.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

from netprov.dns import stub
from netprov.emulator.failure import Timeouts, trouble_of
from netprov.errors import Malformed
from netprov.machine import Endpoint
from netprov.phone.action import MAX_FILE, Failed, Fetch, Found, Resolve, Response, SrvRecord, Trouble
from netprov.provision.event import PROBE
from netprov.tftp.download import Download
from netprov.tftp.packet import ErrorCode
from netprov.tftp.transfer import Failed as TransferFailed

TYPES: Mapping[str, int] = {"A": 1, "SRV": 33}

IP_RECVERR = 11

_STATUS: Mapping[stub.Status, Trouble] = {
    stub.Status.NXDOMAIN: Trouble.NXDOMAIN,
    stub.Status.NODATA: Trouble.NODATA,
    stub.Status.REFUSED: Trouble.DNS_REFUSED,
}


class _Port:
    """A UDP socket towards one DNS server, watched from the first question to the last. Raises `OSError`."""

    def __init__(self, source: str, server: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[bytes] | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.bind((source, 0))
            self._socket.connect((server, 53))
        except OSError:
            self._socket.close()
            raise
        self._loop.add_reader(self._socket, self._readable)

    async def ask(self, query: bytes, timeouts: float) -> stub.Reply:
        """Return the answer to a query; whatever else comes is passed over. Raises `OSError`, `TimeoutError`."""
        self._socket.send(query)
        async with asyncio.timeout(timeouts):
            while True:
                self._waiter = self._loop.create_future()
                message = await self._waiter
                reply = _reply(message[2:], query[2:]) if message[:2] == query[:2] else None
                if reply is not None:
                    return reply

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        try:
            message = self._socket.recv(65535)
        except BlockingIOError:
            return
        except OSError as error:
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(error)
            return
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(message)


class DnsPorts:
    """The sockets of one phone towards its DNS servers, kept from one question to the next; close them at the end."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._ports: dict[str, _Port] = {}

    def to(self, server: str) -> _Port:
        """Return the port towards a server. Raises `OSError`."""
        if server not in self._ports:
            self._ports[server] = _Port(self.source, server)
        return self._ports[server]

    def forget(self, server: str) -> None:
        """Close the port to a server that failed: what it still says is no answer to a later question."""
        if server in self._ports:
            self._ports.pop(server).close()

    def close(self) -> None:
        """Close every port."""
        for server in list(self._ports):
            self.forget(server)


async def resolve(
    action: Resolve, ports: DnsPorts, timeouts: Timeouts, draw: Callable[[int], int]
) -> Found | Failed:
    """Ask each DNS server in turn, by UDP, then by TCP where the answer was truncated."""
    failed = Failed(Trouble.NO_SERVER)
    for _ in range(timeouts.dns_tries):
        for server in action.servers:
            query = draw(16).to_bytes(2, "big") + _question(action.name, TYPES[action.type])
            try:
                reply: stub.Reply | None = await ports.to(server).ask(query, timeouts.dns)
                if reply and reply.truncated:
                    reply = await ask_tcp(query, server, ports.source, timeouts.dns)
            except TimeoutError:
                ports.forget(server)
                failed = Failed(Trouble.TIMEOUT, f"from DNS server {server}")
                continue
            except (OSError, Malformed) as error:
                ports.forget(server)
                failed = Failed(trouble_of(error), f"DNS server {server}")
                continue
            if reply is not None:
                return _found(reply, action)
    return failed


@lru_cache(maxsize=256)
def _question(name: str, type_: int) -> bytes:
    """Return a query behind its ID: the phones of one LAN all ask the same."""
    return stub.build_query(name, type_, id_=0)[2:]


@lru_cache(maxsize=1024)
def _reply(message: bytes, query: bytes) -> stub.Reply | None:
    """Parse a reply behind its ID, which fits already; the phones of one LAN all hear the same."""
    return stub.parse_reply(b"\0\0" + message, b"\0\0" + query)


def _found(reply: stub.Reply, action: Resolve) -> Found | Failed:
    if reply.status is not stub.Status.ANSWER:
        return Failed(_STATUS.get(reply.status, Trouble.DNS_FAILED), action.name)
    records = tuple(SrvRecord(t.priority, t.weight, t.port, t.target) for t in reply.targets())
    return Found(tuple(str(each) for each in reply.addresses() if each.version == 4), records)


async def ask_tcp(
    query: bytes, server: str, source: str, timeouts: float, *, port: int = 53
) -> stub.Reply | None:
    """Ask a DNS server by TCP; None for what is no reply. Raises `OSError`, `TimeoutError`, `Malformed`."""
    async with asyncio.timeout(timeouts):
        reader, writer = await asyncio.open_connection(server, port, local_addr=(source, 0))
        try:
            writer.write(len(query).to_bytes(2, "big") + query)
            length = int.from_bytes(await reader.readexactly(2), "big")
            return stub.parse_reply(await reader.readexactly(length), query)
        except asyncio.IncompleteReadError:
            return None
        finally:
            writer.close()


async def download(action: Fetch, source: str, timeouts: Timeouts) -> Response | Failed:
    """Read one file by TFTP."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)  # so that a closed port is noticed at once
        sock.bind((source, 0))
        server = Endpoint(action.address, action.url.port)
        transfer = Download(
            action.url.path.lstrip("/"),
            server,
            time.monotonic(),
            options={"blksize": "1428", **_marked(action)},
            limits=timeouts.tftp,
            max_octets=MAX_FILE,
        )
        try:
            while not transfer.finished:
                for datagram in transfer.datagrams_to_send():
                    await loop.sock_sendto(
                        sock, datagram.data, (datagram.destination.address, datagram.destination.port)
                    )
                await _next_packet(sock, transfer)
            for datagram in transfer.datagrams_to_send():
                await loop.sock_sendto(
                    sock, datagram.data, (datagram.destination.address, datagram.destination.port)
                )
        except OSError as error:
            return Failed(trouble_of(error), f"TFTP at {action.address}")
    outcome = transfer.outcome
    if isinstance(outcome, TransferFailed):
        return _tftp_failure(outcome, transfer_began=transfer.answered)
    return Response(200, transfer.content())


def _marked(action: Fetch) -> dict[str, str]:
    """Return the option that marks one of our own probes, where it is one; servers pass over options they do not know."""
    return {name: value for name, value in action.headers.items() if name == PROBE}


async def _next_packet(sock: socket.socket, transfer: Download) -> None:
    due = transfer.timer()
    try:
        async with asyncio.timeout(None if due is None else max(0.0, due - time.monotonic())):
            data, (address, port) = await asyncio.get_running_loop().sock_recvfrom(sock, 65536)
    except TimeoutError:
        transfer.handle_timer(time.monotonic())
        return
    transfer.receive(data, Endpoint(address, port), time.monotonic())


def _tftp_failure(outcome: TransferFailed, *, transfer_began: bool) -> Failed:
    if outcome.code == ErrorCode.FILE_NOT_FOUND:
        return Failed(Trouble.NOT_FOUND, outcome.reason)
    if outcome.code is not None:
        return Failed(Trouble.TRANSFER, outcome.reason)
    return Failed(Trouble.STALLED if transfer_began else Trouble.TIMEOUT, outcome.reason)
