"""What a phone shows of its last resyncs and upgrades: when, of what, and why one failed."""

from __future__ import annotations

from dataclasses import dataclass, field

SHOWN = 3
"""How many of each the status page keeps."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One resync or upgrade, at `when` in the phone's seconds; `error` is "" where it was fine."""

    when: float
    what: str
    error: str = ""


@dataclass(slots=True)
class History:
    """The newest attempts, the last one first."""

    resyncs: list[Attempt] = field(default_factory=list)
    upgrades: list[Attempt] = field(default_factory=list)

    def resynced(self, when: float, url: str, error: str) -> None:
        """Note a resync."""
        self.resyncs = [Attempt(when, url, error), *self.resyncs][:SHOWN]

    def upgraded(self, when: float, load: str, error: str) -> None:
        """Note an upgrade."""
        self.upgrades = [Attempt(when, load, error), *self.upgrades][:SHOWN]
