"""Asks the processes of a state directory, one connection each."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from netprov.errors import Malformed, ServiceError
from netprov.runtime.control import place
from netprov.runtime.control.message import (
    LONGEST,
    LONGEST_INVENTORY,
    OtherVersion,
    Reply,
    Request,
    Verb,
    decode_reply,
    encode,
)
from netprov.runtime.operation import Fields, role_of

if TYPE_CHECKING:
    from netprov.plan import Plan

PATIENCE = 120.0
"""Seconds that a process has for an answer: a large inventory takes some to load."""


@dataclass(slots=True)
class Peer:
    """A connection to a process that plays `roles`."""

    roles: tuple[str, ...]
    _sock: socket.socket
    _file: BinaryIO

    def send(self, verb: Verb, reason: str = "", *, releases: tuple[str, ...] = ()) -> None:
        """Ask; read the answer with `receive`. Raises `ServiceError`."""
        self._send(Request(verb, reason, releases))

    def call(self, operation: str, arguments: Mapping[str, Any] | None = None) -> Iterator[Fields]:
        """Ask for an operation; yield what it says as it says it. Raises `ServiceError`, also with what it refuses."""
        self._send(Request("call", operation=operation, arguments=arguments or {}))
        while True:
            reply = self.receive()
            if reply.error:
                raise ServiceError(reply.error)
            if not reply.more:
                return
            yield reply.answer

    def _send(self, request: Request) -> None:
        try:
            self._sock.sendall(encode(request))
        except OSError as error:
            raise self._lost() from error

    def receive(self, longest: int = LONGEST) -> Reply:
        """Return the answer, of so many octets at the most. Raises `ServiceError`."""
        try:
            line = self._file.readline(longest)
            if line.endswith(b"\n"):
                return decode_reply(line)
        except OtherVersion as error:
            raise ServiceError(f"{' '.join(self.roles)}: speaks {error}") from error
        except (OSError, Malformed) as error:
            raise self._lost(str(error)) from error
        raise self._lost()

    def _lost(self, why: str = "") -> ServiceError:
        return ServiceError(
            f"{' '.join(self.roles)}: the process does not answer{f': {why}' if why else ''}",
            "see its log: `journalctl -u 'netprov-*'`",
        )


@contextmanager
def peers(
    state: Path, roles: Sequence[str] = (), *, patience: float = PATIENCE
) -> Iterator[tuple[Peer, ...]]:
    """Connect to every process of a state directory that plays one of the roles, or any. Raises `ServiceError`.

    One that says nothing for `patience` seconds is given up.
    """
    with ExitStack() as stack:
        found = []
        try:
            for name in place.names(state):
                played = place.roles(name)
                if roles and not set(roles) & set(played):
                    continue
                sock = place.connect(state, name)
                if sock is not None:
                    stack.enter_context(sock).settimeout(patience)
                    found.append(Peer(played, sock, stack.enter_context(sock.makefile("rb"))))
        except OSError as error:
            raise ServiceError(
                f"the services of {state} cannot be asked: {error.strerror}",
                "do it as root, or as a user of the group that owns the state directory",
            ) from error
        yield tuple(found)


def ask_each(
    state: Path, roles: Sequence[str], operation: str, arguments: Mapping[str, Any] | None = None
) -> Iterator[tuple[tuple[str, ...], Fields]]:
    """Ask every process that plays one of the roles, or any, in turns; yield the roles of each with what it says.

    Raises `ServiceError`, also if one of the roles is played by none.
    """
    with peers(state, roles) as found:
        all_there(state, roles, found)
        calls = [(peer.roles, peer.call(operation, arguments)) for peer in found]
        while calls:
            for call in list(calls):
                answer = next(call[1], None)
                if answer is None:
                    calls.remove(call)
                else:
                    yield call[0], answer


def ask(state: Path, operation: str, arguments: Mapping[str, Any] | None = None) -> Iterator[Fields]:
    """Ask the process that plays an operation's role; yield what it says as it says it. Raises `ServiceError`."""
    role = role_of(operation)
    with peers(state, [role]) as found:
        if not found:
            raise nobody(state, [role])
        yield from found[0].call(operation, arguments)


class NobodyThereError(ServiceError):
    """Nothing that could be asked runs."""


def all_there(state: Path, roles: Sequence[str], found: Sequence[Peer]) -> None:
    """Raise `NobodyThereError` where nobody was found, or somebody is missing."""
    played = {role for peer in found for role in peer.roles}
    missing = [role for role in roles if role not in played]
    if missing or not found:
        raise nobody(state, missing)


def nobody(state: Path, roles: Sequence[str]) -> NobodyThereError:
    """Return the error for roles that nothing plays with a state directory."""
    return NobodyThereError(
        f"nothing that plays {' '.join(roles) or 'any role'} runs with the state directory {state}",
        "start it (`netprov serve`, `systemctl start netprov.target`); if it runs, it keeps the state directory that it was "
        "started with: name that one with --state DIR",
    )


def statuses(state: Path) -> tuple[Reply, ...]:
    """Return how every process of a state directory is. Raises `ServiceError`."""
    with peers(state) as found:
        for peer in found:
            peer.send("status")
        return tuple(peer.receive() for peer in found)


def served(state: Path) -> tuple[Plan, ...]:
    """Return the plans that the processes of a state directory serve, each once. Raises `ServiceError`."""
    with peers(state) as found:
        for peer in found:
            peer.send("inventory")
        texts = dict.fromkeys(peer.receive(LONGEST_INVENTORY).inventory for peer in found)
    return tuple(map(read_plan, texts))


def read_plan(text: str) -> Plan:
    """Return the plan that a process told. Raises `ServiceError`."""
    from netprov.plan.stored import (
        restore,  # the model of the inventory: not for those who ask for something else
    )

    try:
        return restore(text)
    except Malformed as error:
        raise ServiceError(
            f"a service's inventory cannot be read: {error}",
            "it is of another version of netprov: restart it",
        ) from error
