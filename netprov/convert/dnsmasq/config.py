"""dnsmasq.conf: ranges, hosts, options (dnsmasq(8)); names are read by `name`, tags of clients by `tag`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network

from netprov.convert.arrange import arrange
from netprov.convert.dnsmasq import name as dnsmasq_name
from netprov.convert.dnsmasq.option import Declared, declared, octets, tags
from netprov.convert.dnsmasq.tag import State, class_, marks, match, tag_if, vendor_tag
from netprov.convert.draft import REVERSE, Draft, Section
from netprov.convert.rule import MEMBER, Admission, Grant, Rank, Space
from netprov.convert.served import share_pools
from netprov.dhcp.option import table as code
from netprov.mac import read_mac

_LEASE = re.compile(r"(\d+[smhdw]?|infinite)\Z")
_ADDRESS = re.compile(r"\d+(\.\d+){3}\Z")
_LONG_LEASE = "52w"
_UNTAGGED, _BY_RANGE, _TAGGED = (0,), (1,), (2,)
"""Ranks: an option under a client's tags beats one under its range's tag, which beats one without (option_filter)."""


def read_dnsmasq(text: str, source: str) -> Draft:
    """Read a dnsmasq configuration."""
    state = State(Draft(source))
    handlers: dict[str, Callable[[State, str], str]] = {**_KEYS, **_NAMES}
    lines = sorted(_lines(text), key=lambda line: _ORDER.get(line[1], 5))
    state.draft.domain = _main_domain(lines)
    for number, key, value in lines:
        state.line, state.text = number, f"{key}={value}" if value else key
        handler = handlers.get(key)
        if handler is None:
            state.draft.leave(number, state.text, _ELSEWHERE.get(key, "the inventory has no such setting"))
            continue
        try:
            reason = handler(state, value)
        except (ValueError, IndexError) as error:
            reason = f"cannot be read: {error}"
        if reason:
            state.draft.leave(number, state.text, reason)
    _finish(state)
    return state.draft


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        content = _without_comment(line).strip()
        if content:
            key, _, value = content.partition("=")
            yield number, key.strip().removeprefix("--"), value.strip()


def _main_domain(lines: Iterable[tuple[int, str, str]]) -> str:
    """Return the domain that names are below where no `domain=` says it: of the zones the one of an option 15, or that option."""
    if any(key == "domain" for _, key, _ in lines):
        return ""
    sent: dict[str, None] = {}
    zones = []
    for _, key, value in lines:
        if key in {"dhcp-option", "dhcp-option-force"}:
            with suppress(ValueError):
                each = declared(value)
                if (
                    each.code == code.DOMAIN
                    and each.vendor is None
                    and not each.encap
                    and not each.enterprise
                ):
                    sent[octets(each).decode().rstrip(".").lower()] = None
        elif key in {"local", "server"}:
            zones += [each.lower() for each in value.split("/")[1:-1] if each and not value.split("/")[-1]]
    zones = [each for each in zones if not f".{each}".endswith(REVERSE)]
    return next(
        (zone for zone in zones if not sent or any(f".{each}".endswith(f".{zone}") for each in sent)), ""
    )


def _without_comment(line: str) -> str:
    """Cut a line at a # that begins it or follows a blank, outside quotes."""
    inside = False
    for index, sign in enumerate(line):
        if sign == '"':
            inside = not inside
        elif sign == "#" and not inside and (index == 0 or line[index - 1].isspace()):
            return line[:index]
    return line


def _finish(state: State) -> None:
    draft = state.draft
    networks = [each for each in draft.networks.values() if "interface" not in each]
    left = [
        each for each in state.interfaces if each not in {n.get("interface") for n in draft.networks.values()}
    ]
    for network, interface in zip(networks, left, strict=False):
        network["interface"] = interface
    if len(left) > len(networks):
        draft.leave(1, f"interface={','.join(left)}", "say which network is on which interface")
    for network in draft.networks.values():
        network["clients"] = "known" if state.known_only else "all"
        if state.authoritative:
            network["authoritative"] = True
        for domain, subnet in state.domains:
            if IPv4Network(network["subnet"]).subnet_of(subnet):
                network["domain"] = domain
    _by_range(state)
    share_pools(draft, state.rules, state.ranges)
    if state.known_only:
        state.rules.admissions.clear()
    arrange(draft, state.rules, own=(code.ROUTER, code.DNS))


