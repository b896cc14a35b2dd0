"""Rules of another server, arranged as an inventory has them: networks, and classes of which the first that matches wins.

Other servers add up what a client's tags give. Here each combination of tags that changes something becomes a class,
combinations of more tags first; so the first that matches says everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netprov.convert.draft import Draft, Section
from netprov.convert.rule import NETWORK_KEYS, Given, Grant, Rules, Tag, Tags, mentioned
from netprov.convert.value import addresses, reason_against, written
from netprov.dhcp.contents import ALWAYS
from netprov.dhcp.option import table as code
from netprov.dhcp.option.provisioning import ACS_URL_43, ACS_URL_125, SERVER_CODES, names_server
from netprov.dhcp.option.vendor import broadband_forum, decode_tlv
from netprov.errors import Malformed

MOST_COMBINATIONS = 256
"""Of tags that can meet in one client; with more, only pairs are looked at."""

Options = Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class _Class:
    """A class in the making."""

    tags: Tags
    networks: tuple[str, ...]
    """Only on these; () for all."""
    options: Options
    force: frozenset[int]

    def takes(self, tags: Tags, network: str) -> bool:
        return self.tags <= tags and (not self.networks or network in self.networks)


def arrange(draft: Draft, rules: Rules, *, own: Iterable[int] = ()) -> None:
    """Fill in a draft's networks and classes; `own` are options that the server fills in with its own address."""
    draft.conditions = [condition for tag in rules.tags.values() for condition in tag.alternatives]
    rules.grants = list(_reachable(draft, rules))
    arrangement = _Arrangement(draft, rules, frozenset(own))
    for name, network in draft.networks.items():
        _network(draft, network, arrangement.bases[name], rules.refused(name), frozenset(own))
    arrangement.classes()
    for phone in draft.phones:
        settle_method(phone)


def settle_method(section: Section) -> None:
    """Say how clients find their profile, where options decide it."""
    method = method_of(
        {int(key): _octets(int(key), value) for key, value in section.get("options", {}).items()}
    )
    if method and "method" not in section:
        section["method"] = method


def method_of(options: Options) -> str:
    """Return the method of clients that get these options, "" for the default."""
    if options.keys() & set(SERVER_CODES):
        return "dhcp"
    if not any(names_server(key, data) for key, data in options.items()):
        return ""
    try:
        pairs = decode_tlv(options.get(code.VENDOR_INFO, b""))
        if ACS_URL_43 in pairs or ACS_URL_125 in broadband_forum(
            options.get(code.VENDOR_IDENTIFYING, b"\0\0\0\0\0")
        ):
            return "acs"
    except Malformed:
        pass
    return "dhcp"


def put(draft: Draft, section: Section, grants: Iterable[Grant]) -> None:
    """Put a phone's own options into its entry; what cannot be there is left with its line."""
    for each in grants:
        if each.code == code.HOST_NAME and each.data:
            section.setdefault("name", each.data.decode("latin-1"))
        elif reason := reason_against(each.code, each.data or b""):
            draft.leave(each.line, each.text, reason, each.code)
        else:
            section.setdefault("options", {})[each.code] = written(each.code, each.data or b"")


def _octets(option: int, value: Any) -> bytes:
    try:
        return code.encode(option, value)
    except ValueError:
        return b""


def _reachable(draft: Draft, rules: Rules) -> Iterator[Grant]:
    """Yield the grants that some client can get; the others are left with their lines."""
    derived = {name for name, _, _ in rules.derived}
    settable = {name for name, tag in rules.tags.items() if tag.alternatives or tag.macs} | derived
    for each in rules.grants:
        missing = sorted(each.needs - settable)
        unsure = sorted(name for name in each.lacks if name in rules.tags and rules.tags[name].unknown)
        if missing:
            draft.leave(
                each.line, each.text, f"nothing that is carried over sets {', '.join(missing)}", each.code
            )
        elif unsure:
            draft.leave(
                each.line,
                each.text,
                f"not everything that sets {', '.join(unsure)} is carried over",
                each.code,
            )
        else:
            yield each


