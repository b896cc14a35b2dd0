"""Random zones and questions, small enough to be odd: aliases that meet, wildcards, delegations, names that differ in case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from netprov.dns.message.name import format_name, parse_name
from netprov.dns.zone.master import format_zone, parse
from netprov.dns.zone.zone import Record, Zone, build

LABELS = ("a", "b", "c", "A", "x-1", "_s", "*")
HEAD = "$TTL 300\n@ SOA ns host 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.1\n"
TYPES = ("A", "AAAA", "CNAME", "DNAME", "NS", "MX", "TXT", "SRV", "DS", "PTR", "TYPE65280")
DS = "1 8 2 " + "0a" * 32


@dataclass(frozen=True)
class RandomZone:
    """A zone, its text for other servers, and its origin as text."""

    origin: str
    zone: Zone
    text: str


def random_zone(random: Random, index: int) -> RandomZone:
    """Make a zone of up to 14 more records; one that the zone cannot take beside the others is left out."""
    origin = f"z{index}.test."
    wire = parse_name(origin)
    records, _ = parse(HEAD, wire)
    for _ in range(random.randint(1, 14)):
        more, problems = parse(f"$TTL {random.choice((60, 300))}\n{_line(random)}\n", wire)
        if not problems and build(wire, [*records, *more])[0] is not None and not _odd(more[0]):
            records += more
    zone, _ = build(wire, records)
    assert zone
    return RandomZone(origin, zone, format_zone(zone))


def _odd(record: Record) -> bool:
    """Say whether a record is one that RFC 4592 4.2 and 4.4 leave undefined: NS or DNAME at a wildcard."""
    return record.name[1:2] == b"*" and record.type in {2, 39}


def _name(random: Random) -> str:
    depth = random.choice((1, 1, 1, 2, 2, 3))
    labels = [random.choice(LABELS) for _ in range(depth)]
    # A wildcard inside a name is a plain label (RFC 4592 2.1.1), and rare.
    return ".".join(label if place == 0 or label != "*" else "b" for place, label in enumerate(labels))


def _target(random: Random) -> str:
    return random.choice(("@", "ns", "out.example.", *(_name(random).replace("*", "c") for _ in range(9))))


def _line(random: Random) -> str:
    type_ = random.choice(TYPES)
    data = {
        "A": f"192.0.2.{random.randrange(256)}",
        "AAAA": f"2001:db8::{random.randrange(1, 256):x}",
        "MX": f"{random.randrange(90)} {_target(random)}",
        "TXT": f"t{random.randrange(9)}",
        "SRV": f"{random.randrange(90)} 1 5060 {_target(random)}",
        "DS": DS,
        "TYPE65280": f"\\# 1 {random.randrange(256):02x}",
    }.get(type_) or _target(random)
    return f"{_name(random)} {type_} {data}"


def questions(random: Random, made: RandomZone, count: int) -> Iterator[tuple[str, str]]:
    """Yield questions: names that exist, names around them, others."""
    names = [format_name(name) for name in made.zone.nodes]
    for _ in range(count):
        name = random.choice(names)
        match random.randrange(6):
            case 0 | 1:
                name = f"{random.choice(LABELS)}.{name}"
            case 2:
                name = f"{_name(random)}.{made.origin}"
            case 3:
                name = f"{random.choice(LABELS)}.{random.choice(LABELS)}.{name}".swapcase()
        yield name, random.choice((*TYPES, "SOA"))
