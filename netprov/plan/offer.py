"""What a client would get, worked out without sending anything: for `render`, `explain`, `check` and tests."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.dhcp import contents as dhcp_contents
from netprov.dhcp.config import DhcpConfig, Method, NetworkConfig, Origin, PhoneConfig, Setting
from netprov.dhcp.contents import Withheld
from netprov.dhcp.match import Client
from netprov.dhcp.option import table as code


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

    mac: bytes
    network: str
    served: bool
    phone: PhoneConfig | None
    class_name: str
    method: Method
    address: int
    """The fixed address, 0 for one of the pool."""
    options: tuple[OfferedOption, ...]
    withheld: tuple[Withheld, ...]


def client_of(
    config: DhcpConfig, mac: bytes, *, vendor_class: str = "", network: str = "", requests: bytes = b""
) -> Client:
    """Return the facts of a client; its network is the one its entry names, else the first."""
    phone = config.phones.get(mac)
    name = network or (phone.network if phone else "") or (config.networks[0].name if config.networks else "")
    return Client(mac, vendor_class=vendor_class, network=name, requests=requests)


def preview(config: DhcpConfig, client: Client, *, asks: bytes | None = None) -> Preview:
    """Work out the reply to a client; `asks` is its option 55, None for one that asks for nothing in particular."""
    network = config.network(client.network or "")
    assert network is not None, client.network
    phone = config.phones.get(client.mac)
    found = dhcp_contents.find_class(config, phone, client)
    contents = dhcp_contents.compose(network, found, phone)
    settings = (*_message_settings(network), *dhcp_contents.selected(contents, asks))
    return Preview(
        mac=client.mac,
        network=network.name,
        served=dhcp_contents.is_served(network, phone, found, client),
        phone=phone,
        class_name=contents.class_name,
        method=contents.method,
        address=phone.address if phone and network.contains(phone.address) else 0,
        options=tuple(
            OfferedOption(
                each.code, code.name(each.code), each.data, code.show(each.code, each.data), each.origin
            )
            for each in settings
        ),
        withheld=contents.withheld,
    )


def _message_settings(network: NetworkConfig) -> tuple[Setting, ...]:
    """Return the options that every OFFER and ACK begins with: server identifier and times (RFC 2131 4.3.1)."""
    at = ("networks", network.name)
    lease = network.lease
    return (
        Setting(code.SERVER_ID, network.address.to_bytes(4, "big"), (*at, "address")),
        Setting(code.LEASE_TIME, lease.to_bytes(4, "big"), (*at, "lease")),
        Setting(code.T1, (lease // 2).to_bytes(4, "big"), (*at, "lease")),
        Setting(code.T2, (lease * 7 // 8).to_bytes(4, "big"), (*at, "lease")),
    )
