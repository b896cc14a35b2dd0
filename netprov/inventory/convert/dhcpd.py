"""ISC dhcpd.conf: subnets, pools, hosts, groups, classes, options (dhcpd.conf(5), dhcp-options(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from netprov.inventory.convert.draft import Draft, Section
from netprov.inventory.convert.option import ISC_NAMES, put

_TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\]|\\.)*"|[;{},=]|[^\s;{},="]+|\n')
_PREFIX = re.compile(
    r'match if substring ?\( ?option vendor-class-identifier ?, ?0 ?, ?\d+ ?\) = "([^"]*)"\Z'
)
_EXACT = re.compile(r'match if option vendor-class-identifier = "([^"]*)"\Z')
_LEASES = {"default-lease-time": "lease", "min-lease-time": "lease_min", "max-lease-time": "lease_max"}
_SILENT = frozenset(
    {"ddns-update-style", "log-facility", "one-lease-per-client", "update-static-leases", "ping-check"}
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its words and the statements in its braces, None if it has none."""

    line: int
    words: tuple[str, ...]
    body: tuple[Statement, ...] | None = None

    def __str__(self) -> str:
        return " ".join(self.words) + (" { … }" if self.body is not None else "")


@dataclass(frozen=True, slots=True)
class _Scope:
    """What holds for the statements of a block: its options, and the network or class it belongs to."""

    options: dict[int, list[str]] = field(default_factory=dict)
    lease: dict[str, int] = field(default_factory=dict)
    target: Section | None = None
    network: bool = False


def read_dhcpd(text: str, source: str) -> Draft:
    """Read a dhcpd configuration."""
    reader = _Reader(Draft(source))
    statements = tuple(parse(text))
    reader.collect(statements)
    reader.common(statements)
    reader.block(statements, _Scope())
    for network in reader.draft.networks.values():
        if reader.authoritative:
            network["authoritative"] = True
    return reader.draft


def parse(text: str) -> Iterator[Statement]:
    """Yield the statements of a configuration; an unfinished last one is yielded as it is."""
    stack: list[tuple[list[str], int, list[Statement]]] = []
    found: list[Statement] = []
    words: list[str] = []
    line = start = 1
    for piece in _TOKEN.findall(text):
        if piece == "\n":
            line += 1
        elif piece.startswith("#"):
            continue
        elif piece == "{":
            stack.append((words, start, found))
            words, found = [], []
        elif piece == "}":
            if stack:
                outer_words, outer_start, outer = stack.pop()
                outer.append(Statement(outer_start, tuple(outer_words), tuple(found)))
                words, found = [], outer
        elif piece == ";":
            if words:
                found.append(Statement(start, tuple(words)))
            words = []
        else:
            if not words:
                start = line
            words.append(piece)
    while stack:
        outer_words, outer_start, outer = stack.pop()
        outer.append(Statement(outer_start, tuple(outer_words), tuple(found)))
        found = outer
    yield from found


