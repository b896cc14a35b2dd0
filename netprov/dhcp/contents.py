"""What one client gets: its class, the options of network, class and phone laid over each other, and their order.

RFC 2131 4.3.1 for which options a reply holds. A phone's method decides which provisioning options may
reach it: any usable one keeps it from asking DNS for SRV records (guide, order of provisioning).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.dhcp.config import ClassConfig, DhcpConfig, Method, NetworkConfig, PhoneConfig, Setting
from netprov.dhcp.match import Client, matches
from netprov.dhcp.option import table as code
from netprov.dhcp.option.provisioning import SERVER_CODES, names_server
from netprov.dhcp.option.vendor import (
    ACS_MARK,
    BROADBAND_FORUM,
    decode_tlv,
    decode_vendor_identifying,
    encode_tlv,
    encode_vendor_identifying,
)

ALWAYS = (code.MASK, code.ROUTER, code.DNS, code.DOMAIN)
"""Sent whether asked for or not: without them a phone finds neither its router nor its SRV records."""

PHONE_CLASSES = ("CP-", "DP-", "ATA1", "Cisco", "LINKSYS")
"""How the vendor classes of Cisco's phones and adapters begin."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """A configured option that this client does not get, and why."""

    setting: Setting
    reason: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a client may get: `settings` by code, of which `selected` takes those for one request."""

    network: NetworkConfig
    class_name: str
    method: Method
    settings: Mapping[int, Setting]
    force: tuple[int, ...]
    withheld: tuple[Withheld, ...] = ()

    @property
    def next_server(self) -> int:
        """The TFTP server's address for `siaddr`, 0 if none is known."""
        addresses = self.settings.get(code.TFTP_ADDRESSES)
        if addresses is not None:
            return int.from_bytes(addresses.data[:4], "big")
        name = self.settings.get(code.TFTP_NAME)
        try:
            return int(IPv4Address(name.data.decode())) if name is not None else 0
        except ValueError:
            return 0


def is_phone(vendor_class: str) -> bool:
    """Say whether a vendor class is one of Cisco's phones or of a TR-069 device."""
    return vendor_class.startswith(PHONE_CLASSES) or ACS_MARK in vendor_class


def find_class(config: DhcpConfig, phone: PhoneConfig | None, client: Client) -> ClassConfig | None:
    """Return a client's class: the one its phone's entry names, the first that matches, the one of its model."""
    if phone is not None and phone.named:
        return config.class_named(phone.class_name)
    for each in config.classes:
        if each.condition is not None and matches(each.condition, client):
            return each
    return config.class_named(phone.class_name) if phone is not None else None


def is_served(
    network: NetworkConfig, phone: PhoneConfig | None, found: ClassConfig | None, client: Client
) -> bool:
    """Say whether a network's `clients:` lets this one in."""
    if phone is not None or network.clients == "all":
        return True
    return network.clients == "phones" and (found is not None or is_phone(client.vendor_class or ""))


def compose(network: NetworkConfig, found: ClassConfig | None, phone: PhoneConfig | None) -> Contents:
    """Lay the options of network, class and phone over each other, and withhold what the method forbids."""
    method: Method = (phone.method if phone else None) or (found.method if found else "srv")
    layers = [network.settings]
    if found is not None:
        layers.append(found.settings)
    if phone is not None:
        layers.append(phone.settings)
    merged: dict[int, Setting] = {}
    for layer in layers:
        merged |= layer
    withheld = []
    for setting in list(merged.values()):
        reason = _forbidden(setting, method)
        if reason:
            withheld.append(Withheld(setting, reason))
            del merged[setting.code]
    return Contents(
        network, found.name if found else "", method, merged, found.force if found else (), tuple(withheld)
    )


def selected(contents: Contents, request_list: bytes | None) -> tuple[Setting, ...]:
    """Return the options of one reply in order: as asked (option 55), then basics, then forced ones.

    A client that asks for nothing in particular gets everything (RFC 2131 4.3.1 leaves that to the server).
    """
    settings = contents.settings
    if request_list is None:
        wanted: Iterable[int] = sorted(settings)
    else:
        wanted = dict.fromkeys((*request_list, *ALWAYS, *contents.force))
    return tuple(settings[each] for each in wanted if each in settings)


def with_gateway(setting: Setting | None, network: NetworkConfig) -> Setting:
    """Return option 125 with the gateway's identity added to what the class sends (TR-069 Annex F)."""
    assert network.gateway is not None
    blocks = decode_vendor_identifying(setting.data) if setting is not None else {}
    pairs = decode_tlv(blocks.get(BROADBAND_FORUM, b"")) | dict(network.gateway.suboptions())
    data = encode_vendor_identifying(blocks | {BROADBAND_FORUM: encode_tlv(dict(sorted(pairs.items())))})
    return Setting(code.VENDOR_IDENTIFYING, data, ("networks", network.name, "gateway"))


def _forbidden(setting: Setting, method: Method) -> str:
    """Return why a method excludes an option, "" if it does not."""
    section = setting.origin[0] if setting.origin else ""
    match method:
        case "srv" if names_server(setting.code, setting.data):
            return "it would keep a phone of method srv from asking DNS for SRV records"
        case "acs" if setting.code in SERVER_CODES:
            return "it would send a phone of method acs to a provisioning server instead of its ACS"
        case "dhcp" if setting.origin[-1:] == ("acs_url",):
            return "acs_url is for clients of method acs"
        case "manual" if names_server(setting.code, setting.data):
            return "a phone of method manual gets no provisioning server"
        case "manual" if section == "classes" or (section == "phones" and setting.code != code.HOST_NAME):
            return "a phone of method manual gets the basics of its network only"
    return ""
