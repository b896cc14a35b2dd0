"""What is read of a socket on which more comes than can be answered: the messages of known phones, the others shed.

What waits in the kernel is lost when its buffer is full, whoever sent it. So when a backlog has lasted, more is read than
would be answered, and of that only what phones sent.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from netprov.dhcp.message import hardware_address
from netprov.machine import Endpoint

LASTS_S: Final = 1.0
"""Seconds that a backlog may last before it is one of strangers: a thousand phones that boot at once are answered in less."""
SIFTED: Final = 1024
"""Datagrams looked through in one turn, each for a hundredth of the time that an answer takes."""

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
        """Return what phones sent, and count the rest."""
        found = [each for each in batch if self._knows(hardware_address(each[0]))]
        self.shed += len(batch) - len(found)
        return found
