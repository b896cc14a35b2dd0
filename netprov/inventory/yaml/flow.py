"""Values as YAML on one line, so that the core schema reads them back as they were."""

from __future__ import annotations

import json
import re
from typing import Any

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


def _quoted(text: str) -> str:
    """Return a text in double quotes, with escapes for what YAML refuses or folds (YAML 1.2, 5.1 and 5.7)."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in quoted)
