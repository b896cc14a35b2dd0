"""Conditions on clients as tags of dnsmasq 2.89 (dnsmasq(8), --tag-if): what is tested sets tags, and tags make others.

dnsmasq looks for texts anywhere in the vendor class; where a pattern says more, that is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from netprov.dhcp.match import Condition

EVERYBODY, NOBODY = "", "!"
"""Stand for the tag that everybody has, and that nobody has."""

_WILD = re.compile(r"[*?]|\[.+?\]")
"""What stands for other signs in a pattern."""

Leave = Callable[[str, str], None]


class Tags:
    """The lines that set tags, in the order in which dnsmasq must read them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._known: dict[str, str] = {}

    def any_of(self, tags: list[str], name: str = "") -> str:
        """Return the tag of those who have one of some tags."""
        if EVERYBODY in tags and not name:
            return EVERYBODY
        kept = list(dict.fromkeys(each for each in tags if each != NOBODY))
        if len(kept) < 2 and not name:
            return kept[0] if kept else NOBODY
        name = name or self._new()
        self.lines += [f"tag-if=set:{name}{f',tag:{each}' if each else ''}" for each in kept]
        return name

    def all_of(self, tags: list[str], name: str = "") -> str:
        """Return the tag of those who have all of some tags; a tag that begins with ! must be missing."""
        if NOBODY in tags:
            return NOBODY
        kept = list(dict.fromkeys(each for each in tags if each))
        if len(kept) < 2 and not name and not any(each.startswith("!") for each in kept):
            return kept[0] if kept else EVERYBODY
        name = name or self._new()
        self.lines.append(",".join([f"tag-if=set:{name}", *(f"tag:{each}" for each in kept)]))
        return name

    def test(self, key: str, value: str) -> str:
        """Return the tag of a test, made once."""
        test = f"{key}={value}"
        if test not in self._known:
            self._known[test] = self._new()
            self.lines.append(f"{key}=set:{self._known[test]},{value}")
        return self._known[test]

    def of(self, condition: Condition, network: str, leave: Leave) -> str:
        """Return the tag of those who meet a condition on one network; raise `ValueError` for one that cannot be put."""
        if condition.requests:
            raise ValueError("dnsmasq cannot ask what a client asks for")
        groups = [
            [self._vendor(each, leave) for each in condition.vendor_class],
            [self.test("dhcp-vendorclass", each) for each in condition.vendor_class_contains],
            [self.test("dhcp-name-match", _name(each)) for each in condition.host_name],
            [self.test("dhcp-userclass", each) for each in condition.user_class],
            [self.test("dhcp-mac", _mac(each)) for each in condition.mac],
            [self.test("dhcp-circuitid", _identifier(each)) for each in condition.circuit_id],
            [self.test("dhcp-remoteid", _identifier(each)) for each in condition.remote_id],
            [EVERYBODY if each == network else NOBODY for each in condition.network],
            [self.of(each, network, leave) for each in condition.any],
            *([self.of(each, network, leave)] for each in condition.all),
        ]
        found = [self.any_of(group) for group in groups if group]
        if condition.negated is not None:
            found.append(self._other(self.of(condition.negated, network, leave)))
        return self.all_of(found) if found else NOBODY

    def _other(self, tag: str) -> str:
        match tag:
            case "":
                return NOBODY
            case "!":
                return EVERYBODY
        return self.all_of([f"!{tag}"])

    def _vendor(self, pattern: str, leave: Leave) -> str:
        pieces = [each for each in _WILD.split(pattern) if each]
        if pattern.strip("*") != "".join(pieces) or not (pattern.startswith("*") and pattern.endswith("*")):
            leave(
                f"pattern {pattern}",
                f"dnsmasq looks for {' and '.join(pieces) or 'nothing'} anywhere in the text",
            )
        return self.all_of([self.test("dhcp-vendorclass", each) for each in pieces])

    def _new(self) -> str:
        return f"t{len(self.lines) + 1}"


def _name(pattern: str) -> str:
    if any(sign in pattern.removesuffix("*") for sign in "*?["):
        raise ValueError(f"dnsmasq has no patterns of names such as {pattern}")
    return pattern


def _mac(data: bytes) -> str:
    return ":".join([*(f"{each:02x}" for each in data), *["*"] * (6 - len(data))])


def _identifier(pattern: str) -> str:
    if pattern.startswith("0x"):
        return bytes.fromhex(pattern[2:]).hex(":")
    if any(sign in pattern for sign in "*?["):
        raise ValueError(f"dnsmasq has no patterns of relay agents' texts such as {pattern}")
    return pattern
