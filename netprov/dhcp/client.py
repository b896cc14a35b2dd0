"""The DHCP client as a machine: INIT to BOUND, renewal, rebinding, release, decline, INFORM (RFC 2131 section 4.4).

Absent: address conflict detection, which is the caller's (it calls `decline`), and FORCERENEW (RFC 3203).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address

from netprov.dhcp import message as dhcp
from netprov.dhcp.client_event import (
    Acquired,
    ClientLease,
    InformAnswered,
    Lost,
    OfferReceived,
    Refused,
    Renewed,
)
from netprov.dhcp.message import Message, Type
from netprov.dhcp.option import table as code
from netprov.dhcp.option.kind import USER_CLASS
from netprov.dhcp.option.provisioning import ORDER
from netprov.errors import Malformed
from netprov.machine import Datagram, Dropped, Endpoint, Event

RETRANSMISSION = (4, 8, 16, 32, 64)
"""Seconds between retransmissions, each plus or minus one at random (RFC 2131 4.1)."""

DECLINE_WAIT = 10
"""Seconds before starting anew after a DHCPDECLINE (RFC 2131 3.1.5)."""

DEFAULT_REQUEST_LIST = tuple(
    sorted(
        (*ORDER, code.MASK, code.TIME_OFFSET, code.ROUTER, code.DNS, code.HOST_NAME, code.DOMAIN, code.NTP)
    )
)
"""What Cisco's guide says its phones know ("DHCP option support"); no public list of what they ask for."""

ANY = "0.0.0.0"
BROADCAST = "255.255.255.255"


