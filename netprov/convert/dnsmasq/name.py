"""The names of a dnsmasq.conf: hosts, aliases, SRV and TXT records (dnsmasq(8))."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address

from netprov.convert.dnsmasq.option import split
from netprov.convert.draft import REVERSE, Draft, Section
from netprov.dns.service import SERVICES

_SCHEMES = {owner: scheme for scheme, owner in SERVICES.items()}


def _is_address(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+){3}", text)) or ":" in text


def _address(draft: Draft, value: str) -> str:
    *names, address = value.strip("/").split("/")
    if not _is_address(address) or not names:
        return "only names with an address are carried over"
    for name in names:
        draft.add_host(name, address)
    return "names below it, which dnsmasq answers alike, are not carried over"


def _host_record(draft: Draft, value: str) -> str:
    parts = [part for part in value.split(",") if not part.strip().isdigit()]
    names = [part.strip() for part in parts if not _is_address(part.strip())]
    addresses = [part.strip() for part in parts if _is_address(part.strip())]
    for name in names:
        for address in addresses:
            draft.add_host(name, address)
    return "" if names and addresses else "only names with an address are carried over"


def _cname(draft: Draft, value: str) -> str:
    *aliases, target = [part.strip() for part in value.split(",") if not part.strip().isdigit()]
    section = draft.hosts.get(draft.relative(target))
    if section is None:
        return f"{target} is no host of the inventory"
    section.setdefault("aliases", []).extend(draft.relative(alias) for alias in aliases)
    return ""


def _srv(draft: Draft, value: str) -> str:
    owner, *rest = [part.strip() for part in value.split(",")]
    bare = all(label.startswith("_") for label in owner.split("."))  # dnsmasq puts its domain behind
    name = owner if bare else draft.owner(owner)
    target, port, priority, weight = (*rest, *("", "1", "0", "0")[len(rest) :])[:4]
    if not target:
        return "a service without a target"
    if name in _SCHEMES:
        entry: Section = {"target": draft.relative(target), "port": int(port or 1)}
        entry |= {"priority": int(priority or 0), "weight": int(weight or 0)}
        draft.srv.setdefault(_SCHEMES[name], []).append(entry)
    else:
        data = f"{int(priority or 0)} {int(weight or 0)} {int(port or 1)} {target.rstrip('.')}."
        draft.records.append({"name": name, "type": "SRV", "data": data})
    return ""


def _text(draft: Draft, value: str) -> str:
    name, *texts = [part.text for part in split(value)]
    data = " ".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)
    draft.records.append({"name": draft.owner(name), "type": "TXT", "data": data or '""'})
    return ""


def _pointer(draft: Draft, value: str) -> str:
    """Take a PTR record for granted that netprov makes of a host by itself."""
    owner, _, target = (part.strip() for part in value.partition(","))
    host = draft.hosts.get(draft.relative(target), {"addresses": []})
    if owner.rstrip(".") in {ip_address(each).reverse_pointer for each in host["addresses"]}:
        return ""
    return "netprov answers for the addresses of its hosts and phones by itself"


def _mail(draft: Draft, value: str) -> str:
    name, *rest = [part.strip() for part in value.split(",")]
    target, preference = (*rest, *("", "1")[len(rest) :])[:2]
    if not target:
        return "a mail exchanger without a name"
    draft.records.append(
        {"name": draft.owner(name), "type": "MX", "data": f"{preference} {draft.absolute(target)}"}
    )
    return ""


def _local(draft: Draft, value: str) -> str:
    """Take a zone that is answered from here alone; netprov does so for the domains that it serves."""
    zones = [each.lower() for each in value.strip("/").split("/")]
    foreign = [
        each
        for each in zones
        if not f".{each}".endswith(REVERSE) and not f".{each}".endswith(f".{draft.domain or '/'}")
    ]
    return f"{', '.join(foreign)} is none of the domains that are served" if foreign else ""


KEYS: Mapping[str, Callable[[Draft, str], str]] = {
    "address": _address,
    "host-record": _host_record,
    "cname": _cname,
    "srv-host": _srv,
    "txt-record": _text,
    "ptr-record": _pointer,
    "mx-host": _mail,
    "local": _local,
}
"""What reads each setting: it fills in the draft, and returns why something is not carried over."""