def _network(
    draft: Draft, network: Section, base: Mapping[int, Given], refused: set[int], own: frozenset[int]
) -> None:
    """Write the options of a network that hold for all its clients."""
    for option, given in base.items():
        grant = given.grants[-1]
        if option == code.DOMAIN:
            domain = given.data.decode("latin-1").rstrip("\0").rstrip(".")
            draft.domain = draft.domain or domain
            if domain != draft.domain:
                network["domain"] = domain
        elif option in NETWORK_KEYS and given.data and not len(given.data) % 4:
            network[NETWORK_KEYS[option]] = addresses(given.data)
        elif reason := reason_against(option, given.data):
            draft.leave(grant.line, grant.text, reason, option)
        elif option == code.STATIC_ROUTES and _plain_routes(network, written(option, given.data)):
            continue
        else:
            network.setdefault("options", {})[option] = written(option, given.data)
    for option in (code.ROUTER, code.DNS):
        if option not in base and (option in refused or option not in own):
            network[NETWORK_KEYS[option]] = []
    if code.DOMAIN not in base and "domain" not in network and not draft.sends_domain:
        draft.leave(
            draft.line_of(network),
            f"network {network['subnet']}",
            "it sends no domain; netprov always sends one (option 15)",
            code.DOMAIN,
        )


def _plain_routes(network: Section, value: Any) -> bool:
    """Write routes as a network has them, if the default route that is added is the one they end with."""
    default = {"to": "0.0.0.0/0", "via": next(iter(network.get("router") or [""]), "")}
    if not isinstance(value, list) or len(value) < 2 or value[-1] != default:
        return False
    if any(route["to"] == "0.0.0.0/0" for route in value[:-1]):
        return False
    network["routes"] = value[:-1]
    return True


