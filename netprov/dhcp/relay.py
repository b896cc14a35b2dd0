"""What relay agents say: giaddr and option 82, and which network a request is from.

RFC 3046 (82), RFC 3527 (link selection), RFC 5107 (server identifier override), RFC 3011 (subnet selection).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netprov.dhcp.config import NetworkConfig
from netprov.dhcp.message import Message
from netprov.dhcp.option import table as code
from netprov.dhcp.option.vendor import decode_tlv
from netprov.errors import Malformed
from netprov.machine import Endpoint

CIRCUIT_ID, REMOTE_ID, LINK_SELECTION, SERVER_ID_OVERRIDE = 1, 2, 5, 11


def agent(request: Message) -> Mapping[int, bytes]:
    """Return the sub-options of option 82, {} if there is none; raise `Malformed` for garbage."""
    data = request.options.get(code.RELAY_INFO)
    return decode_tlv(data) if data is not None else {}


def port(data: bytes) -> bytes:
    """Return which port of which switch an option 82 names, b"" if it names none."""
    if not data:
        return b""
    try:
        found = decode_tlv(data)
    except Malformed:
        return b""
    named = found.get(CIRCUIT_ID, b""), found.get(REMOTE_ID, b"")
    return b"/".join(named) if any(named) else b""


def find_network(
    networks: Sequence[NetworkConfig], request: Message, sub_options: Mapping[int, bytes], source: Endpoint
) -> NetworkConfig | None:
    """Return the network a client is on: link selection, subnet selection, giaddr, ciaddr, interface, in this order."""
    if sub_options or code.SUBNET_SELECTION in request.options:
        for data in (sub_options.get(LINK_SELECTION), request.options.get(code.SUBNET_SELECTION)):
            if data is not None and len(data) == 4:
                return _containing(networks, int.from_bytes(data, "big"))
    if request.giaddr:
        return _containing(networks, request.giaddr)
    interface = source.interface
    here = next((each for each in networks if each.interface and each.interface == interface), None)
    if request.ciaddr:
        found = _containing(networks, request.ciaddr)
        if found is not None and (here is None or not _moved(found, source)):
            return found
    return here


def _moved(network: NetworkConfig, source: Endpoint) -> bool:
    """Say whether a client with an address of a network is seen on another link than that network's.

    A broadcast is of the link that it came in on (REBINDING, RFC 2131 4.3.2). What was sent to our address may have come
    through routers, but only from a network that is not on an interface of ours.
    """
    return network.interface != source.interface and (source.broadcast or network.interface != "")


def server_id(network: NetworkConfig, sub_options: Mapping[int, bytes]) -> int:
    """Return the server identifier for a reply: the relay's, if it asks to stand in (RFC 5107), else ours."""
    override = sub_options.get(SERVER_ID_OVERRIDE) if sub_options else None
    if override is not None and len(override) == 4:
        return int.from_bytes(override, "big")
    return network.address


def nowhere(request: Message) -> str:
    """Say in words where a request came from that no network of the inventory contains."""
    if request.giaddr:
        octets = ".".join(map(str, request.giaddr.to_bytes(4, "big")))
        return f"relay {octets} is on no network of the inventory"
    return "no network of the inventory has this interface"


def _containing(networks: Sequence[NetworkConfig], address: int) -> NetworkConfig | None:
    for network in networks:
        if address & network.mask == network.prefix:
            return network
    return None
