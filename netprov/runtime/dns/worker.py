"""Further processes that answer DNS over UDP on the same addresses: the kernel spreads queries over them (SO_REUSEPORT).

The service binds every socket itself, so that faults show where they can be reported, and hands it over. A worker ends
when its pipe does; one that dies is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import select
import signal
import socket
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from netprov.dns.config import DnsConfig
from netprov.errors import ServiceError
from netprov.machine import Event
from netprov.runtime.dns.serving import make
from netprov.runtime.dns.udp import UdpPump, open_udp

if TYPE_CHECKING:
    from netprov.runtime.self_check import Probe

Place = tuple[str, int]
READY_S = 30.0
ARE_YOU_ALIVE, ALIVE = "are you alive", "alive"
"""To a worker, and what it says."""
_SPAWN = multiprocessing.get_context("spawn")


class _Worker:
    """One process, and what it has said since it serves."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self.process = process
        self.pipe = pipe
        self.sending = asyncio.Lock()
        """Held by who writes to the pipe."""
        self._heard = 0

    def hear(self) -> None:
        """Take in what it says."""
        asyncio.get_running_loop().add_reader(self.pipe.fileno(), self._receive)

    def close(self) -> None:
        """Let go of it."""
        asyncio.get_running_loop().remove_reader(self.pipe.fileno())
        self.pipe.close()

    def probe(self) -> Probe:
        """Return how it is asked whether it is alive."""
        from netprov.runtime.self_check import Probe  # as `Workers` does

        return Probe(f"DNS worker {self.process.pid}", self._ask_alive, lambda: self._heard)

    def _receive(self) -> None:
        try:
            self.pipe.recv()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self.pipe.fileno())
        else:
            self._heard += 1

    async def _ask_alive(self) -> None:
        from netprov.runtime.self_check import moved

        before = self._heard
        async with self.sending:
            # One that is frozen leaves its pipe full one day, and nobody here waits for room in it.
            room = select.poll()
            room.register(self.pipe, select.POLLOUT)
            if room.poll(0):
                self.pipe.send(ARE_YOU_ALIVE)
        await moved(lambda: self._heard, before)


class Workers:
    """The worker processes of one service."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._workers: list[_Worker] = []
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
            for worker in self._workers:
                with contextlib.suppress(OSError):  # it has died; its replacement gets the new one
                    async with worker.sending:
                        await asyncio.to_thread(worker.pipe.send, self._given)

    def stop(self) -> None:
        """End all workers; what has arrived at them is answered."""
        loop = asyncio.get_running_loop()
        if self._replacing:
            self._replacing.cancel()
        workers, self._workers = self._workers, []
        for worker in workers:
            loop.remove_reader(worker.process.sentinel)
            worker.close()
        for worker in workers:
            worker.process.join(1)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    def probes(self) -> list[Probe]:
        """Return how each of them is asked whether it is alive."""
        return [each.probe() for each in self._workers]

    async def _start(self) -> None:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=work, args=(theirs,), name="netprov-dns", daemon=True)
        process.start()
        theirs.close()
        # Only a process that can answer gets sockets: from then on the kernel sends queries there.
        await self._hear(process, ours)
        with contextlib.ExitStack() as stack:
            try:
                sockets = [stack.enter_context(open_udp(*place, shared=True)) for place in self._places]
            except OSError as error:
                process.kill()
                raise _unbound(error) from error
            await asyncio.to_thread(ours.send, sockets)
            await asyncio.to_thread(ours.send, self._given)
            await self._hear(process, ours)
        worker = _Worker(process, ours)
        self._workers.append(worker)
        worker.hear()
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

    def _replace(self, worker: _Worker) -> None:
        # A worker itself needs no plan, and starts in a fifth of the time.
        from netprov.runtime.role import Notice
        from netprov.runtime.task import keep

        asyncio.get_running_loop().remove_reader(worker.process.sentinel)
        self._workers.remove(worker)
        worker.close()
        text = f"a DNS worker ended with {worker.process.exitcode}; another takes its place"
        self._report(Notice(text, "error"))
        self._replacing = keep("starting a DNS worker", self._start, self._report)


def _unbound(error: OSError) -> ServiceError:
    """Return the error for a socket beside one of the service manager's, say, which shares with its own user alone, if at all."""
    return ServiceError(
        f"a DNS worker cannot be bound: {error.strerror}",
        "set `dns: {workers: 1}`, or leave UDP out of the socket unit: ReusePort= shares with root's sockets alone",
    )


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
            message = pipe.recv()
            if message == ARE_YOU_ALIVE:
                pipe.send(ALIVE)
                return
        except (EOFError, OSError):
            over.set()
            return
        changed = make(*message)
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
