"""The search for classes: every set of tags that can meet is a cell with its outcome on each network, and classes are made of cells.

Other servers add up what a client's tags give, or have chains of exceptions; here the first class that matches says everything
(`decide`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from netprov.convert.cell import MOST_CELLS, TooManyTagsError, cells, cells_of
from netprov.convert.decide import Cube, decide
from netprov.convert.draft import Draft, Section
from netprov.convert.outcome import (
    FirstMatch,
    Options,
    Outcome,
    first_of,
    gives,
    index_of,
    one_or_list,
    tag_condition,
)
from netprov.convert.rule import Given, Rules, Tags, mentioned
from netprov.convert.served import admit, asked_by_pools
from netprov.convert.value import reason_against, written
from netprov.dhcp.contents import ALWAYS
from netprov.dhcp.option import table as code
from netprov.dhcp.option.provisioning import ACS_URL_43, ACS_URL_125, SERVER_CODES, names_server
from netprov.dhcp.option.vendor import broadband_forum, decode_tlv
from netprov.errors import Malformed


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


class Arrangement:
    """The search for classes."""

    def __init__(self, draft: Draft, rules: Rules, own: frozenset[int]) -> None:
        self.draft, self.rules, self.own = draft, rules, own
        self.names = list(draft.networks) or [""]
        used = mentioned(rules.grants, rules.derived) | asked_by_pools(rules)
        self.tags = {
            name: tag for name, tag in rules.tags.items() if name in used and (tag.alternatives or tag.macs)
        }
        self.cells = self._cells()
        self.served = admit(draft, rules, self.cells)
        """Cells that a network serves only if a class takes them."""
        self.effective = {
            (cell, name): rules.effective(name, cell) for name in self.names for cell in self.cells
        }
        self.bases = {name: self._base(name) for name in self.names}
        self.kept: list[FirstMatch] = []
        self.told: set[int] = set()
        """Lines of options of which it was told that some clients do not get them."""
        self.called: dict[int, str] = {}
        """Names of the kept classes, by their index."""

    def _base(self, network: str) -> dict[int, Given]:
        """Return what a network gives whoever is on it: what leads to no server, and what nobody there goes without."""
        lacked: set[int] = set()
        if network not in self.served:  # there a class for everybody else would let everybody in
            everywhere = [self.effective[cell, network].keys() for cell in self.cells]
            lacked = {key for each in everywhere for key in each if key not in ALWAYS}
            lacked -= {key for key in everywhere[0] if all(key in each for each in everywhere)}
        found = self.effective[frozenset(), network]
        return {
            key: each for key, each in found.items() if not names_server(key, each.data) and key not in lacked
        }

    def _cells(self) -> list[Tags]:
        """Return the sets of tags that can meet in one client; of too many those of one tag, and say what that loses."""
        try:
            return cells(self.tags)
        except TooManyTagsError:
            for each in self.rules.grants:
                if each.needs | each.lacks:
                    reason = f"more than {MOST_CELLS} sets of tags can meet; clients with several tags are not looked at"
                    self.draft.leave(each.line, each.text, reason, each.code)
            return [frozenset(), *(frozenset({name}) for name in self.tags)]

    def classes(self) -> None:
        """Find the classes, and write them."""
        outcomes = [{name: self._outcome(cell, name) for name in self.names} for cell in self.cells]
        labels = [self._label(each) for each in outcomes]
        nothing = self._label({name: Outcome({}, {}, frozenset()) for name in self.names})
        left = list(range(len(self.cells)))
        for cube in decide(self.cells, labels, nothing, list(self.tags)):
            taken = next(index for index in left if cube.takes(self.cells[index]))
            left = [index for index in left if not cube.takes(self.cells[index])]
            self.kept += self._per_network(cube, outcomes[taken])
        self._drop_idle()
        for index, each in enumerate(self.kept):
            self.called[index] = self._name(each)
        named = self._name_classes()
        for index, each in enumerate(self.kept):
            if named.get(index, index) == index:
                self._write(each, self.called[index], matches=index not in named)
        self._rest()

    def _label(self, outcomes: Mapping[str, Outcome]) -> tuple[object, ...]:
        return tuple((tuple(each.own.items()), each.force, each.admitted) for each in outcomes.values())

    def _outcome(self, cell: Tags, network: str) -> Outcome:
        effective = self.effective[cell, network]
        given = self._sendable(effective, network)
        base = self.bases[network]
        options = {key: each.data for key, each in given.items()}
        own = {key: data for key, data in options.items() if key not in base or base[key].data != data}
        force = frozenset(key for key, each in given.items() if each.force and key not in ALWAYS)
        self._unset(cell, network, effective)
        return Outcome(options, own, force, cell in self.served.get(network, ()))

    def _per_network(self, cube: Cube, outcomes: Mapping[str, Outcome]) -> Iterator[FirstMatch]:
        """Yield the classes of some clients: one for all networks on which the same options are right."""
        groups: list[tuple[list[str], dict[int, bytes]]] = []
        for name, each in outcomes.items():
            for networks, given in groups:
                both = {**given, **each.own}
                members = [*(outcomes[other] for other in networks), each]
                if all(gives(other, both, each.force) for other in members):
                    networks.append(name)
                    given.update(each.own)
                    break
            else:
                groups.append(([name], dict(each.own)))
        for networks, options in groups:
            where = () if len(groups) == 1 else tuple(networks)
            admits = any(outcomes[each].admitted for each in networks)
            yield FirstMatch(cube, where, dict(sorted(options.items())), outcomes[networks[0]].force, admits)

    def _drop_idle(self) -> None:
        """Drop classes that give nothing and keep nobody from a later one."""
        for each in [each for each in reversed(self.kept) if each.gives_nothing]:
            index = self.kept.index(each)
            without = self.kept[:index] + self.kept[index + 1 :]
            hit = [
                (cell, name)
                for cell in self.cells
                for name in each.networks or self.names
                if first_of(self.kept, cell, name) is each
            ]
            later = (first_of(without, cell, name) for cell, name in hit)
            if all(other is None or other.gives_nothing for other in later):
                self.kept = without

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
        closed = self.rules.closure(tags, network)
        for option in sorted((base.keys() | self.own) - given.keys()):
            here = option in base and not reason_against(option, base[option].data)
            if option not in base and option in self.rules.refused(network):
                continue  # nobody gets it here
            refusing = [
                each
                for each in self.rules.grants
                if each.code == option and each.data is None and not each.space and each.needs <= closed
            ]
            if here or (option in self.own and option in self.rules.refused(network, tags) and refusing):
                grant = refusing[-1] if refusing else base[option].grants[-1]
                if grant.line not in self.told:
                    self.told.add(grant.line)
                    reason = f"clients tagged {names} do not get it; here they do"
                    self.draft.leave(grant.line, grant.text, reason, option)

    def _name_classes(self) -> dict[int, int]:
        """Let phones name their class where whatever they say leads to it; return the class that is named for each."""
        listed: dict[int, list[Section]] = {}
        for phone in self.draft.phones:
            met = {
                index_of(self.kept, cell, name)
                for cell in cells_of(self.tags, phone["mac"], self.cells)
                for name in self.names
            }
            only = next(iter(met)) if len(met) == 1 else None
            if only is not None and self._lists(self.kept[only]):
                listed.setdefault(only, []).append(phone)
        named: dict[int, int] = {}
        for index, phones in listed.items():
            each = self.kept[index]
            macs = {mac for name in each.cube.has for mac in self.tags[name].macs}
            if macs == {phone["mac"] for phone in phones}:
                standing = {one for one, same in named.items() if one == same}
                named[index] = self._same(index, listed.keys() - standing)
                for phone in phones:
                    phone["class"] = self.called[named[index]]
        return named

    def _rest(self) -> None:
        """Write a last class for listed phones that none takes, where netprov would guess one by what their entry tells.

        A phone of no class gets the one that its entry fits as far as it goes: its network, its address (`plan.site`).
        """
        alone = [
            phone["mac"]
            for phone in self.draft.phones
            if "class" not in phone and self._guessed(phone["mac"])
        ]
        if alone:
            self.draft.classes["listed"] = {"match": {"mac": alone}}

    def _guessed(self, mac: str) -> bool:
        """Say whether a phone that can be of no class fits one as far as its entry goes, by a part of the condition."""
        own = list(cells_of(self.tags, mac, self.cells))
        if all(index_of(self.kept, cell, name) is not None for cell in own for name in self.names):
            return False
        always, ever = frozenset.intersection(*own), frozenset[str]().union(*own)
        for each in self.kept:
            open_ = (each.cube.has | each.cube.lacks) & (ever - always)
            told = each.networks or each.cube.has & always or each.cube.lacks - ever
            if open_ and told and each.cube.has <= ever and not each.cube.lacks & always:
                return True
        return False

    def _same(self, index: int, others: Collection[int]) -> int:
        """Return a class that gives what another does, but none of `others`: that one itself if there is no such class."""
        each = self.kept[index]
        return next(
            (
                other
                for other, one in enumerate(self.kept)
                if other not in others
                and (one.options, one.force, one.networks) == (each.options, each.force, ())
            ),
            index,
        )

    def _lists(self, each: FirstMatch) -> bool:
        """Say whether a class is for listed phones alone, on every network, whatever they say."""
        tags = [self.tags[name] for name in each.cube.has]
        return len(tags) == 1 and not tags[0].alternatives and not each.cube.lacks and not each.networks

    def _write(self, each: FirstMatch, name: str, *, matches: bool) -> None:
        section: Section = {}
        match = self._match(each) if matches else {}
        if match:
            section["match"] = match
        if each.options:
            section["options"] = {key: written(key, data) for key, data in each.options.items()}
        if each.force:
            section["force"] = sorted(each.force)
        if method := method_of(each.options):
            section["method"] = method
        self.draft.classes[name] = section

    def _name(self, each: FirstMatch) -> str:
        parts = [name for name in self.tags if name in each.cube.has]
        parts += [f"not-{name}" for name in self.tags if name in each.cube.lacks]
        name = "-".join([*(parts or ["provisioned"]), *each.networks])
        return name if name not in self.called.values() else f"{name}-{len(self.called)}"

    def _match(self, each: FirstMatch) -> Section:
        parts = [tag_condition(tag) for name, tag in self.tags.items() if name in each.cube.has]
        parts += [{"not": tag_condition(tag)} for name, tag in self.tags.items() if name in each.cube.lacks]
        where: Section = {"network": one_or_list(each.networks)} if each.networks else {}
        if not parts:
            return {**where, "vendor_class": "*"}
        keys = [key for part in (where, *parts) for key in part]
        if len(keys) == len(set(keys)):
            return {key: value for part in (where, *parts) for key, value in part.items()}
        return {**where, "all": parts}
