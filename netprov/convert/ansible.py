"""Ansible inventories, INI or YAML: groups of groups, ranges of hosts, variables and which of them wins.

Variables of a host beat those of its groups; of groups the deeper one wins, of equally deep ones the later in the
alphabet (Ansible user guide, "How variables are merged").
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from netprov.convert.draft import Draft
from netprov.convert.phone_list import key_of, mac_of, phone_of
from netprov.errors import InventoryError
from netprov.inventory.yaml.compose import compose
from netprov.inventory.yaml.mark import Mark, key_position, member, split

_MOST_HOSTS = 4096
"""Hosts that one range may stand for."""

_RANGE = re.compile(r"\[(\d+|[A-Za-z]):(\d+|[A-Za-z])(?::(\d+))?\]")


@dataclass(slots=True)
class _Group:
    variables: dict[str, Any] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Inventory:
    groups: dict[str, _Group] = field(default_factory=lambda: {"all": _Group()})
    hosts: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)

    def group(self, name: str) -> _Group:
        return self.groups.setdefault(name, _Group())

    def add(self, group: str, pattern: str, line: int, variables: Mapping[str, Any]) -> None:
        """Add the hosts that a name, perhaps with ranges, stands for."""
        for name in expand(pattern):
            first, known = self.hosts.get(name, (line, {}))
            self.hosts[name] = (first, {**known, **variables})
            self.group(group).hosts.append(name)

    def depths(self) -> dict[str, int]:
        """Return how deep groups are below `all`: by their longest way, circles cut."""
        depths = dict.fromkeys(self.groups, 1) | {"all": 0}
        for _ in self.groups:
            for name, group in self.groups.items():
                for child in group.children:
                    if child in depths and depths[child] <= depths[name] < len(self.groups):
                        depths[child] = depths[name] + 1
        return depths

    def variables(self, host: str, depths: Mapping[str, int]) -> dict[str, Any]:
        """Return all variables of a host."""
        groups = {name for name, group in self.groups.items() if host in group.hosts} | {"all"}
        for _ in self.groups:
            groups |= {name for name, group in self.groups.items() if groups & set(group.children)}
        merged: dict[str, Any] = {}
        for name in sorted(groups, key=lambda each: (depths[each], each)):
            merged |= self.groups[name].variables
        return merged | self.hosts[host][1]


def read_ansible(text: str, source: str) -> Draft:
    """Read an Ansible inventory: hosts with a MAC address are phones, others hosts. Raises `InventoryError`."""
    draft = Draft(source)
    inventory = _Inventory()
    if re.search(r"^\s*\[", text, re.MULTILINE):
        _ini(text, inventory)
    else:
        _yaml(text, source, inventory)
    depths = inventory.depths()
    macs: dict[str, str] = {}
    for name, (line, _) in inventory.hosts.items():
        _host(draft, name, line, inventory.variables(name, depths), macs)
    return draft


def _host(draft: Draft, name: str, line: int, variables: Mapping[str, Any], macs: dict[str, str]) -> None:
    draft.domain = draft.domain or str(variables.get("domain", ""))
    named: dict[str, str] = {}
    for variable, value in variables.items():
        key = key_of(variable)
        if key and isinstance(value, str | int):
            named[key] = str(value)
        elif variable != "domain" and not variable.startswith("ansible_"):
            draft.leave(line, f"{name}: {variable}", "the variable means nothing here")
    phone = phone_of(named)
    if "mac" in phone:
        mac, reason = mac_of(phone.pop("mac"))
        other = macs.setdefault(mac, name)
        if reason or other != name:
            draft.leave(line, name, reason or f"its MAC address is that of {other}")
            return
        draft.phones.append({"mac": mac, "name": name.partition(".")[0], **phone})
    elif re.fullmatch(r"\d+(\.\d+){3}", phone.get("address", "")):
        draft.add_host(name, phone["address"])
    else:
        draft.leave(line, name, "it has neither a MAC address nor an IP address")


def expand(pattern: str) -> list[str]:
    """Return the names that a pattern stands for: `desk[01:03]`, `rack[a:c]`, `[1:9:2]`; other text as it is."""
    found = _RANGE.search(pattern)
    if found is None:
        return [pattern]
    head, tail = pattern[: found.start()], pattern[found.end() :]
    low, high, step = found[1], found[2], max(1, int(found[3] or 1))
    if low.isdecimal() != high.isdecimal():
        return [pattern]
    if low.isdecimal():
        numbers = range(int(low), int(high) + 1, step)[:_MOST_HOSTS]
        middle = [str(number).rjust(len(low) if low[0] == "0" else 1, "0") for number in numbers]
    else:
        middle = [chr(number) for number in range(ord(low), ord(high) + 1, step)]
    return [f"{head}{each}{rest}" for each in middle for rest in expand(tail)][:_MOST_HOSTS]


def _ini(text: str, inventory: _Inventory) -> None:
    group, kind = "ungrouped", "hosts"
    for number, line in enumerate(text.splitlines(), 1):
        content = re.sub(r"(^|\s)[#;].*", "", line).strip()
        heading = re.match(r"\[([^\]:]+)(?::(\w+))?\]\Z", content)
        if not content:
            continue
        if heading:
            group, kind = heading[1].strip(), heading[2] or "hosts"
            inventory.group(group)
        elif kind == "vars":
            key, _, value = content.partition("=")
            inventory.group(group).variables[key.strip()] = value.strip().strip("\"'")
        elif kind == "children":
            inventory.group(group).children.append(content)
            inventory.group(content)
        else:
            name, *pairs = _words(content)
            inventory.add(group, name, number, dict(pair.partition("=")[::2] for pair in pairs))


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line) or [line]
    except ValueError:
        return line.split()


def _yaml(text: str, source: str, inventory: _Inventory) -> None:
    composed = compose(text, source)
    if composed.problems:
        raise InventoryError(composed.problems)
    _groups(composed.value, composed.mark, "all", inventory)


def _groups(groups: Any, mark: Mark | None, parent: str, inventory: _Inventory) -> None:
    """Read groups in YAML, each with its hosts, its variables and the groups below it."""
    for name, group in _members(groups):
        here = member(mark, name) if mark is not None else None
        known = inventory.group(name)
        if name != parent:
            inventory.group(parent).children.append(name)
        if not isinstance(group, dict):
            continue
        known.variables |= _mapping(group.get("vars"))
        for host, variables in _mapping(group.get("hosts")).items():
            where = member(member(here, "hosts") or 0, host) if here is not None else None
            line = split(key_position(where or 0))[1]
            inventory.add(name, str(host), line, _mapping(variables))
        inner = member(here, "children") if here is not None else None
        _groups(group.get("children"), inner, name, inventory)


def _members(groups: Any) -> Iterator[tuple[str, Any]]:
    for name, group in _mapping(groups).items():
        yield str(name), group


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
