"""What a running process says of itself, and what it can be told: who loaded its inventory, log levels, to take nothing new.

Its operations are named `serve.…`, for every process has them, whatever roles it plays.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict
from typing import Final, Protocol

from netprov.errors import Malformed
from netprov.runtime.leaving import Drained
from netprov.runtime.log import LEVELS, EventLog
from netprov.runtime.operation import Asker, Fields, Operation, argument
from netprov.runtime.recent import Recent
from netprov.runtime.role import Notice
from netprov.runtime.supervise import Origin

ABOUT: Final = "serve.about"
WATCH: Final = "serve.watch"
LEVEL: Final = "serve.level"
DRAIN: Final = "serve.drain"


class Supervised(Protocol):
    """What the operations need of the supervisor."""

    @property
    def origin(self) -> Origin:
        """Since when its inventory is served, and who had it loaded."""

    def tell(self, notice: Notice) -> None:
        """Log something."""

    def drain(self, roles: Sequence[str], seconds: float) -> AsyncGenerator[Drained, None]:
        """Take nothing new in; yield what is under way, of each role, until it is over."""


class Process:
    """The operations of one process."""

    def __init__(self, supervised: Supervised, roles: Sequence[str], log: EventLog, recent: Recent) -> None:
        self._supervised = supervised
        self._roles = roles
        self._log = log
        self._recent = recent

    def operations(self) -> Mapping[str, Operation]:
        """Return them by their names."""
        return {ABOUT: self._about, WATCH: self._recent.watch, LEVEL: self._level, DRAIN: self._drain}

    async def _about(self, _: Asker, __: Fields) -> AsyncGenerator[Fields, None]:
        origin = self._supervised.origin
        yield {
            "inventory": {"loaded": origin.time, "by": origin.by},
            "levels": self._levels(),
            "refusals": self._recent.refusals(),
        }

    async def _level(self, asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        """Set the level of some roles, or of all of the process, until it ends; without a level, only say what it is."""
        level = argument(arguments, "level", str)
        roles = self._named(arguments)
        if level:
            if level not in LEVELS:
                raise Malformed(f"{level} is no log level: {', '.join(LEVELS)}")
            self._log.set_level(level, roles)
            self._supervised.tell(Notice(f"{asker.user} sets the log level of {', '.join(roles)} to {level}"))
        yield {"levels": {role: level for role, level in self._levels().items() if role in roles}}

    async def _drain(self, asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        roles = self._named(arguments)
        self._supervised.tell(Notice(f"{asker.user} lets {', '.join(roles)} take nothing new in and end"))
        async for each in self._supervised.drain(roles, argument(arguments, "seconds", float)):
            yield asdict(each)

    def _named(self, arguments: Fields) -> list[str]:
        """Return the roles of this process that are meant: all, where none is named."""
        named = argument(arguments, "roles", list)
        return [role for role in self._roles if not named or role in named]

    def _levels(self) -> dict[str, str]:
        return {role: self._log.level(role) for role in self._roles}
