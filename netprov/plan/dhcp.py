"""The DHCP section of the plan: networks, classes and phones with their options in octets, and where each is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address

from netprov.dhcp.config import (
    ClassConfig,
    DhcpConfig,
    Gateway,
    NetworkConfig,
    Origin,
    PhoneConfig,
    Ranges,
    ServerLimits,
    Setting,
    Settings,
)
from netprov.dhcp.option import table as code
from netprov.errors import BadValue, InventoryError, Problem
from netprov.inventory.model import PhoneClass
from netprov.mac import parse_mac
from netprov.plan.condition import condition
from netprov.plan.site import Site, SiteNetwork, SitePhone

_PER_PORT = 8
"""Clients that are not listed which one port may have at least: a desk's phone and what is plugged into it."""


def plan_dhcp(site: Site) -> DhcpConfig:
    """Derive what DHCP serves; raise `InventoryError` with every option and condition that cannot be."""
    problems: list[Problem] = []
    inventory = site.inventory
    config = DhcpConfig(
        networks=tuple(_network(site, network, problems) for network in site.networks),
        classes=tuple(_class(name, each, problems) for name, each in inventory.classes.items()),
        phones={phone.mac: phone for phone in (_phone(each, problems) for each in site.phones)},
        limits=ServerLimits(
            client_rate=inventory.dhcp.client_rate,
            total_rate=inventory.dhcp.total_rate,
            offer_hold=inventory.dhcp.offer_hold,
            decline_hold=inventory.dhcp.decline_hold,
        ),
        pin_neighbours=inventory.dhcp.pin_neighbours,
    )
    if problems:
        raise InventoryError(problems)
    return config


def _network(site: Site, network: SiteNetwork, problems: list[Problem]) -> NetworkConfig:
    declared = network.declared
    reserved = _ranges(declared.reserved)
    pool = without(tuple((int(low), int(high)) for low, high in network.pool), reserved)
    kept, per_port = shares(site, network, sum(high - low + 1 for low, high in pool))
    if declared.address and not declared.interface and declared.address in network.subnet:
        problems.append(
            Problem(
                "relay-address",
                f"{declared.address} is in {network.subnet}, on which this machine has no interface",
                "leave it out, write the address by which relays reach this server, or give the network its `interface:`",
                ("networks", network.name, "address"),
            )
        )
    return NetworkConfig(
        name=network.name,
        prefix=int(network.subnet.network_address),
        mask=int(network.subnet.netmask),
        address=int(network.address),
        interface=declared.interface or "",
        link=declared.link or "",
        classes=declared.classes,
        pool=pool,
        reserved=reserved,
        kept=kept,
        per_port=per_port,
        settings=_network_settings(network, problems),
        lease=declared.lease,
        t1=declared.renew or 0,
        t2=declared.rebind or 0,
        lease_min=min(declared.lease_min, declared.lease),
        lease_max=max(declared.lease_max or declared.lease, declared.lease),
        clients=declared.clients,
        authoritative=declared.authoritative,
        bootp=declared.bootp,
        probe=declared.conflict_check,
        others_allowed=declared.other_servers == "allow",
        gateway=Gateway(declared.gateway.oui, declared.gateway.serial, declared.gateway.product_class)
        if declared.gateway
        else None,
    )


