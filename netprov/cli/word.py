"""Words on the command line that are none of netprov's: what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click


class Words(click.Group):
    """A group whose words that there are not are refused with the nearest one, or with all."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand. Raises `UsageError`."""
        found = super().get_command(ctx, cmd_name)
        if found is None:
            raise no_such(ctx, cmd_name, self.list_commands(ctx))
        return found


def nearest(word: str, known: Iterable[str]) -> str:
    """Return what was probably meant, or all that there is, for the end of an error."""
    names = list(known)
    near = difflib.get_close_matches(word, names, 1, 0.6)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"


def no_such(ctx: click.Context, word: str, known: Iterable[str], *, hint: str = "") -> click.UsageError:
    """Return the error for a verb or subject that there is not, with the nearest one, or `hint`, or all that there are."""
    names = list(known)
    near = difflib.get_close_matches(word, names, 1, 0.6)
    said = (
        f"did you mean `{ctx.command_path} {near[0]}`?" if near else hint or f"there are: {', '.join(names)}"
    )
    return click.UsageError(f"there is no `{ctx.command_path} {word}`; {said}", ctx)
