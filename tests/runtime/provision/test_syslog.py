from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from netprov.lab.process import wait_until
from netprov.provision.event import SyslogLine
from netprov.runtime.provision.syslog import EACH_SECOND, SyslogService
from netprov.runtime.role import Suppressed
from tests.port import free_port
from tests.runtime.provisioning import plan_of, role_context, running

FLOOD = EACH_SECOND + 70


def send(port: int, count: int, source: str = "127.0.0.1") -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        for number in range(count):
            sock.sendto(b"<13>line %d" % number, ("127.0.0.1", port))


def test_what_was_shed_is_told_when_its_second_ends_though_nothing_follows(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    context, events = role_context(tmp_path)

    def told() -> int:
        return sum(each.count for _, each in events if isinstance(each, Suppressed))

    def lines() -> int:
        return sum(isinstance(each, SyslogLine) for _, each in events)

    async def go() -> None:
        async with running(SyslogService(context, port=port), plan_of()):
            await asyncio.to_thread(send, port, FLOOD)
            await asyncio.to_thread(
                wait_until, lambda: lines() + told() == FLOOD, what="a line or a number for each", timeout=10
            )
            assert told() > 0

    asyncio.run(go())


def test_what_was_shed_last_is_told_before_the_end(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    context, events = role_context(tmp_path)

    async def go() -> None:
        async with running(SyslogService(context, port=port, window=3600.0), plan_of()):
            await asyncio.to_thread(send, port, FLOOD)
            await asyncio.to_thread(send, port, 1, "127.0.0.2")
            await asyncio.to_thread(
                wait_until, lambda: "127.0.0.2" in events.text(), what="the line sent last", timeout=10
            )
        assert events[-1] == ("syslog", Suppressed(SyslogLine.event_kind, FLOOD - EACH_SECOND))

    asyncio.run(go())
