"""The sessions that are open with an ACS: found by cookie or connection, one a device, ended when they are silent or too long.

A session is found by its cookie (TR-069 Amendment 6 section 3.4.2) or, for a device that keeps none, by its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from netprov.cwmp import rpc

COOKIE: Final = "session"


@dataclass(frozen=True, slots=True)
class AcsLimits:
    """What one ACS puts up with: octets a message, sessions at once, messages a session, seconds, records kept."""

    body: int = 1 << 20
    sessions: int = 10_000
    messages: int = 100
    idle: float = 60.0
    session: float = 600.0
    records: int = 100_000


@dataclass(frozen=True, slots=True)
class AcsRequest:
    """One POST: its body, its Cookie header, the address it came from, and the connection by any name.

    `certificate` is the MAC address that a client certificate names, which was verified, "" without one.
    `excerpt` returns what a record may tell of it if it is refused; never of the body, which holds passwords.
    """

    body: bytes
    cookie: str = ""
    source: str = ""
    connection: str = ""
    certificate: str = ""
    excerpt: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer: status, body (XML if there is one), further headers."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Session:
    """One session; `asked` is what was asked last and is not answered, `stage` how far its plan has come.

    `transaction` is the number of what an operator asked, if that is it; `parameter_key` the ParameterKey that the device has, `account`
    the call that sets the account of connection requests, while it is that which was asked.
    """

    token: str
    connection: str
    device: str
    inform: rpc.Inform
    version: str
    certificate: str
    started: float
    seen: float
    messages: int = 1
    serial: int = 0
    asked: rpc.Rpc | None = None
    asked_id: str = ""
    stage: Literal["settings", "account", "transactions", "over"] = "settings"
    transaction: int | None = None
    parameter_key: str = ""
    account: rpc.SetParameterValues | None = None


class Sessions:
    """The open sessions; `ended` is told of each as it ends."""

    def __init__(self, limits: AcsLimits, ended: Callable[[Session, float], None]) -> None:
        self._limits = limits
        self._ended = ended
        self._open: dict[str, Session] = {}
        self._by_device: dict[str, str] = {}
        self._by_connection: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._open)

    def find(self, request: AcsRequest, now: float) -> Session | None:
        """Return the session that a request belongs to, None for none that may go on."""
        session = self._open.get(_cookie(request.cookie))
        if session is None and not request.cookie:
            # Quirk: some devices keep no cookie; theirs is the session of the connection.
            session = self._open.get(self._by_connection.get(request.connection, ""))
        if session is None or session.certificate != request.certificate:
            return None
        self._open[session.token] = self._open.pop(session.token)
        session.seen = now
        session.messages += 1
        if session.messages > self._limits.messages or now - session.started > self._limits.session:
            self.end(session, now)
            return None
        return session

    def of(self, device: str) -> Session | None:
        """Return the session of a device."""
        return self._open.get(self._by_device.get(device, ""))

    def open(self, session: Session) -> None:
        """Open a session."""
        self._open[session.token] = session
        self._by_device[session.device] = session.token
        if session.connection:
            self._by_connection[session.connection] = session.token

    def may_ask(self, session: Session) -> bool:
        """Say whether there is room in a session for one more call of ours, and its answer."""
        return session.messages < self._limits.messages

    def end(self, session: Session | None, now: float) -> None:
        """End a session, if it is open."""
        if session is None or self._open.pop(session.token, None) is None:
            return
        if self._by_device.get(session.device) == session.token:
            del self._by_device[session.device]
        if self._by_connection.get(session.connection) == session.token:
            del self._by_connection[session.connection]
        self._ended(session, now)

    def expire(self, now: float) -> None:
        """End the sessions that went silent; the longest silent stands first."""
        while self._open:
            session = next(iter(self._open.values()))
            if now - session.seen <= self._limits.idle:
                return
            self.end(session, now)


def _cookie(header: str) -> str:
    """Return our cookie of a Cookie header."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value.strip('"')
    return ""
