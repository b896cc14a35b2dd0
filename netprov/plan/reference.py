"""Names of an inventory that stand for something declared elsewhere in it: what is said of one that does not."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator

from netprov.errors import Path

MOST_NAMED = 8
"""Names that a remedy lists."""


def unknown(
    references: Iterable[tuple[str | None, Path]], known: Collection[str], section: str
) -> Iterator[tuple[Path, str, str]]:
    """Yield where a name is that is not declared under a section, what is wrong, and the remedy."""
    close: dict[str, list[str]] = {}
    for reference, path in references:
        if reference is None or reference in known:
            continue
        names = list(known)
        near = close.get(reference)
        if near is None:
            near = close[reference] = difflib.get_close_matches(reference, names, 1)
        if near:
            remedy = f"did you mean `{near[0]}`?"
        elif names:
            remedy = f"name one that there is: {', '.join(names[:MOST_NAMED])}"
        else:
            remedy = f"there is none yet: write `{section}: {{{reference}: {{…}}}}`, or leave this out"
        yield path, f"there is no `{reference}` under `{section}:`", remedy