def _by_range(state: State) -> None:
    """Turn tags that ranges set into the networks of what is given under them."""
    names = {
        tag: frozenset(networks) for tag, networks in state.tagged.items() if tag not in state.rules.tags
    } | {
        each["interface"]: frozenset({name})
        for name, each in state.draft.networks.items()
        if each.get("interface") and each["interface"] not in state.rules.tags
    }
    everywhere = frozenset(state.draft.networks)
    found = []
    for each in state.rules.grants:
        networks = everywhere
        for tag in each.needs & names.keys():
            networks &= names[tag]
        for tag in each.lacks & names.keys():
            networks -= names[tag]
        ranged = bool((each.needs | each.lacks) & names.keys())
        rank: Rank = (
            _BY_RANGE
            if ranged and each.rank == _TAGGED and not each.needs - state.tagged.keys()
            else each.rank
        )
        found.append(
            Grant(
                each.code,
                each.data,
                each.line,
                each.text,
                rank,
                each.needs - names.keys(),
                each.lacks - names.keys(),
                networks if ranged else None,
                each.force,
                each.space,
            )
        )
    state.rules.grants = found
    state.rules.derived = [(name, _on_networks(each, names)) for name, each in state.rules.derived]


def _on_networks(condition: Section, names: Mapping[str, frozenset[str]]) -> Section:
    """Return a condition on tags in which those that ranges set are networks."""
    if condition.get(MEMBER) in names:
        return {"network": sorted(names[condition[MEMBER]])}
    return {
        key: [_on_networks(each, names) for each in value]
        if key in {"any", "all"}
        else _on_networks(value, names)
        if key == "not"
        else value
        for key, value in condition.items()
    }


def _interface(state: State, value: str) -> str:
    state.interfaces += [each.strip() for each in value.split(",")]
    return ""


def _domain(state: State, value: str) -> str:
    name, *rest = [each.strip() for each in value.split(",")]
    if rest and "/" in rest[0]:
        state.domains.append((name, IPv4Network(rest[0])))
        return "" if len(rest) == 1 else "local names are not made from it"
    if rest or (state.draft.domain and state.draft.domain != name):
        return "an inventory has one main domain; networks can have their own"
    state.draft.domain = name
    state.draft.sends_domain = True
    return ""


def _range(state: State, value: str) -> str:
    needed, sets, parts = marks(
        re.sub(r"(\A|,)\s*net:", r"\1tag:", value)
    )  # the old prefix asks for a tag here
    while parts and not re.fullmatch(r"[0-9a-fA-F.: ]+", parts[0]):
        if parts[0].startswith("constructor"):
            return "DHCPv6 is not served"
        sets.append(parts.pop(0))  # a bare word is a tag (OpenWrt writes interfaces so)
    if ":" in parts[0]:
        return "DHCPv6 is not served"
    first, *rest = IPv4Address(parts[0]), *parts[1:]
    mode = rest.pop(0) if rest and (rest[0] in {"static", "proxy"} or _ADDRESS.match(rest[0])) else parts[0]
    if mode == "proxy":
        return "a proxy for boot loaders is not served"
    mask = rest.pop(0) if rest and _ADDRESS.match(rest[0]) else ""
    if rest and _ADDRESS.match(rest[0]):
        rest.pop(0)
    subnet = IPv4Network(f"{first}/{mask or 24}", strict=False)
    network = state.draft.add_network(subnet, sets[0] if sets else "", state.line)
    name = next(name for name, each in state.draft.networks.items() if each is network)
    for tag in sets:
        state.tagged.setdefault(tag, []).append(name)
    interface = next(
        (tag for tag in sets if tag in state.interfaces or (re.search(r"\d", tag) and "." in tag)), ""
    )
    if interface:
        network["interface"] = interface
    network.setdefault("pool", [])
    if mode != "static":
        conditions: list[Section] = [{MEMBER: each.lstrip("!#")} for each in needed]
        conditions = [
            {"not": each} if tag[:1] in "!#" else each for tag, each in zip(needed, conditions, strict=True)
        ]
        admission = Admission(name, {"all": conditions}, state.line, state.text)
        state.ranges.append((admission, f"{first}-{mode}"))
    lease = next((part for part in rest if _LEASE.match(part)), "")
    network["lease"] = _LONG_LEASE if lease == "infinite" else lease or "1h"
    return f"no netmask: {subnet} was assumed" if not mask else ""


def _host(state: State, value: str) -> str:
    needed, sets, parts = marks(value)
    phone: Section = {}
    macs: list[str] = []
    notes = ["it holds on some networks only"] if needed else []
    for part in parts:
        if mac := read_mac(re.sub(r"\A\d{1,2}-(?=\w+[:-])", "", part) if ":" in part else part):
            macs.append(mac)
        elif part.count(":") == 5 and "*" in part:
            return "one entry for many MAC addresses is a class: write `match: {mac: …}`"
        elif _ADDRESS.match(part):
            phone["address"] = part
        elif part == "ignore":
            return "clients cannot be refused one by one"
        elif part.startswith(("id:", "[")):
            notes.append(f"{part} is not looked at")
        elif _LEASE.match(part):
            notes.append("a lease time is said for whole networks")
        elif part:
            phone["name"] = part
    if not macs:
        return "phones are known by their MAC address"
    for mac in macs:
        state.draft.phones.append({"mac": mac, **(phone if mac == macs[0] else {})})
        for tag in sets:
            state.rules.tag(tag, state.line).macs.append(mac)
    if len(macs) > 1 and phone:
        notes.append("only the first MAC address can have the name and address")
    return "; ".join(notes)


