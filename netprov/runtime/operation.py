"""What can be asked of a running process beside status and reload: operations, named after who answers them.

A service that has any offers `operations() -> Mapping[str, Operation]`; `acs.reboot` is named after the role `acs`. An operation
is an asynchronous generator: each object that it yields goes to the client at once, so that one that takes long tells how
far it is. What it raises as `NetprovError` is told in words, and ends it; the connection stays.

    async def _reboot(self, asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        yield {"transaction": self._queue.add(argument(arguments, "device", str), asker.user)}

The other end is `control.client.ask(state, "acs.reboot", {"device": "00:12:34:ab:45:de"})`.
"""

from __future__ import annotations

import pwd
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from netprov.errors import Malformed

Fields = Mapping[str, Any]
"""An object of JSON."""

RELEASE = "dhcp.release"
"""Ends a lease: `address` is a number; `released` says whether there was one."""

_Value = TypeVar("_Value")
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is at the other end of a control socket, by what the kernel says of it (unix(7), SO_PEERCRED)."""

    process: int
    user: str

    @classmethod
    def of(cls, sock: socket.socket) -> Asker:
        """Return who has connected; a user without a name is told by its number."""
        process, uid, _ = _CREDENTIALS.unpack(
            sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
        try:
            return cls(process, pwd.getpwuid(uid).pw_name)
        except KeyError:
            return cls(process, str(uid))


Operation = Callable[[Asker, Fields], AsyncGenerator[Fields, None]]


def operations_of(services: Iterable[object]) -> dict[str, Operation]:
    """Return the operations of all services that offer some."""
    found: dict[str, Operation] = {}
    for service in services:
        if offered := getattr(service, "operations", None):
            found |= offered()
    return found


def role_of(operation: str) -> str:
    """Return who answers an operation: a role, or `serve` for what every process answers."""
    return operation.partition(".")[0]


def argument(arguments: Fields, name: str, kind: type[_Value]) -> _Value:
    """Return an argument of an operation. Raises `Malformed` if it is not there, or of another type."""
    value = arguments.get(name)
    if type(value) is not kind:
        raise Malformed(f"the argument {name} is missing or of another type")
    return value
