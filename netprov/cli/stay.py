"""How emulated phones live on: the options that verbs share."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import click

from netprov.inventory.model.scalar import seconds_of


def _span(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    try:
        return None if text is None else seconds_of(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _speed(_context: click.Context, _option: click.Parameter, speed: float) -> float:
    if not isfinite(speed):
        raise click.BadParameter("a number is expected: 60, 1000, 1e6")
    return speed


_OPTIONS = (
    click.option("--stay", is_flag=True, help="Live on: resyncs, retries, upgrades, reports, until Ctrl-C."),
    click.option(
        "--speed",
        type=click.FloatRange(min=1),
        default=1.0,
        callback=_speed,
        show_default=True,
        help="With --stay: how many times faster than a clock the phone's own waits pass.",
    ),
    click.option(
        "--for",
        "lasts",
        callback=_span,
        metavar="TIME",
        help="With --stay: how long, in the phone's time: 90s, 8h, 30d.",
    ),
)


def refuse_without_stay(*, stay: bool, speed: float, lasts: int | None, **others: object) -> None:
    """Raise click's `UsageError` for options that mean nothing unless the phones stay; `others` by their names."""
    given = {"speed": speed != 1, "for": lasts is not None, **others}
    alone = next((name for name, value in given.items() if value), None)
    if alone and not stay:
        raise click.UsageError(f"--{alone} is for phones that live on: add --stay")


def stay_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
