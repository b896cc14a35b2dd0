"""ISC dhcpd.conf: subnets, pools, hosts, groups, classes, options (dhcpd.conf(5), dhcp-options(5)).

The innermost declaration wins: global, shared network, subnet, pool, class, then a host with the groups around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network

from netprov.convert.arrange import arrange, put
from netprov.convert.draft import Draft, Section
from netprov.convert.isc import condition, typed
from netprov.convert.isc.dhcpd_syntax import Statement, listed, parse
from netprov.convert.rule import SELECTED_SPACE, Grant, Rank, Rules, Space
from netprov.dhcp.option import table as code
from netprov.mac import read_mac

_LEASES = {"default-lease-time": "lease", "min-lease-time": "lease_min", "max-lease-time": "lease_max"}
_DEFAULT_LEASES = {"lease": 43200, "lease_min": 300, "lease_max": 86400}
"""dhcpd.conf(5), default-lease-time and its neighbours."""

_SILENT = frozenset(
    {"ddns-update-style", "log-facility", "one-lease-per-client", "update-static-leases", "ping-check"}
)
_HEADER = frozenset({"next-server", "filename", "server-name"})
_CLASS = (9,)
"""Rank of classes: above every nesting of networks; the first declared wins, so later ones rank lower."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a statement stands: which clients it is for."""

    networks: frozenset[str] | None = None
    rank: Rank = (0,)
    needs: frozenset[str] = frozenset()
    lease: Mapping[str, int] = field(default_factory=dict)
    network: Section | None = None
    host: list[Grant] | None = None
    """Options of groups around a host, which beat its classes."""
    single_pool: bool = False
    dead: str = ""
    """Why options here are not carried over."""


def read_dhcpd(text: str, source: str) -> Draft:
    """Read a dhcpd configuration."""
    statements = tuple(parse(text))
    reader = _Reader(Draft(source))
    reader.collect(statements)
    reader.block(statements, _Scope())
    reader.finish()
    return reader.draft


