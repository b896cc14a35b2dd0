"""Text for people on a terminal: whatever others put into it, the terminal obeys none of it."""

from __future__ import annotations

import click

from netprov.text import visible

UNKNOWN = 4
"""The exit code of a verb that was asked for a phone, lease or record that there is not."""


def say(
    text: object = "", *, err: bool = False, fg: str | None = None, bold: bool = False, dim: bool = False
) -> None:
    """Print text whose own line ends are lines; every other character that cannot be seen is shown as its escape.

    What a remote said and has line ends of its own is made `visible` before it is put into a line.
    """
    shown = "\n".join(map(visible, str(text).split("\n")))
    click.secho(shown, err=err, fg=fg, bold=bold or None, dim=dim or None)
