"""Sockets by which clients that are compared for reach a DHCP server: one a network, by broadcast (RFC 2131 4.1)."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address
from types import TracebackType
from typing import Self

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message
from netprov.dhcp.option import table as code
from netprov.errors import Malformed, ServiceError

WAIT_S = 0.6
"""How long the last of several replies is waited for, in seconds."""

TRIES = 3
"""How often a message without a reply is sent: datagrams get lost, and a server may look for conflicts first."""

_WINDOW_S = 1.05
"""How long a second of a server's count lasts, at least."""

_RELAYED = "through a relay agent: "
"""What the name of a network begins with where its relay agent is meant."""

_FENCE_S = 5.0
"""How long a server that answers may take for one message, in seconds: the machine may be busy."""

_AT_ONCE = 32
"""Messages that are under way together: more would overflow a server's receive buffer."""


class Links:
    """Sockets on the interfaces of some networks; a context manager."""

    def __init__(
        self,
        interfaces: Mapping[str, str],
        *,
        wait: float = WAIT_S,
        server: int = 0,
        adopt: Callable[[str, Sequence[int]], None] | None = None,
        relays: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        """Open them.

        With `server`, only the replies of that server identifier count. `adopt` makes addresses of a network this
        machine's own for a while, in place of those before; without it nothing that is sent to a lease's address arrives. `relays` are
        an address of this machine on each network, to be a relay agent's, and the server's address there.
        """
        self._wait, self._server, self._adopt = wait, server, adopt
        self._sockets: dict[str, socket.socket] = {}
        self._relays: dict[str, tuple[socket.socket, str, int]] = {}
        self._answered: dict[str, Message] = {}
        try:
            for network, interface in interfaces.items():
                self._sockets[network] = _socket(interface)
            for network, (own, server_address) in (relays or {}).items():
                sock = _relay_socket(own)
                self._relays[network] = (sock, server_address, int(IPv4Address(own)))
        except OSError as error:
            self.close()
            raise ServiceError(
                f"cannot ask for DHCP on {interface}: {error.strerror}",
                "run as root, on a machine with an interface on that network and no DHCP client on it",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the sockets."""
        for each in (*self._sockets.values(), *(sock for sock, _, _ in self._relays.values())):
            each.close()

    def adopt(self, network: str, addresses: Sequence[int]) -> None:
        """Take what is sent to these addresses, and to no others."""
        if self._adopt is not None:
            self._adopt(network, addresses)

    def tell(self, network: str, messages: Sequence[Message]) -> None:
        """Send messages that nobody answers."""
        if not messages:
            return
        sock, to = self._way(network)
        # Whoever counts messages of a client does it by the second; what is asked again is asked, a lost DECLINE is not.
        if any(each.type == dhcp.Type.DECLINE for each in messages):
            time.sleep(_WINDOW_S)
        for each in messages:
            sock.sendto(dhcp.encode(each), (to, dhcp.SERVER_PORT))

    def relay(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message] | None:
        """Return the replies to messages that a relay agent of the network passes on; None where there is none."""
        if network not in self._relays:
            return None
        _, _, giaddr = self._relays[network]
        if _RELAYED + network not in self._answered and network in self._answered:
            # Its answers show that it is there, so the first ones through the agent are waited for as long as a fence.
            first = [each._replace(giaddr=giaddr) for each in messages[:_AT_ONCE]]
            self.tell(_RELAYED + network, first)
            self._gather(_RELAYED + network, {each.xid: each for each in first}, {}, _FENCE_S)
        return self._ask(_RELAYED + network, [each._replace(giaddr=giaddr) for each in messages])

    def is_on(self, network: str) -> bool:
        """Say whether clients of a network are heard without a relay agent."""
        return network in self._sockets

    def ask(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message] | None:
        """Return the replies by xid, of those that came; None for a network that this machine is not on."""
        return self._ask(network, messages) if self.is_on(network) else None

    def _ask(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message]:
        found: dict[int, Message] = {}
        for start in range(0, len(messages), _AT_ONCE):
            wanted = {each.xid: each for each in messages[start : start + _AT_ONCE]}
            for attempt in range(TRIES):
                missing = [each for xid, each in wanted.items() if xid not in found]
                if not missing:
                    break
                fence = self._fence(network, wanted, found) if attempt else None
                self.tell(network, missing)
                if fence is not None:
                    if self._passed(network, fence, wanted, found):
                        break
                    continue
                self._gather(network, wanted, found, self._wait * (attempt + 1))
            answered = next((each for each in wanted.values() if each.xid in found and not each.ciaddr), None)
            if answered is not None:
                self._answered[network] = answered
        return found

    def _way(self, network: str) -> tuple[socket.socket, str]:
        """Return the socket that reaches the server, and where to: by broadcast, or from a relay agent."""
        if network.startswith(_RELAYED):
            sock, server, _ = self._relays[network.removeprefix(_RELAYED)]
            return sock, server
        return self._sockets[network], "255.255.255.255"

    def _fence(
        self, network: str, wanted: Mapping[int, Message], found: Mapping[int, Message]
    ) -> Message | None:
        """Return a message that the server answers, None if it has answered none yet.

        A server answers in order: what is not answered before the fence, and some time after it, never will be.
        """
        answered = next((each for xid, each in wanted.items() if xid in found), None)
        return answered or self._answered.get(network)

    def _passed(
        self, network: str, fence: Message, wanted: Mapping[int, Message], found: dict[int, Message]
    ) -> bool:
        """Wait for the fence, then as long as a server may look for conflicts, then for the fence again."""
        missing = {xid: each for xid, each in wanted.items() if xid not in found}
        for linger in (2 * self._wait, self._wait / 2):
            back: dict[int, Message] = {}
            self.tell(network, [fence])
            end = time.monotonic() + _FENCE_S
            while missing.keys() - found.keys() and fence.xid not in back:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._gather(network, {**missing, fence.xid: fence}, back, left, until=fence.xid)
                found |= {xid: each for xid, each in back.items() if xid in missing}
            self._gather(network, missing, found, linger)
        return True

    def _gather(
        self,
        network: str,
        wanted: Mapping[int, Message],
        found: dict[int, Message],
        wait: float,
        until: int | None = None,
    ) -> None:
        """Note replies until all are there, or the one named by `until`, or the time is over."""
        sock, _ = self._way(network)
        end = time.monotonic() + wait
        while wanted.keys() - found.keys() and until not in found:
            left = end - time.monotonic()
            if left <= 0 or not select.select([sock], [], [], left)[0]:
                return
            with suppress(BlockingIOError, Malformed):
                reply = dhcp.decode(sock.recv(4096))
                if self._belongs(reply, wanted.get(reply.xid)):
                    found[reply.xid] = reply

    def _belongs(self, reply: Message, request: Message | None) -> bool:
        if request is None or reply.op != dhcp.BOOTREPLY or reply.chaddr != request.chaddr:
            return False
        return self._server in {0, reply.address(code.SERVER_ID)}


def _relay_socket(address: str) -> socket.socket:
    """Return the socket of a relay agent: it sends from the port that answers come back to (RFC 1542 4.1.2)."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind((address, dhcp.SERVER_PORT))
    except OSError:
        sock.close()
        raise
    return sock


def _socket(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        sock.bind(("0.0.0.0", dhcp.CLIENT_PORT))
    except OSError:
        sock.close()
        raise
    return sock
