"""Tags of clients in a dnsmasq.conf: what sets them, by what clients send or by other tags; what has been read so far."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from netprov.convert.dnsmasq.option import split, tags
from netprov.convert.draft import Draft, Section
from netprov.convert.rule import MEMBER, Admission, Rules


@dataclass(slots=True)
class State:
    """What has been read of a file."""

    draft: Draft
    rules: Rules = field(default_factory=Rules)
    interfaces: list[str] = field(default_factory=list)
    tagged: dict[str, list[str]] = field(default_factory=dict)
    """Names of networks, by the tag that their ranges set."""
    ranges: list[tuple[Admission, str]] = field(default_factory=list)
    """Ranges of addresses, first and last, and who gets them."""
    domains: list[tuple[str, IPv4Network]] = field(default_factory=list)
    known_only: bool = False
    authoritative: bool = False
    line: int = 0
    text: str = ""


def marks(value: str) -> tuple[list[str], list[str], list[str]]:
    """Split tags that are needed, tags that are set, and the rest."""
    parts = [part.text for part in split(value)]
    needed = [part.partition(":")[2] for part in parts if part.startswith("tag:")]
    sets = [part.partition(":")[2] for part in parts if part.startswith(("set:", "net:"))]
    return needed, sets, [part for part in parts if not part.startswith(("tag:", "net:", "set:"))]


def vendor_tag(state: State, vendor: str) -> str:
    """Return the tag of clients whose vendor class contains a text."""
    name = "acs" if vendor == "dslforum.org" else f"vendor-{vendor}"
    tag = state.rules.tag(name, state.line)
    condition = {"vendor_class_contains": vendor}
    if condition not in tag.alternatives:
        tag.alternatives.append(condition)
    return name


def class_(key: str) -> Callable[[State, str], str]:
    """Return what reads a setting that tags clients by what they send under `key` of `match`."""

    def handler(state: State, value: str) -> str:
        _, sets, parts = marks(value)
        if len(parts) > 1 and not sets:
            sets = [parts.pop(0)]
        if not sets:
            return "no tag is set"
        tag = state.rules.tag(sets[0], state.line)
        text = ",".join(parts)
        if text.startswith("enterprise:"):
            tag.unknown = True
            return "enterprise numbers in option 124 are not matched"
        if key == "mac":
            text = re.sub(r"([:-]\*)+\Z", "", text)
            if "*" in text:
                tag.unknown = True
                return "only the first octets of a MAC address can be matched"
        elif key in {"circuit_id", "remote_id"} and re.fullmatch(
            r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2})+", text
        ):
            text = "0x" + "".join(pair.rjust(2, "0") for pair in text.split(":"))
        tag.alternatives.append({key: text if key != "mac" else [text]})
        return "dnsmasq also takes user classes that contain it" if key == "user_class" else ""

    return handler


def match(state: State, value: str) -> str:
    """Note that a tag is set by what cannot be carried over."""
    _, sets, _ = marks(value)
    for name in sets:
        state.rules.tag(name, state.line).unknown = True
    return "clients cannot be matched by this"


def tag_if(state: State, value: str) -> str:
    """Note the tags that others set."""
    parts = [part.text for part in split(value)]
    sets = [part.removeprefix("set:") for part in parts if part.startswith("set:")]
    needs, lacks = tags([part for part in parts if not part.startswith("set:")])
    wanted: list[Section] = [{MEMBER: each} for each in sorted(needs)]
    wanted += [{"not": {MEMBER: each}} for each in sorted(lacks)]
    for name in sets:
        state.rules.derive(name, {"all": wanted}, state.line)
    return "" if sets else "no tag is set"
