"""Kea's kea-dhcp4.conf: JSON with comments; subnets, pools, reservations, client classes, option data.

A subnet's options beat a class's, which beat the global ones; of several classes the first in the file wins
(Kea Administrator Reference Manual, "DHCPv4 option data" and "Client Classification").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from netprov.convert.arrange import arrange, put
from netprov.convert.draft import Draft, Section
from netprov.convert.isc import condition, typed
from netprov.convert.rule import (
    EVERYBODY,
    MEMBER,
    NOBODY,
    Admission,
    Grant,
    Rank,
    Rules,
    Space,
    members,
    simplified,
)
from netprov.convert.served import KNOWN, share_pools
from netprov.dhcp.option import table as code
from netprov.dhcp.option.vendor import encode_vendor_identifying
from netprov.errors import InventoryError, Place, Problem
from netprov.inventory.yaml.compose import compose
from netprov.inventory.yaml.mark import Mark, member, split, value_position
from netprov.mac import read_mac

_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|#[^\n]*', re.DOTALL)
_TAKEN = {
    "subnet4",
    "shared-networks",
    "option-data",
    "option-def",
    "client-classes",
    "interfaces-config",
    "valid-lifetime",
    "min-valid-lifetime",
    "max-valid-lifetime",
    "reservations",
    "reservations-global",
    "authoritative",
    "calculate-tee-times",
}
_ADDITIONAL = ("require-client-classes", "evaluate-additional-classes")
"""Of a subnet: classes that are looked at there, in Kea 2 and in Kea 3."""
_IF_LISTED = ("only-if-required", "only-in-additional-list")
"""Of a class: it is looked at only where it is listed so."""
_BUILT_IN: Mapping[str, Section] = {
    "KNOWN": {MEMBER: KNOWN},
    "UNKNOWN": {"not": {MEMBER: KNOWN}},
    "ALL": EVERYBODY,
}
_SHARES = {"t1-percent": 0.5, "t2-percent": 0.875}
"""Netprov's own shares of a lease (RFC 2131 4.4.5)."""
_OF_A_SUBNET = {
    "id",
    "subnet",
    "pools",
    "option-data",
    "reservations",
    "interface",
    "valid-lifetime",
    "min-valid-lifetime",
    "max-valid-lifetime",
    "authoritative",
    "user-context",
    *_ADDITIONAL,
}
_OF_A_CLASS = {"name", "test", "option-data", "option-def", "user-context", *_IF_LISTED}
_GLOBAL, _CLASS, _SHARED, _SUBNET, _POOL = range(5)
"""Ranks of scopes (`Dhcpv4Srv::buildCfgOptionList`)."""

_VENDOR_SPACE = "vendor-encapsulated-options-space"
_VALID = 7200
"""Kea's default lease time."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where options stand: which clients they are for."""

    rank: Rank
    needs: frozenset[str] = frozenset()
    networks: frozenset[str] | None = None


def read_kea(text: str, source: str) -> Draft:
    """Read a Kea configuration. Raises `InventoryError` if it is not JSON."""
    composed = compose(_COMMENT.sub(lambda found: found[1] or re.sub(r"[^\n]", " ", found[0]), text), source)
    if composed.problems:
        raise InventoryError(composed.problems)
    whole = composed.value.get("Dhcp4") if isinstance(composed.value, dict) else None
    reader = _Reader(Draft(source), member(composed.mark, "Dhcp4") or composed.mark)
    try:
        reader.read(whole if isinstance(whole, dict) else {})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        problem = Problem(
            "kea",
            f"this is no configuration of Kea: {error!r}",
            "test it with `kea-dhcp4 -t`",
            place=Place(source),
        )
        raise InventoryError([problem]) from error
    return reader.draft


