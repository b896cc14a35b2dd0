"""The control socket of one process: tells how its roles are, and lets a change of all processes be made together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Protocol

from netprov.errors import NetprovError, ServiceError
from netprov.hostport import format_hostport, parse_hostport
from netprov.plan import Plan
from netprov.plan.stored import store
from netprov.runtime.control.message import LONGEST, Reply, Request, RoleStatus, decode_request, encode
from netprov.runtime.control.place import bind
from netprov.runtime.handover import Place
from netprov.runtime.operation import Asker, Fields, Operation, operations_of
from netprov.runtime.role import Service

PATIENCE = 60.0
"""Seconds that a client may be silent with a change prepared, or without: whatever is prepared is then aborted."""

MOST = 16
"""Clients at a time; one more is hung up on."""


class Change(Protocol):
    """What a process is ready for."""

    plan: Plan
    differences: tuple[str, ...]
    fingerprint: str

    async def commit(self) -> None:
        """Serve it."""

    async def abort(self, reason: str) -> None:
        """Serve as before, and tell why."""


class Loaded(Protocol):
    """What a process has read."""

    @property
    def releases(self) -> tuple[Place, ...]:
        """The TCP ports that it takes from the roles of this process, which others may bind from now on."""

    async def prepare(self, places: Iterable[Place]) -> Change:
        """Make ready for it. Raises `NetprovError`, which was told."""

    async def abort(self, reason: str) -> None:
        """Serve as before, and tell why."""


class Controlled(Protocol):
    """What is controlled: the supervisor."""

    @property
    def services(self) -> Sequence[Service]:
        """Its services."""

    @property
    def plan(self) -> Plan:
        """What it serves."""

    @property
    def started(self) -> Sequence[Service]:
        """Those of them that serve."""

    async def load(self, by: str) -> Loaded:
        """Read what the inventory says now, for somebody. Raises `NetprovError`, which was told."""


class ControlServer:
    """Answers at the control socket of a process; `operations` are those that are no service's."""

    def __init__(
        self,
        state: Path,
        roles: Sequence[str],
        controlled: Controlled,
        operations: Mapping[str, Operation] | None = None,
    ) -> None:
        self._state = state
        self._roles = roles
        self._controlled = controlled
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._operations = {**(operations or {}), **operations_of(controlled.services)}

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    async def start(self) -> None:
        """Listen. Raises `ServiceError`."""
        try:
            sock = bind(self._state, self._roles)
            self._server = await asyncio.start_unix_server(self._accept, sock=sock, limit=LONGEST)
        except OSError as error:
            raise ServiceError(
                f"there can be no control socket in {self._state}: {error.strerror}",
                "the state directory must be this user's, and on a file system that has sockets",
            ) from error

    async def stop(self) -> None:
        """Hang up; what clients have prepared is aborted."""
        if self._server is not None:
            self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._clients) >= MOST:
            writer.close()
            return
        self._clients.add(task)
        try:
            asker = Asker.of(writer.get_extra_info("socket"))
            await _Session(self._controlled, self._operations, asker).run(reader, writer)
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            self._clients.discard(task)
            writer.close()


