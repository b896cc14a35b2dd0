"""ISC dhcpd's dhcpd.conf from a plan, for dhcpd 4.4.

In dhcpd what is inside a subnet is carried out before what is inside a host, and later statements win. So each subnet has one
chain of conditions, the inventory's classes in their order, for clients that are not listed; a listed phone's host has everything
that it gets, on each network, of which the subnet leaves a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from netprov.dhcp.config import ClassConfig, DhcpConfig, NetworkConfig, PhoneConfig
from netprov.dhcp.contents import ALWAYS, PHONE_CLASSES, Contents, compose
from netprov.dhcp.message import dotted
from netprov.dhcp.option import table as code
from netprov.dhcp.option.vendor import ACS_MARK
from netprov.export.dhcpd_test import FALSE, prefixed, quoted, test_of
from netprov.export.written import Export, Placed
from netprov.mac import bare_mac, format_mac
from netprov.plan import Plan

FILE = "dhcpd/dhcpd.conf"

_NAMES: Mapping[int, str] = {
    2: "time-offset",
    3: "routers",
    4: "time-servers",
    6: "domain-name-servers",
    7: "log-servers",
    12: "host-name",
    15: "domain-name",
    26: "interface-mtu",
    28: "broadcast-address",
    42: "ntp-servers",
    43: "vendor-encapsulated-options",
    60: "vendor-class-identifier",
    code.TFTP_NAME: "tftp-server-name",
    67: "bootfile-name",
    100: "pcode",
    101: "tcode",
    119: "domain-search",
    code.VENDOR_IDENTIFYING: "vivso",
}
"""Options that dhcpd has a name for; the others are defined."""

_MARK = "netprov.network"


def export_dhcpd(plan: Plan, place: Placed) -> Export:
    """Return the configuration."""
    export = Export()
    config = plan.dhcp
    body: list[str] = []
    for _, group in groupby(config.networks, key=lambda each: each.link or each.interface or each.name):
        networks = list(group)
        lines = [line for each in networks for line in _subnet(config, each, export, place)]
        shared = len(networks) > 1
        body += (
            [f"shared-network {quoted(networks[0].name)} {{", *(f"  {each}" for each in lines), "}"]
            if shared
            else lines
        )
    for phone in config.phones.values():
        body += _host(config, phone, export, place)
    used = sorted({number for number in _codes(config) if number not in _NAMES and number != code.MASK})
    head = [
        f"# Made by `netprov export dhcpd`. Test it with: dhcpd -t -cf {FILE.rpartition('/')[2]}",
        "option space netprov;",
        f"option {_MARK} code 1 = text;",
        *(f"option {_name(number)} code {number} = string;" for number in used),
    ]
    export.files[FILE] = "\n".join([*head, *_served(config, export), *body]) + "\n"
    return export


def _codes(config: DhcpConfig) -> Iterator[int]:
    for settings in (
        *(each.settings for each in config.networks),
        *(each.settings for each in config.classes),
        *(each.settings for each in config.phones.values()),
    ):
        yield from settings


def _name(number: int) -> str:
    return _NAMES.get(number, f"netprov-{number}")


def _subnet(config: DhcpConfig, network: NetworkConfig, export: Export, place: Placed) -> Iterator[str]:
    """Yield a network: its pools, its times, its chain of classes."""
    at = ("networks", network.name)
    for what, held in (("gateway", network.gateway is not None), ("bootp", network.bootp)):
        if held:
            export.leave((*at, what), what, "dhcpd has no such setting")
    if network.classes:
        export.leave(
            (*at, "classes"), "classes", "dhcpd lets every client that is served there have an address"
        )
    yield f"subnet {dotted(network.prefix)} netmask {dotted(network.mask)} {{ # network {network.name}, {place(at)}"
    yield f"  {'' if network.authoritative else 'not '}authoritative;"
    yield f"  default-lease-time {network.lease};"
    yield f"  min-lease-time {network.lease_min};"
    yield f"  max-lease-time {network.lease_max};"
    yield f"  ping-check {'true' if network.probe else 'false'};"
    yield f"  server-identifier {dotted(network.address)};"
    yield f"  option {_MARK} {quoted(network.name)};"
    for ranges, permits in ((network.pool, _permits(network)), (network.reserved, ("allow known-clients;",))):
        for low, high in ranges:
            yield f"  pool {{ {' '.join((*permits, f'range {dotted(low)} {dotted(high)};'))} }}"
    yield "  if known {"
    yield "    # listed phones: their hosts say what they get"
    for each in config.classes:
        if (test := _test(each, network, export)) == FALSE:
            continue
        yield f"  }} elsif {test} {{ # class {each.name}"
        yield from (f"    {line}" for line in _statements(compose(network, each, None), place))
    yield "  } else {"
    yield from (f"    {line}" for line in _statements(compose(network, None, None), place))
    yield "  }"
    yield "}"


def _permits(network: NetworkConfig) -> tuple[str, ...]:
    match network.clients:
        case "all":
            return ()
        case "known":
            return ("allow known-clients;",)
        case "phones":
            return ("allow known-clients;", f"allow members of {quoted(f'served on {network.name}')};")


def _served(config: DhcpConfig, export: Export) -> Iterator[str]:
    """Yield for each network that serves phones only the class of clients that it serves."""
    for network in config.networks:
        if network.clients == "phones":
            test = prefixed(PHONE_CLASSES, ACS_MARK)
            for each in config.classes:
                if (found := _test(each, network, export)) != FALSE:
                    test = f"({test} or {found})"
            yield f"class {quoted(f'served on {network.name}')} {{ match if {test}; }}"


def _test(each: ClassConfig, network: NetworkConfig, export: Export) -> str:
    if each.condition is None:
        return FALSE
    try:
        return test_of(each.condition, network.name)
    except ValueError as error:
        export.leave(("classes", each.name, "match"), f"match of {each.name}", str(error))
        return FALSE


def _statements(contents: Contents, place: Placed) -> Iterator[str]:
    """Yield what a client gets, and what it gets unasked; a client without a request list gets everything."""
    if contents.next_server:
        yield f"next-server {dotted(contents.next_server)};"
    for each in contents.settings.values():
        if each.code == code.MASK:
            continue
        told = f"{code.name(each.code)} {code.show(each.code, each.data)}, {place(each.origin)}"
        yield f"option {_name(each.code)} = {each.data.hex(':') or quoted('')}; # {told}"
    unasked = [each for each in (*ALWAYS, *contents.force) if each in contents.settings]
    yield f"if exists dhcp-parameter-request-list {{ {_request_list(dict.fromkeys(unasked))} }}"


def _request_list(codes: Iterable[int]) -> str:
    name = "dhcp-parameter-request-list"
    return f"option {name} = concat(option {name}, {bytes(codes).hex(':')});"


def _host(config: DhcpConfig, phone: PhoneConfig, export: Export, place: Placed) -> Iterator[str]:
    """Yield a listed phone: once with its address, and for networks on which it has none."""
    networks = [each for each in config.networks if phone.network in {"", each.name}]
    own = [each for each in networks if phone.address and each.contains(phone.address)]
    for name, address, members in (
        (bare_mac(format_mac(phone.mac)), phone.address, own),
        (f"{bare_mac(format_mac(phone.mac))}-elsewhere", 0, [each for each in networks if each not in own]),
    ):
        if not members:
            continue
        yield f"host {name} {{ # {place(phone.origin)}"
        yield f"  hardware ethernet {format_mac(phone.mac)};"
        if address:
            yield f"  fixed-address {dotted(address)};"
        for network in members:
            yield f"  if config-option {_MARK} = {quoted(network.name)} {{"
            yield from (f"    {line}" for line in _of_phone(config, network, phone, export, place))
            yield "  }"
        yield "}"


def _of_phone(
    config: DhcpConfig, network: NetworkConfig, phone: PhoneConfig, export: Export, place: Placed
) -> Iterator[str]:
    """Yield what a phone gets on one network: of its own class, or of the first that matches it."""
    if phone.named:
        yield from _statements(compose(network, config.class_named(phone.class_name), phone), place)
        return
    word = "if"
    for each in config.classes:
        if (test := _test(each, network, export)) != FALSE:
            yield f"{word} {test} {{ # class {each.name}"
            yield from (f"  {line}" for line in _statements(compose(network, each, phone), place))
            word = "} elsif"
    rest = list(_statements(compose(network, config.class_named(phone.class_name), phone), place))
    if word == "if":
        yield from rest
        return
    yield "} else {"
    yield from (f"  {line}" for line in rest)
    yield "}"
