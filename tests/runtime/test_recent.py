"""What is remembered and told of events: refusals, the subject of each, and a bound on what a slow watcher may cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from netprov.errors import ServiceError
from netprov.machine import Dropped, Endpoint
from netprov.provision.event import Asked, SyslogLine
from netprov.provision.standing import Fact, fact_of
from netprov.runtime.operation import Asker, Fields
from netprov.runtime.recent import KEPT, WAITING, WATCHERS, Recent
from netprov.runtime.role import Notice

ME = Asker(1, "root")
MAC = "00:12:34:ab:45:de"


def asked(status: int, path: str = "/a.cfg") -> Asked:
    return Asked("http", "10.20.0.50", "GET", path, status, mac=MAC, reason="no")


def take(recent: Recent, event: Asked) -> None:
    recent.take("http", event, fact_of(event), MAC, 1.0)


def test_refusals_are_remembered_newest_first_and_the_ladders_404_is_none() -> None:
    recent = Recent()
    for status, path in ((403, "/first"), (404, "/ladder"), (200, "/fine"), (401, "/last")):
        take(recent, asked(status, path))
    assert [each["text"].split()[4] for each in recent.refusals()] == ["/last:", "/first:"]
    assert {each["mac"] for each in recent.refusals()} == {MAC}


def test_refusals_are_bounded() -> None:
    recent = Recent()
    for number in range(KEPT + 10):
        take(recent, asked(403, f"/{number}"))
    assert len(recent.refusals()) == KEPT


async def heard(watching: AsyncGenerator[Fields, None]) -> Fields:
    return await asyncio.wait_for(anext(watching), 10)


def watched(*events: tuple[str, Any, Fact | None]) -> Fields:
    async def body() -> Fields:
        recent = Recent()
        watching = recent.watch(ME, {})
        await heard(watching)
        for service, event, fact in events:
            recent.take(service, event, fact, "", 1.0)
        said = await heard(watching)
        await watching.aclose()
        return said

    return asyncio.run(body())


def test_everyday_events_of_nobody_are_not_told_and_others_are() -> None:
    line = SyslogLine("10.20.0.50", 6, "hello")
    said = watched(
        ("dhcp", Dropped("too short", Endpoint("10.20.0.9", 68)), None),
        ("serve", Notice("reloaded"), None),
        ("syslog", line, fact_of(line)),
    )
    assert [each["event"] for each in said["events"]] == ["Notice", "SyslogLine"]
    assert said["missed"] == 0


def test_watcher_that_reads_slowly_is_told_how_many_it_missed() -> None:
    said = watched(*[("serve", Notice(str(number)), None) for number in range(WAITING + 7)])
    assert (len(said["events"]), said["missed"]) == (WAITING, 7)


def test_one_watcher_too_many_is_refused_and_one_who_leaves_makes_room() -> None:
    async def body() -> None:
        recent = Recent()
        watching = [recent.watch(ME, {}) for _ in range(WATCHERS)]
        for each in watching:
            await heard(each)
        with pytest.raises(ServiceError, match="watch already"):
            await heard(recent.watch(ME, {}))
        await watching[0].aclose()
        await heard(recent.watch(ME, {}))

    asyncio.run(body())


def test_silence_is_told_too() -> None:
    assert watched() == {"events": [], "missed": 0}
