"""Whom two servers are compared for: every listed phone, clients of every class on every network, strangers.

A class's clients are made from its condition: the least that meets it. Strangers say what usual clients say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from netprov.dhcp.config import DhcpConfig, NetworkConfig, Ranges
from netprov.dhcp.match import Condition
from netprov.mac import format_mac, parse_mac
from netprov.plan import Plan
from netprov.plan.phone import identity_of

MADE = b"\x02\x00\x5e\x10"
"""What MAC addresses that are made up begin with: locally administered (RFC 7042 2.1)."""

STRANGERS = (
    "",
    "CP-8851-3PCC",
    "CP-7841-3PCC",
    "DP-9871",
    "dslforum.org",
    "MSFT 5.0",
    "PXEClient:Arch:00000",
    "udhcp 1.35",
)
"""Vendor classes of clients that an inventory may not speak of."""

_MOST_OF_A_CLASS = 16
"""Clients made from one condition."""


@dataclass(frozen=True, slots=True)
class AskingClient:
    """Who asks, and where."""

    label: str
    network: str
    mac: bytes
    vendor_class: str = ""
    user_classes: tuple[str, ...] = ()
    host_name: str = ""
    fixed: int = 0
    """Its address, if the inventory says one; an address of the pool otherwise."""
    pool: Ranges = ()

    def __str__(self) -> str:
        return f"{self.label} ({format_mac(self.mac)}) on {self.network}"


def clients_of(plan: Plan, further: Iterable[Condition] = ()) -> tuple[AskingClient, ...]:
    """Return the clients to compare for; `further` are conditions that the plan does not have but a source did."""
    config = plan.dhcp
    found = list(_listed(plan))
    number = 0
    conditions = [(each.name, each.condition) for each in config.classes if each.condition]
    conditions += [(f"condition {index}", each) for index, each in enumerate(further, 1)]
    samples = [
        (f"class {name}", sample) for name, each in conditions for sample in _samples(each)[:_MOST_OF_A_CLASS]
    ]
    samples += [
        (f"stranger {text or 'without a vendor class'}", _Sample(vendor_class=text)) for text in STRANGERS
    ]
    for network in config.networks:
        for label, sample in samples:
            number += 1
            found.append(sample.on(label, network, number))
    return tuple(dict.fromkeys(found))


def _listed(plan: Plan) -> Iterator[AskingClient]:
    """Yield every listed phone, on its network or on each."""
    for phone in plan.site.phones:
        identity = identity_of(phone)
        mac = parse_mac(phone.declared.mac)
        name = phone.declared.name or phone.declared.mac
        config = plan.dhcp.phones[mac]
        for network in _networks(plan.dhcp, phone.network):
            fixed = config.address if network.contains(config.address) else 0
            yield AskingClient(
                f"phone {name}", network.name, mac, identity.option_60, fixed=fixed, pool=_pool(network)
            )


def _pool(network: NetworkConfig) -> Ranges:
    return (*network.pool, *network.reserved)


def _networks(config: DhcpConfig, name: str | None) -> Sequence[NetworkConfig]:
    return [each for each in config.networks if name in (None, each.name)]


@dataclass(frozen=True, slots=True)
class _Sample:
    """What a client must say to meet a condition."""

    mac: bytes = b""
    vendor_class: str | None = None
    user_classes: tuple[str, ...] = ()
    host_name: str | None = None

    def on(self, label: str, network: NetworkConfig, number: int) -> AskingClient:
        mac = self.mac + (MADE + number.to_bytes(2, "big"))[len(self.mac) :]
        return AskingClient(
            label,
            network.name,
            mac,
            self.vendor_class or "",
            self.user_classes,
            self.host_name or "",
            pool=_pool(network),
        )

    def joined(self, other: _Sample) -> _Sample | None:
        """Return what says both, None if nothing can."""
        mac = max(self.mac, other.mac, key=len)
        if not (mac.startswith(self.mac) and mac.startswith(other.mac)):
            return None
        vendor = _both(self.vendor_class, other.vendor_class)
        name = _both(self.host_name, other.host_name)
        return _Sample(mac, vendor, (*self.user_classes, *other.user_classes), name)


def _both(one: str | None, other: str | None) -> str | None:
    if one is None or other is None or one == other:
        return other if one is None else one
    return f"{one} {other}"


def _samples(condition: Condition) -> list[_Sample]:
    """Return clients that meet a condition, as far as they can be made: negations and relays' words are not."""
    choices: list[list[_Sample]] = []
    vendors = [_Sample(vendor_class=_literal(each)) for each in condition.vendor_class]
    vendors += [_Sample(vendor_class=f"CP {each} x") for each in condition.vendor_class_contains]
    for group in (
        vendors,
        [_Sample(host_name=_literal(each)) for each in condition.host_name],
        [_Sample(user_classes=(each,)) for each in condition.user_class],
        [_Sample(mac=each) for each in condition.mac],
        [sample for each in condition.any for sample in _samples(each)],
        *([*_samples(each)] for each in condition.all),
    ):
        if group:
            choices.append(group)
    found: list[_Sample] = []
    for combination in product(*(group[:_MOST_OF_A_CLASS] for group in choices)):
        sample: _Sample | None = _Sample()
        for part in combination:
            sample = sample.joined(part) if sample is not None else None
        if sample is not None:
            found.append(sample)
    return found


def _literal(pattern: str) -> str:
    """Return a text that a pattern of fnmatch takes."""
    text, rest = "", pattern
    while rest:
        sign, rest = rest[0], rest[1:]
        if sign == "[" and "]" in rest[1:]:
            text, rest = text + rest[0], rest.partition("]")[2]
        elif sign == "?":
            text += "x"
        elif sign != "*":
            text += sign
    return text
