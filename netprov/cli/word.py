"""Words on the command line that are none of netprov's: what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click


def no_such(ctx: click.Context, word: str, known: Iterable[str], *, hint: str = "") -> click.UsageError:
    """Return the error for a verb or subject that there is not, with the nearest one, or `hint`, or all that there are."""
    names = list(known)
    near = difflib.get_close_matches(word, names, 1, 0.6)
    said = (
        f"did you mean `{ctx.command_path} {near[0]}`?" if near else hint or f"there are: {', '.join(names)}"
    )
    return click.UsageError(f"there is no `{ctx.command_path} {word}`; {said}", ctx)
