"""Replies: what they hold, how they are laid out, where they go (RFC 2131 sections 4.1, 4.3.1 table 3).

The options that a kind of client gets are encoded once and kept (`Serving`); a reply is a header, that block,
and what is the client's own: options 61 (RFC 6842), 118 (RFC 3011) and 82 (RFC 3046).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from netprov.dhcp.config import NetworkConfig, PhoneConfig, Setting
from netprov.dhcp.contents import Contents, selected, with_gateway
from netprov.dhcp.match import Client
from netprov.dhcp.message import (
    BOOTREPLY,
    BROADCAST,
    CLIENT_PORT,
    HEAD,
    MINIMUM,
    REST,
    SERVER_PORT,
    Message,
    Type,
    dotted,
    encode,
    fragments,
    overloaded,
)
from netprov.dhcp.option import table as code
from netprov.dhcp.option.fqdn import answer as answer_fqdn
from netprov.dhcp.option.fqdn import host_label
from netprov.dhcp.relay import port
from netprov.machine import Endpoint

IP_UDP_HEADERS = 28
LEAST_SIZE = 576
"""What every client must accept (RFC 2131 section 2), and what one is assumed to that sends no option 57."""
MOST_SIZE = 1500

EVERYONE = "255.255.255.255"

MOST_BLOCKS = 8
"""Encodings kept for one kind of request: of OFFER, ACK and INFORM's ACK, for a few lease times."""

FIRST_OPTIONS = frozenset((code.MESSAGE_TYPE, code.SERVER_ID, code.LEASE_TIME, code.T1, code.T2))
"""Options that every OFFER and ACK begins with."""

_ACK = Type.ACK
_EASY = LEAST_SIZE - IP_UDP_HEADERS - 44
"""Octets from the 45th on that every client takes."""


@dataclass(slots=True)
class Serving:
    """What one kind of request gets: its contents, its options in order, and their encoding for each lease time."""

    client: Client
    """What the request said; its MAC address is of one of many clients unless a class or an entry reads it."""
    contents: Contents
    served: bool
    settings: tuple[Setting, ...]
    """In the order of the reply."""
    options: Mapping[int, bytes]
    next_server: int
    blocks: dict[tuple[int, int, int], bytes] = field(default_factory=dict)

    def block(self, kind: Type, server_id: int, lease_time: int) -> bytes:
        """Return a reply from its 45th octet to its last option; `lease_time` is 0 for the answer to an INFORM."""
        cached = self.blocks.get((kind, server_id, lease_time))
        if cached is not None:
            return cached
        body = b"".join(fragments(option, data) for option, data in self.options.items())
        whole = REST + first_options(kind, server_id, lease_time, self.contents.network) + body
        if len(self.blocks) >= MOST_BLOCKS:
            self.blocks.clear()
        self.blocks[kind, server_id, lease_time] = whole
        return whole


@dataclass(slots=True)
class Incoming:
    """A request from a client that is served, and everything known of it."""

    request: Message
    source: Endpoint
    network: NetworkConfig
    key: bytes
    phone: PhoneConfig | None
    fixed: int
    """The phone's fixed address on this network, 0 for none."""
    server_id: int
    serving: Serving
    siblings: tuple[NetworkConfig, ...] = ()
    """The other networks on this link."""

    @property
    def owner(self) -> bytes:
        """The hardware address of the listed phone that this is, b"" for a stranger."""
        return self.phone.mac if self.phone is not None else b""

    @property
    def listed(self) -> bool:
        """Say whether the inventory lists this client."""
        return self.phone is not None

    @property
    def behind(self) -> bytes | None:
        """The port of a switch that it is behind, b"" if nobody says; None for one that addresses are kept for."""
        if self.phone is not None and not self.fixed:
            return None
        return port(self.request.options.get(code.RELAY_INFO, b""))


def serve(
    client: Client, contents: Contents, *, served: bool, request_list: bytes | None, gateway: bool
) -> Serving:
    """Work out what one kind of request gets; `gateway`: a TR-069 device that told its identity asks for ours."""
    chosen = {setting.code: setting for setting in selected(contents, request_list)}
    if gateway and contents.network.gateway is not None:
        given = contents.settings.get(code.VENDOR_IDENTIFYING)
        chosen[code.VENDOR_IDENTIFYING] = with_gateway(given, contents.network)
    options = {option: setting.data for option, setting in chosen.items()}
    return Serving(client, contents, served, tuple(chosen.values()), options, contents.next_server)


def lease_time(incoming: Incoming) -> int:
    """Return the lease time: the client's wish within the network's bounds (RFC 2131 4.3.1)."""
    network = incoming.network
    wish = incoming.request.address(code.LEASE_TIME)
    return min(network.lease_max, max(network.lease_min, wish)) if wish else network.lease


def renewal_times(network: NetworkConfig, lease_time: int) -> tuple[int, int]:
    """Return T1 and T2: the network's where they lie within the lease, else half and seven eighths (RFC 2131 4.4.5).

    A T2 of the network's own has T1 at the same ratio before it.
    """
    t2 = network.t2 if 0 < network.t2 < lease_time else lease_time * 7 // 8
    t1 = network.t1 if 0 < network.t1 < t2 else lease_time // 2 if lease_time // 2 < t2 else t2 * 4 // 7
    return t1, t2


def first_options(kind: Type, server_id: int, lease_time: int, network: NetworkConfig) -> bytes:
    """Encode the options that lead a reply: 53, 54, and the times."""
    first = bytes((code.MESSAGE_TYPE, 1, kind, code.SERVER_ID, 4)) + server_id.to_bytes(4, "big")
    if not lease_time:
        return first
    t1, t2 = renewal_times(network, lease_time)
    for option, seconds in ((code.LEASE_TIME, lease_time), (code.T1, t1), (code.T2, t2)):
        first += bytes((option, 4)) + seconds.to_bytes(4, "big")
    return first


