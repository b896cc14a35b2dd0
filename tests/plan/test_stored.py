"""A plan as one text comes back as it was: of every inventory in the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import InventoryError, Malformed
from netprov.inventory.load import load
from netprov.plan import derive
from netprov.plan.stored import restore, store

ROOT = Path(__file__).parents[2]
FILES = [path for folder in ("config", "tests") for path in sorted((ROOT / folder).rglob("*.yaml"))]


def test_stored_plan_comes_back() -> None:
    seen = 0
    for path in FILES:
        try:
            plan = derive(load(path).inventory)
        except InventoryError:
            continue
        again = restore(store(plan))
        assert again.site.inventory == plan.site.inventory, path
        assert again.dhcp == plan.dhcp, path
        seen += 1
    assert seen > 100


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"directory": 1, "texts": {}, "inventory": {}}', "[" * 100_000,
    '{"directory": "", "texts": {}, "inventory": {"domain": "example.com", "nonsense": 1}}'])  # fmt: skip
def test_text_that_is_no_plan_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        restore(text)