class _Reader:
    """Walks the blocks, each with what its outer ones say."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.authoritative = False
        self._common: dict[int, list[str]] = {}
        self.codes = dict(ISC_NAMES)

    def collect(self, statements: Sequence[Statement]) -> None:
        """Learn the options that the file defines, anywhere in it."""
        for each in statements:
            if each.words[:1] == ("option",) and "code" in each.words and "=" in each.words:
                code = each.words[each.words.index("code") + 1]
                self.codes[each.words[1]] = int(code) if code.isdecimal() else 0
            self.collect(each.body or ())

    def common(self, statements: Sequence[Statement]) -> None:
        """Note the options outside every block: all networks have them, so hosts need not."""
        quiet = _Reader(Draft(self.draft.source))
        quiet.codes = self.codes
        scope = _Scope()
        for each in (each for each in statements if each.body is None and each.words[0] == "option"):
            if "code" not in each.words and len(each.words) > 1:
                quiet.option(each, each.words[1], each.words[2:], scope)
        self._common = scope.options

    def block(self, statements: Sequence[Statement], outer: _Scope) -> None:
        """Read the statements of one block: its own options first, then the blocks within."""
        scope = _Scope(dict(outer.options), dict(outer.lease), outer.target, outer.network)
        for each in (each for each in statements if each.body is None):
            try:
                self.simple(each, scope)
            except (ValueError, IndexError) as error:
                self.draft.leave(each.line, str(each), str(error))
        if scope.target is not None:
            self.settle(scope, statements[0].line if statements else 1)
        for each in (each for each in statements if each.body is not None):
            try:
                self.nested(each, scope)
            except (ValueError, IndexError) as error:
                self.draft.leave(each.line, str(each), str(error))

    def simple(self, each: Statement, scope: _Scope) -> None:
        """Read one statement without braces into its scope."""
        match each.words:
            case ("option", name, "code", *_) if "=" in each.words:
                del name
            case ("option", name, *values):
                self.option(each, name, values, scope)
            case (key, seconds) if key in _LEASES:
                scope.lease[_LEASES[key]] = int(seconds)
            case ("range", *ends) if scope.target is not None and scope.network:
                addresses = [end for end in ends if end != "dynamic-bootp"]
                self.draft.add_pool(scope.target, addresses[0], addresses[-1])
            case ("authoritative",):
                self.authoritative = True
            case ("next-server" | "filename" as what, _):
                self.draft.leave(
                    each.line, str(each), f"{what} is for boot loaders; phones use options 66 and 150"
                )
            case (word, *_) if word not in _SILENT:
                self.draft.leave(each.line, str(each), "the inventory has no such setting")

    def option(self, each: Statement, name: str, values: Sequence[str], scope: _Scope) -> None:
        """Note an option of the scope."""
        code = self.codes.get(name, 0)
        if not code:
            self.draft.leave(each.line, str(each), "the option's name is not known")
            return
        joined = [part.strip() for part in " ".join(values).split(" , ")]
        scope.options[code] = [part.strip('"') for part in joined]
        if code == 15 and not self.draft.domain:
            self.draft.domain = joined[0].strip('"')

    def settle(self, scope: _Scope, line: int) -> None:
        """Give a network or class the options of its scope."""
        assert scope.target is not None
        for code, values in scope.options.items():
            if code == 15 and values == [self.draft.domain]:
                continue
            reason = put(scope.target, code, values, network=scope.network)
            if reason and code not in {1, 28, 54}:
                self.draft.leave(line, f"option {code} {', '.join(values)}", reason)
        if scope.network:
            scope.target.update(scope.lease)

    def nested(self, each: Statement, scope: _Scope) -> None:
        """Read one statement with braces."""
        body = each.body or ()
        match each.words:
            case ("subnet", address, "netmask", mask):
                network = self.draft.add_network(IPv4Network(f"{address}/{mask}"))
                network.setdefault("pool", [])
                self.block(body, _Scope(scope.options, scope.lease, network, network=True))
            case ("pool",):
                self.block(body, _Scope({}, {}, scope.target, network=True))
            case ("shared-network", *_) | ("group", *_):
                self.block(body, scope)
            case ("host", name):
                self.host(each, name, body, scope)
            case ("class", name):
                section = self.draft.classes.setdefault(name.strip('"'), {})
                rest = self.match(body, section)
                self.block(rest, _Scope({}, {}, section))
            case _:
                self.draft.leave(each.line, str(each), "the inventory has no such block")

    def match(self, body: Sequence[Statement], section: Section) -> list[Statement]:
        """Take a class's condition; return the other statements."""
        rest = []
        for each in body:
            text = " ".join(each.words)
            if found := _PREFIX.match(text):
                section["match"] = {"vendor_class": f"{found[1]}*"}
            elif found := _EXACT.match(text):
                section["match"] = {"vendor_class": found[1]}
            elif each.words[0] == "match":
                self.draft.leave(each.line, text, "write the condition as the class's `match`")
            else:
                rest.append(each)
        return rest

    def host(self, each: Statement, name: str, body: Sequence[Statement], scope: _Scope) -> None:
        """Read a host: a phone, with the options of the groups around it but not of its subnet."""
        phone: Section = {"mac": "", "name": name.strip('"')}
        own: dict[int, list[str]] = {}
        if not scope.network:
            own = {code: values for code, values in scope.options.items() if self._common.get(code) != values}
        inner = _Scope(own)
        for part in body:
            match part.words:
                case ("hardware", "ethernet", mac):
                    phone["mac"] = mac
                case ("fixed-address", address):
                    phone["address"] = address
                case _:
                    self.simple(part, inner)
        if not phone["mac"]:
            self.draft.leave(each.line, str(each), "phones are known by their MAC address")
            return
        for code, values in own.items():
            if code == 15 and values == [self.draft.domain]:
                continue
            reason = put(phone, code, values, network=False)
            if code == 12:
                phone["name"] = values[0]
                del phone["options"][12]
                phone = {key: value for key, value in phone.items() if value != {}}
            elif reason:
                self.draft.leave(each.line, f"option {code} of host {name}", reason)
        self.draft.phones.append(phone)