class _Reader:
    """Walks the configuration; `_mark` knows the lines."""

    def __init__(self, draft: Draft, mark: Mark) -> None:
        self.draft = draft
        self._mark = mark
        self.rules = Rules(force_of_any=True)
        self._codes: dict[tuple[str, str], int] = {("", name): number for name, number in typed.NAMES.items()}
        self._types: dict[tuple[str, int], str] = {("", number): kind for number, kind in typed.TYPES.items()}
        self._interfaces: list[str] = []
        self._listed: dict[str, set[str]] = {}
        """Networks that classes are looked at on, where it is not everywhere."""
        self._pools: list[tuple[Admission, str]] = []

    def read(self, whole: Mapping[str, Any]) -> None:
        """Read everything."""
        for each in whole.get("option-def", ()):
            self._define(each)
        self._interfaces = [
            name.partition("/")[0]
            for name in whole.get("interfaces-config", {}).get("interfaces", ())
            if name != "*"
        ]
        for path, subnet in self._subnets(whole):
            self._network(path, subnet)
        for index, each in enumerate(whole.get("client-classes", ())):
            self._class(("client-classes", index), each, index)
        self._options((), whole.get("option-data", ()), _Scope((_GLOBAL,)))
        for path, subnet in self._subnets(whole):
            self._subnet(path, subnet, whole)
        self._shared_options(whole)
        for index, each in enumerate(whole.get("reservations", ())):
            where: Path = ("reservations", index)
            if whole.get("reservations-global"):
                self._reservation(where, each)
            else:
                self._leave(where, "reservation", "Kea looks at it only with `reservations-global: true`")
        for key in sorted(whole.keys() - _TAKEN):
            if key not in _SHARES or whole[key] != _SHARES[key]:
                self._leave((key,), f"{key}: …", "the inventory has no such setting")
        for network in self.draft.networks.values():
            network["clients"] = "all"
        share_pools(self.draft, self.rules, self._pools)
        arrange(self.draft, self.rules)

    def _define(self, each: Mapping[str, Any]) -> None:
        """Learn an option that the file defines."""
        space = self._space(each)
        self._codes[space, each["name"]] = each["code"]
        kind = typed.kea_type(
            each.get("type", "empty"), array=bool(each.get("array")), record=each.get("record-types", "")
        )
        self._types[space, each["code"]] = kind
        if each.get("encapsulate"):
            self.rules.spaces[each["encapsulate"]] = Space(each["code"], when="container")

    def _space(self, each: Mapping[str, Any]) -> str:
        """Return the space of an option, "" for DHCP's own; it is made known where it travels."""
        space = str(each.get("space", "dhcp4"))
        if space == "dhcp4":
            return ""
        if space == _VENDOR_SPACE:
            self.rules.spaces.setdefault(space, Space(code.VENDOR_INFO, when="container"))
        elif found := re.fullmatch(r"vendor-(\d+)", space):
            enterprise = int(found[1])
            self.rules.spaces.setdefault(space, Space(code.VENDOR_IDENTIFYING, enterprise, when="container"))
        return space

    def _subnets(self, whole: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        for index, subnet in enumerate(whole.get("subnet4", ())):
            yield ("subnet4", index), subnet
        for outer, shared in enumerate(whole.get("shared-networks", ())):
            for index, subnet in enumerate(shared.get("subnet4", ())):
                path: Path = ("shared-networks", outer, "subnet4", index)
                inherited = {
                    key: shared[key]
                    for key in (
                        "interface",
                        "valid-lifetime",
                        "min-valid-lifetime",
                        "max-valid-lifetime",
                        "authoritative",
                    )
                    if key in shared
                }
                yield path, {**inherited, **subnet}

    def _shared_options(self, whole: Mapping[str, Any]) -> None:
        for outer, shared in enumerate(whole.get("shared-networks", ())):
            names = frozenset(map(self._network_name, shared.get("subnet4", ())))
            scope = _Scope((_SHARED,), networks=names)
            self._options(("shared-networks", outer), shared.get("option-data", ()), scope)

    def _network(self, path: Path, subnet: Mapping[str, Any]) -> None:
        """Make a network, and note which classes are looked at on it alone."""
        self.draft.add_network(IPv4Network(subnet["subnet"]), line=self._line(path))
        for key in _ADDITIONAL:
            for name in subnet.get(key, ()):
                self._listed.setdefault(name, set()).add(self._network_name(subnet))

    def _network_name(self, subnet: Mapping[str, Any]) -> str:
        wanted = str(IPv4Network(subnet["subnet"]))
        return next(name for name, each in self.draft.networks.items() if each["subnet"] == wanted)

    def _subnet(self, path: Path, subnet: Mapping[str, Any], whole: Mapping[str, Any]) -> None:
        network = self.draft.add_network(IPv4Network(subnet["subnet"]), line=self._line(path))
        interface = subnet.get("interface") or (self._interfaces.pop(0) if self._interfaces else "")
        if interface:
            network["interface"] = interface
        pools = subnet.get("pools", ())
        network["pool"] = []
        valid = subnet.get("valid-lifetime", whole.get("valid-lifetime", _VALID))
        network["lease"] = valid
        network["lease_min"] = subnet.get("min-valid-lifetime", whole.get("min-valid-lifetime", valid))
        longest = subnet.get("max-valid-lifetime", whole.get("max-valid-lifetime", valid))
        if longest != valid:
            network["lease_max"] = longest
        if subnet.get("authoritative", whole.get("authoritative")):
            network["authoritative"] = True
        here = frozenset({self._network_name(subnet)})
        self._options(path, subnet.get("option-data", ()), _Scope((_SUBNET,), networks=here))
        for index, pool in enumerate(pools):
            self._pool((*path, "pools", index), pool, here, only=len(pools) == 1)
        for index, each in enumerate(subnet.get("reservations", ())):
            self._reservation((*path, "reservations", index), each)
        for key in sorted(subnet.keys() - _OF_A_SUBNET):
            self._leave((*path, key), f"{key}: …", "the inventory has no such setting")

    def _pool(self, path: Path, pool: Mapping[str, Any], networks: frozenset[str], *, only: bool) -> None:
        """Read a pool: for whom it is; its options can be carried over where it is for one class, or the only one."""
        classes = [pool["client-class"]] if "client-class" in pool else []
        self._admit(path, pool, next(iter(networks)), classes)
        if only or classes:
            needs = frozenset(KNOWN if each == "KNOWN" else each for each in classes)
            self._options(path, pool.get("option-data", ()), _Scope((_POOL,), needs, networks))
        else:
            for index, each in enumerate(pool.get("option-data", ())):
                text = f"option {each.get('name', each.get('code'))}"
                reason = "options of one pool among several are not carried over"
                self._leave((*path, "option-data", index), text, reason)
        for key in sorted(pool.keys() - {"pool", "option-data", "client-class"}):
            self._leave((*path, key), f"{key}: …", "the inventory has no such setting")

    def _admit(self, path: Path, pool: Mapping[str, Any], name: str, classes: Sequence[str]) -> None:
        """Note who gets addresses of a pool."""
        condition = EVERYBODY
        where: Path = (*path, "client-class")
        for each in classes:
            if each not in _BUILT_IN and (each not in self.rules.tags or self.rules.tags[each].unknown):
                self._leave(where, f"client-class: {each}", "addresses are for every client of the network")
            else:
                condition = _BUILT_IN.get(each, {MEMBER: each})
        text = f"client-class: {classes[0]}" if classes else "pool"
        line = self._line(where if classes else path)
        self._pools.append((Admission(name, condition, line, text), _range(pool["pool"])))

    def _options(self, path: Path, data: Sequence[Mapping[str, Any]], scope: _Scope) -> None:
        """Note what a scope gives."""
        for grant in self._grants(path, data):
            self.rules.grants.append(
                Grant(
                    grant.code,
                    grant.data,
                    grant.line,
                    grant.text,
                    scope.rank,
                    scope.needs,
                    networks=scope.networks,
                    force=grant.force,
                    space=grant.space,
                )
            )

    def _grants(self, path: Path, data: Sequence[Mapping[str, Any]]) -> Iterator[Grant]:
        for index, each in enumerate(data):
            where = (*path, "option-data", index)
            text = f"option {each.get('name', each.get('code'))} = {each.get('data', '')}"
            space = self._space(each)
            number = int(each.get("code") or self._codes.get((space, each.get("name", "")), 0))
            if not number:
                self._leave(where, text, "the option's name is not known")
                continue
            if each.get("never-send"):
                yield Grant(number, None, self._line(where), text, space=space)
                continue
            try:
                octets = self._octets(space, number, each)
            except (ValueError, OverflowError) as error:
                travels = self.rules.spaces[space].code if space in self.rules.spaces else number
                self.draft.leave(self._line(where), text, str(error), travels)
                continue
            force = bool(each.get("always-send"))
            yield Grant(number, octets, self._line(where), text, force=force, space=space)

    def _octets(self, space: str, number: int, each: Mapping[str, Any]) -> bytes:
        """Return the octets of an option; without a known type, or with `csv-format: false`, it is hexadecimal."""
        text = str(each.get("data", ""))
        kind = self._types.get((space, number), "")
        if not text:
            return b""
        if each.get("csv-format") is False:
            return typed.octets(text)
        if number == code.VENDOR_IDENTIFYING and not space and text.isdecimal():
            return encode_vendor_identifying({int(text): b""})
        if not kind:
            return typed.octets(text)
        if number == code.STATIC_ROUTES and not space and " - " in text:
            return typed.routes(text.split(","))
        parts = [text] if kind in {"text", "octets"} else [part.strip() for part in text.split(",")]
        return typed.encode(kind, parts)

    def _class(self, path: Path, each: Mapping[str, Any], index: int) -> None:
        name = each["name"]
        tag = self.rules.tag(name, self._line(path))
        test = " ".join(str(each.get("test", "")).split())
        if test:
            try:
                found = simplified(condition.condition(test, self._member))
                if any(True for _ in members(found)) or found in (EVERYBODY, NOBODY):
                    self.rules.derive(name, found, self._line((*path, "test")))
                else:
                    tag.alternatives.append(found)
            except ValueError as error:
                tag.unknown = True
                self._leave((*path, "test"), f"test {test}", str(error))
        elif name.startswith("VENDOR_CLASS_"):
            tag.alternatives.append({"vendor_class": name.removeprefix("VENDOR_CLASS_")})
        for definition in each.get("option-def", ()):
            self._define(definition)
        networks = frozenset(self._listed.get(name, ())) if any(map(each.get, _IF_LISTED)) else None
        scope = _Scope((_CLASS, -index), frozenset({name}), networks)
        self._options(path, each.get("option-data", ()), scope)
        for key in sorted(each.keys() - _OF_A_CLASS):
            self._leave((*path, key), f"{key}: …", "the inventory has no such setting")

    def _member(self, name: str) -> Section:
        if name in _BUILT_IN:
            return _BUILT_IN[name]
        if name not in self.rules.tags or self.rules.tags[name].unknown:
            raise ValueError(f"membership of {name} is not looked at")
        return {MEMBER: name}

    def _reservation(self, path: Path, each: Mapping[str, Any]) -> None:
        if "hw-address" not in each:
            self._leave(path, "reservation", "phones are known by their MAC address")
            return
        phone: Section = {"mac": read_mac(each["hw-address"]) or each["hw-address"]}
        for key, ours in (("ip-address", "address"), ("hostname", "name")):
            if each.get(key):
                phone[ours] = each[key]
        for name in each.get("client-classes", ()):
            tag = self.rules.tag(name, self._line(path))
            tag.macs += [] if phone["mac"] in tag.macs else [phone["mac"]]
        grants = list(self._grants(path, each.get("option-data", ())))
        for grant in grants:
            if grant.space or grant.force:
                self.draft.leave(
                    grant.line,
                    grant.text,
                    "suboptions of a single phone are not carried over"
                    if grant.space
                    else "a single phone's options are sent if asked for",
                )
        put(self.draft, phone, [grant for grant in grants if not grant.space])
        self._add(path, phone)
        for key in sorted(
            each.keys() - {"hw-address", "ip-address", "hostname", "client-classes", "option-data"}
        ):
            self._leave((*path, key), f"{key}: …", "the inventory has no such setting")

    def _add(self, path: Path, phone: Section) -> None:
        """Add a phone; one that is listed on several networks is one phone, with what is said of it on any."""
        same = next((each for each in self.draft.phones if each["mac"] == phone["mac"]), None)
        if same is None:
            self.draft.phones.append(phone)
            return
        for key, value in phone.items():
            if same.setdefault(key, value) != value:
                self._leave(
                    path, f"{key} of {phone['mac']}", "it has another on another network; a phone has one"
                )

    def _line(self, path: Path) -> int:
        mark = self._mark
        for step in path:
            mark = member(mark, step) or mark
        return split(value_position(mark))[1]

    def _leave(self, path: Path, text: str, reason: str) -> None:
        self.draft.leave(self._line(path), text, reason)


def _range(text: str) -> str:
    if "/" in text:
        subnet = IPv4Network(text.strip())
        return f"{subnet.network_address}-{subnet.broadcast_address}"
    return "-".join(part.strip() for part in text.split("-"))
