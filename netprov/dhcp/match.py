"""Which clients a class takes: conditions on what is known of a client, with any, all and not.

Vendor class (RFC 2132 9.13), host name (RFC 2132 3.14), user class (RFC 3004), relay circuit and remote ID (RFC 3046),
request list. The server puts them to a request, which leaves nothing open; a plan puts them to a phone of the inventory,
of which it knows less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Any

from netprov.mac import format_mac


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of a client, None where nobody can say; `network` is the name of the network it is on."""

    mac: bytes | None
    vendor_class: str | None = ""
    user_classes: tuple[str, ...] | None = ()
    circuit_id: bytes | None = b""
    remote_id: bytes | None = b""
    network: str | None = ""
    requests: bytes | None = b""
    host_name: str | None = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Every field given must hold; a field of several values holds if one of them does."""

    vendor_class: tuple[str, ...] = ()
    vendor_class_contains: tuple[str, ...] = ()
    host_name: tuple[str, ...] = ()
    user_class: tuple[str, ...] = ()
    mac: tuple[bytes, ...] = ()
    circuit_id: tuple[str, ...] = ()
    remote_id: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    requests: tuple[int, ...] = ()
    any: tuple[Condition, ...] = ()
    all: tuple[Condition, ...] = ()
    negated: Condition | None = None


class Held(IntEnum):
    """How far a condition holds of a client, in rising order."""

    NO = 0
    OPEN = 1
    """Nothing that it asks is known."""
    SO_FAR = 2
    """All that is known holds, and some is not known."""
    YES = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """One part of a condition put to one client, in words, and whether it held."""

    text: str
    held: Held


def matches(condition: Condition, client: Client) -> bool:
    """Say whether a client meets a condition; one that asks nothing takes nobody."""
    return held(condition, client) is Held.YES


def expects(condition: Condition, client: Client) -> bool:
    """Say whether a client of which not everything is known is to be counted among those that a condition takes."""
    return held(condition, client) >= Held.SO_FAR


def held(condition: Condition, client: Client) -> Held:
    """Say how far a condition holds of a client."""
    return _every(verdict.held for verdict in judge(condition, client))


def judge(condition: Condition, client: Client) -> Iterator[Verdict]:
    """Put every part of a condition to a client, in words."""
    texts: tuple[tuple[tuple[str, ...], object, str, Callable[[Any, Any], bool]], ...] = (
        (condition.vendor_class, client.vendor_class, "vendor class like", fnmatchcase),
        (condition.vendor_class_contains, client.vendor_class, "vendor class contains", str.__contains__),
        (condition.host_name, client.host_name, "host name like", _same_name),
        (condition.user_class, client.user_classes, "user class", tuple.__contains__),
        (condition.circuit_id, client.circuit_id, "circuit ID", _identifier),
        (condition.remote_id, client.remote_id, "remote ID", _identifier),
        (condition.network, client.network, "network", str.__eq__),
    )
    for wanted, known, label, test in texts:
        if wanted:
            yield Verdict(f"{label} {' or '.join(wanted)}", _one_of(wanted, known, test))
    if condition.mac:
        shown = " or ".join(map(format_mac, condition.mac))
        yield Verdict(f"MAC {shown}", _one_of(condition.mac, client.mac, bytes.startswith))
    if condition.requests:
        shown = " or ".join(map(str, condition.requests))
        yield Verdict(
            f"asks for option {shown}", _one_of(condition.requests, client.requests, bytes.__contains__)
        )
    if condition.any:
        best = max(held(each, client) for each in condition.any)
        yield Verdict(f"any of {len(condition.any)}", best)
    if condition.all:
        yield Verdict(f"all of {len(condition.all)}", _every(held(each, client) for each in condition.all))
    if condition.negated is not None:
        yield Verdict("not", _NOT[held(condition.negated, client)])


_NOT = {Held.NO: Held.YES, Held.YES: Held.NO, Held.OPEN: Held.OPEN, Held.SO_FAR: Held.OPEN}


def _every(parts: Iterable[Held]) -> Held:
    found = tuple(parts)
    if not found or Held.NO in found:
        return Held.NO
    least = min(found)
    return least if least is Held.YES or max(found) is Held.OPEN else Held.SO_FAR


def _one_of(wanted: Sequence[object], known: object, test: Callable[[Any, Any], bool]) -> Held:
    if known is None:
        return Held.OPEN
    return Held.YES if any(test(known, each) for each in wanted) else Held.NO


def _same_name(name: str, pattern: str) -> bool:
    return fnmatchcase(name.lower(), pattern.lower())


def _identifier(data: bytes, pattern: str) -> bool:
    """Compare a relay's identifier: `0x…` is octets, anything else a text pattern."""
    if not data:
        return False
    if pattern.startswith("0x"):
        return data == bytes.fromhex(pattern[2:])
    return fnmatchcase(data.decode("latin-1"), pattern)
