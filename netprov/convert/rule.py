"""What another server gives to whom: options under conditions, and which of them wins.

Servers differ in what wins: a tagged option over an untagged one (dnsmasq), the innermost scope (dhcpd), a subnet's
option over a class's (Kea). Each reader says it by ranks, so that one function can tell what a client gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from netprov.dhcp.option import table as code
from netprov.dhcp.option.vendor import encode_tlv, encode_vendor_identifying

Rank = tuple[int, ...]
Tags = frozenset[str]
Section = dict[str, Any]

EVERYBODY: Section = {"all": []}
NOBODY: Section = {"not": EVERYBODY}
MEMBER = "member"
"""Key of a condition on a tag; beside it conditions here have `any`, `all`, `not` and `network`, as an inventory's."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One option, or one suboption of a space, for the clients that have some tags and lack others."""

    code: int
    data: bytes | None
    """None: the option is not sent."""
    line: int
    text: str
    """As the source writes it."""
    rank: Rank = (0,)
    """Higher wins; of equals the later."""
    needs: Tags = frozenset()
    lacks: Tags = frozenset()
    networks: frozenset[str] | None = None
    """Only on these; None for all."""
    force: bool = False
    space: str = ""
    """The option space of a suboption; "" for an option of DHCP itself."""


@dataclass(slots=True)
class Tag:
    """A mark that clients get: by what they send, or because they are listed under it."""

    line: int
    alternatives: list[dict[str, Any]] = field(default_factory=list)
    """Conditions as an inventory's `match` has them; one that holds is enough."""
    macs: list[str] = field(default_factory=list)
    unknown: bool = False
    """Some of what sets it could not be carried over."""


@dataclass(frozen=True, slots=True)
class Space:
    """Where the suboptions of a space travel: inside an option, for vendor information under an enterprise number."""

    code: int
    enterprise: int | None = None
    ended: bool = False
    """An END follows the suboptions."""
    when: Literal["always", "selected", "container"] = "always"
    """dnsmasq: always. dhcpd: if `vendor-option-space` selects it. Kea: if the containing option is configured."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a client gets of one option."""

    data: bytes
    force: bool
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Admission:
    """A pool of a network, and the condition on tags of those that get its addresses."""

    network: str
    condition: Section
    line: int
    text: str


FORCED = 1001
"""Code of the grant whose data names options that are sent unasked; no option of DHCP has it."""
SELECTED_SPACE = 1000
"""Code of the grant whose data names the selected option space; no option of DHCP has it."""


@dataclass(slots=True)
class Rules:
    """Everything that a server gives."""

    grants: list[Grant] = field(default_factory=list)
    tags: dict[str, Tag] = field(default_factory=dict)
    spaces: dict[str, Space] = field(default_factory=dict)
    derived: list[tuple[str, Section]] = field(default_factory=list)
    """Tags set by other tags, in the order in which the source looks: the tag, and its condition on others."""
    admissions: list[Admission] = field(default_factory=list)
    """Who gets addresses; a network without any serves whom its section says."""
    force_of_any: bool = False
    """An option is forced if any scope forces it, not only the one whose value is sent (Kea)."""

    def tag(self, name: str, line: int) -> Tag:
        """Return the tag of that name, made if it is new."""
        return self.tags.setdefault(name, Tag(line))

    def derive(self, name: str, condition: Section, line: int) -> None:
        """Let a tag be set where a condition holds that speaks of other tags; what a client says in it is a tag without a name."""
        tag = self.tag(name, line)
        if any(each in self.tags and self.tags[each].unknown for each in members(condition)):
            tag.unknown = True
            return
        self.derived.append((name, self._by_tags(condition, line)))

    def _by_tags(self, condition: Section, line: int) -> Section:
        """Return a condition in which everything that a client says is a tag."""
        if condition.keys() in ({"network"}, {MEMBER}) or condition in (EVERYBODY, NOBODY):
            return condition
        if not condition.keys() & {"any", "all", "not", "network", MEMBER}:
            found = next(
                (name for name, tag in self.tags.items() if tag.alternatives == [condition] and not tag.macs),
                "",
            )
            if not found:
                found = f"test{sum(name.startswith('test') for name in self.tags) + 1}"
                self.tag(found, line).alternatives.append(condition)
            return {MEMBER: found}
        parts = [
            {"any": [self._by_tags(each, line) for each in value]} if key == "any"
            else {"all": [self._by_tags(each, line) for each in value]} if key == "all"
            else {"not": self._by_tags(value, line)} if key == "not"
            else self._by_tags({key: value}, line)
            for key, value in condition.items()
        ]  # fmt: skip
        return parts[0] if len(parts) == 1 else {"all": parts}

    def closure(self, tags: Tags, network: str) -> Tags:
        """Return tags with those that follow from them on a network."""
        found = set(tags)
        for name, condition in self.derived:
            if met(condition, found, network):
                found.add(name)
        return frozenset(found)

    def effective(self, network: str, tags: Tags) -> dict[int, Given]:
        """Return the options that clients with exactly these tags get on a network."""
        chosen = self._chosen(network, tags)
        found = {
            key: Given(each.data, each.force, (each,))
            for (space, key), each in chosen.items()
            if not space and each.data is not None
        }
        self._encapsulate(found, chosen)
        found.pop(SELECTED_SPACE, None)
        forced = found.pop(FORCED, None)
        for number in forced.data if forced else b"":
            if number in found:
                found[number] = replace(found[number], force=True)
        return dict(sorted(found.items()))

    def refused(self, network: str, tags: Tags = frozenset()) -> set[int]:
        """Return the options that clients with exactly these tags are not sent, because the source says so."""
        return {
            key
            for (space, key), each in self._chosen(network, tags).items()
            if not space and each.data is None
        }

    def _chosen(self, network: str, tags: Tags) -> dict[tuple[str, int], Grant]:
        """Return what wins, by space and code."""
        tags = self.closure(tags, network)
        chosen: dict[tuple[str, int], Grant] = {}
        for each in self.grants:
            here = each.networks is None or network in each.networks
            if here and each.needs <= tags and not each.lacks & tags:
                key = (each.space, each.code)
                forced = self.force_of_any and key in chosen and chosen[key].force
                winner = each if key not in chosen or chosen[key].rank <= each.rank else chosen[key]
                chosen[key] = (
                    replace(winner, force=True) if forced or (self.force_of_any and each.force) else winner
                )
        return chosen

    def _encapsulate(self, found: dict[int, Given], chosen: Mapping[tuple[str, int], Grant]) -> None:
        """Put suboptions where their spaces travel."""
        blocks: dict[int, dict[int, bytes]] = {}
        for name, space in self.spaces.items():
            members = {key[1]: each for key, each in sorted(chosen.items()) if key[0] == name}
            pairs = {key: each.data for key, each in members.items() if each.data is not None}
            if not pairs or not self._travels(name, space, found):
                continue
            container = found.get(space.code)
            grants = (*(container.grants if container else ()), *members.values())
            force = bool(container and container.force) or any(each.force for each in members.values())
            if space.enterprise is None:
                before = container.data if container and space.when == "container" else b""
                data = before + encode_tlv(pairs) + (b"\xff" if space.ended else b"")
            else:
                blocks.setdefault(space.code, {})[space.enterprise] = encode_tlv(pairs)
                data = encode_vendor_identifying(blocks[space.code])
            found[space.code] = Given(data, force, grants)

    @staticmethod
    def _travels(name: str, space: Space, found: Mapping[int, Given]) -> bool:
        match space.when:
            case "selected":
                selected = found.get(SELECTED_SPACE)
                return selected is not None and selected.data.decode() == name
            case "container":
                return space.code in found
            case _:
                return True


