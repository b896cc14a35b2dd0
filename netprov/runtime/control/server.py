"""The control socket of one process: tells how its roles are, and lets a change of all processes be made together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from netprov.errors import Malformed, NetprovError, ServiceError
from netprov.plan import Plan
from netprov.plan.stored import store
from netprov.runtime.control.message import LONGEST, Reply, Request, RoleStatus, decode_request, encode
from netprov.runtime.control.place import bind
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


class Controlled(Protocol):
    """What is controlled: the supervisor."""

    @property
    def services(self) -> Sequence[Service]:
        """Its services."""

    @property
    def plan(self) -> Plan:
        """What it serves."""

    async def prepare(self) -> Change:
        """Make ready for what the inventory says now. Raises `NetprovError`, which was told."""


class ControlServer:
    """Answers at the control socket of a process."""

    def __init__(self, state: Path, roles: Sequence[str], controlled: Controlled) -> None:
        self._state = state
        self._roles = roles
        self._controlled = controlled
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

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
            await _Session(self._controlled).run(reader, writer)
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            self._clients.discard(task)
            writer.close()


class _Session:
    """One client."""

    def __init__(self, controlled: Controlled) -> None:
        self._controlled = controlled
        self._change: Change | None = None

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, ValueError, TimeoutError):
                while line := await asyncio.wait_for(reader.readline(), PATIENCE):
                    writer.write(encode(await self._answer(line)))
                    await writer.drain()
        finally:
            if self._change is not None:
                await self._change.abort("who had asked for it went away")

    async def _answer(self, line: bytes) -> Reply:
        try:
            request = decode_request(line)
        except Malformed as error:
            return Reply(os.getpid(), str(error))
        match request:
            case Request("status"):
                return Reply(os.getpid(), roles=self._status())
            case Request("inventory"):
                text = await asyncio.to_thread(store, self._controlled.plan)
                return Reply(os.getpid(), inventory=text)
            case Request("prepare"):
                return await self._prepare()
            case Request("prepared") if self._change is not None:
                return Reply(os.getpid(), inventory=await asyncio.to_thread(store, self._change.plan))
        change, self._change = self._change, None
        if change is None:
            return Reply(os.getpid(), "nothing is prepared")
        if request.verb == "commit":
            await change.commit()
            return Reply(os.getpid(), roles=self._status(), differences=change.differences)
        await change.abort(request.reason)
        return Reply(os.getpid())

    async def _prepare(self) -> Reply:
        if self._change is not None:
            return Reply(os.getpid(), "a change is prepared already")
        before = self._status()
        try:
            self._change = await self._controlled.prepare()
        except NetprovError as error:
            return Reply(os.getpid(), str(error), before)
        return Reply(
            os.getpid(),
            roles=before,
            fingerprint=self._change.fingerprint,
            differences=self._change.differences,
        )

    def _status(self) -> tuple[RoleStatus, ...]:
        return tuple(
            RoleStatus(each.name, tuple(each.listening()), tuple(each.waiting()))
            for each in self._controlled.services
        )
