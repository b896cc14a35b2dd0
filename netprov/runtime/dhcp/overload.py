"""What is read of a socket on which more comes than can be answered: the messages of known phones, the others shed.

What waits in the kernel is lost when its buffer is full, whoever sent it. So when a backlog has lasted, more is read than
would be answered, and of that only what phones sent.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from netprov.dhcp.message import Type, hardware_address, leading_type
from netprov.machine import Endpoint

LASTS_S: Final = 1.0
"""Seconds that a backlog may last before it is one of strangers: a thousand phones that boot at once are answered in less."""
SIFTED: Final = 4096
"""Datagrams looked through in one turn, each for a tenth of the time that an answer takes or less: all that the kernel holds
(`RECEIVE_BUFFER`, of which a datagram takes some 1,280 octets), or what comes next would be lost, whoever sends it."""
PUT_OFF: Final = frozenset({Type.DECLINE, Type.RELEASE})
"""What may be shed of phones too, in whose names anybody can send it: a lease that was not released ends by itself, and
who declines an address again is heard once there is room."""
OF_ONE: Final = 4
"""Messages of one hardware address that are answered in one turn, each of another content: a phone sends one and waits."""
_XID, _BEHIND_SECS = 4, 10

Received = list[tuple[bytes, Endpoint]]


class Overload:
    """Tells a lasting backlog, socket by socket; `knows` says whether a hardware address is a phone's."""

    def __init__(self, knows: Callable[[bytes], bool]) -> None:
        self._knows = knows
        self._since: dict[socket.socket, float] = {}
        self.shed = 0

    def is_lasting(self, sock: socket.socket, now: float, *, full: bool) -> bool:
        """Note whether a turn took all it takes at once of a socket; say whether that has been so for long."""
        if not full:
            self._since.pop(sock, None)
            return False
        since = self._since.setdefault(sock, now)
        return now - since >= LASTS_S

    def sift(self, batch: Received) -> Received:
        """Return what phones sent and wait for, and count the rest."""
        found = [
            each
            for each in batch
            if leading_type(each[0]) not in PUT_OFF and self._knows(hardware_address(each[0]))
        ]
        self.shed += len(batch) - len(found)
        return found

    def thin(self, batch: Received) -> Received:
        """Return the last of what each hardware address has said again and again, and the last few if it says many things.

        Whoever asks in a phone's name over and over has one answer in each turn, and the phone has its own.
        """
        said: dict[bytes, dict[bytes, tuple[bytes, Endpoint]]] = {}
        for each in batch:
            data = each[0]
            mine = said.setdefault(hardware_address(data), {})
            content = data[:_XID] + data[_BEHIND_SECS:]  # xid and secs are of the message, not of the client
            mine.pop(content, None)
            mine[content] = each
            if len(mine) > OF_ONE:
                del mine[next(iter(mine))]
        found = [each for mine in said.values() for each in mine.values()]
        self.shed += len(batch) - len(found)
        return found
