"""Who holds how much of a pool: listed phones, strangers, and strangers behind each port of a switch (option 82).

A MAC address is easily invented. So strangers never get the addresses that listed phones may still come for, nor those behind
one port more than their share.
"""

from __future__ import annotations

from collections import Counter


class Shares:
    """The holders of one pool's addresses; `kept` addresses are for listed phones, those they hold included.

    `per_port` is how many strangers behind one port may hold, 0 for any number.
    """

    def __init__(self, size: int, *, kept: int, per_port: int) -> None:
        self._size = size
        self._kept = kept
        self._per_port = per_port
        self._ports: dict[int, bytes | None] = {}
        self._listed = 0
        self._of_port: Counter[bytes] = Counter()

    def __contains__(self, address: int) -> bool:
        return address in self._ports

    @property
    def kept(self) -> int:
        """How many addresses are kept for listed phones that hold none yet."""
        return max(0, self._kept - self._listed)

    def hold(self, address: int, port: bytes | None) -> None:
        """Note that an address is held: by a listed phone (None), or by a stranger behind a port (b"" if none is known)."""
        self.free(address)
        self._ports[address] = port
        if port is None:
            self._listed += 1
        elif port:
            self._of_port[port] += 1

    def free(self, address: int) -> None:
        """Note that nobody holds an address."""
        if address not in self._ports:
            return
        port = self._ports.pop(address)
        if port is None:
            self._listed -= 1
        elif port:
            self._of_port[port] -= 1
            if not self._of_port[port]:
                del self._of_port[port]

    def holder(self, address: int) -> bytes | None:
        """Return how an address is held, b"" if it is not."""
        return self._ports.get(address, b"")

    def refusal(self, port: bytes | None) -> str:
        """Return why a client gets no address more for its share; "" if it does, as a listed phone (None) always."""
        if port is None:
            return ""
        left = self._size - len(self._ports)
        if left and left <= self.kept:
            return f"the last {left} addresses are kept for listed phones"
        if self._per_port and self._of_port[port] >= self._per_port:
            return (
                f"clients that are not listed have their share of {self._per_port} addresses behind this port"
            )
        return ""
