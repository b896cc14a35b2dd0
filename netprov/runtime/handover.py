"""TCP ports that pass from one role to another in a change: bound beside their old holder, served on once it lets go.

While such a change lasts, the old socket and the new one share the address (SO_REUSEPORT, socket(7)); the kernel gives
connections to a socket that listens, and the new one does so when the change is committed. At all other times nothing of
ours is bound in this way, so that another program is told that a port is taken, and we that it has one.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass

Place = tuple[str, int]
"""An address and a port."""


@dataclass(slots=True)
class Handover:
    """What the roles of a state directory let go in the change under way; shared by all of this process."""

    places: frozenset[Place] = frozenset()

    def covers(self, place: Place) -> bool:
        """Say whether a place may be bound although one of us is there still."""
        return place in self.places


def share(sock: socket.socket, *, shared: bool) -> None:
    """Let another socket of this user be bound where this one is, or no more."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))


def release(
    sockets: Iterable[tuple[Place, socket.socket]], wanted: Iterable[Place] | None
) -> tuple[Place, ...]:
    """Share the sockets that a plan does not want any more, and return where they are; with None share none."""
    kept = None if wanted is None else set(wanted)
    let_go = []
    for place, sock in sockets:
        leaves = kept is not None and place not in kept
        share(sock, shared=leaves)
        if leaves:
            let_go.append(place)
    return tuple(let_go)
