"""What a client would get: a DISCOVER made in memory, put to the DHCP server itself, and each option's place in the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from netprov.dhcp import message as dhcp
from netprov.dhcp.client import Client as DhcpClient
from netprov.dhcp.client import Identity
from netprov.dhcp.config import ClassConfig, DhcpConfig, Method, NetworkConfig, Origin, PhoneConfig, Setting
from netprov.dhcp.contents import Withheld, compose
from netprov.dhcp.match import Client
from netprov.dhcp.message import Message
from netprov.dhcp.option import table as code
from netprov.dhcp.reply import Incoming, grant, lease_time, serve
from netprov.dhcp.server import Server
from netprov.machine import Dropped, Endpoint

_ECHOED = frozenset({code.MESSAGE_TYPE, code.CLIENT_IDENTIFIER, code.SUBNET_SELECTION, code.RELAY_INFO})
"""Options that a reply repeats from the request, or that only say what kind of reply it is."""

_ANYONE = bytes(6)

_APART = 3600.0
"""Seconds between two clients, by the clock of the server in memory: no offer is held for longer."""


@dataclass(frozen=True, slots=True)
class OfferedOption:
    """One option of the reply, in order: octets, what they mean, and the inventory path they come from."""

    code: int
    name: str
    data: bytes
    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Preview:
    """The reply that a client would get on one network; `served` is False if it would get none."""

    client: Client
    """Who it is to the server's classes."""
    network: str
    served: bool
    reason: str
    """Why it would get none."""
    phone: PhoneConfig | None
    class_name: str
    method: Method
    address: int
    """The fixed address, 0 for one of the pool."""
    offered: int
    """The address in the offer of a server that has not given any out; 0 if there is none."""
    reply: Message
    options: tuple[OfferedOption, ...]
    withheld: tuple[Withheld, ...]


class Offers:
    """The DHCP server of a plan, asked by DISCOVERs that nobody sends."""

    def __init__(self, config: DhcpConfig) -> None:
        """Make the server, which has given no address out."""
        self._config = config
        self._server = Server(config)
        self._now = 0.0

    def preview(
        self,
        mac: bytes,
        *,
        vendor_class: str = "",
        network: str = "",
        asks: bytes | None = None,
        **more: Any,
    ) -> Preview:
        """Return the reply to a client; its network is the one its entry names, else the first.

        `asks` is its option 55, None for a client that asks for nothing in particular; `more` is of `dhcp.client.Identity`.
        """
        phone = self._config.phones.get(mac)
        wanted = self._config.network(network or (phone.network if phone else ""))
        identity = Identity(mac, vendor_class, request_list=tuple(asks or ()), **more)
        incoming = self._look(_discover(identity), wanted or self._config.networks[0])
        reply, reason = self._answer(incoming)
        if reply is not None and not incoming.network.contains(reply.yiaddr):
            # Of another network on the same link.
            own = next(each for each in incoming.siblings if each.contains(reply.yiaddr))
            placed = self._server.intake.look(incoming.request, incoming.source, own)
            assert isinstance(placed, Incoming), placed
            incoming = placed
        return _preview(incoming, reply, reason)

    def _look(self, request: Message, network: NetworkConfig) -> Incoming:
        """Send a request from a network: from its link, from a relay on it, or by subnet selection where links are shared."""
        source = Endpoint("0.0.0.0", dhcp.CLIENT_PORT, network.interface)
        if not network.interface:
            request = request._replace(giaddr=_relay(network))
        found = self._server.intake.look(request, source)
        if isinstance(found, Incoming) and found.network is not network:
            subnet = {code.SUBNET_SELECTION: network.prefix.to_bytes(4, "big")}
            found = self._server.intake.look(request._replace(options={**request.options, **subnet}), source)
        assert isinstance(found, Incoming), found
        return found

    def _answer(self, incoming: Incoming) -> tuple[Message | None, str]:
        """Return the server's OFFER, or why there is none."""
        server = self._server
        self._now += _APART
        server.handle_timer(self._now)
        server.receive(dhcp.encode(incoming.request), incoming.source, self._now)
        for probe in server.probes_to_send():
            server.conclude(probe.address, taken=False, now=self._now)
        dropped = [str(event.reason) for event in server.events() if isinstance(event, Dropped)]
        sent = server.datagrams_to_send()
        return dhcp.decode(sent[0].data) if sent else None, "; ".join(dropped)


def left_out(
    network: NetworkConfig, found: ClassConfig | None, phone: PhoneConfig | None = None
) -> tuple[int, ...]:
    """Return what does not fit into the reply to a client that does not say how much it takes (RFC 2131 section 2)."""
    identity = Identity(phone.mac if phone is not None else _ANYONE, request_list=(), max_size=0)
    source = Endpoint("0.0.0.0", dhcp.CLIENT_PORT, network.interface)
    contents = compose(network, found, phone)
    serving = serve(Client(identity.mac), contents, served=True, request_list=None, gateway=False)
    incoming = Incoming(_discover(identity), source, network, b"", phone, 0, network.address, serving)
    reply = dhcp.decode(grant(incoming, dhcp.Type.OFFER, yiaddr=0, lease_time=network.lease))
    return tuple(number for number in serving.options if number not in reply.options)


def _preview(incoming: Incoming, reply: Message | None, reason: str) -> Preview:
    """Put names and places to the octets; a client that is not served is shown what it would get if it were."""
    serving, contents = incoming.serving, incoming.serving.contents
    shown = reply or dhcp.decode(grant(incoming, dhcp.Type.OFFER, yiaddr=0, lease_time=lease_time(incoming)))
    origins = {**_origins(incoming.network)} | {each.code: each.origin for each in serving.settings}
    left_out = tuple(
        Withheld(each, "it does not fit into the reply")
        for each in serving.settings
        if each.code not in shown.options
    )
    return Preview(
        client=replace(serving.client, mac=incoming.request.chaddr),
        network=incoming.network.name,
        served=reply is not None,
        reason=reason,
        phone=incoming.phone,
        class_name=contents.class_name,
        method=contents.method,
        address=incoming.fixed,
        offered=shown.yiaddr,
        reply=shown,
        options=tuple(
            OfferedOption(number, code.name(number), data, code.show(number, data), origins[number])
            for number, data in shown.options.items()
            if number not in _ECHOED
        ),
        withheld=(*contents.withheld, *left_out),
    )


def _origins(network: NetworkConfig) -> Mapping[int, Origin]:
    """Return where the options that every OFFER begins with come from."""
    at = ("networks", network.name)
    return {
        code.SERVER_ID: (*at, "address"),
        code.LEASE_TIME: (*at, "lease"),
        code.T1: (*at, "renew" if network.t1 else "lease"),
        code.T2: (*at, "rebind" if network.t2 else "lease"),
        code.OVERLOAD: at,
    }


def _relay(network: NetworkConfig) -> int:
    """Return the address of a relay agent on a network: its router, else its first host."""
    router = network.settings.get(code.ROUTER, Setting(code.ROUTER, b"", ()))
    address = int.from_bytes(router.data[:4], "big")
    return address if network.contains(address) else network.prefix + 1


def _discover(identity: Identity) -> Message:
    client = DhcpClient(identity, lambda _bits: 1)
    client.start(0.0)
    (datagram,) = client.datagrams_to_send()
    return dhcp.decode(datagram.data)
