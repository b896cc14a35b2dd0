"""What `check` finds in an inventory on this machine: for `check`, and for verbs that change an inventory."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

from netprov.cli.progress import progress
from netprov.errors import InventoryError, Problem

if TYPE_CHECKING:
    from netprov.inventory.load import Document


def judge(name: str) -> tuple[list[Problem], int, str]:
    """Load and check; return the findings that stand, how many are ignored, and what was looked at."""
    # Here, that `--help` and --explain are quick.
    from netprov.check import RULES, check
    from netprov.cli.environment import environment
    from netprov.inventory.ignore import apply
    from netprov.inventory.load import load

    # This process ends soon and makes no cycles worth collecting; at 10,000 phones collecting takes a third of the time.
    gc.disable()
    try:
        with progress(f"reads {name}"):
            document = load(name)
    except InventoryError as error:
        return list(error.problems), 0, "; nothing else was checked"
    with progress("looks for every reason a phone would not provision"):
        found = check(document.inventory, time.time(), environment(document.inventory))
        problems = [document.locate(each) for each in found]
    standing, ignored = apply(document.ignores, problems, document.places, RULES)
    return standing, len(ignored), f" in {_size(document)}"


def _size(document: Document) -> str:
    inventory = document.inventory
    counts = (
        (len(inventory.networks), "network"),
        (len(inventory.classes), "class"),
        (len(inventory.phones), "phone"),
    )
    return ", ".join(
        f"{count} {word if count == 1 else word + ('es' if word.endswith('s') else 's')}"
        for count, word in counts
    )
