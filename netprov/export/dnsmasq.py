"""dnsmasq.conf from a plan, for dnsmasq 2.89: DHCP by tags, names as records.

dnsmasq adds up what all tags of a client give it. So tags are made that exclude each other: on each network one for each class of
the inventory, for those that no earlier one took, and one for the rest; every option stands under one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netprov.dhcp.config import ClassConfig, DhcpConfig, NetworkConfig, PhoneConfig, Setting
from netprov.dhcp.contents import ALWAYS, PHONE_CLASSES, Contents, compose
from netprov.dhcp.message import dotted
from netprov.dhcp.option import table as code
from netprov.dhcp.option.vendor import ACS_MARK
from netprov.export.dnsmasq_name import name_lines
from netprov.export.dnsmasq_tag import NOBODY, Tags
from netprov.export.dnsmasq_value import value_of
from netprov.export.written import Export, Placed
from netprov.mac import bare_mac, format_mac
from netprov.plan import Plan

FILE = "dnsmasq/dnsmasq.conf"
_OWN = "own"
"""Begins the tag of listed phones that have options of their own on a network."""

_SHORTEST_S = 120
_UNLESS_TOLD = (code.ROUTER, code.DNS)
"""What dnsmasq sends by itself unless it is told to send none."""


def export_dnsmasq(plan: Plan, place: Placed) -> Export:
    """Return the configuration."""
    export = Export()
    config = plan.dhcp
    tags = Tags()
    options: list[str] = []
    ranges: list[str] = []
    named = sorted({phone.class_name for phone in config.phones.values() if phone.named})
    tags.any_of([_named(each) for each in named], "named")
    for network in config.networks:
        chain = _chain(config, network, tags, export)
        ranges += _ranges(network, chain, tags, export, place)
        options += _options(config, network, chain, export, place)
    hosts = [line for phone in config.phones.values() for line in _hosts(config, phone, place)]
    lines = [
        f"# Made by `netprov export dnsmasq`. Test it with: dnsmasq --test --conf-file={FILE.rpartition('/')[2]}",
        *_general(config, export),
        *ranges,
        *tags.lines,
        *hosts,
        *options,
        *name_lines(plan, export),
    ]
    export.files[FILE] = "\n".join(lines) + "\n"
    return export


def _general(config: DhcpConfig, export: Export) -> Iterator[str]:
    for what, key, settings in (
        ("authoritative", "dhcp-authoritative", [each.authoritative for each in config.networks]),
        ("conflict_check: false", "no-ping", [not each.probe for each in config.networks]),
    ):
        if all(settings):
            yield key
        elif any(settings):
            export.leave(("networks",), what, f"dnsmasq has it for all networks or for none ({key})")
    yield "dhcp-leasefile=/var/lib/misc/dnsmasq.leases"


def _named(name: str) -> str:
    return f"named-{name}"


def _model(name: str) -> str:
    return f"model-{name}"


def _of(phone: PhoneConfig) -> str:
    return f"phone-{bare_mac(format_mac(phone.mac))}"


def _tag(network: NetworkConfig, each: ClassConfig | None) -> str:
    return f"{network.name}.{each.name}" if each else f"{network.name}.others"


def _chain(
    config: DhcpConfig, network: NetworkConfig, tags: Tags, export: Export
) -> list[ClassConfig | None]:
    """Make the tags of a network that exclude each other; return the classes that they are for, None for the rest."""
    taken: list[str] = []
    for each in config.classes:
        matched = _matched(each, network, tags, export)
        name = _tag(network, each)
        tags.any_of([_named(each.name)], name)
        if matched != NOBODY:
            tags.all_of([matched, "!named", *(f"!{other}" for other in taken)], name)
        taken.append(name)
    models = {phone.class_name for phone in config.phones.values() if phone.class_name and not phone.named}
    nobody = [f"!{name}" for name in taken]
    rest = tags.all_of(nobody, f"{network.name}.unmatched") if taken else ""
    for each in config.classes:
        if each.name in models:
            tags.all_of([rest, _model(each.name)], _tag(network, each))
    tags.all_of(nobody, _tag(network, None))
    return [*config.classes, None]


def _matched(each: ClassConfig, network: NetworkConfig, tags: Tags, export: Export) -> str:
    at = ("classes", each.name, "match")
    if each.condition is None:
        return NOBODY
    try:
        return tags.of(each.condition, network.name, lambda text, reason: export.leave(at, text, reason))
    except ValueError as error:
        export.leave(at, f"match of {each.name}", str(error))
        return NOBODY


def _ranges(
    network: NetworkConfig, chain: Sequence[ClassConfig | None], tags: Tags, export: Export, place: Placed
) -> Iterator[str]:
    """Yield the ranges of a network: for those that it serves."""
    at = ("networks", network.name)
    for what, held in (("gateway", network.gateway is not None), ("bootp", network.bootp)):
        if held:
            export.leave((*at, what), what, "dnsmasq has no such setting")
    if network.lease < _SHORTEST_S:
        export.leave(
            (*at, "lease"), f"lease {network.lease}", "dnsmasq gives no lease for less than two minutes"
        )
    wanted = []
    match network.clients:
        case "known":
            wanted.append("known")
        case "phones":
            phones = [tags.test("dhcp-vendorclass", text) for text in (*PHONE_CLASSES, ACS_MARK)]
            classes = [_tag(network, each) for each in chain if each is not None]
            wanted.append(tags.any_of(["known", *phones, *classes], f"{network.name}.served"))
    if network.classes:
        named = [_tag(network, each) for each in chain if each and each.name in network.classes]
        wanted.append(tags.any_of(named, f"{network.name}.pool"))
    end = f"{dotted(network.mask)},{network.lease}"
    yield f"# network {network.name}, {place(at)}"
    for ranges, needs in ((network.pool, wanted), (network.reserved, ["known"])):
        for low, high in ranges:
            tagged = "".join(f"tag:{each}," for each in needs)
            yield f"dhcp-range={tagged}set:{network.name},{dotted(low)},{dotted(high)},{end}"
    yield f"dhcp-range=set:{network.name},{dotted(network.prefix)},static,{end}"


def _options(
    config: DhcpConfig,
    network: NetworkConfig,
    chain: Sequence[ClassConfig | None],
    export: Export,
    place: Placed,
) -> Iterator[str]:
    """Yield what each class gets on a network, and what phones with options of their own get."""
    own = [phone for phone in config.phones.values() if _is_own(phone, network)]
    others = [f"!{_own(network)}"] if own else []
    for each in chain:
        yield from _settings(
            [network.name, _tag(network, each), *others], compose(network, each, None), export, place
        )
    for phone in own:
        classes = [config.class_named(phone.class_name)] if phone.named else chain
        for each in classes:
            yield from _settings(
                [network.name, _tag(network, each), _of(phone)], compose(network, each, phone), export, place
            )


def _own(network: NetworkConfig) -> str:
    return f"{_OWN}-{network.name}"


def _is_own(phone: PhoneConfig, network: NetworkConfig) -> bool:
    return bool(phone.settings or phone.method) and phone.network in {"", network.name}


def _settings(needs: Sequence[str], contents: Contents, export: Export, place: Placed) -> Iterator[str]:
    tagged = ",".join(f"tag:{each}" for each in needs)
    for each in contents.settings.values():
        if each.code == code.MASK:
            continue
        unasked = each.code in contents.force or each.code in ALWAYS
        line = _option(f"dhcp-option{'-force' if unasked else ''}={tagged}", each, export)
        if line:
            yield f"# {code.name(each.code)}, {place(each.origin)}"
            yield line
    for number in _UNLESS_TOLD:
        if number not in contents.settings:
            yield f"dhcp-option={tagged},{number}"


def _option(start: str, each: Setting, export: Export) -> str:
    try:
        return f"{start},{each.code},{value_of(each.code, each.data)}"
    except ValueError as error:
        export.leave(each.origin, f"option {each.code}", str(error))
        return ""


def _hosts(config: DhcpConfig, phone: PhoneConfig, place: Placed) -> Iterator[str]:
    """Yield a listed phone: its address, if it has one, and the tags that it brings."""
    marks = (
        [_named(phone.class_name)] if phone.named else [_model(phone.class_name)] if phone.class_name else []
    )
    own = [_own(network) for network in config.networks if _is_own(phone, network)]
    marks += [*own, _of(phone)] if own else []
    address = f",{dotted(phone.address)}" if phone.address else ""
    yield f"# {place(phone.origin)}"
    yield f"dhcp-host={format_mac(phone.mac)}{''.join(f',set:{each}' for each in marks)}{address}"