class _Session:
    """One client; at most one of `_loaded` and `_change` is there."""

    def __init__(self, controlled: Controlled, operations: Mapping[str, Operation], asker: Asker) -> None:
        self._controlled = controlled
        self._operations = operations
        self._asker = asker
        self._loaded: Loaded | None = None
        self._change: Change | None = None

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, ValueError, TimeoutError):
                while line := await asyncio.wait_for(reader.readline(), PATIENCE):
                    async with aclosing(self._replies(line, reader)) as replies:
                        async for reply in replies:
                            writer.write(encode(reply))
                            await writer.drain()
        finally:
            await self._abort("who had asked for it went away")

    async def _replies(self, line: bytes, reader: asyncio.StreamReader) -> AsyncGenerator[Reply, None]:
        """Yield the reply to a request, or what an operation says and the end of it."""
        try:
            request = decode_request(line)
            if request.verb != "call":
                yield await self._answer(request)
                return
            operation = self._operations.get(request.operation)
            if operation is None:
                raise unknown(request.operation)
            said = operation(self._asker, request.arguments)
            async with aclosing(said), aclosing(until_heard(reader, said)) as answers:
                async for answer in answers:
                    yield Reply(os.getpid(), answer=answer, more=True)
            yield Reply(os.getpid())
        except NetprovError as error:  # it was told, or is a line that cannot be read
            yield Reply(os.getpid(), str(error), self._status())

    async def _answer(self, request: Request) -> Reply:
        match request:
            case Request("status"):
                return Reply(os.getpid(), roles=self._status())
            case Request("inventory"):
                return await self._store(self._controlled.plan)
            case Request("load", reason=reason):
                return await self._load(reason)
            case Request("prepare", releases=releases):
                return await self._prepare([parse_hostport(each, 0) for each in releases])
            case Request("prepared"):
                change = self._change
                return _not_prepared() if change is None else await self._store(change.plan)
            case Request("commit"):
                return await self._commit()
            case Request(reason=reason):
                done = await self._abort(reason or "it was given up")
                return Reply(os.getpid()) if done else _not_prepared()

    async def _load(self, reason: str) -> Reply:
        if self._loaded is not None or self._change is not None:
            return Reply(os.getpid(), "a change is prepared already")
        self._loaded = await self._controlled.load(
            f"{self._asker.user} by {reason}" if reason else self._asker.user
        )
        releases = tuple(format_hostport(*each) for each in self._loaded.releases)
        return Reply(os.getpid(), roles=self._status(), releases=releases)

    async def _prepare(self, places: Sequence[Place]) -> Reply:
        loaded, self._loaded = self._loaded, None
        if loaded is None:
            return Reply(os.getpid(), "nothing is loaded")
        self._change = change = await loaded.prepare(places)
        return Reply(
            os.getpid(),
            roles=self._status(),
            fingerprint=change.fingerprint,
            differences=change.differences,
        )

    async def _commit(self) -> Reply:
        change, self._change = self._change, None
        if change is None:
            return _not_prepared()
        await change.commit()
        return Reply(os.getpid(), roles=self._status(), differences=change.differences)

    async def _abort(self, reason: str) -> bool:
        """Give up what is under way; say whether something was."""
        under_way = self._change or self._loaded
        self._change = self._loaded = None
        if under_way is not None:
            await under_way.abort(reason)
        return under_way is not None

    async def _store(self, plan: Plan) -> Reply:
        return Reply(os.getpid(), inventory=await asyncio.to_thread(store, plan))

    def _status(self) -> tuple[RoleStatus, ...]:
        started = self._controlled.started
        return tuple(
            RoleStatus(each.name, tuple(each.listening()), tuple(each.waiting()))
            if each in started
            else RoleStatus(each.name)
            for each in self._controlled.services
        )


def _not_prepared() -> Reply:
    return Reply(os.getpid(), "nothing is prepared")


async def until_heard(
    reader: asyncio.StreamReader, answers: AsyncGenerator[Fields, None]
) -> AsyncGenerator[Fields, None]:
    """Yield answers as they come, until the client says something or hangs up; raise ConnectionError then."""
    heard = asyncio.ensure_future(reader.read(1))
    try:
        while True:
            following: asyncio.Future[Fields | None] = asyncio.ensure_future(_following(answers))
            try:
                await asyncio.wait((heard, following), return_when=asyncio.FIRST_COMPLETED)
                if heard.done():
                    raise ConnectionAbortedError
                answer = following.result()
            finally:
                following.cancel()
                await asyncio.wait((following,))
            if answer is None:
                return
            yield answer
    finally:
        heard.cancel()
        await asyncio.wait((heard,))


async def _following(answers: AsyncGenerator[Fields, None]) -> Fields | None:
    return await anext(answers, None)


def unknown(operation: str) -> ServiceError:
    """Return the refusal of an operation that nobody here answers."""
    return ServiceError(
        f"there is no operation {operation} here", "this process is of another version of netprov: restart it"
    )
