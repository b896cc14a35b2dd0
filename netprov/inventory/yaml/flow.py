"""Values as YAML on one line, so that the core schema reads them back as they were."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from netprov.errors import Path
from netprov.inventory.yaml.core_schema import resolve

_PLAIN = re.compile(
    r"[A-Za-z0-9_./$(](?:[A-Za-z0-9_./@$*()+;=~?|-]|:(?=[A-Za-z0-9_/.$])| (?=[A-Za-z0-9_(/$*]))*\Z"
)


def flow(value: Any) -> str:
    """Return a value in flow style."""
    match value:
        case dict():
            return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(flow, value)) + "]"
        case bool():
            return str(value).lower()
        case None:
            return "null"
        case str():
            return value if _PLAIN.match(value) and resolve(value) == value else _quoted(value)
        case _:
            return str(value)


def as_members(path: Path, value: Mapping[Any, Any]) -> str:
    """Return how what was given as a mapping is said as the list that is wanted."""
    if any(str(each).startswith("-") for each in value):
        return "put a blank after the `-` of each member: `- {…}`"
    key = next((each for each in reversed(path) if isinstance(each, str)), "")
    if value and all(each is None or isinstance(each, dict) for each in value.values()):
        known = "mac" if ":" in str(next(iter(value))) else "name"
        first = {known: next(iter(value))} | dict(next(iter(value.values())) or {})
        return f"its members have no names of their own: write `{key}: {flow([first])}`"
    return f"put it in a list: `{key}: {flow([dict(value)])}`"


def _quoted(text: str) -> str:
    """Return a text in double quotes, with escapes for what YAML refuses or folds (YAML 1.2, 5.1 and 5.7)."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in quoted)