def shares(site: Site, network: SiteNetwork, size: int) -> tuple[int, int]:
    """Return how many addresses of a pool are kept for listed phones, and how many strangers behind one port may have."""
    declared = network.declared
    wanted = sum(
        phone.declared.address is None and phone.network in {None, network.name} for phone in site.phones
    )
    elsewhere = sum(high - low + 1 for low, high in _ranges(declared.reserved))
    kept = min(size, max(0, wanted - elsewhere) if declared.kept is None else declared.kept)
    per_port = max(_PER_PORT, (size - kept) // 2) if declared.per_port is None else declared.per_port
    return kept, per_port


def _ranges(texts: Iterable[str]) -> Ranges:
    found = []
    for text in texts:
        first, _, last = text.partition("-")
        found.append((int(IPv4Address(first)), int(IPv4Address(last))))
    return tuple(found)


def without(ranges: Ranges, holes: Ranges) -> Ranges:
    """Return ranges with holes cut out of them."""
    for low, high in holes:
        ranges = tuple(
            piece
            for start, end in ranges
            for piece in ((start, min(end, low - 1)), (max(start, high + 1), end))
            if piece[0] <= piece[1]
        )
    return tuple(dict.fromkeys(ranges))


def _network_settings(network: SiteNetwork, problems: list[Problem]) -> Settings:
    declared, at = network.declared, ("networks", network.name)
    settings = {code.MASK: Setting(code.MASK, network.subnet.netmask.packed, (*at, "subnet"))}
    for option, addresses, key, written in (
        (code.ROUTER, network.router, "router", declared.router),
        (code.DNS, network.dns, "dns", declared.dns),
        (code.NTP, network.ntp, "ntp", declared.ntp),
    ):
        if addresses:
            origin = at if written is None else (*at, key)
            settings[option] = Setting(option, b"".join(each.packed for each in addresses), origin)
    domain_at: Origin = ("domain",) if declared.domain is None else (*at, "domain")
    settings[code.DOMAIN] = Setting(code.DOMAIN, network.domain.encode(), domain_at)
    if declared.routes:
        settings[code.STATIC_ROUTES] = _routes(network)
    return settings | _options(declared.options, (*at, "options"), problems)


def _routes(network: SiteNetwork) -> Setting:
    """Encode option 121; a client that takes it ignores option 3, so it repeats the default route (RFC 3442)."""
    routes = [{"to": str(route.to), "via": str(route.via)} for route in network.declared.routes]
    if network.router and all(route["to"] != "0.0.0.0/0" for route in routes):
        routes.append({"to": "0.0.0.0/0", "via": str(network.router[0])})
    return Setting(
        code.STATIC_ROUTES, code.encode(code.STATIC_ROUTES, routes), ("networks", network.name, "routes")
    )


def _class(name: str, declared: PhoneClass, problems: list[Problem]) -> ClassConfig:
    at: Origin = ("classes", name)
    settings: dict[int, Setting] = {}
    if declared.acs_url:
        value = {"acs_url": declared.acs_url}
        if declared.provisioning_code:
            value["provisioning_code"] = declared.provisioning_code
        for option in (code.VENDOR_INFO, code.VENDOR_IDENTIFYING):
            _add(settings, option, value, (*at, "acs_url"), problems)
    return ClassConfig(
        name=name,
        method=declared.method or "srv",
        condition=condition(declared.match, (*at, "match"), problems) if declared.match else None,
        settings=settings | _options(declared.options, (*at, "options"), problems),
        force=declared.force,
    )


def _phone(phone: SitePhone, problems: list[Problem]) -> PhoneConfig:
    declared, at = phone.declared, ("phones", phone.index)
    settings: dict[int, Setting] = {}
    if declared.name:
        _add(settings, code.HOST_NAME, declared.name.partition(".")[0], (*at, "name"), problems)
    return PhoneConfig(
        mac=parse_mac(declared.mac),
        origin=at,
        network=phone.network or "",
        address=int(declared.address) if declared.address else 0,
        class_name=phone.class_name or "",
        named=declared.class_ is not None,
        method=declared.method,
        settings=settings | _options(declared.options, (*at, "options"), problems)
        if declared.options
        else settings,
    )


def _options(declared: Mapping[int, object], at: Origin, problems: list[Problem]) -> dict[int, Setting]:
    settings: dict[int, Setting] = {}
    for option, value in declared.items():
        _add(settings, option, value, (*at, option), problems)
    return settings


def _add(
    settings: dict[int, Setting], option: int, value: object, at: Origin, problems: list[Problem]
) -> None:
    try:
        settings[option] = Setting(option, code.encode(option, value), at)
    except BadValue as error:
        problems.append(Problem("dhcp-option", error.message, error.remedy, at))
