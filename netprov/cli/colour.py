"""Whether what is printed has colours: `--color`, else NO_COLOR, else whether a terminal reads it."""

from __future__ import annotations

import os
from typing import TextIO

import click

CHOICES = ("auto", "always", "never")


def choose(ctx: click.Context, _: click.Parameter, chosen: str | None) -> None:
    """Take what `--color` says, wherever on the command line it stands; click's own printing follows `ctx.color`."""
    if chosen == "auto":
        ctx.color = None
    elif chosen is not None:
        ctx.color = chosen == "always"
    if ctx.color is None and os.environ.get("NO_COLOR"):  # https://no-color.org: if it is there and not empty
        ctx.color = False


def is_wanted(stream: TextIO) -> bool:
    """Say whether a stream gets colours."""
    ctx = click.get_current_context(silent=True)
    if ctx is not None and ctx.color is not None:
        return ctx.color
    return stream.isatty() and not os.environ.get("NO_COLOR")


def with_option(command: click.Command) -> click.Command:
    """Give a verb, and all below it, `--color`."""
    if not any(each.name == "color" for each in command.params):
        command.params.append(
            click.Option(
                ["--color"],
                type=click.Choice(CHOICES),
                expose_value=False,
                is_eager=True,
                callback=choose,
                help="Colours: where a terminal reads it and NO_COLOR is not set (auto), always or never.",
            )
        )
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_option(each)
    return command
