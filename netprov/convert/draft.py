"""A draft of an inventory: what a foreign configuration says in our words, and what it says beside that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from netprov.errors import Place
from netprov.inventory.yaml.flow import flow

Section = dict[Any, Any]

REVERSE = (".in-addr.arpa", ".ip6.arpa")
"""What names of reverse zones end with."""

PLACEHOLDER = "example.com"
"""Domain of a draft whose source names none."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that was not carried over: where it stands, what it says, why."""

    place: Place
    text: str
    reason: str
    option: int = 0
    """The DHCP option that clients get otherwise, or not at all, because of it; 0 for none in particular."""

    def __str__(self) -> str:
        return f"{self.place}: {self.text}: {self.reason}"


@dataclass(slots=True)
class Draft:
    """An inventory in the making."""

    source: str
    domain: str = ""
    networks: dict[str, Section] = field(default_factory=dict)
    hosts: dict[str, Section] = field(default_factory=dict)
    srv: dict[str, list[Section]] = field(default_factory=dict)
    records: list[Section] = field(default_factory=list)
    classes: dict[str, Section] = field(default_factory=dict)
    phones: list[Section] = field(default_factory=list)
    profiles: dict[str, Section] = field(default_factory=dict)
    zones: list[Section] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    """Where networks are written, by subnet."""
    conditions: list[Section] = field(default_factory=list)
    """Every condition of the source, as `match` has it, whether a class came of it or not."""
    sends_domain: bool = False
    """The source sends the draft's domain by itself, without an option that says so."""

    def leave(self, line: int, text: str, reason: str, option: int = 0, *, file: str = "") -> None:
        """Note what is not carried over, once; `file` is where it stands, if not in the source itself."""
        leftover = Leftover(Place(file or self.source, line, 1), _one_line(text), _one_line(reason), option)
        if leftover not in self.leftovers:
            self.leftovers.append(leftover)

    def line_of(self, network: Section) -> int:
        """Return the line that a network is from."""
        return self.lines.get(network["subnet"], 1)

    def network_with(self, address: IPv4Address) -> Section | None:
        """Return the network that holds an address."""
        return next((each for each in self.networks.values() if address in IPv4Network(each["subnet"])), None)

    def add_network(self, subnet: IPv4Network, name: str = "", line: int = 1) -> Section:
        """Return the network of that subnet, made if it is new."""
        self.lines.setdefault(str(subnet), line)
        for each in self.networks.values():
            if each["subnet"] == str(subnet):
                return each
        name = name if name and name not in self.networks else f"net{len(self.networks) + 1}"
        self.networks[name] = {"subnet": str(subnet)}
        return self.networks[name]

    def add_host(self, name: str, address: str) -> None:
        """Add an address to a host, named relative to the domain if it is below it; the domain's own is a record."""
        if self.domain and name.rstrip(".").lower() == self.domain:
            kind = "AAAA" if ":" in address else "A"
            self.records.append({"name": "@", "type": kind, "data": address})
            return
        section = self.hosts.setdefault(self.relative(name), {"addresses": []})
        section["addresses"].append(address)

    def relative(self, name: str) -> str:
        """Return a name without the domain, if it has one label below it."""
        inner = name.rstrip(".").removesuffix(f".{self.domain}") if self.domain else name.rstrip(".")
        return inner if "." not in inner else name.rstrip(".")

    def owner(self, name: str) -> str:
        """Return the owner of a record as `records:` has it."""
        name = name.rstrip(".")
        if self.domain and name.lower() == self.domain:
            return "@"
        if self.domain and name.lower().endswith(f".{self.domain}"):
            return name[: -len(self.domain) - 1]
        return f"{name}." if "." in name else name

    @property
    def empty(self) -> bool:
        """Whether nothing was carried over."""
        sections = (
            self.networks,
            self.hosts,
            self.classes,
            self.phones,
            self.srv,
            self.records,
            self.profiles,
            self.zones,
        )
        return not any(sections)

    def complete(self) -> None:
        """Draw the consequences: networks that follow from addresses, one entry for one machine."""
        self.leftovers.sort(key=lambda each: each.place)
        for phone in self.phones:
            address = phone.get("address")
            if address and _is_address(address) and self.network_with(IPv4Address(address)) is None:
                subnet = IPv4Network(f"{address}/24", strict=False)
                self.add_network(subnet)
                self.leave(1, str(subnet), "no network is described: this one was assumed from an address")
            self._join(phone)

    def _join(self, phone: Section) -> None:
        """Take a host and a phone of one name, or of one address, for one machine: its names come from one place."""
        name = self.relative(phone["name"]) if phone.get("name") else ""
        same = self.hosts.get(name)
        if same is not None and same["addresses"] == [phone.get("address")]:
            self.records += [
                {"name": alias, "type": "CNAME", "data": self.absolute(name)}
                for alias in same.get("aliases", ())
            ]
            del self.hosts[name]
        elif same is not None:
            del phone["name"]
            self.leave(1, f"host name of {phone['mac']}", f"{name} is a host with another address")
        for other, host in list(self.hosts.items()):
            if phone.get("address") in host["addresses"]:
                host["addresses"].remove(phone["address"])
                self.records.append({"name": other, "type": "A", "data": phone["address"]})
                if not host["addresses"]:
                    self.records += [
                        {"name": alias, "type": "CNAME", "data": self.absolute(other)}
                        for alias in host.get("aliases", ())
                    ]
                    del self.hosts[other]

    def absolute(self, name: str) -> str:
        """Return a name with its final dot, as master files have it."""
        return f"{name}." if "." in name else f"{name}.{self.domain or PLACEHOLDER}."


