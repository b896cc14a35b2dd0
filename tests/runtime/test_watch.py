"""What the watch says has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from netprov.inventory.model import Inventory
from netprov.plan import derive
from netprov.runtime.watch import STEP_S, Watch


def test_clock_that_is_set_is_a_change_and_one_that_is_slewed_or_goes_on_is_none(tmp_path: Path) -> None:
    moments: Iterator[float] = iter([0, 0, 0.9 * STEP_S, 1.8 * STEP_S, 400 * 86400, 400 * 86400, 0, 0])
    networks = {"voice": {"interface": "lan0", "subnet": "10.20.0.0/24"}}
    plan = derive(Inventory.model_validate({"domain": "example.com", "networks": networks}))
    watch = Watch(tmp_path, ahead=lambda: next(moments))
    found = [watch.changed(plan) for _ in range(7)]
    assert found == [(), (), (), ("clock",), (), ("clock",), ()]
