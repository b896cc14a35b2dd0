"""What emulated phones did, on paper: a timeline a phone, and a summary of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from netprov.explain.timeline import StepText, tell
from netprov.phone.action import Step
from netprov.phone.boot import Outcome
from netprov.text import visible

PLAIN_WIDTH = 200
"""Columns of a table that no terminal limits."""


@dataclass(frozen=True, slots=True)
class Line:
    """One phone in the summary."""

    phone: str
    road: str
    outcome: Outcome
    seconds: float


def new_console() -> Console:
    """Return a console that keeps MAC addresses as they are, and wraps nothing where no terminal limits it."""
    console = Console(highlight=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, width=PLAIN_WIDTH)


def seconds_of(steps: Sequence[Step]) -> float:
    """Return the time from the start of the first step to the end of the last."""
    return steps[-1].started + steps[-1].seconds - steps[0].started if steps else 0.0


def seen(told: StepText) -> StepText:
    """Return a step's text as it may be shown: servers said some of it."""
    return replace(told, asked=visible(told.asked), answered=visible(told.answered))


def print_timeline(console: Console, title: str, steps: Sequence[Step], outcome: Outcome) -> None:
    """Print one phone's steps: when, how long, what was asked, what came back; times in milliseconds."""
    start = steps[0].started if steps else 0.0
    told = [
        (f"{1000 * (step.started - start):.1f}", f"{1000 * step.seconds:.1f}", seen(tell(step)))
        for step in steps
    ]
    if console.is_terminal:
        _print_table(console, title, told)
    else:
        console.print(title, markup=False, highlight=False, soft_wrap=True)
        for at, took, each in told:
            mark = "" if each.fine else "! "
            line = f"{at:>9} {took:>8}  {each.kind:<6} {mark}{each.asked}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
            if each.answered:
                answer = f"{'':<26}-> {each.answered}"
                console.print(answer, markup=False, highlight=False, soft_wrap=True)
    console.print(_verdict(console, outcome), highlight=False, soft_wrap=True)
    console.print()


def print_summary(console: Console, lines: Sequence[Line]) -> None:
    """Print how every phone ended."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=False)
    for column in ("phone", "by", "profile", "ms"):
        table.add_column(
            column, justify="right" if column == "ms" else "left", no_wrap=not console.is_terminal
        )
    for line in sorted(lines, key=lambda each: each.phone):
        outcome = line.outcome
        result = visible(outcome.url) if outcome.provisioned else f"none: {visible(outcome.reason)}"
        style = "" if outcome.provisioned else "red"
        table.add_row(
            escape(line.phone), escape(line.road), escape(result), f"{1000 * line.seconds:.0f}", style=style
        )
    console.print(table)


def _print_table(console: Console, title: str, told: Sequence[tuple[str, str, StepText]]) -> None:
    table = Table(box=None, title=escape(title), title_justify="left", title_style="bold", header_style="dim")
    table.add_column("at ms", justify="right")
    table.add_column("took", justify="right")
    table.add_column("step")
    table.add_column("asked", ratio=1, overflow="fold")
    table.add_column("came back", ratio=1, overflow="fold")
    for at, took, each in told:
        style = "" if each.fine else "yellow"
        table.add_row(at, took, each.kind, escape(each.asked), escape(each.answered), style=style)
    console.print(table)


def _verdict(console: Console, outcome: Outcome) -> str:
    text = (
        f"provisioned by {outcome.method}: {outcome.url}"
        if outcome.provisioned
        else f"not provisioned: {outcome.reason}"
    )
    text = visible(text)
    colour = "green" if outcome.provisioned else "red"
    return f"[{colour}]{escape(text)}[/]" if console.is_terminal else escape(text)
