"""Changes over several workers: each has answered before the next begins, whatever one of them says."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from netprov.errors import ServiceError
from netprov.provision.respond import Answered
from netprov.runtime.provision.channel import Abort, Prepare, Ready
from netprov.runtime.provision.pool import WorkerPool, _Worker


class Stub:
    """A worker that is alive, and answers when it is let."""

    def __init__(self, refusal: str = "") -> None:
        self.process = SimpleNamespace(is_alive=lambda: True)
        self.channel = SimpleNamespace(send=lambda message: self.told.append(type(message)))
        self.told: list[type] = []
        self.may_answer = asyncio.Event()
        self._refusal = refusal

    async def prepare(self, _packed: bytes) -> None:
        await self.may_answer.wait()
        if self._refusal:
            raise ServiceError(self._refusal)


async def _decide(*_: object) -> Answered:
    raise AssertionError


@pytest.mark.parametrize("refusals", [("no", ""), ("", "no")])
def test_a_refused_change_is_over_when_every_worker_has_answered(refusals: tuple[str, str]) -> None:
    """A late answer would be taken for one to the next change."""

    async def run() -> None:
        workers = [Stub(each) for each in refusals]
        pool = WorkerPool(_decide, lambda _event, _at: None, lambda _: None)
        pool._workers = cast("Any", workers)
        change = asyncio.create_task(pool.prepare(cast("Any", None)))
        quick = workers[refusals.index("no")]
        quick.may_answer.set()
        done, _ = await asyncio.wait([change], timeout=0.5)
        assert not done
        assert [each.told for each in workers] == [[], []]
        for each in workers:
            each.may_answer.set()
        with pytest.raises(ServiceError, match="no"):
            await change
        assert [each.told for each in workers] == [[Abort], [Abort]]

    asyncio.run(run())


def test_a_worker_that_is_being_replaced_is_put_away_before_the_pool_has_stopped() -> None:
    async def run() -> None:
        pool = WorkerPool(_decide, lambda _event, _at: None, lambda _: None)
        put_away: list[str] = []

        async def start() -> None:
            """As `_start` does: it kills what it has begun, and waits for it."""
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                put_away.append("killed")

        task = asyncio.create_task(start())
        pool._replacing.add(task)
        await asyncio.sleep(0)
        await pool.stop()
        assert (task.done(), put_away) == (True, ["killed"])

    asyncio.run(run())


def test_what_is_asked_of_a_pool_that_stops_ends_with_it() -> None:
    async def run() -> None:
        asked = asyncio.Event()

        async def decide(*_: object) -> Answered:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        pool = WorkerPool(decide, lambda _event, _at: None, lambda _: None)
        worker = SimpleNamespace(channel=SimpleNamespace(send=lambda _: None))
        pool._asked(cast("Any", worker), cast("Any", SimpleNamespace(number=1, request=None, arrival=None)))
        await asked.wait()
        await pool.stop()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_answer_to_a_change_that_was_given_up_is_none_to_the_next() -> None:
    async def run() -> None:
        sent: list[Prepare] = []
        worker = object.__new__(_Worker)  # without its process: what it says is said here
        worker._said, worker._edition, worker.heard_of = None, 0, 0
        worker.channel = cast("Any", SimpleNamespace(send=sent.append))
        first = asyncio.create_task(worker.prepare(b"first"))
        await asyncio.sleep(0)
        first.cancel()
        second = asyncio.create_task(worker.prepare(b"second"))
        await asyncio.sleep(0)
        worker._received(Ready(sent[0].number, "it is refused"))
        done, _ = await asyncio.wait([second], timeout=0.1)
        assert not done
        worker._received(Ready(sent[1].number))
        await second

    asyncio.run(run())