def _one_line(text: str) -> str:
    """Return a text as a comment can hold it: whatever ends a line, or YAML refuses, is a blank."""
    return "".join(each if each.isprintable() else " " for each in text)


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def prepared(draft: Draft, interfaces: Mapping[str, str]) -> str:
    """Return the draft for a lab: on these interfaces, without limits and conflict checks."""
    networks = {
        name: {**network, "interface": interfaces[name], "conflict_check": False, "other_servers": "allow"}
        for name, network in draft.networks.items()
    }
    lab = replace(draft, networks=networks)
    return f"{format_draft(lab)}dhcp: {{client_rate: 1000000}}\ndns: {{limit: null}}\n"


def format_draft(draft: Draft) -> str:
    """Return the draft as YAML, what was not carried over as comments at its end."""
    lines = [f"# Made by `netprov import` from {draft.source}; `netprov check` says what to look at."]
    if draft.domain:
        lines.append(f"domain: {flow(draft.domain)}")
    else:
        lines.append(f"domain: {PLACEHOLDER} # the source names no domain")
    lines += _section("networks", draft.networks or {"voice": {"subnet": "192.0.2.0/24"}})
    lines += _section("hosts", {name: _short(host) for name, host in draft.hosts.items()})
    lines += _lists("srv", draft.srv)
    lines += _list("records", draft.records)
    lines += _section("classes", draft.classes)
    lines += _list("phones", draft.phones)
    lines += _section("profiles", draft.profiles)
    lines += _list("zones", draft.zones)
    if draft.leftovers:
        lines += ["", "# Not carried over:", *(f"#   {each}" for each in draft.leftovers)]
    return "\n".join(lines) + "\n"


def _short(host: Section) -> Any:
    addresses = host["addresses"]
    one = addresses[0] if len(addresses) == 1 else addresses
    return {**host, "addresses": one} if len(host) > 1 else one


def _section(name: str, members: dict[str, Any]) -> Iterator[str]:
    if members:
        yield f"{name}:"
        yield from (f"  {flow(key)}: {flow(_without_singles(value))}" for key, value in members.items())


def _lists(name: str, members: dict[str, list[Section]]) -> Iterator[str]:
    if members:
        yield f"{name}:"
        for key, items in members.items():
            yield f"  {key}:"
            yield from (f"    - {flow(item)}" for item in items)


def _list(name: str, items: Sequence[Section]) -> Iterator[str]:
    if items:
        yield f"{name}:"
        for item in items:
            comment = item.get("#")
            shown = {key: value for key, value in item.items() if key != "#"}
            yield f"  - {flow(_without_singles(shown))}" + (f" # {_one_line(comment)}" if comment else "")


def _without_singles(value: Any) -> Any:
    """Write lists of one as their member, where the inventory takes both."""
    if not isinstance(value, dict):
        return value
    return {
        key: each[0] if isinstance(each, list) and len(each) == 1 and key in _EITHER else each
        for key, each in value.items()
    }


_EITHER = frozenset({"pool", "router", "dns", "ntp"})
