"""The whole error tree, and the located problem that most of it carries.

Only `netprov.cli` turns an error into text and an exit code. A refusal by a server (DHCPNAK, REFUSED,
404, a SOAP fault) is a reply, never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning", "info"]

Path = tuple["str | int", ...]
"""Where a value stands in the inventory: keys and list indexes from the root, `("srv", "https", 0, "target")`."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file an operator wrote; line and column count from 1."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in what the operator wrote: what is wrong, where, and what to do about it.

    `path` locates the fault in the inventory; the loader adds `place`. `related` names other paths that
    take part in the fault ("declared at"), `places` their positions, in the same order.
    """

    rule: str
    message: str
    remedy: str = ""
    path: Path = ()
    severity: Severity = "error"
    related: tuple[Path, ...] = ()
    place: Place | None = None
    places: tuple[Place, ...] = ()

    def at(self, place: Place, places: tuple[Place, ...] = ()) -> Problem:
        """Return the same problem with its positions filled in."""
        return replace(self, place=place, places=places)

    def __str__(self) -> str:
        where = (
            f"{self.place}: " if self.place else (f"{'.'.join(map(str, self.path))}: " if self.path else "")
        )
        lines = [f"{where}{self.severity}[{self.rule}]: {self.message}"]
        lines += [f"    see also {place}" for place in self.places]
        if self.remedy:
            lines.append(f"    {self.remedy}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Reason:
    """One kind of fault: why it matters, and what to do about it; `netprov.reason` knows every one of them by its id.

    It stands beside the code that finds the fault. `title` names a reason in a sentence of its own, where one is told
    without a message.
    """

    id: str
    severity: Severity
    why: str
    remedy: str
    title: str = ""

    def problem(
        self,
        message: str,
        remedy: str = "",
        *,
        path: Path = (),
        severity: Severity | None = None,
        related: tuple[Path, ...] = (),
        place: Place | None = None,
    ) -> Problem:
        """Return one such fault; `remedy` is better than the usual one where it is given."""
        return Problem(
            self.id, message, remedy or self.remedy, path, severity or self.severity, related, place
        )


class BadValue(ValueError):
    """A value that an operator wrote and that cannot be meant: what is wrong with it, and what to write instead."""

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}: {remedy}" if remedy else message)


class NetprovError(Exception):
    """Anything that netprov reports by raising."""


class InventoryError(NetprovError):
    """The operator's YAML is wrong; carries every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class ProtocolError(NetprovError):
    """Something about a message of a protocol."""


class Malformed(ProtocolError):
    """Remote bytes that cannot be decoded: raised by a codec, caught by a machine, never seen outside."""


class RemoteViolation(ProtocolError):
    """A decodable message that is illegal now: raised and caught inside a machine."""


class LocalViolation(ProtocolError):
    """We broke a protocol ourselves: a bug of ours, never caught."""


class PkiError(NetprovError):
    """A key, chain or encrypted profile cannot be used as asked; says the remedy where there is one."""

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}\n    {remedy}" if remedy else message)


class LabError(NetprovError):
    """An operation on a namespace, a link or a process of a lab failed."""


class ServiceError(NetprovError):
    """A service cannot start or go on: a port taken, an address absent, a store unwritable; says the remedy."""

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}\n    {remedy}" if remedy else message)
