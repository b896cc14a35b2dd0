"""Reasons as pages: an entry each, for the documentation and for `netprov check --explain`."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.errors import Reason


def entry(reason: Reason) -> str:
    """Return one reason in Markdown: what it is, why it matters, what to do."""
    title = f"{_sentence(reason.title)} " if reason.title else ""
    return f"### {reason.id}\n\n*{reason.severity}.* {title}{reason.why}\n\nWhat to do: {reason.remedy}.\n"


def chapters(families: Mapping[str, tuple[Reason, ...]]) -> str:
    """Return families of reasons in Markdown, a chapter each."""
    parts = []
    for family, reasons in families.items():
        parts += [f"## {family}\n", *map(entry, reasons)]
    return "\n".join(parts)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
