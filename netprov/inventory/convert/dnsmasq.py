"""dnsmasq.conf: ranges, hosts, options, tags of clients, names (dnsmasq(8))."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from netprov.inventory.convert.draft import Draft, Section
from netprov.inventory.convert.option import DNSMASQ_NAMES, put
from netprov.mac import parse_mac

_LEASE = re.compile(r"(\d+[smhdw]?|infinite)\Z")
_SERVICES = {"_ciscoprov-https._tls": "https", "_ciscoprov-http._tcp": "http"}
_LONG_LEASE = "52w"


@dataclass(slots=True)
class _State:
    draft: Draft
    interfaces: list[str] = field(default_factory=list)
    tagged: dict[str, Section] = field(default_factory=dict)  # networks, by the tag of their range
    known_only: bool = False
    authoritative: bool = False


def read_dnsmasq(text: str, source: str) -> Draft:
    """Read a dnsmasq configuration."""
    state = _State(Draft(source))
    lines = list(_lines(text))
    for number, key, value in sorted(lines, key=lambda line: _ORDER.get(line[1], 5)):
        handler = _KEYS.get(key)
        if handler is None:
            reason = _ELSEWHERE.get(key, "the inventory has no such setting")
            state.draft.leave(number, f"{key}={value}" if value else key, reason)
            continue
        try:
            reason = handler(state, value)
        except (ValueError, IndexError) as error:
            reason = f"cannot be read: {error}"
        if reason:
            state.draft.leave(number, f"{key}={value}", reason)
    _finish(state)
    state.draft.leftovers.sort(key=lambda each: each.place)
    return state.draft


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        content = re.sub(r"(^|\s)#.*", "", line).strip()
        if content:
            key, _, value = content.partition("=")
            yield number, key.strip(), value.strip()


def _finish(state: _State) -> None:
    networks = state.draft.networks.values()
    for network, interface in zip(networks, state.interfaces, strict=False):
        network["interface"] = interface
    if len(state.interfaces) > len(state.draft.networks):
        state.draft.leave(
            1, f"interface={','.join(state.interfaces)}", "say which network is on which interface"
        )
    for network in networks:
        if state.known_only:
            network["clients"] = "known"
        if state.authoritative:
            network["authoritative"] = True


def _interface(state: _State, value: str) -> str:
    state.interfaces += value.split(",")
    return ""


def _domain(state: _State, value: str) -> str:
    name, *rest = value.split(",")
    if rest or (state.draft.domain and state.draft.domain != name):
        return "an inventory has one main domain; networks can have their own"
    state.draft.domain = name
    return ""


def _tags(parts: list[str]) -> tuple[list[str], str, list[str]]:
    """Split required tags, the tag that is set, and the rest."""
    required = [part.partition(":")[2] for part in parts if part.startswith(("tag:", "net:"))]
    sets = next((part.partition(":")[2] for part in parts if part.startswith("set:")), "")
    return required, sets, [part for part in parts if not part.startswith(("tag:", "net:", "set:"))]


def _range(state: _State, value: str) -> str:
    required, sets, parts = _tags(value.split(","))
    if ":" in parts[0] or parts[0].startswith("constructor"):
        return "DHCPv6 is not served"
    first = IPv4Address(parts[0])
    rest = parts[1:]
    last = rest.pop(0) if rest and (rest[0] == "static" or rest[0].count(".") == 3) else parts[0]
    mask = rest.pop(0) if rest and rest[0].count(".") == 3 else ""
    if rest and rest[0].count(".") == 3:
        rest.pop(0)
    subnet = IPv4Network(f"{first}/{mask or 24}", strict=False)
    name = sets or (required[0] if required else "")
    network = state.draft.add_network(subnet, name)
    if sets or required:
        state.tagged[sets or required[0]] = network
    if last == "static":
        network.setdefault("pool", [])
    else:
        state.draft.add_pool(network, str(first), last)
    lease = next((part for part in rest if _LEASE.match(part)), "")
    if lease:
        network["lease"] = _LONG_LEASE if lease == "infinite" else lease
    return "" if mask else f"no netmask: {subnet} was assumed"


def _host(state: _State, value: str) -> str:
    _, sets, parts = _tags(value.split(","))
    phone: Section = {}
    macs: list[str] = []
    for part in parts:
        if parse_mac(part):
            macs.append(part)
        elif part.count(".") == 3 and part.replace(".", "").isdigit():
            phone["address"] = part
        elif part == "ignore":
            return "clients cannot be refused one by one"
        elif part.startswith(("id:", "[")) or _LEASE.match(part):
            continue
        elif part:
            phone["name"] = part
    if not macs:
        return "phones are known by their MAC address"
    if sets:
        phone["class"] = sets
        state.draft.classes.setdefault(sets, {})
    for mac in macs:
        state.draft.phones.append({"mac": mac, **phone})
    return (
        "only the first MAC address can have the fixed address"
        if len(macs) > 1 and "address" in phone
        else ""
    )


def _option(state: _State, value: str) -> str:
    required, _, parts = _tags(value.split(","))
    vendor = next((part.partition(":")[2] for part in parts if part.startswith("vendor:")), "")
    if vendor:
        return _vendor_option(state, vendor, [part for part in parts if not part.startswith("vendor:")])
    if parts[0].startswith(("option6:", "encap:", "vi-encap:")):
        return "encapsulated and DHCPv6 options are not carried over"
    name = parts[0].removeprefix("option:")
    code = int(name) if name.isdigit() else DNSMASQ_NAMES.get(name, 0)
    if not code:
        return "the option's name is not known"
    own = ["0.0.0.0"]
    if parts[1:] == own or (len(parts) == 1 and code in {3, 6}):
        return "" if parts[1:] == own else f"an empty option {code} is written as [] at the network"
    reasons = {
        put(section, code, parts[1:], network=network) for section, network in _targets(state, required)
    }
    return next(iter(reasons - {""}), "")


def _targets(state: _State, tags: list[str]) -> list[tuple[Section, bool]]:
    """Return the sections that an option under these tags belongs to, and whether they are networks."""
    if not tags:
        return [(network, True) for network in state.draft.networks.values()]
    found = [(state.tagged[tag], True) for tag in tags if tag in state.tagged]
    return found or [(state.draft.classes.setdefault(tags[0], {}), False)]


def _vendor_option(state: _State, vendor: str, parts: list[str]) -> str:
    if vendor != "dslforum.org" or parts[0] not in {"1", "2"} or len(parts) < 2:
        return "encapsulated options are carried over for dslforum.org only"
    section = state.draft.classes.setdefault("acs", {})
    section.update({"match": {"vendor_class_contains": vendor}, "method": "acs"})
    section["acs_url" if parts[0] == "1" else "provisioning_code"] = parts[1].strip('"')
    return ""


def _class(key: str) -> Callable[[_State, str], str]:
    def handler(state: _State, value: str) -> str:
        _, sets, parts = _tags(value.split(","))
        text = ",".join(parts)
        if not sets:
            return "no tag is set"
        section = state.draft.classes.setdefault(sets, {})
        match = section.setdefault("match", {})
        pattern = re.sub(r"(:\*)+\Z", "", text) if key == "mac" else text
        match.setdefault(key, []).append(f"*{pattern}*" if key == "vendor_class" else pattern)
        return ""

    return handler


def _address(state: _State, value: str) -> str:
    *names, address = value.strip("/").split("/")
    if address.count(".") != 3 and ":" not in address:
        return "only names with an address are carried over"
    for name in names:
        state.draft.add_host(name, address)
    return ""


def _host_record(state: _State, value: str) -> str:
    parts = value.split(",")
    names = [part for part in parts if not re.match(r"[\d.]+\Z|.*:.*:", part)]
    for address in parts:
        if address not in names and (address.count(".") == 3 or ":" in address):
            state.draft.add_host(names[0], address)
    section = state.draft.hosts.get(state.draft.relative(names[0]))
    if section is not None and names[1:]:
        section["aliases"] = [state.draft.relative(name) for name in names[1:] if "." in name]
    return ""


def _cname(state: _State, value: str) -> str:
    *aliases, target = [part for part in value.split(",") if not part.isdigit()]
    section = state.draft.hosts.get(state.draft.relative(target))
    if section is None:
        return f"{target} is no host of the inventory"
    section.setdefault("aliases", []).extend(state.draft.relative(alias) for alias in aliases)
    return ""


def _srv(state: _State, value: str) -> str:
    owner, *rest = value.split(",")
    name = owner.removesuffix(f".{state.draft.domain}")
    target, port, priority, weight = [*rest, "", "1", "0", "0"][:4] if len(rest) < 4 else rest[:4]
    if not target:
        return "a service without a target"
    if name in _SERVICES:
        entry: Section = {"target": state.draft.relative(target), "port": int(port)}
        entry |= {"priority": int(priority or 0), "weight": int(weight or 0)}
        state.draft.srv.setdefault(_SERVICES[name], []).append(entry)
    else:
        data = f"{priority or 0} {weight or 0} {port} {target.rstrip('.')}."
        state.draft.records.append({"name": name, "type": "SRV", "data": data})
    return ""


def _text(state: _State, value: str) -> str:
    name, *texts = value.split(",")
    data = " ".join(f'"{text.strip(chr(34))}"' for text in texts)
    state.draft.records.append(
        {"name": name.removesuffix(f".{state.draft.domain}"), "type": "TXT", "data": data}
    )
    return ""


def _ignore(state: _State, value: str) -> str:
    if value.replace(" ", "") in {"tag:!known", "net:!known", "#known"}:
        state.known_only = True
        return ""
    return "only tag:!known is carried over, as clients: known"


def _authoritative(state: _State, _value: str) -> str:
    state.authoritative = True
    return ""


_KEYS: Mapping[str, Callable[[_State, str], str]] = {
    "interface": _interface,
    "domain": _domain,
    "dhcp-range": _range,
    "dhcp-host": _host,
    "dhcp-option": _option,
    "dhcp-option-force": _option,
    "dhcp-vendorclass": _class("vendor_class"),
    "dhcp-userclass": _class("user_class"),
    "dhcp-mac": _class("mac"),
    "dhcp-circuitid": _class("circuit_id"),
    "dhcp-remoteid": _class("remote_id"),
    "address": _address,
    "host-record": _host_record,
    "cname": _cname,
    "srv-host": _srv,
    "txt-record": _text,
    "dhcp-ignore": _ignore,
    "dhcp-authoritative": _authoritative,
}
_ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(
        ("enable-tftp", "tftp-root"),
        "profiles are made from `profiles:`; directories go under `provisioning: {files: …}`",
    ),
    "dhcp-boot": "this is for boot loaders; phones use options 66 and 150",
    "server": "resolvers for other names go under `dns: {forward: …}`",
}
"""Settings that an inventory has in another form."""

_ORDER = {"domain": 0, "dhcp-range": 1, "address": 2, "host-record": 2, "cname": 3}
"""dnsmasq reads its file in any order: what others refer to comes first."""
