"""Kea's kea-dhcp4.conf: JSON with comments; subnets, pools, reservations, client classes, option data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from netprov.errors import InventoryError, Place, Problem
from netprov.inventory.convert.draft import Draft, Section
from netprov.inventory.convert.option import ISC_NAMES, put
from netprov.inventory.yaml.compose import compose
from netprov.inventory.yaml.mark import Mark, member, split, value_position

_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|#[^\n]*', re.DOTALL)
_PREFIX = re.compile(
    r"substring\(option\[(?:60|vendor-class-identifier)\]\.(?:hex|text), ?0, ?\d+\) ?== ?'([^']*)'\Z"
)
_EXACT = re.compile(r"option\[(?:60|vendor-class-identifier)\]\.(?:hex|text) ?== ?'([^']*)'\Z")
_TAKEN = {
    "subnet4",
    "shared-networks",
    "option-data",
    "option-def",
    "client-classes",
    "interfaces-config",
    "valid-lifetime",
    "reservations",
    "authoritative",
}
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
}


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
        self._codes = dict(ISC_NAMES)
        self._interfaces: list[str] = []

    def read(self, whole: Mapping[str, Any]) -> None:
        """Read everything."""
        for each in whole.get("option-def", ()):
            self._codes[each["name"]] = each["code"]
        self._interfaces = [
            name.partition("/")[0]
            for name in whole.get("interfaces-config", {}).get("interfaces", ())
            if name != "*"
        ]
        everywhere = list(whole.get("option-data", ()))
        for each in everywhere:
            if self._code(each) == 15 and not self.draft.domain:
                self.draft.domain = each["data"]
        for path, subnet, shared in self._subnets(whole):
            self._subnet(path, subnet, [*everywhere, *shared], whole)
        for index, each in enumerate(whole.get("client-classes", ())):
            self._class(("client-classes", index), each)
        for index, each in enumerate(whole.get("reservations", ())):
            self._reservation(("reservations", index), each)
        for key in whole.keys() - _TAKEN:
            self._leave((key,), f"{key}: …", "the inventory has no such setting")
        self.draft.leftovers.sort(key=lambda each: each.place)

    def _subnets(
        self, whole: Mapping[str, Any]
    ) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any], list[Any]]]:
        for index, subnet in enumerate(whole.get("subnet4", ())):
            yield ("subnet4", index), subnet, []
        for outer, shared in enumerate(whole.get("shared-networks", ())):
            for index, subnet in enumerate(shared.get("subnet4", ())):
                yield (
                    ("shared-networks", outer, "subnet4", index),
                    subnet,
                    list(shared.get("option-data", ())),
                )

    def _subnet(
        self,
        path: tuple[str | int, ...],
        subnet: Mapping[str, Any],
        outer: list[Any],
        whole: Mapping[str, Any],
    ) -> None:
        network = self.draft.add_network(IPv4Network(subnet["subnet"]))
        interface = subnet.get("interface") or (self._interfaces.pop(0) if self._interfaces else "")
        if interface:
            network["interface"] = interface
        network["pool"] = [_range(pool["pool"]) for pool in subnet.get("pools", ())]
        for key, ours in (
            ("valid-lifetime", "lease"),
            ("min-valid-lifetime", "lease_min"),
            ("max-valid-lifetime", "lease_max"),
        ):
            value = subnet.get(key, whole.get(key))
            if value is not None:
                network[ours] = value
        if subnet.get("authoritative", whole.get("authoritative")):
            network["authoritative"] = True
        self._options(path, network, [*outer, *subnet.get("option-data", ())], network=True)
        for index, each in enumerate(subnet.get("reservations", ())):
            self._reservation((*path, "reservations", index), each)
        for key in subnet.keys() - _OF_A_SUBNET:
            self._leave((*path, key), f"{key}: …", "the inventory has no such setting")

    def _options(
        self, path: tuple[str | int, ...], section: Section, data: list[Any], *, network: bool
    ) -> None:
        for each in data:
            code = self._code(each)
            if code == 15 and each.get("data") == self.draft.domain:
                continue
            name = each.get("name", code)
            if not code:
                self._leave(path, f"option {name}", "the option's name is not known")
                continue
            text = str(each.get("data", ""))
            parts = [text] if each.get("csv-format") is False else text.split(",")
            if reason := put(section, code, parts, network=network):
                self._leave(path, f"option {name} = {text}", reason)

    def _code(self, option: Mapping[str, Any]) -> int:
        return int(option.get("code") or self._codes.get(option.get("name", ""), 0))

    def _class(self, path: tuple[str | int, ...], each: Mapping[str, Any]) -> None:
        section = self.draft.classes.setdefault(each["name"], {})
        test = " ".join(str(each.get("test", "")).split())
        if found := _PREFIX.match(test):
            section["match"] = {"vendor_class": f"{found[1]}*"}
        elif found := _EXACT.match(test):
            section["match"] = {"vendor_class": found[1]}
        elif test:
            self._leave(path, f"test {test}", "write the condition as the class's `match`")
        self._options(path, section, each.get("option-data", []), network=False)

    def _reservation(self, path: tuple[str | int, ...], each: Mapping[str, Any]) -> None:
        if "hw-address" not in each:
            self._leave(path, "reservation", "phones are known by their MAC address")
            return
        phone: Section = {"mac": each["hw-address"]}
        for key, ours in (("ip-address", "address"), ("hostname", "name")):
            if each.get(key):
                phone[ours] = each[key]
        classes = each.get("client-classes", [])
        if classes:
            phone["class"] = classes[0]
            self.draft.classes.setdefault(classes[0], {})
        self._options(path, phone, each.get("option-data", []), network=False)
        self.draft.phones.append(phone)

    def _leave(self, path: tuple[str | int, ...], text: str, reason: str) -> None:
        mark = self._mark
        for step in path:
            mark = member(mark, step) or mark
        self.draft.leave(split(value_position(mark))[1], text, reason)


def _range(text: str) -> str:
    if "/" in text:
        subnet = IPv4Network(text.strip())
        return f"{subnet.network_address}-{subnet.broadcast_address}"
    return "-".join(part.strip() for part in text.split("-"))
