"""Wrong inventories, one fault a file: the expected problem is on the file's first line."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import InventoryError
from netprov.inventory.load import load

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_fault_is_reported_alone_with_its_place_and_a_fix(path: Path) -> None:
    first = path.read_bytes().split(b"\n", 1)[0].decode()
    with pytest.raises(InventoryError) as caught:
        load(path)
    (problem,) = caught.value.problems
    expected = first.removeprefix("# expected: ")
    assert expected == str(problem).split("\n", maxsplit=1)[0].removeprefix(f"{path}:")
    assert problem.remedy


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 50
