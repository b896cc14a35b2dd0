"""From a decoded request to what the server needs to answer it: network, client, class, contents.

What a kind of request gets is worked out once and kept in a bounded cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netprov.dhcp import relay
from netprov.dhcp.config import DhcpConfig, NetworkConfig, PhoneConfig
from netprov.dhcp.contents import compose, find_class, is_served
from netprov.dhcp.match import Client, Condition
from netprov.dhcp.message import Message
from netprov.dhcp.option import table as code
from netprov.dhcp.option.fqdn import host_label, wants_no_updates
from netprov.dhcp.option.kind import decode_text, decode_user_class
from netprov.dhcp.option.vendor import broadband_forum
from netprov.dhcp.reply import Incoming, Serving, serve
from netprov.errors import Malformed
from netprov.machine import Endpoint

MOST_SERVINGS = 8192
"""Kinds of request that are remembered; when there are more, all are forgotten and worked out anew."""


_NONE: Mapping[int, bytes] = {}


class Intake:
    """Reads requests by what the inventory says."""

    def __init__(self, config: DhcpConfig) -> None:
        self._config = config
        conditions = [each.condition for each in config.classes if each.condition is not None]
        self._by_mac = any(_reads(each, "mac") for each in conditions)
        self._by_name = any(_reads(each, "host_name") for each in conditions)
        self._links = shared_links(config.networks)
        self._servings: dict[tuple[object, ...], Serving] = {}

    def look(
        self, request: Message, source: Endpoint, network: NetworkConfig | None = None
    ) -> Incoming | str:
        """Return all that is known of a request and what it would get, served or not; a text if it cannot be read.

        `network` is where it is taken to be, None for what the request says.
        """
        sub_options = _NONE
        if code.RELAY_INFO in request.options:
            try:
                sub_options = relay.agent(request)
            except Malformed as error:
                return f"option 82: {error}"
        phone = self._phone(request)
        if network is None:
            network = relay.find_network(self._config.networks, request, sub_options, source)
            if network is None:
                return relay.nowhere(request)
            if phone is not None and phone.network and phone.network != network.name:
                network = self._beside(network, phone) or network
        try:
            serving = self._serving(request, network, phone, sub_options)
        except Malformed as error:
            return str(error)
        return Incoming(
            request,
            source,
            network,
            client_key(request),
            phone,
            phone.address if phone is not None and network.contains(phone.address) else 0,
            relay.server_id(network, sub_options),
            serving,
            () if phone is not None and phone.network == network.name else self._links.get(network.name, ()),
        )

    def remembered(self, incoming: Incoming) -> tuple[str, str, bytes, tuple[str, ...]]:
        """Return what a lease keeps of a request: host name, vendor class, option 82, TR-069 identity."""
        options = incoming.request.options
        name, fqdn = options.get(code.HOST_NAME), options.get(code.FQDN)
        named = (name or fqdn) and not wants_no_updates(fqdn)
        return (
            host_label(name, fqdn) if named else "",
            incoming.serving.client.vendor_class or "",
            options.get(code.RELAY_INFO, b""),
            _device(options.get(code.VENDOR_IDENTIFYING)),
        )

    def _phone(self, request: Message) -> PhoneConfig | None:
        """Find a listed phone by hardware address, or by the one inside option 61 (RFC 2132 9.14)."""
        phone = self._config.phones.get(request.chaddr)
        if phone is None:
            identifier = request.options.get(code.CLIENT_IDENTIFIER)
            if identifier is not None and len(identifier) == 7 and identifier[0] == 1:
                return self._config.phones.get(identifier[1:])
        return phone

    def _beside(self, network: NetworkConfig, phone: PhoneConfig) -> NetworkConfig | None:
        """Return a phone's own network if it is on the link that the request came from."""
        others = self._links.get(network.name, ())
        return next((each for each in others if each.name == phone.network), None)

    def _serving(
        self,
        request: Message,
        network: NetworkConfig,
        phone: PhoneConfig | None,
        sub_options: Mapping[int, bytes],
    ) -> Serving:
        options = request.options
        vendor_class, user_class = options.get(code.VENDOR_CLASS), options.get(code.USER_CLASSES)
        asks, device = options.get(code.REQUEST_LIST), options.get(code.VENDOR_IDENTIFYING)
        circuit = remote = b""
        if sub_options:
            circuit, remote = sub_options.get(relay.CIRCUIT_ID, b""), sub_options.get(relay.REMOTE_ID, b"")
        # Who a listed phone is may stand in option 61 alone; its entry tells it, not the address it sends from.
        mac = phone.mac if phone is not None else request.chaddr if self._by_mac else b""
        name = host_label(options.get(code.HOST_NAME), options.get(code.FQDN)) if self._by_name else ""
        gateway = network.gateway is not None and bool(_device(device))
        key = (network.name, vendor_class, user_class, asks, circuit, remote, mac, name, gateway)
        found = self._servings.get(key)
        if found is None:
            client = Client(
                mac or request.chaddr,
                decode_text(vendor_class) if vendor_class else "",
                decode_user_class(user_class) if user_class else (),
                circuit,
                remote,
                network.name,
                asks or b"",
                name,
            )
            chosen = find_class(self._config, phone, client)
            found = serve(
                client,
                compose(network, chosen, phone),
                served=is_served(network, phone, chosen, client),
                request_list=asks,
                gateway=gateway,
            )
            if len(self._servings) >= MOST_SERVINGS:
                self._servings.clear()
            self._servings[key] = found
        return found


def shared_links(networks: Sequence[NetworkConfig]) -> dict[str, tuple[NetworkConfig, ...]]:
    """Return the other networks on the link of each network that has any."""
    links: dict[str, list[NetworkConfig]] = {}
    for each in networks:
        if each.link or each.interface:
            links.setdefault(each.link or each.interface, []).append(each)
    return {
        each.name: tuple(other for other in link if other is not each)
        for link in links.values()
        for each in link
        if len(link) > 1
    }


def client_key(request: Message) -> bytes:
    """Return who a client is: option 61, else hardware type and address (RFC 2131 4.2).

    The inventory has no say in it: listing a phone, or striking it off, leaves its lease its own.
    """
    return request.options.get(code.CLIENT_IDENTIFIER) or bytes((request.htype,)) + request.chaddr


def _reads(condition: Condition, field: str) -> bool:
    inner = (*condition.any, *condition.all, *((condition.negated,) if condition.negated else ()))
    return bool(getattr(condition, field)) or any(_reads(each, field) for each in inner)


def _device(data: bytes | None) -> tuple[str, ...]:
    """Return OUI, serial and product class that a TR-069 device tells (Annex F), () if it tells none."""
    if data is None:
        return ()
    try:
        found = broadband_forum(data)
    except Malformed:
        return ()
    if 1 not in found or 2 not in found:
        return ()
    return tuple(found.get(each, b"").decode("utf-8", "backslashreplace") for each in (1, 2, 3))
