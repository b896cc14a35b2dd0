"""Further processes that answer DNS over UDP on the same addresses: the kernel spreads queries over them (SO_REUSEPORT).

The service binds every socket itself, so that faults show where they can be reported, and hands it over. A worker ends
when its pipe does; one that dies is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import socket
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from netprov.dns.config import DnsConfig
from netprov.errors import ServiceError
from netprov.machine import Event
from netprov.runtime.dns.serving import make
from netprov.runtime.dns.udp import UdpPump, open_udp

Place = tuple[str, int]
READY_S = 30.0
_SPAWN = multiprocessing.get_context("spawn")


class Workers:
    """The worker processes of one service."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._workers: list[tuple[BaseProcess, Connection]] = []
        self._places: tuple[Place, ...] = ()
        self._given: tuple[DnsConfig, bytes] | None = None
        self._replacing: asyncio.Task[None] | None = None

    async def serve(self, count: int, places: Sequence[Place], config: DnsConfig, secret: bytes) -> None:
        """Let `count` workers answer at these places; those that do already get the new configuration."""
        self._given = config, secret
        if tuple(places) != self._places or len(self._workers) != count:
            self.stop()
            self._places = tuple(places)
            for _ in range(count):
                await self._start()
        else:
            for _, pipe in self._workers:
                with contextlib.suppress(OSError):  # it has died; its replacement gets the new one
                    await asyncio.to_thread(pipe.send, self._given)

    def stop(self) -> None:
        """End all workers; what has arrived at them is answered."""
        loop = asyncio.get_running_loop()
        if self._replacing:
            self._replacing.cancel()
        workers, self._workers = self._workers, []
        for process, pipe in workers:
            loop.remove_reader(process.sentinel)
            pipe.close()
        for process, _ in workers:
            process.join(1)
            if process.is_alive():
                process.kill()
                process.join()

    async def _start(self) -> None:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=work, args=(theirs,), name="netprov-dns", daemon=True)
        process.start()
        theirs.close()
        # Only a process that can answer gets sockets: from then on the kernel sends queries there.
        await self._hear(process, ours)
        sockets = [open_udp(*place, shared=True) for place in self._places]
        await asyncio.to_thread(ours.send, sockets)
        await asyncio.to_thread(ours.send, self._given)
        await self._hear(process, ours)
        for sock in sockets:
            sock.close()
        worker = process, ours
        self._workers.append(worker)
        asyncio.get_running_loop().add_reader(process.sentinel, self._replace, worker)

    async def _hear(self, process: BaseProcess, pipe: Connection) -> None:
        try:
            if await asyncio.to_thread(pipe.poll, READY_S):
                pipe.recv()
                return
        except (EOFError, OSError):
            pass
        process.kill()
        raise ServiceError("a DNS worker does not start", "see the lines above, or set `dns: {workers: 1}`")

    def _replace(self, worker: tuple[BaseProcess, Connection]) -> None:
        # A worker itself needs no plan, and starts in a fifth of the time.
        from netprov.runtime.role import Notice
        from netprov.runtime.task import keep

        process, pipe = worker
        asyncio.get_running_loop().remove_reader(process.sentinel)
        self._workers.remove(worker)
        pipe.close()
        self._report(Notice(f"a DNS worker ended with {process.exitcode}; another takes its place", "error"))
        self._replacing = keep("starting a DNS worker", self._start, self._report)


def work(pipe: Connection) -> None:
    """Answer at the sockets that come through the pipe, as it says; the body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    pipe.send("ready")
    with contextlib.suppress(EOFError, OSError):
        asyncio.run(_work(pipe.recv(), pipe))


async def _work(sockets: Sequence[socket.socket], pipe: Connection) -> None:
    serving = make(*pipe.recv())
    pumps = [UdpPump(sock, serving) for sock in sockets]
    over = asyncio.Event()

    def follow() -> None:
        try:
            changed = make(*pipe.recv())
        except (EOFError, OSError):
            over.set()
            return
        for pump in pumps:
            pump.swap(changed)

    asyncio.get_running_loop().add_reader(pipe.fileno(), follow)
    for pump in pumps:
        pump.start()
    pipe.send("serving")
    await over.wait()
    asyncio.get_running_loop().remove_reader(pipe.fileno())
    for pump in pumps:
        pump.stop()