def grant(incoming: Incoming, kind: Type, *, yiaddr: int, lease_time: int) -> bytes:
    """Assemble an OFFER or ACK (RFC 2131 4.3.1); for an INFORM `yiaddr` and `lease_time` are 0 (4.3.5)."""
    request, serving = incoming.request, incoming.serving
    requested = request.options
    block = serving.block(kind, incoming.server_id, lease_time)
    for option in (code.CLIENT_IDENTIFIER, code.SUBNET_SELECTION):
        # RFC 3011 2: servers "MUST return an identical copy of the option to any client that sends it".
        if option in requested:
            block += fragments(option, requested[option])
    if code.FQDN in requested:
        block += _published(incoming)
    relay = requested.get(code.RELAY_INFO)
    block += b"\xff" if relay is None else fragments(code.RELAY_INFO, relay) + b"\xff"
    ciaddr = request.ciaddr if kind is _ACK else 0
    if len(block) > _EASY and 44 + len(block) > _room(requested.get(code.MAX_SIZE)):
        message = Message(
            BOOTREPLY, request.xid, request.chaddr, request.htype, 0, 0, request.flags,
            ciaddr, yiaddr, serving.next_server, request.giaddr,
        )  # fmt: skip
        return _overloaded(incoming, message, kind, lease_time)
    head = HEAD.pack(
        BOOTREPLY, request.htype, len(request.chaddr), 0, request.xid, 0, request.flags,
        ciaddr, yiaddr, serving.next_server, request.giaddr, request.chaddr,
    )  # fmt: skip
    return (head + block).ljust(MINIMUM, b"\0")


def _published(incoming: Incoming) -> bytes:
    """Return option 81 of a reply to a client that sent one: what DNS says of it (RFC 4702)."""
    options, settings = incoming.request.options, incoming.serving.contents.settings
    given, domain = settings.get(code.HOST_NAME), settings.get(code.DOMAIN)
    name = given.data if given is not None else options.get(code.HOST_NAME)
    fqdn = options[code.FQDN]
    told = answer_fqdn(fqdn, host_label(name, fqdn), domain.data.decode() if domain is not None else "")
    return fragments(code.FQDN, told) if told else b""


def refusal(request: Message, server_id: int, text: str) -> bytes:
    """Assemble a NAK; relayed ones carry the BROADCAST flag so that the client hears them (RFC 2131 4.3.2)."""
    options = {
        code.MESSAGE_TYPE: bytes((Type.NAK,)),
        code.SERVER_ID: server_id.to_bytes(4, "big"),
        code.MESSAGE: text.encode(),
    }
    for option in (code.CLIENT_IDENTIFIER, code.RELAY_INFO):
        if option in request.options:
            options[option] = request.options[option]
    flags = request.flags | BROADCAST if request.giaddr else request.flags
    return encode(
        Message(
            BOOTREPLY, request.xid, request.chaddr, request.htype, 0, 0, flags,
            giaddr=request.giaddr, options=options,
        )
    )  # fmt: skip


def bootp(incoming: Incoming) -> bytes:
    """Assemble a BOOTP reply: the fixed address, options without any of DHCP's (RFC 1534 section 2)."""
    request = incoming.request
    options = dict(incoming.serving.options)
    if code.RELAY_INFO in request.options:
        options[code.RELAY_INFO] = request.options[code.RELAY_INFO]
    return encode(
        Message(
            BOOTREPLY, request.xid, request.chaddr, request.htype, 0, 0, request.flags, request.ciaddr,
            incoming.fixed, incoming.serving.next_server, request.giaddr, options=options,
        )
    )  # fmt: skip


def destination(request: Message, interface: str, *, yiaddr: int, refused: bool = False) -> Endpoint:
    """Return where a reply goes (RFC 2131 section 4.1)."""
    if request.giaddr:
        return _relay(request.giaddr, interface)
    if refused:
        return Endpoint(EVERYONE, CLIENT_PORT, interface)
    if request.ciaddr:
        return Endpoint(dotted(request.ciaddr), CLIENT_PORT, interface)
    if request.flags & BROADCAST or not yiaddr or request.htype != 1 or len(request.chaddr) != 6:
        return Endpoint(EVERYONE, CLIENT_PORT, interface)
    return Endpoint(dotted(yiaddr), CLIENT_PORT, interface, request.chaddr)


@lru_cache(1024)
def _relay(giaddr: int, interface: str) -> Endpoint:
    return Endpoint(dotted(giaddr), SERVER_PORT, interface)


def _room(size: bytes | None) -> int:
    """Return how long a reply may be, from option 57 (RFC 2132 9.10)."""
    if size is None or len(size) != 2:
        return LEAST_SIZE - IP_UDP_HEADERS
    return min(MOST_SIZE, max(LEAST_SIZE, size[0] << 8 | size[1])) - IP_UDP_HEADERS


def _overloaded(incoming: Incoming, head: Message, kind: Type, lease_time: int) -> bytes:
    requested = incoming.request.options
    rest = dict(incoming.serving.options)
    first = first_options(kind, incoming.server_id, lease_time, incoming.network)
    for option in (code.CLIENT_IDENTIFIER, code.SUBNET_SELECTION):
        if option in requested:
            first += fragments(option, requested[option])
    if code.FQDN in requested:
        first += _published(incoming)
    if code.RELAY_INFO in requested:
        rest[code.RELAY_INFO] = requested[code.RELAY_INFO]
    return overloaded(head, first, rest, _room(requested.get(code.MAX_SIZE)))
