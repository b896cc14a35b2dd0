"""Which tags can meet in one client: a cell is a set of tags, and stands for all clients that have exactly these.

A listed client's tags are known; what an unlisted one says is free, but for conditions that exclude or imply each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from netprov.convert.rule import Section, Tag, Tags

MOST_CELLS = 4096
"""Sets of tags that are looked at."""


class TooManyTagsError(ValueError):
    """More tags can meet than are looked at."""


def cells(tags: Mapping[str, Tag]) -> list[Tags]:
    """Return the cells of some tags, that of no tag first. Raises `TooManyTagsError`."""
    macs = dict.fromkeys(mac for tag in tags.values() for mac in tag.macs)
    known = dict.fromkeys(_of_listed(tags, mac) for mac in macs)
    found: dict[Tags, None] = {}
    for always, never in (_of_unlisted(tags), *known):
        free = [name for name in tags if name not in always | never]
        found |= dict.fromkeys(_meeting(tags, always, free, MOST_CELLS - len(found)))
    return list(found)


def cells_of(tags: Mapping[str, Tag], mac: str, among: Iterable[Tags]) -> Iterator[Tags]:
    """Yield those of some cells that a listed client can be in."""
    always, never = _of_listed(tags, mac)
    for each in among:
        if always <= each and not never & each:
            yield each


def _of_unlisted(tags: Mapping[str, Tag]) -> tuple[Tags, Tags]:
    return frozenset(), frozenset(name for name, tag in tags.items() if not tag.alternatives)


def _of_listed(tags: Mapping[str, Tag], mac: str) -> tuple[Tags, Tags]:
    """Return the tags that a listed client has whatever it says, and those that it never has."""
    always, never = set(), set()
    for name, tag in tags.items():
        prefixes = [each.get("mac", [""]) for each in tag.alternatives if not each.keys() & {"any", "all"}]
        whole = [each["mac"] for each in tag.alternatives if each.keys() == {"mac"}]
        if mac in tag.macs or any(mac.startswith(prefix) for each in whole for prefix in _many(each)):
            always.add(name)
        elif len(prefixes) == len(tag.alternatives) and not any(
            mac.startswith(prefix) for each in prefixes for prefix in _many(each)
        ):
            never.add(name)
    return frozenset(always), frozenset(never)


def _meeting(tags: Mapping[str, Tag], always: Tags, free: Sequence[str], most: int) -> list[Tags]:
    found = [always]
    for name in free:
        found += [
            each | {name}
            for each in found
            if not any(exclusive(tags[name], tags[other]) for other in each - always)
        ]
        if len(found) > most:
            raise TooManyTagsError
    implied = [
        (one, other) for one in free for other in tags if one != other and _implies(tags[one], tags[other])
    ]
    return [each for each in found if all(other in each for one, other in implied if one in each)]


def exclusive(one: Tag, other: Tag) -> bool:
    """Say whether no client can have both tags."""
    if one.macs or other.macs or not one.alternatives or not other.alternatives:
        return False
    return all(_disjoint(a, b) for a in one.alternatives for b in other.alternatives)


def _disjoint(one: Section, other: Section) -> bool:
    for key in ("vendor_class", "mac", "network"):
        if key in one and key in other:
            pairs = [(a, b) for a in _many(one[key]) for b in _many(other[key])]
            if all(_apart(key, a, b) for a, b in pairs):
                return True
    return False


def _apart(key: str, one: str, other: str) -> bool:
    if key == "network":
        return one != other
    if key == "mac":
        return not one.startswith(other) and not other.startswith(one)
    bare, bare_other = one.removesuffix("*"), other.removesuffix("*")
    if any(sign in text for text in (bare, bare_other) for sign in "*?["):
        return False
    if one == bare and other == bare_other:
        return one != other
    shorter = bare if one != bare else bare_other
    longer = bare_other if one != bare else bare
    if one != bare and other != bare_other:
        return not bare.startswith(bare_other) and not bare_other.startswith(bare)
    return not longer.startswith(shorter)


def _implies(one: Tag, other: Tag) -> bool:
    """Say whether every client with one tag has the other: only where that is plain to see."""
    if one.macs or not one.alternatives:
        return False
    return all(any(_within(a, b) for b in other.alternatives) for a in one.alternatives)


def _within(one: Section, other: Section) -> bool:
    if len(one) != 1 or len(other) != 1:
        return False
    (key, values), (wanted, wide) = next(iter(one.items())), next(iter(other.items()))
    if key in {"any", "all", "not"} or wanted in {"any", "all", "not"}:
        return one == other
    return all(any(_narrower(key, a, wanted, b) for b in _many(wide)) for a in _many(values))


def _narrower(key: str, one: str, wanted: str, other: str) -> bool:
    bare = one.removesuffix("*") if key == "vendor_class" else one
    plain = not any(sign in bare for sign in "*?[")
    match key, wanted:
        case "vendor_class", "vendor_class":
            prefix = other.endswith("*") and not any(sign in other[:-1] for sign in "*?[")
            return one == other or (plain and (bare == one or prefix) and fnmatchcase(bare, other))
        case "vendor_class", "vendor_class_contains":
            return plain and other in bare
        case "vendor_class_contains", "vendor_class_contains":
            return other in one
        case "mac", "mac":
            return one.startswith(other)
        case _:
            return key == wanted and one == other


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