def simplified(condition: Section) -> Section:
    """Return a condition without what always holds or never does, without repetition; `EVERYBODY` or `NOBODY` if that is all."""
    parts: list[Section] = []
    for key, value in condition.items():
        match key:
            case "all":
                for each in value:
                    inner = simplified(each)
                    parts += inner["all"] if inner.keys() == {"all"} else [inner]
            case "any":
                parts.append(_either([simplified(each) for each in value]))
            case "not":
                inner = simplified(value)
                parts.append(inner["not"] if inner.keys() == {"not"} else {"not": inner})
            case _:
                parts.append({key: value})
    if NOBODY in parts:
        return NOBODY
    kept = [each for index, each in enumerate(parts) if each != EVERYBODY and each not in parts[:index]]
    keys = [key for each in kept for key in each]
    if len(keys) > len(set(keys)):
        return {"all": kept}
    return {key: value for each in kept for key, value in each.items()} or EVERYBODY


def _either(parts: list[Section]) -> Section:
    flat = [one for each in parts for one in (each["any"] if each.keys() == {"any"} else [each])]
    if EVERYBODY in flat:
        return EVERYBODY
    kept = [each for index, each in enumerate(flat) if each != NOBODY and each not in flat[:index]]
    return NOBODY if not kept else kept[0] if len(kept) == 1 else {"any": kept}


def met(condition: Section, tags: Iterable[str], network: str) -> bool:
    """Say whether a condition on tags holds."""
    return all(_met(key, value, tags, network) for key, value in condition.items())


def _met(key: str, value: Any, tags: Iterable[str], network: str) -> bool:
    match key:
        case "any":
            return any(met(each, tags, network) for each in value)
        case "all":
            return all(met(each, tags, network) for each in value)
        case "not":
            return not met(value, tags, network)
        case "network":
            return network in value
        case _:
            return value in tags


def members(condition: Section) -> Iterator[str]:
    """Yield the tags that a condition speaks of."""
    for key, value in condition.items():
        if key == MEMBER:
            yield value
        elif key in {"any", "all"}:
            for each in value:
                yield from members(each)
        elif key == "not":
            yield from members(value)


def mentioned(grants: Iterable[Grant], derived: Iterable[tuple[str, Section]]) -> set[str]:
    """Return the tags that decide something."""
    found: set[str] = set()
    for each in grants:
        found |= each.needs | each.lacks
    for name, condition in reversed(list(derived)):
        if name in found:
            found |= set(members(condition))
    return found


NETWORK_KEYS: Mapping[int, str] = {code.ROUTER: "router", code.DNS: "dns", code.NTP: "ntp"}
"""Options of addresses that a network has a key of its own for."""
