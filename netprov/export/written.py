"""What an export comes to: files by name, and what they could not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
Placed = Callable[[Path], object]
"""Where an inventory says what stands at a path."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is not carried over: its path in the inventory, what it is, why."""

    path: Path
    text: str
    reason: str


@dataclass(slots=True)
class Export:
    """Files to be written, relative to one directory, and what is not in them."""

    files: dict[str, str] = field(default_factory=dict)
    octets: dict[str, bytes] = field(default_factory=dict, repr=False)
    """Files that are no text of ours; what is in them may be secret."""
    left: list[Left] = field(default_factory=list)

    def leave(self, path: Path, text: str, reason: str) -> None:
        """Note what is not carried over, once."""
        each = Left(path, text, reason)
        if each not in self.left:
            self.left.append(each)
