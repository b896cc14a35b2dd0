"""Kinds of events: written down beside each class, unique, and as databases of earlier versions hold them."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "netprov"

STORED = {
    *("Asked", "FileSent", "TransferFailed", "TlsFailed", "Reported", "Posted", "PhoneSaid", "SyslogLine"),
    *("Bound", "Released", "Declined", "Expired", "Nak", "Unanswered"),
    *("InformReceived", "FileTransferred", "Faulted"),
}
"""What device records of the first versions hold in their column `kind`."""

RECORDERS = (
    "state/device_file.py",
    "state/device_record.py",
    "runtime/log.py",
    "runtime/metrics.py",
    "runtime/throttle.py",
    "runtime/role.py",
)


def declared() -> list[tuple[str, str]]:
    """Return every class with a kind of event in its body, and the kind as it is written there."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ClassDef):
                continue
            for line in node.body:
                if (
                    isinstance(line, ast.AnnAssign)
                    and ast.unparse(line.target) == "event_kind"
                    and line.value
                ):
                    assert isinstance(line.value, ast.Constant), (
                        f"{node.name}: a kind is written down, not made"
                    )
                    found.append((node.name, str(line.value.value)))
    return found


def test_no_two_events_are_of_one_kind() -> None:
    kinds = Counter(kind for _, kind in declared())
    assert {kind for kind, times in kinds.items() if times > 1} == set()
    assert len(kinds) > 20


def test_kinds_of_earlier_databases_are_still_read() -> None:
    assert {kind for _, kind in declared()} >= STORED


def test_no_recorder_asks_for_the_name_of_a_class() -> None:
    assert [name for name in RECORDERS if re.search(r"\b__name__\b", (PACKAGE / name).read_text())] == []
