"""Conditions on clients as Kea 2.2 writes them (Kea ARM, "Using Expressions in Classification").

Kea compares whole texts and parts of known length; it has neither patterns nor a search. What cannot be said exactly is said for
the models that Cisco makes, or for texts that begin or end so, and told.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

from netprov.dhcp.match import Condition
from netprov.phone.handset.identity import MODELS

TRUE, FALSE = "'a' == 'a'", "'a' == 'b'"
_VENDOR = "option[60].hex"
Leave = Callable[[str, str], None]


def test_of(condition: Condition, network: str, leave: Leave) -> str:
    """Return a condition as it is on one network; raise `ValueError` with the reason for one that Kea cannot put."""
    if condition.requests:
        raise ValueError("Kea cannot ask what a client asks for")
    if condition.host_name:
        raise ValueError("Kea 2.2 compares host names by upper and lower case; netprov does not")
    parts = [
        [_pattern(_VENDOR, each, leave) for each in condition.vendor_class],
        [_contained(each, leave) for each in condition.vendor_class_contains],
        [_user_class(each) for each in condition.user_class],
        [f"substring(pkt4.mac,0,{len(each)}) == 0x{each.hex()}" for each in condition.mac],
        [_identifier("relay4[1].hex", each, leave) for each in condition.circuit_id],
        [_identifier("relay4[2].hex", each, leave) for each in condition.remote_id],
        [TRUE if each == network else FALSE for each in condition.network],
        [test_of(each, network, leave) for each in condition.any],
        *([test_of(each, network, leave)] for each in condition.all),
    ]
    if condition.negated is not None:
        parts.append([f"not ({test_of(condition.negated, network, leave)})"])
    found = [" or ".join(f"({each})" for each in part) for part in parts if part]
    if not found:
        return FALSE
    return " and ".join(f"({each})" for each in found) if len(found) > 1 else found[0]


def quoted(text: str) -> str:
    """Return a text as Kea takes it; octets where it holds a quotation mark."""
    return f"0x{text.encode().hex()}" if "'" in text else f"'{text}'"


def prefix(field: str, text: str) -> str:
    """Return the test that a field begins with a text."""
    return f"substring({field},0,{len(text.encode())}) == {quoted(text)}"


def _suffix(field: str, text: str) -> str:
    return f"substring({field},-{len(text.encode())},all) == {quoted(text)}"


def contains(field: str, text: str) -> str:
    """Return the nearest that Kea can say to `contains`: begins or ends with it."""
    return f"({prefix(field, text)}) or ({_suffix(field, text)})"


def _contained(text: str, leave: Leave) -> str:
    leave(f"vendor_class_contains {text}", "Kea has no search: taken are texts that begin or end so")
    return contains(_VENDOR, text)


def _pattern(field: str, pattern: str, leave: Leave) -> str:
    pieces = pattern.split("*")
    if any(sign in pattern for sign in "?["):
        pieces = ["", "", ""]
    match pieces:
        case ["", ""]:
            return TRUE
        case [whole]:
            return f"{field} == {quoted(whole)}"
        case [head, ""]:
            return prefix(field, head)
        case ["", tail]:
            return _suffix(field, tail)
        case [head, tail]:
            return f"({prefix(field, head)}) and ({_suffix(field, tail)})"
    models = [each for each in MODELS if fnmatchcase(each, pattern)]
    if field != _VENDOR or not models:
        raise ValueError(f"Kea has no patterns such as {pattern}")
    leave(f"pattern {pattern}", f"Kea has no patterns: the {len(models)} models that match are named")
    return " or ".join(f"({field} == {quoted(each)})" for each in models)


def _user_class(text: str) -> str:
    data = text.encode()
    return f"(option[77].hex == {quoted(text)}) or (option[77].hex == 0x{len(data):02x}{data.hex()})"


def _identifier(field: str, pattern: str, leave: Leave) -> str:
    return f"{field} == {pattern}" if pattern.startswith("0x") else _pattern(field, pattern, leave)