def _option(state: State, value: str, *, force: bool = False) -> str:
    each = declared(value)
    space = ""
    needs = each.needs
    if each.vendor is not None:
        space = "vendor"
        state.rules.spaces[space] = Space(code.VENDOR_INFO)
        needs |= {vendor_tag(state, each.vendor)}
    elif each.encap:
        space = f"encap:{each.encap}"
        state.rules.spaces[space] = Space(each.encap, ended=each.encap != code.VENDOR_INFO)
    elif each.enterprise:
        space = f"vi-encap:{each.enterprise}"
        state.rules.spaces[space] = Space(code.VENDOR_IDENTIFYING, each.enterprise)
    if _stands_for_itself(each):
        return ""
    try:
        data = octets(each) if each.values else None
    except ValueError as error:
        state.draft.leave(
            state.line, state.text, str(error), state.rules.spaces[space].code if space else each.code
        )
        return ""
    rank = _TAGGED if needs or each.lacks else _UNTAGGED
    state.rules.grants.append(
        Grant(each.code, data, state.line, state.text, rank, needs, each.lacks, force=force, space=space)
    )
    return ""


def _stands_for_itself(each: Declared) -> bool:
    """Say whether an option is the server's own address, which an inventory has without saying."""
    plain = each.vendor is None and not each.encap and not each.enterprise
    texts = [part.text for part in each.values]
    return (
        plain
        and each.code in {code.ROUTER, code.DNS}
        and texts == ["0.0.0.0"]
        and not each.needs | each.lacks
    )


def _forced(state: State, value: str) -> str:
    return _option(state, value, force=True)


def _boot(state: State, value: str) -> str:
    """Read dhcp-boot: the file and server names are options 67 and 66 to clients that ask for them."""
    needed, _, parts = marks(value)
    needs, lacks = tags([f"tag:{each}" for each in needed])
    rank = (*(_TAGGED if needs or lacks else _UNTAGGED), 1)
    for option, text in zip((code.BOOT_FILE, code.TFTP_NAME), parts, strict=False):
        if text:
            state.rules.grants.append(
                Grant(option, text.encode(), state.line, state.text, rank, needs, lacks)
            )
    return "the header's file and next server are not filled in: siaddr follows from options 150 and 66"


def _ignore(state: State, value: str) -> str:
    if value.replace(" ", "") in {"tag:!known", "net:!known", "#known", "tag:#known"}:
        state.known_only = True
        return ""
    return "only tag:!known is carried over, as clients: known"


def _authoritative(state: State, _value: str) -> str:
    state.authoritative = True
    return ""


def _no_ping(_state: State, _value: str) -> str:
    """Take nothing of it: whether addresses are probed changes nothing that clients are told."""
    return ""


def _names(handler: Callable[[Draft, str], str]) -> Callable[[State, str], str]:
    return lambda state, value: handler(state.draft, value)


_NAMES: Mapping[str, Callable[[State, str], str]] = {
    key: _names(handler) for key, handler in dnsmasq_name.KEYS.items()
}
_KEYS: Mapping[str, Callable[[State, str], str]] = {
    "interface": _interface,
    "domain": _domain,
    "dhcp-range": _range,
    "dhcp-host": _host,
    "dhcp-option": _option,
    "dhcp-option-force": _forced,
    "dhcp-vendorclass": class_("vendor_class_contains"),
    "dhcp-userclass": class_("user_class"),
    "dhcp-mac": class_("mac"),
    "dhcp-circuitid": class_("circuit_id"),
    "dhcp-remoteid": class_("remote_id"),
    "dhcp-match": match,
    "dhcp-name-match": class_("host_name"),
    "dhcp-subscrid": match,
    "tag-if": tag_if,
    "dhcp-boot": _boot,
    "dhcp-ignore": _ignore,
    "dhcp-authoritative": _authoritative,
    "no-ping": _no_ping,
}
_ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(
        ("enable-tftp", "tftp-root"),
        "profiles are made from `profiles:`; directories go under `provisioning: {files: …}`",
    ),
    "server": "resolvers for other names go under `dns: {forward: …}`",
    **dict.fromkeys(("conf-dir", "conf-file", "addn-hosts", "dhcp-hostsfile"), "import that file by itself"),
    **dict.fromkeys(("naptr-record", "caa-record"), "write it under `records:`"),
}
"""Settings that an inventory has in another form."""

_ORDER = {
    "domain": 0,
    "interface": 0,
    "dhcp-range": 1,
    "address": 2,
    "host-record": 2,
    "cname": 3,
    "tag-if": 6,
}
"""dnsmasq reads its file in any order: what others refer to comes first."""