class _Arrangement:
    """The search for classes."""

    def __init__(self, draft: Draft, rules: Rules, own: frozenset[int]) -> None:
        self.draft, self.rules, self.own = draft, rules, own
        self.names = list(draft.networks) or [""]
        used = mentioned(rules.grants, rules.derived)
        self.atoms = [
            name for name, tag in rules.tags.items() if name in used and (tag.alternatives or tag.macs)
        ]
        self.bases = {name: self._base(name) for name in self.names}
        self.kept: list[_Class] = []
        self.by_mac = any(rules.tags[name].alternatives for name in self.atoms)

    def _base(self, network: str) -> dict[int, Given]:
        found = self.rules.effective(network, frozenset())
        return {key: each for key, each in found.items() if not names_server(key, each.data)}

    def classes(self) -> None:
        """Find the classes, and write them."""
        for tags in sorted(self._combinations(), key=len):
            self._combination(tags)
        for each in self.kept:
            self._write(each)
        self._name_phones()

    def _combinations(self) -> list[Tags]:
        """Return the sets of tags that can meet in one client."""
        together = self._listed_together()
        found: list[Tags] = [frozenset()]
        for name in self.atoms:
            for tags in list(found):
                if self._can_meet(name, tags, together):
                    found.append(tags | {name})
            if len(found) > MOST_COMBINATIONS:
                line = self.rules.tags[name].line
                self.draft.leave(
                    line, name, "with so many tags, clients that have three and more are not looked at"
                )
                pairs = [frozenset({a, b}) for a in self.atoms for b in self.atoms if a < b]
                singles = [frozenset({a}) for a in self.atoms]
                return [frozenset(), *singles, *pairs]
        return found

    def _listed_together(self) -> set[Tags]:
        phones: dict[str, set[str]] = {}
        for name in self.atoms:
            for mac in self.rules.tags[name].macs:
                phones.setdefault(mac, set()).add(name)
        return {frozenset(names) for names in phones.values()}

    def _can_meet(self, name: str, tags: Tags, together: set[Tags]) -> bool:
        tag = self.rules.tags[name]
        if any(exclusive(tag, self.rules.tags[other]) for other in tags):
            return False
        listed = {each for each in (*tags, name) if not self.rules.tags[each].alternatives}
        return len(listed) < 2 or any(listed <= each for each in together)

    def _combination(self, tags: Tags) -> None:
        """Keep the classes of one combination of tags, where clients would get something else without them."""
        groups: dict[tuple[tuple[tuple[int, bytes], ...], frozenset[int]], list[str]] = {}
        for network in self.names:
            given = self._sendable(self.rules.effective(network, tags), network)
            base = self.bases[network]
            options = {
                key: each.data
                for key, each in given.items()
                if key not in base or base[key].data != each.data
            }
            force = frozenset(key for key, each in given.items() if each.force and key not in ALWAYS)
            self._unset(tags, network, given)
            groups.setdefault((tuple(options.items()), force), []).append(network)
        for (options_, force), networks in groups.items():
            needing = [each for each in networks if self._current(tags, each) != (dict(options_), force)]
            if needing:
                where = () if len(groups) == 1 else tuple(needing)
                self.kept.insert(self._position(tags), _Class(tags, where, dict(options_), force))

    def _position(self, tags: Tags) -> int:
        """Return where a class goes: after all with more tags, and those of as many."""
        return sum(1 for each in self.kept if len(each.tags) >= len(tags))

    def _current(self, tags: Tags, network: str) -> tuple[Options, frozenset[int]]:
        found = next((each for each in self.kept if each.takes(tags, network)), None)
        return (found.options, found.force) if found else ({}, frozenset())

    def _sendable(self, given: Mapping[int, Given], network: str) -> dict[int, Given]:
        found = {}
        for option, each in given.items():
            grant = each.grants[-1]
            if option in self.bases[network] and self.bases[network][option].data == each.data:
                found[option] = each
            elif reason := reason_against(option, each.data):
                self.draft.leave(grant.line, grant.text, reason, option)
            else:
                found[option] = each
        return found

    def _unset(self, tags: Tags, network: str, given: Mapping[int, Given]) -> None:
        """Tell of options that a network's clients get, and clients with these tags do not."""
        if not tags:
            return
        names = ", ".join(sorted(tags))
        base = self.bases[network]
        for option in sorted((base.keys() | self.own) - given.keys()):
            here = option in base and not reason_against(option, base[option].data)
            refusing = [
                each
                for each in self.rules.grants
                if each.code == option and each.data is None and not each.space and each.needs <= tags
            ]
            if here or (option in self.own and option in self.rules.refused(network, tags) and refusing):
                grant = refusing[-1] if refusing else base[option].grants[-1]
                reason = f"clients tagged {names} do not get it; here they do"
                self.draft.leave(grant.line, grant.text, reason, option)

    def _write(self, each: _Class) -> None:
        section: Section = {}
        match = self._match(each)
        if match:
            section["match"] = match
        if each.options:
            section["options"] = {key: written(key, data) for key, data in each.options.items()}
        if each.force:
            section["force"] = sorted(each.force)
        if method := method_of(each.options):
            section["method"] = method
        self.draft.classes[self._name(each)] = section

    def _name(self, each: _Class) -> str:
        parts = [name for name in self.atoms if name in each.tags] or ["provisioned"]
        return "-".join([*parts, *each.networks])

    def _named(self, each: _Class) -> bool:
        """Say whether phones name this class, so that it matches nobody."""
        return bool(each.tags) and not self.by_mac and not each.networks

    def _match(self, each: _Class) -> Section:
        if self._named(each):
            return {}
        parts = [tag_condition(self.rules.tags[name]) for name in self.atoms if name in each.tags]
        where: Section = {"network": _one(each.networks)} if each.networks else {}
        if not parts:
            return {**where, "vendor_class": "*"}
        keys = [key for part in (where, *parts) for key in part]
        if len(keys) == len(set(keys)):
            return {key: value for part in (where, *parts) for key, value in part.items()}
        return {**where, "all": parts}

    def _name_phones(self) -> None:
        for phone in self.draft.phones:
            tags = frozenset(name for name in self.atoms if phone["mac"] in self.rules.tags[name].macs)
            if tags and not self.by_mac:
                found = next((each for each in self.kept if each.tags <= tags and not each.networks), None)
                first = next((each for each in self.kept if each.tags <= tags), None)
                if found is not None and found is first and self._named(found):
                    phone["class"] = self._name(found)


def _one(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def tag_condition(tag: Tag) -> Section:
    """Return the condition of a tag as a class has it."""
    alternatives = list(tag.alternatives)
    if tag.macs:
        alternatives.append({"mac": tag.macs})
    if len(alternatives) == 1:
        return alternatives[0]
    keys = {tuple(each) for each in alternatives}
    if len(keys) == 1 and len(next(iter(keys))) == 1 and next(iter(keys))[0] not in {"any", "all", "not"}:
        key = next(iter(keys))[0]
        return {key: [value for each in alternatives for value in _many(each[key])]}
    return {"any": alternatives}


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


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
