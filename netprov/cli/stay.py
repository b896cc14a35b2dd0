"""How emulated phones live on: the options that verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from netprov.inventory.model.scalar import seconds_of


def _span(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    try:
        return None if text is None else seconds_of(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_OPTIONS = (
    click.option("--stay", is_flag=True, help="Live on: resyncs, retries, upgrades, reports, until Ctrl-C."),
    click.option(
        "--speed",
        type=click.FloatRange(min=1),
        default=1.0,
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


def stay_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
