"""Conditions of classes, from the operator's words to the matcher's."""

from __future__ import annotations

import re

from netprov.dhcp.match import Condition
from netprov.errors import Path, Problem
from netprov.inventory.model import Match
from netprov.mac import parse_mac_prefix

_HEX = re.compile(r"0x([0-9a-fA-F]{2})+\Z")
_NOBODY = b"\xff" * 7
"""Begins no MAC address."""


def condition(match: Match, at: Path, problems: list[Problem]) -> Condition:
    """Return a condition as the matcher takes it, and note what in it cannot be."""
    return Condition(
        vendor_class=match.vendor_class,
        vendor_class_contains=match.vendor_class_contains,
        host_name=match.host_name,
        user_class=match.user_class,
        mac=tuple(_mac_prefix(text, (*at, "mac"), problems) for text in match.mac),
        circuit_id=identifiers(match.circuit_id, (*at, "circuit_id"), problems),
        remote_id=identifiers(match.remote_id, (*at, "remote_id"), problems),
        network=match.network,
        requests=match.requests,
        any=tuple(condition(each, (*at, "any", i), problems) for i, each in enumerate(match.any)),
        all=tuple(condition(each, (*at, "all", i), problems) for i, each in enumerate(match.all)),
        negated=condition(match.not_, (*at, "not"), problems) if match.not_ else None,
    )


def _mac_prefix(text: str, at: Path, problems: list[Problem]) -> bytes:
    if found := parse_mac_prefix(text):
        return found
    remedy = "write pairs of hexadecimal digits, 00:12:34"
    problems.append(Problem("match-mac", f"{text!r} does not begin a MAC address", remedy, at))
    return _NOBODY


def identifiers(texts: tuple[str, ...], at: Path, problems: list[Problem]) -> tuple[str, ...]:
    """Return a relay's identifiers as the matcher takes them, and note what in them cannot be."""
    for text in texts:
        if text.startswith("0x") and not _HEX.match(text):
            remedy = "write pairs of hexadecimal digits after 0x, or a text pattern"
            problems.append(Problem("match-relay", f"{text!r} is not octets", remedy, at))
    return texts
