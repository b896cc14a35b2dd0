"""Which clients a class takes: conditions on what a request says, with any, all and not.

Vendor class (RFC 2132 9.13), user class (RFC 3004), relay circuit and remote ID (RFC 3046), request list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Client:
    """What a request says of its sender; `network` is the name of the network it is on."""

    mac: bytes
    vendor_class: str = ""
    user_classes: tuple[str, ...] = ()
    circuit_id: bytes = b""
    remote_id: bytes = b""
    network: str = ""
    requests: bytes = b""


@dataclass(frozen=True, slots=True)
class Condition:
    """Every field given must hold; a field of several values holds if one of them does."""

    vendor_class: tuple[str, ...] = ()
    vendor_class_contains: tuple[str, ...] = ()
    user_class: tuple[str, ...] = ()
    mac: tuple[bytes, ...] = ()
    circuit_id: tuple[str, ...] = ()
    remote_id: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    requests: tuple[int, ...] = ()
    any: tuple[Condition, ...] = ()
    all: tuple[Condition, ...] = ()
    negated: Condition | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition put to one client, in words, and whether it held."""

    text: str
    held: bool


def matches(condition: Condition, client: Client) -> bool:
    """Say whether a client meets a condition; one that asks nothing takes nobody."""
    verdicts = judge(condition, client)
    first = next(verdicts, None)
    return first is not None and first.held and all(verdict.held for verdict in verdicts)


def judge(condition: Condition, client: Client) -> Iterator[Verdict]:
    """Put every part of a condition to a client, in words."""
    vendor = client.vendor_class
    for patterns, field, held in (
        (
            condition.vendor_class,
            "vendor class like",
            any(fnmatchcase(vendor, p) for p in condition.vendor_class),
        ),
        (
            condition.vendor_class_contains,
            "vendor class contains",
            any(p in vendor for p in condition.vendor_class_contains),
        ),
        (condition.user_class, "user class", any(p in client.user_classes for p in condition.user_class)),
        (
            condition.circuit_id,
            "circuit ID",
            any(_identifier(p, client.circuit_id) for p in condition.circuit_id),
        ),
        (
            condition.remote_id,
            "remote ID",
            any(_identifier(p, client.remote_id) for p in condition.remote_id),
        ),
        (condition.network, "network", client.network in condition.network),
    ):
        if patterns:
            yield Verdict(f"{field} {' or '.join(patterns)}", held)
    if condition.mac:
        shown = " or ".join(prefix.hex(":") for prefix in condition.mac)
        yield Verdict(f"MAC {shown}", client.mac.startswith(condition.mac))
    if condition.requests:
        shown = " or ".join(map(str, condition.requests))
        yield Verdict(f"asks for option {shown}", any(code in client.requests for code in condition.requests))
    if condition.any:
        yield Verdict(f"any of {len(condition.any)}", any(matches(each, client) for each in condition.any))
    if condition.all:
        yield Verdict(f"all of {len(condition.all)}", all(matches(each, client) for each in condition.all))
    if condition.negated is not None:
        yield Verdict("not", not matches(condition.negated, client))


def _identifier(pattern: str, data: bytes) -> bool:
    """Compare a relay's identifier: `0x…` is octets, anything else a text pattern."""
    if not data:
        return False
    if pattern.startswith("0x"):
        return data == bytes.fromhex(pattern[2:])
    return fnmatchcase(data.decode("latin-1"), pattern)
