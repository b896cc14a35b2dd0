"""What a template asks for and there is not: the name or field, and what there is instead.

A module of its own since Jinja2 is slow to load, and most inventories have no template.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateRuntimeError, UndefinedError
from jinja2.runtime import missing  # type: ignore[attr-defined]

from netprov.provision.source import Row, SourceValues, known_of, source_of, values_of

_NAMED = 10
"""Names of values in a message: a source may give some hundred."""
_LACKS = "let it give that value, or write `| default('…')`"


class Absent(UndefinedError):
    """A name, or a field of `owner`, that there is not; `owner` is None for a name."""

    def __init__(self, owner: object, name: object, message: str | None = None) -> None:
        super().__init__(message)
        self.owner = owner
        self.name = name


class Undefined(StrictUndefined):
    """Jinja2's strict undefined value, whose error carries what was asked of what."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        if exc is UndefinedError:
            owner = None if obj is missing else obj
            exc = cast("type[TemplateRuntimeError]", partial(Absent, owner, name))
        super().__init__(hint, obj, name, exc)


def told(error: Absent, context: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is absent and what to write instead; None where it is no name and no field that a template is given.

    What it is given is the same for every phone, so that such a fault is one whichever phone asks; but not what a source gave.
    """
    match error.owner:
        case None:
            others = f"a template knows: {', '.join(context)}"
            return f"there is no `{error.name}`", _nearest(error.name, context) or others
        case SourceValues() as values:
            known = list(known_of(values))
            others = f"`sources:` has: {', '.join(known)}" if known else "the inventory has no `sources:`"
            return f"there is no source `{error.name}`", _nearest(error.name, known, "source.") or others
        case Row() as row:
            names = list(values_of(row))
            gave = ", ".join(names[:_NAMED]) or "nothing"
            gave += f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            remedy = _nearest(error.name, values_of(row), f"source.{source_of(row)}.")
            return f"source {source_of(row)} gave no `{error.name}`, but {gave}", remedy or _LACKS
    for title, value in context.items():
        if value is not error.owner or not isinstance(value, Mapping):
            continue
        name = f"{title}.{error.name}"
        if title == "post":
            return f"there is no `{name}` where nothing was posted", f"write `{name} | default('')`"
        others = f"`{title}` has: {', '.join(value)}"
        if title == "phone":
            others += "; what is one phone's alone goes under its `values:`"
        return f"there is no `{name}`", _nearest(error.name, value, f"{title}.") or others
    return None


def _nearest(name: object, known: Collection[str], prefix: str = "") -> str:
    near = get_close_matches(str(name).lower(), known, 1, 0.6)
    return f"did you mean `{prefix}{near[0]}`?" if near else ""
