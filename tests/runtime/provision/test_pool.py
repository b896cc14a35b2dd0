"""Changes over several workers: each has answered before the next begins, whatever one of them says."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from netprov.errors import ServiceError
from netprov.provision.respond import Answered
from netprov.runtime.provision.channel import Abort
from netprov.runtime.provision.pool import WorkerPool


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
