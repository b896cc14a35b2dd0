"""Tables for people: aligned and coloured on a terminal, plain lines elsewhere; no cell holds what a terminal obeys."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from netprov.cli.colour import is_wanted
from netprov.text import visible


def when(moment: float) -> str:
    """Return a time, in seconds since 1970, as people here read it; "" for never."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)) if moment else ""


def stamp(moment: float) -> str:
    """Return a time, in seconds since 1970, as JSON has it: RFC 3339 in UTC; "" for never."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)) if moment else ""


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str = "") -> None:
    """Print rows under their heads; `empty` is said where there are none."""
    if not rows:
        if empty:
            print(empty)
        return
    from rich.console import Console

    console = Console(highlight=False, emoji=False, soft_wrap=False, no_color=not is_wanted(sys.stdout))
    if console.is_terminal:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in heads:
            table.add_column(head, overflow="fold")
        for row in rows:
            table.add_row(*(Text(visible(cell)) for cell in row))
        console.print(table)
        return
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