class _Reader:
    """Walks the blocks, each with where it stands."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.rules = Rules()
        self.codes: dict[str, int] = dict(typed.NAMES)
        self.types: dict[str, str] = {}
        self.names: dict[int, str] = {}
        self.conditions: dict[str, Section] = {}
        self.fields: dict[str, str] = {}
        self.authoritative = self.host_names = False

    def collect(self, statements: Sequence[Statement]) -> None:
        """Learn what may be used before it is declared: options, spaces, subnets."""
        for each in statements:
            words = each.words
            if words[:1] == ("option",) and "code" in words[2:3] and "=" in words:
                self.codes[words[1]] = int(words[3]) if words[3].isdecimal() else 0
                kind = " ".join(words[words.index("=") + 1 :]) or "{?}"
                self.types[words[1]] = kind
            elif words[:2] == ("option", "space") and len(words) > 2:
                self.rules.spaces[words[2]] = Space(code.VENDOR_INFO, when="selected")
            elif len(words) == 4 and words[0] == "subnet" and words[2] == "netmask":
                self._subnet(each)
            elif words == ("use-host-decl-names", "on"):
                self.host_names = True
            self.collect(each.body or ())

    def _subnet(self, each: Statement) -> None:
        try:
            network = self.draft.add_network(IPv4Network(f"{each.words[1]}/{each.words[3]}"), line=each.line)
        except ValueError:
            return
        network.setdefault("pool", [])
        name = next(name for name, section in self.draft.networks.items() if section is network)
        self.names[id(each)] = name

    def finish(self) -> None:
        """Arrange what was read."""
        for network in self.draft.networks.values():
            network["clients"] = network.get("clients", "all")
            if self.authoritative:
                network["authoritative"] = True
        phones = [phone["mac"] for phone in self.draft.phones]
        for tag in self.rules.tags.values():
            listed_ = [
                each["mac"][0]
                for each in tag.alternatives
                if each.keys() == {"mac"} and each["mac"][0] in phones
            ]
            tag.macs += listed_
            tag.alternatives = [each for each in tag.alternatives if each.get("mac", [""])[0] not in listed_]
        arrange(self.draft, self.rules)

    def inside(self, statements: Sequence[Statement]) -> frozenset[str]:
        """Return the networks that are declared within."""
        found = {self.names[id(each)] for each in statements if id(each) in self.names}
        return frozenset(found).union(*(self.inside(each.body or ()) for each in statements))

    def block(self, statements: Sequence[Statement], scope: _Scope) -> None:
        """Read the statements of one block: its own first, then the blocks within."""
        lease = dict(scope.lease)
        scope = replace(scope, lease=lease)
        for each in (each for each in statements if each.body is None):
            self._try(self.simple, each, scope)
        for each in (each for each in statements if each.body is not None):
            self._try(self.nested, each, scope)

    def _try(self, read: Callable[[Statement, _Scope], None], each: Statement, scope: _Scope) -> None:
        try:
            read(each, scope)
        except (ValueError, IndexError, OverflowError) as error:
            self.draft.leave(each.line, str(each), str(error))

    def simple(self, each: Statement, scope: _Scope) -> None:
        """Read one statement without braces."""
        match each.words:
            case ("option", "space", *_) | ("option", _, "code", *_):
                return
            case ("option", name, *values):
                self._give(self.option(each, name, tuple(values), scope), scope)
            case ("subclass", name, *value):
                self.subclass(each, typed.unquoted(name), tuple(value), ())
            case ("vendor-option-space", name):
                grant = Grant(SELECTED_SPACE, name.encode(), each.line, str(each))
                self._give(self._placed(grant, scope), scope)
            case (key, seconds) if key in _LEASES and isinstance(scope.lease, dict) and not scope.needs:
                scope.lease[_LEASES[key]] = int(seconds)
            case ("range", *ends) if scope.network is not None:
                self._pool(scope.network, [end for end in ends if end != "dynamic-bootp"])
            case ("authoritative",):
                self.authoritative = True
            case ("use-host-decl-names", _):
                return
            case ("deny" | "ignore", "unknown-clients"):
                self._known_only(scope)
            case (word, *_) if word in _HEADER:
                reason = f"{word} is a field of the header; phones use options 66 and 150"
                self.draft.leave(each.line, str(each), reason)
            case (word, *_) if word not in _SILENT:
                self.draft.leave(each.line, str(each), "the inventory has no such setting")

    def _known_only(self, scope: _Scope) -> None:
        for name, network in self.draft.networks.items():
            if scope.networks is None or name in scope.networks:
                network["clients"] = "known"

    def _pool(self, network: Section, ends: Sequence[str]) -> None:
        self.draft.add_pool(network, ends[0], ends[-1])

    def option(self, each: Statement, name: str, values: tuple[str, ...], scope: _Scope) -> Grant | None:
        """Return what an option statement gives. Raises `ValueError`."""
        space, dot, inner = name.rpartition(".")
        space = "" if space == "dhcp" else space
        if dot and space and space not in self.rules.spaces:
            raise ValueError(f"the option space {space} is not known")
        key = name if space else inner
        number = self.codes.get(key, 0)
        for prefix in ("unknown-", "option-"):
            if not number and inner.startswith(prefix) and inner.removeprefix(prefix).isdecimal():
                number = int(inner.removeprefix(prefix))
        if not number:
            raise ValueError("the option's name is not known")
        if values[:1] == ("=",):
            if len(values) != 2 or not values[1].startswith('"'):
                raise ValueError("values that are worked out for each client are not carried over")
            values = values[1:]
        kind = self.types.get(key) or ("" if space else typed.TYPES.get(number, "")) or "string"
        try:
            data = typed.encode(kind, listed(values))
        except (ValueError, OverflowError) as error:
            travels = self.rules.spaces[space].code if space else number
            self.draft.leave(each.line, str(each), str(error), travels)
            return None
        return self._placed(Grant(number, data, each.line, str(each), space=space), scope)

    def _placed(self, grant: Grant, scope: _Scope) -> Grant:
        return replace(grant, rank=scope.rank, needs=scope.needs, networks=scope.networks)

    def _give(self, grant: Grant | None, scope: _Scope) -> None:
        if grant is None:
            return
        if scope.dead:
            self.draft.leave(grant.line, grant.text, scope.dead, grant.code)
            return
        if scope.host is not None:
            scope.host.append(grant)
        if scope.networks != frozenset():
            self.rules.grants.append(grant)

    def nested(self, each: Statement, scope: _Scope) -> None:
        """Read one statement with braces."""
        body = each.body or ()
        deeper = (scope.rank[0] + 1,)
        match each.words:
            case ("option", _, "code", *_):
                return
            case ("subnet", _, "netmask", _) if id(each) in self.names:
                name = self.names[id(each)]
                network = self.draft.networks[name]
                inner = replace(scope, networks=frozenset({name}), rank=deeper, network=network, host=None)
                self._subnet_block(body, inner, network)
            case ("shared-network", *_):
                self.block(body, replace(scope, networks=self.inside(body), rank=deeper, host=None))
            case ("group", *_):
                around = list(scope.host or ())
                self.block(
                    body, replace(scope, networks=self.inside(body), rank=deeper, network=None, host=around)
                )
            case ("pool",) if scope.network is not None:
                self.pool(each, scope)
            case ("host", name):
                self.host(each, typed.unquoted(name), scope)
            case ("class", name):
                self.client_class(each, typed.unquoted(name), body)
            case ("subclass", name, *value):
                self.subclass(each, typed.unquoted(name), tuple(value), body)
            case ("if", *words):
                self.conditional(each, " ".join(words), body, scope)
            case _:
                self.draft.leave(each.line, str(each), "the inventory has no such block")

    def _subnet_block(self, body: Sequence[Statement], scope: _Scope, network: Section) -> None:
        lease = dict(scope.lease)
        for each in body:
            if len(each.words) == 2 and each.words[0] in _LEASES and each.words[1].isdecimal():
                lease[_LEASES[each.words[0]]] = int(each.words[1])
        network.update(_DEFAULT_LEASES | lease)
        ranges = sum(each.words[:1] in {("pool",), ("range",)} for each in body)
        self.block(body, replace(scope, single_pool=ranges == 1))

    def pool(self, each: Statement, scope: _Scope) -> None:
        """Read a pool: its addresses; its options where it is for one class, or the only one."""
        body = each.body or ()
        assert scope.network is not None
        members, known = "", False
        rest = []
        for part in body:
            match part.words:
                case ("allow", "members", "of", name):
                    members = typed.unquoted(name)
                    self.draft.leave(part.line, str(part), "addresses are for every client of the network")
                case ("deny", "unknown-clients") | ("allow", "known-clients" | "known", *_):
                    known = True
                case _:
                    rest.append(part)
        if known:
            ranges = [part.words[1:] for part in rest if part.words[0] == "range"]
            scope.network.setdefault("reserved", []).extend(f"{ends[0]}-{ends[-1]}" for ends in ranges)
        dead = (
            "" if scope.single_pool or members else "options of one pool among several are not carried over"
        )
        inner = replace(scope, rank=(8,), host=None, dead=dead, needs=frozenset({members} - {""}))
        for part in rest:
            name = part.words[1] if part.words[0] == "option" and len(part.words) > 1 else ""
            if members and self.codes.get(name) == code.DOMAIN:
                self.draft.leave(
                    part.line,
                    str(part),
                    "a domain is said for whole networks: zone and certificate follow from it",
                )
            elif part.body is None:
                self._try(self.simple, part, inner)
            else:
                self._try(self.nested, part, inner)

    def client_class(self, each: Statement, name: str, body: Sequence[Statement]) -> None:
        """Read a class: its condition, and what its members get."""
        tag = self.rules.tag(name, each.line)
        rank = (*_CLASS, -len(self.conditions))
        self.conditions.setdefault(name, {})
        scope = _Scope(rank=rank, needs=frozenset({name}))
        rest = []
        for part in body:
            text = " ".join(part.words)
            if part.words[0] not in {"match", "spawn"}:
                rest.append(part)
            elif part.words[:2] == ("match", "if"):
                try:
                    found = condition.condition(" ".join(part.words[2:]), self._member)
                except ValueError as error:
                    tag.unknown = True
                    self.draft.leave(part.line, text, str(error))
                else:
                    tag.alternatives.append(found)
                    self.conditions[name] = found
            elif part.words in {("match", "hardware"), ("match", "option", "vendor-class-identifier")}:
                self.fields[name] = part.words[-1]
            elif part.words == (
                "match",
                "pick-first-value",
                "(",
                "option",
                "dhcp-client-identifier",
                ",",
                "hardware",
                ")",
            ):
                self.fields[name] = "hardware"
            else:
                self.draft.leave(part.line, text, "write the condition as the class's `match`")
        self.block(rest, scope)

    def _member(self, name: str) -> Section:
        raise ValueError(f"membership of {name} is not looked at")

    def subclass(self, each: Statement, name: str, value: tuple[str, ...], body: Sequence[Statement]) -> None:
        """Read a subclass: one value that makes a client a member."""
        found = condition.of_value(self.fields.get(name, "hardware"), "".join(value))
        self.rules.tag(name, each.line).alternatives.append(found)
        for part in body:
            self.draft.leave(
                part.line, str(part), "options of a single member of a class are not carried over"
            )

    def conditional(self, each: Statement, text: str, body: Sequence[Statement], scope: _Scope) -> None:
        """Read an `if`: its clients are a class without a name."""
        name = f"if-{each.line}"
        found = condition.condition(text, self._member)
        self.rules.tag(name, each.line).alternatives.append(found)
        rank = (*scope.rank, 1)
        self.block(body, replace(scope, needs=scope.needs | {name}, rank=rank))

    def host(self, each: Statement, name: str, scope: _Scope) -> None:
        """Read a host: a phone, with the options of the groups around it but not of its subnet."""
        phone: Section = {"mac": ""}
        own: list[Grant] = list(scope.host or ())
        inner = _Scope(networks=frozenset(), host=own)
        for part in each.body or ():
            match part.words:
                case ("hardware", "ethernet", mac):
                    phone["mac"] = read_mac(mac)
                case ("fixed-address", address, *others):
                    phone["address"] = address
                    if others:
                        self.draft.leave(part.line, str(part), "a phone has one address")
                case _:
                    self._try(self.simple, part, inner)
        if not phone["mac"]:
            self.draft.leave(each.line, str(each), "phones are known by their MAC address")
            return
        if not phone.get("address", "0").replace(".", "").isdigit():
            self.draft.leave(each.line, str(each), f"{phone.pop('address')} is a name: write its address")
        if self.host_names:
            phone["name"] = name
        else:
            phone["#"] = name
        last = {(grant.space, grant.code): grant for grant in own}
        put(self.draft, phone, _plain(last.values(), self.draft))
        self.draft.phones.append(phone)


def _plain(grants: Iterable[Grant], draft: Draft) -> Iterator[Grant]:
    """Yield the options of a host; suboptions are left with their lines."""
    for each in grants:
        if each.space or each.code == SELECTED_SPACE:
            draft.leave(each.line, each.text, "suboptions of a single host are not carried over")
        else:
            yield each
