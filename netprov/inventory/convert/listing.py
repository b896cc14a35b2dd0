"""Lists of phones: a CSV file with headings as people write them, and an Ansible inventory (INI or YAML)."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from netprov.errors import InventoryError
from netprov.inventory.convert.draft import Draft, Section
from netprov.inventory.yaml.compose import compose
from netprov.inventory.yaml.mark import Mark, key_position, member, split

HEADINGS: Mapping[str, str] = {
    **dict.fromkeys(("mac", "macaddress", "ethernet", "hwaddress", "hardwareaddress"), "mac"),
    **dict.fromkeys(("model", "phonemodel", "type", "devicetype", "product", "productname"), "model"),
    **dict.fromkeys(("serial", "serialnumber", "sn"), "serial"),
    **dict.fromkeys(("name", "hostname", "devicename"), "name"),
    **dict.fromkeys(("ip", "ipaddress", "ipv4", "address", "fixedaddress", "ansiblehost"), "address"),
    **dict.fromkeys(("class", "group"), "class"),
    **dict.fromkeys(("network", "vlan", "subnet"), "network"),
    **dict.fromkeys(("profile", "template"), "profile"),
    **dict.fromkeys(("firmware", "version", "load"), "firmware"),
    **dict.fromkeys(("displayname", "label", "user", "fullname"), "values.Display_Name_1_"),
    **dict.fromkeys(("extension", "userid", "line", "number", "dn", "phonenumber"), "values.User_ID_1_"),
    **dict.fromkeys(("proxy", "sipproxy", "registrar", "sipserver"), "values.Proxy_1_"),
}
"""Headings and variable names, in lower case without blanks and signs, and the keys that they mean."""


def read_csv(text: str, source: str) -> Draft:
    """Read a list of phones with a heading line."""
    draft = Draft(source)
    lines = text.splitlines()
    if not lines:
        return draft
    separator = max(",;\t", key=lines[0].count)
    rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    headings = next(rows)
    keys = [_key(heading) for heading in headings]
    for heading, key in zip(headings, keys, strict=True):
        if not key:
            draft.leave(1, heading, "the column means nothing here")
    for row in _rows(rows):
        cells = ((key, cell.strip()) for key, cell in zip(keys, row, strict=False) if key and cell.strip())
        _add(draft, _phone(cells), rows.line_num, separator.join(row))
    return draft


def read_ansible(text: str, source: str) -> Draft:
    """Read an Ansible inventory: hosts with a MAC address are phones, others hosts. Raises `InventoryError`."""
    draft = Draft(source)
    found = _ini(text) if re.search(r"^\s*\[", text, re.MULTILINE) else _yaml(text, source)
    for line, name, variables in found:
        draft.domain = draft.domain or str(variables.get("domain", ""))
        named: dict[str, str] = {}
        for variable, value in variables.items():
            key = _key(variable)
            if key and isinstance(value, str | int):
                named[key] = str(value)
            elif variable != "domain" and not variable.startswith("ansible_"):
                draft.leave(line, f"{name}: {variable}", "the variable means nothing here")
        phone = _phone(iter(named.items()))
        if "mac" in phone:
            draft.phones.append({"mac": phone.pop("mac"), "name": name.partition(".")[0], **phone})
        elif "address" in phone and re.match(r"[\d.]+\Z", phone["address"]):
            draft.add_host(name, phone["address"])
        else:
            draft.leave(line, name, "it has neither a MAC address nor an IP address")
    return draft


def _rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error:
        return


def _key(heading: str) -> str:
    if heading in HEADINGS.values():
        return heading
    if heading.startswith(("values.", "options.")):
        return heading
    return HEADINGS.get(re.sub(r"[^a-z0-9]", "", heading.lower()), "")


def _phone(cells: Iterator[tuple[str, str]]) -> Section:
    phone: Section = {}
    for key, value in cells:
        mapping, dot, inner = key.partition(".")
        if dot:
            phone.setdefault(mapping, {})[int(inner) if inner.isdigit() else inner] = value
        else:
            phone[key] = value
    return phone


def _add(draft: Draft, phone: Section, line: int, text: str) -> None:
    if "mac" in phone:
        draft.phones.append({"mac": phone.pop("mac"), **phone})
        for key, section in (("class", draft.classes), ("network", draft.networks)):
            if key in phone and key == "class":
                section.setdefault(phone[key], {})
    elif text.strip():
        draft.leave(line, text, "phones are known by their MAC address")


def _ini(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield hosts of an INI inventory with their own and their groups' variables."""
    group, hosts = "ungrouped", dict[str, tuple[int, str, dict[str, Any]]]()
    shared: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        content = re.sub(r"(^|\s)[#;].*", "", line).strip()
        if not content:
            continue
        if heading := re.match(r"\[([^\]]+)\]\Z", content):
            group = heading[1]
        elif group.endswith(":vars"):
            key, _, value = content.partition("=")
            shared.setdefault(group.removesuffix(":vars"), {})[key.strip()] = value.strip().strip("\"'")
        elif not group.endswith(":children"):
            name, *pairs = _words(content)
            variables = dict(pair.partition("=")[::2] for pair in pairs)
            _, known, earlier = hosts.get(name, (number, group, {}))
            hosts[name] = (number, known, {**earlier, **variables})
    for name, (number, group, variables) in hosts.items():
        yield number, name, {**shared.get("all", {}), **shared.get(group, {}), **variables}


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line) or [line]
    except ValueError:
        return line.split()


def _yaml(text: str, source: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    composed = compose(text, source)
    if composed.problems:
        raise InventoryError(composed.problems)
    yield from _children(composed.value, composed.mark, {})


def _children(
    groups: Any, mark: Mark | None, outer: Mapping[str, Any]
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield the hosts of groups of an Ansible inventory in YAML, each with its line and all variables."""
    for name, group in groups.items() if isinstance(groups, dict) else ():
        if not isinstance(group, dict):
            continue
        here = member(mark, name) if mark is not None else None
        shared = {**outer, **_mapping(group.get("vars"))}
        for host, variables in _mapping(group.get("hosts")).items():
            where = member(member(here, "hosts") or 0, host) if here is not None else None
            yield split(key_position(where or 0))[1], str(host), {**shared, **_mapping(variables)}
        inner = member(here, "children") if here is not None else None
        yield from _children(group.get("children"), inner, shared)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
