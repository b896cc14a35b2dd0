"""ISC dhcpd.conf: subnets, pools, hosts, groups, classes, options (dhcpd.conf(5), dhcp-options(5)).

The innermost declaration wins: global, shared network, subnet, pool, class, then a host with the groups around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network

from netprov.convert.arrange import arrange, put
from netprov.convert.draft import Draft, Section
from netprov.convert.isc import condition, typed
from netprov.convert.isc.dhcpd_syntax import Statement, listed, parse
from netprov.convert.rule import (
    EVERYBODY,
    FORCED,
    MEMBER,
    NOBODY,
    SELECTED_SPACE,
    Admission,
    Grant,
    Rank,
    Rules,
    Space,
    members,
    simplified,
)
from netprov.convert.served import KNOWN, share_pools
from netprov.dhcp.option import table as code
from netprov.mac import read_mac

_LEASES = {"default-lease-time": "lease", "min-lease-time": "lease_min", "max-lease-time": "lease_max"}
_DEFAULT_LEASES = {"lease": 43200, "lease_min": 300, "lease_max": 86400}
"""dhcpd.conf(5), default-lease-time and its neighbours."""

_SILENT = frozenset(
    {
        *("ddns-update-style", "log-facility", "one-lease-per-client", "update-static-leases", "ping-check"),
        "server-identifier",
    }
)
_HEADER = frozenset({"next-server", "filename", "server-name"})
_HOST = (20,)
"""Rank of what is carried out for one host, after everything else."""
_REQUEST_LIST = "dhcp-parameter-request-list"
_CLASS = (9,)
"""Rank of classes: above every nesting of networks; the first declared wins, so later ones rank lower."""


_UNKNOWN: Section = {"unknown": ""}
"""Stands for a condition that is not carried over."""


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
    admits: Section = field(default_factory=lambda: EVERYBODY)
    """Whom a pool is for."""
    admits_line: int = 0
    admits_text: str = ""


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
        self.configured: dict[tuple[str, str], set[str]] = {}
        """Networks that give an option, by its name and value: what `config-option` asks for."""
        self.pools: list[tuple[Admission, str]] = []
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
        for part in each.body or ():
            if part.words[:1] == ("option",) and len(part.words) == 3:
                key = part.words[1], typed.unquoted(part.words[2])
                self.configured.setdefault(key, set()).add(name)

    def finish(self) -> None:
        """Arrange what was read."""
        for network in self.draft.networks.values():
            network["clients"] = network.get("clients", "all")
            if self.authoritative:
                network["authoritative"] = True
        self._derive_known()
        share_pools(self.draft, self.rules, [(self._settled(each), range_) for each, range_ in self.pools])
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

    def _derive_known(self) -> None:
        """Say who is known where: a host that has a fixed address, on the network of that address alone."""
        listed: dict[str, list[str]] = {}
        for phone in self.draft.phones:
            listed.setdefault(str(phone.get("address", "")), []).append(phone["mac"])
        where: dict[str, list[str]] = {}
        for address, macs in listed.items():
            name = next(
                (
                    name
                    for name, each in self.draft.networks.items()
                    if address and IPv4Address(address) in IPv4Network(each["subnet"])
                ),
                "",
            )
            where.setdefault(name, []).extend(macs)
        conditions: list[Section] = []
        for name, macs in where.items():
            tag = self.rules.tag(f"listed-on-{name}" if name else "listed", 1)
            tag.macs = macs
            own: Section = {MEMBER: f"listed-on-{name}" if name else "listed"}
            conditions.append({"all": [{"network": [name]}, own]} if name else own)
        self.rules.derived.insert(0, (KNOWN, {"any": conditions}))

    def _settled(self, each: Admission) -> Admission:
        """Return an admission by classes that are known; one by others is for everybody, and said."""
        for name in members(each.condition):
            if name != KNOWN and (name not in self.rules.tags or self.rules.tags[name].unknown):
                self.draft.leave(
                    each.line,
                    each.text,
                    f"{name} is not carried over: addresses are for every client of the network",
                )
                return replace(each, condition=EVERYBODY)
            if name != KNOWN and any(
                one.keys() & {"any", "all", "not"} for one in self.rules.tags[name].alternatives
            ):
                tag = self.rules.tags[name]
                self.rules.derive(name, simplified({"any": tag.alternatives}), tag.line)
                tag.alternatives = []
        return each

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
        before: list[Section] = []
        for each in (each for each in statements if each.body is not None):
            if each.words[:1] in {("if",), ("elsif",), ("else",)}:
                before = self.conditional(each, [] if each.words[0] == "if" else before, scope)
            else:
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
            case ("option", name, "=", *expression) if name == _REQUEST_LIST:
                self._forced(each, expression, scope)
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
                self._pool(each, scope, ends)
            case ("authoritative",) if scope.network is not None:
                scope.network["authoritative"] = True
            case ("authoritative",):
                self.authoritative = True
            case ("not", "authoritative"):
                return
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

    def _pool(self, each: Statement, scope: _Scope, ends: Sequence[str]) -> None:
        name = next(iter(scope.networks or ()))
        ends = [end for end in ends if end != "dynamic-bootp"]
        admission = Admission(
            name, scope.admits, scope.admits_line or each.line, scope.admits_text or str(each)
        )
        self.pools.append((admission, f"{ends[0]}-{ends[-1]}"))

    def _forced(self, each: Statement, expression: Sequence[str], scope: _Scope) -> None:
        """Read what is added to a client's request list: options that are sent unasked."""
        match expression:
            case ("concat", "(", "option", name, ",", codes, ")") if name == _REQUEST_LIST:
                self._give(
                    self._placed(Grant(FORCED, typed.octets(codes), each.line, str(each)), scope), scope
                )
            case _:
                self.draft.leave(
                    each.line, str(each), "write `force:` in the class whose clients get it unasked"
                )

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
            return self._placed(
                Grant(number, typed.expression(values[1:]), each.line, str(each), space=space), scope
            )
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
        members, allowed, denied = "", list[Section](), list[Section]()
        rest, told = [], list[Statement]()
        for part in body:
            match part.words:
                case ("allow", "members", "of", name):
                    members = typed.unquoted(name)
                    allowed.append({MEMBER: members})
                case ("deny", "members", "of", name):
                    denied.append({"not": {MEMBER: typed.unquoted(name)}})
                case ("deny", "unknown-clients") | ("allow", "known-clients" | "known", *_):
                    allowed.append({MEMBER: KNOWN})
                case _:
                    rest.append(part)
                    continue
            told.append(part)
        conditions = [*([{"any": allowed}] if allowed else []), *denied]
        admits = simplified({"all": conditions})
        dead = (
            "" if scope.single_pool or members else "options of one pool among several are not carried over"
        )
        where = told[0] if told else each
        inner = replace(
            scope, rank=(8,), host=None, dead=dead, needs=frozenset({members} - {""}),
            admits=admits, admits_line=where.line, admits_text=str(where),
        )  # fmt: skip
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
            if part.words[:1] not in {("match",), ("spawn",)}:
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

    def conditional(self, each: Statement, before: list[Section], scope: _Scope) -> list[Section]:
        """Read an `if`, `elsif` or `else`: its clients are a class without a name; return the conditions up to here."""
        words = each.words[2:] if each.words[:2] == ("else", "if") else each.words[1:]
        body = each.body or ()
        if words == ("exists", _REQUEST_LIST):
            self.block(body, scope)  # a client without a list gets everything
            return []
        try:
            own = simplified(condition.condition(" ".join(words), self._asked)) if words else EVERYBODY
        except ValueError as error:
            self.draft.leave(each.line, str(each), str(error))
            self._lose(body, str(error))
            return [*before, _UNKNOWN]
        if _UNKNOWN in before:
            self._lose(body, "the condition before it is not carried over")
            return before
        found = simplified({"all": [*({"not": one} for one in before), own]})
        name = f"if-{each.line}"
        if found.keys() & {"any", "all", "not", "network", MEMBER}:
            self.rules.derive(name, found, each.line)
        else:
            self.rules.tag(name, each.line).alternatives.append(found)
        rank = (*scope.rank, 1)
        self.block(body, replace(scope, needs=scope.needs | {name}, rank=rank))
        return [*before, own]

    def _lose(self, body: Sequence[Statement], reason: str) -> None:
        """List the options of a block whose clients are not known."""
        for each in body:
            if each.words[:1] == ("option",) and len(each.words) > 1:
                self.draft.leave(each.line, str(each), reason, self.codes.get(each.words[1], 0))
            self._lose(each.body or (), reason)

    def _asked(self, name: str, value: str = "") -> Section:
        """Return the condition of listed clients, or of those on networks that are configured with a value."""
        if name == KNOWN:
            return {MEMBER: KNOWN}
        if value:
            return (
                {"network": sorted(self.configured.get((name, value), ()))}
                if (name, value) in self.configured
                else NOBODY
            )
        return self._member(name)

    def host(self, each: Statement, name: str, scope: _Scope) -> None:
        """Read a host: a phone, with the options of the groups around it but not of its subnet."""
        phone: Section = {"mac": ""}
        own: list[Grant] = list(scope.host or ())
        inner = _Scope(networks=frozenset(), host=own)
        blocks: list[Statement] = []
        for part in each.body or ():
            match part.words:
                case ("hardware", "ethernet", mac):
                    phone["mac"] = read_mac(mac)
                case ("fixed-address", address, *others):
                    phone["address"] = address
                    if others:
                        self.draft.leave(part.line, str(part), "a phone has one address")
                case _ if part.body is not None:
                    blocks.append(part)
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
        if blocks:
            tag = self.rules.tag(f"host-{name}", each.line)
            tag.macs.append(phone["mac"])
            self.block(blocks, _Scope(rank=_HOST, needs=frozenset({f"host-{name}"})))
        same = next((one for one in self.draft.phones if one["mac"] == phone["mac"]), None)
        if same is None:
            self.draft.phones.append(phone)
        else:
            self._joined(each, same, phone)

    def _joined(self, each: Statement, phone: Section, other: Section) -> None:
        """Take two hosts with one MAC address for one phone."""
        for key, value in other.items():
            if key != "#" and phone.setdefault(key, value) != value:
                self.draft.leave(
                    each.line, f"{key} of {phone['mac']}", "another host has another; a phone has one"
                )


def _plain(grants: Iterable[Grant], draft: Draft) -> Iterator[Grant]:
    """Yield the options of a host; suboptions are left with their lines."""
    for each in grants:
        if each.space or each.code == SELECTED_SPACE:
            draft.leave(each.line, each.text, "suboptions of a single host are not carried over")
        else:
            yield each