class State(Enum):
    """Client states of RFC 2131 figure 5; IDLE before the start and after a release."""

    IDLE = "IDLE"
    INIT = "INIT"
    SELECTING = "SELECTING"
    REQUESTING = "REQUESTING"
    REBOOTING = "REBOOTING"
    BOUND = "BOUND"
    RENEWING = "RENEWING"
    REBINDING = "REBINDING"
    INFORMING = "INFORMING"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the client is, and what it asks for."""

    mac: bytes
    vendor_class: str = ""
    """Option 60, without NUL."""
    user_class: tuple[str, ...] = ()
    """Option 77 (RFC 3004)."""
    request_list: tuple[int, ...] = DEFAULT_REQUEST_LIST
    """Option 55."""
    client_id: bytes = b""
    """Option 61, type octet included; empty to send none."""
    hostname: str = ""
    """Option 12."""
    lease_time: int | None = None
    """Option 51 that the client wishes, in seconds."""
    broadcast: bool = False
    """Set the BROADCAST flag: replies before an address is configured come as broadcasts (RFC 2131 4.1)."""
    max_size: int = 1500
    """Option 57."""
    extra: Mapping[int, bytes] = field(default_factory=dict)
    """Further options of every request, for example 125 with a device identity (TR-069 Annex F)."""


class Client:
    """One client on one link; `draw(bits)` returns that many random bits."""

    def __init__(self, identity: Identity, draw: Callable[[int], int], interface: str = "") -> None:
        self.identity = identity
        self.state = State.IDLE
        self.lease: ClientLease | None = None
        self._draw = draw
        self._interface = interface
        self._due: float | None = None
        self._tries = 0
        self._xid = 0
        self._began = 0.0
        self._asked = 0.0
        self._offer: Message | None = None
        self._wanted = 0
        self._events: list[Event] = []
        self._outbox: list[Datagram] = []

    def start(self, now: float, previous: str = "") -> None:
        """Begin: with DHCPDISCOVER, or with a DHCPREQUEST for a `previous` address (INIT-REBOOT, RFC 2131 4.4.2)."""
        self.lease = None
        self._wanted = int(IPv4Address(previous)) if previous else 0
        self._begin(State.REBOOTING if previous else State.SELECTING, now)

    def renew(self, now: float) -> None:
        """Renew now instead of at T1."""
        if self.state is State.BOUND:
            self._begin(State.RENEWING, now)

    def release(self) -> None:
        """Give the address back (RFC 2131 4.4.6) and stop."""
        lease = self.lease
        if lease is not None:
            options = {code.SERVER_ID: IPv4Address(lease.server_id).packed}
            ciaddr = int(IPv4Address(lease.address))
            self._send(Type.RELEASE, options, ciaddr=ciaddr, to=lease.server_id)
        self._stop()

    def decline(self, now: float) -> None:
        """Say that the granted address is in use by another (RFC 2131 4.4.4), and start anew after ten seconds."""
        lease = self.lease
        if lease is None:
            return
        options = {
            code.REQUESTED_ADDRESS: IPv4Address(lease.address).packed,
            code.SERVER_ID: IPv4Address(lease.server_id).packed,
        }
        self._xid = self._draw(32)
        self._send(Type.DECLINE, options)
        self._stop()
        self.state, self._due = State.INIT, now + DECLINE_WAIT

    def inform(self, address: str, now: float) -> None:
        """Ask for options with an address that was set otherwise (RFC 2131 4.4.3)."""
        self._wanted = int(IPv4Address(address))
        self._begin(State.INFORMING, now)

    def timer(self) -> float | None:
        """Return when `handle_timer` is due."""
        return self._due

    def events(self) -> list[Event]:
        """Return and forget what happened."""
        events, self._events = self._events, []
        return events

    def datagrams_to_send(self) -> list[Datagram]:
        """Return and forget what is to be sent."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def handle_timer(self, now: float) -> None:
        """Retransmit, or move on: T1, T2, expiry, giving up an offer or a former address."""
        if self._due is None or now < self._due:
            return
        lease = self.lease
        match self.state:
            case State.INIT:
                self._begin(State.SELECTING, now)
            case State.BOUND:
                self._begin(State.RENEWING, now)
            case State.RENEWING | State.REBINDING if lease is not None and now >= lease.expires:
                self._events.append(Lost(lease.address))
                self.start(now)
            case State.RENEWING if lease is not None and now >= lease.t2:
                self._begin(State.REBINDING, now)
            case State.REQUESTING | State.REBOOTING if self._tries >= len(RETRANSMISSION):
                self.start(now)
            case _:
                self._transmit(now)

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> None:
        """Take in a reply; anything that answers no open question is dropped with its reason."""
        try:
            reply = dhcp.decode(datagram)
        except Malformed as error:
            self._events.append(Dropped(str(error), source))
            return
        problem = self._foreign(reply)
        if problem:
            self._events.append(Dropped(problem, source))
            return
        match reply.type, self.state:
            case Type.OFFER, State.SELECTING:
                self._accept_offer(reply, now)
            case Type.ACK, State.INFORMING:
                self._events.append(InformAnswered(_server(reply), reply.options, reply))
                self._stop()
            case Type.ACK, State.REQUESTING | State.REBOOTING | State.RENEWING | State.REBINDING:
                self._bind(reply, source)
            case Type.NAK, State.REQUESTING | State.REBOOTING | State.RENEWING | State.REBINDING:
                text = reply.options.get(code.MESSAGE, b"").decode("utf-8", "backslashreplace")
                self._events.append(Refused(_server(reply), text))
                self.start(now)
            case _:
                self._events.append(Dropped(f"message type {reply.type} in state {self.state.value}", source))

    def _foreign(self, reply: Message) -> str:
        """Return why a reply is not for this client, "" if it is."""
        if reply.op != dhcp.BOOTREPLY:
            return "not a BOOTREPLY"
        if reply.xid != self._xid or self._due is None:
            return "answers no open request (xid)"
        if reply.chaddr != self.identity.mac:
            return "for another client (chaddr)"
        return ""

    def _accept_offer(self, offer: Message, now: float) -> None:
        if not offer.yiaddr or not offer.address(code.SERVER_ID):
            self._events.append(Dropped("offer without address or server identifier", Endpoint(ANY, 67)))
            return
        self._offer = offer
        self._events.append(OfferReceived(str(IPv4Address(offer.yiaddr)), _server(offer), offer))
        self.state, self._tries, self._asked = State.REQUESTING, 0, now
        self._transmit(now)

    def _bind(self, ack: Message, source: Endpoint) -> None:
        lease_time = ack.address(code.LEASE_TIME)
        address = ack.yiaddr or ack.ciaddr
        if not lease_time or not address:
            self._events.append(Dropped("acknowledgement without address or lease time", source))
            return
        t1 = ack.address(code.T1) or lease_time // 2
        t2 = ack.address(code.T2) or lease_time * 7 // 8
        began = self._asked  # the original request, not its repetition (RFC 2131 4.4.1)
        lease = ClientLease(
            address=str(IPv4Address(address)),
            server_id=_server(ack) if ack.address(code.SERVER_ID) else source.address,
            obtained=began,
            lease_time=lease_time,
            t1=began + t1,
            t2=began + max(t1, t2),
            options=ack.options,
            ack=ack,
        )
        renewed = self.state in {State.RENEWING, State.REBINDING}
        self.lease, self.state, self._due = lease, State.BOUND, lease.t1
        self._events.append(Renewed(lease) if renewed else Acquired(lease))

    def _begin(self, state: State, now: float) -> None:
        self.state, self._tries, self._began, self._asked = state, 0, now, now
        self._xid = self._draw(32)
        self._transmit(now)

    def _stop(self) -> None:
        self.state, self._due, self.lease = State.IDLE, None, None

    def _transmit(self, now: float) -> None:
        """Send what the state sends, and set when to send it again (RFC 2131 4.1, 4.4.5)."""
        secs = min(0xFFFF, int(now - self._began))
        lease = self.lease
        wish = self._wish()
        match self.state:
            case State.SELECTING:
                self._send(Type.DISCOVER, wish, secs=secs)
            case State.REQUESTING if self._offer is not None:
                offer = self._offer
                chosen = {
                    code.REQUESTED_ADDRESS: offer.yiaddr.to_bytes(4, "big"),
                    code.SERVER_ID: offer.options[code.SERVER_ID],
                }
                self._send(Type.REQUEST, chosen | wish, secs=secs)
            case State.REBOOTING:
                former = {code.REQUESTED_ADDRESS: self._wanted.to_bytes(4, "big")}
                self._send(Type.REQUEST, former | wish, secs=secs)
            case State.INFORMING:
                self._send(Type.INFORM, {}, ciaddr=self._wanted, secs=secs)
            case State.RENEWING | State.REBINDING if lease is not None:
                to = lease.server_id if self.state is State.RENEWING else BROADCAST
                self._send(Type.REQUEST, wish, ciaddr=int(IPv4Address(lease.address)), to=to, secs=secs)
                end = lease.t2 if self.state is State.RENEWING else lease.expires
                # Half of what is left, at least a minute (RFC 2131 4.4.5), but never past the end.
                self._due = min(end, now + max(60.0, (end - now) / 2))
                return
        wait = RETRANSMISSION[min(self._tries, len(RETRANSMISSION) - 1)]
        self._tries += 1
        self._due = now + wait + self._draw(16) / 32768 - 1

    def _wish(self) -> dict[int, bytes]:
        lease_time = self.identity.lease_time
        return {} if lease_time is None else {code.LEASE_TIME: lease_time.to_bytes(4, "big")}

    def _send(
        self,
        kind: Type,
        options: Mapping[int, bytes],
        *,
        ciaddr: int = 0,
        to: str = BROADCAST,
        secs: int = 0,
    ) -> None:
        """Queue one message with the identity's options; DECLINE and RELEASE carry none of them (table 5)."""
        identity = self.identity
        every: dict[int, bytes] = {code.MESSAGE_TYPE: bytes([kind])}
        if identity.client_id:
            every[code.CLIENT_IDENTIFIER] = identity.client_id
        every |= options
        if kind not in {Type.DECLINE, Type.RELEASE}:
            every |= _described(identity)
        configured = ciaddr != 0
        request = Message(
            op=dhcp.BOOTREQUEST,
            xid=self._xid,
            chaddr=identity.mac,
            secs=secs,
            flags=dhcp.BROADCAST if identity.broadcast and not configured else 0,
            ciaddr=ciaddr,
            options=every,
        )
        source = str(IPv4Address(ciaddr)) if configured else ANY
        destination = Endpoint(to, dhcp.SERVER_PORT, self._interface)
        self._outbox.append(Datagram(dhcp.encode(request), destination, source))


def _described(identity: Identity) -> dict[int, bytes]:
    """Return the options in which a client describes itself and its wishes."""
    found: dict[int, bytes] = {}
    if identity.request_list:
        found[code.REQUEST_LIST] = bytes(identity.request_list)
    if identity.max_size:
        found[code.MAX_SIZE] = identity.max_size.to_bytes(2, "big")
    if identity.vendor_class:
        found[code.VENDOR_CLASS] = identity.vendor_class.encode()
    if identity.user_class:
        found[code.USER_CLASSES] = USER_CLASS.encode(identity.user_class)
    if identity.hostname:
        found[code.HOST_NAME] = identity.hostname.encode()
    return found | dict(identity.extra)


def _server(reply: Message) -> str:
    return str(IPv4Address(reply.address(code.SERVER_ID)))
