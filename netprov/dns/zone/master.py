"""Master files: text to records, and a zone to text that is the same for the same zone.

RFC 1035 5, RFC 2308 4 (`$TTL`), RFC 3597 5, and BIND's `$GENERATE`. Every fault is reported with its file and line, all
at once. `$INCLUDE` takes its text from a mapping, for a core opens no files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath

from netprov.dns.iana.rrtype import SOA, format_type, parse_type
from netprov.dns.message.field import Tokens, parse_period
from netprov.dns.message.name import format_name, is_below, labels, parse_name, sort_key
from netprov.dns.message.rdata import format_rdata, parse_rdata
from netprov.dns.zone.generate import Fields, generated
from netprov.dns.zone.zone import Record, RRset, Zone, soa_serial
from netprov.errors import Place, Problem

MAX_PROBLEMS = 100
MAX_INCLUDES = 8

_TOKEN = re.compile(
    r'"((?:[^"\\]|\\.)*)"'  # a quoted string
    r"|([()])"
    r"|(;.*)"
    r'|((?:[^ \t\r"();\\]|\\.)+)'  # a plain field
    r"|([^ \t\r])"  # anything else: a stray quote or backslash
)
_SPECIAL = frozenset('"();\\\x0b\x0c\x1c\x1d\x1e\x1f')
"""What a plain line has none of: marks of syntax, and octets that Python takes for blanks and RFC 1035 5.1 does not."""


@dataclass(slots=True)
class _State:
    """Where the parser is: what an entry may leave out."""

    origin: bytes
    owner: bytes | None = None
    ttl: int | None = None
    last_ttl: int | None = None
    records: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def parse(
    text: str,
    origin: bytes,
    *,
    file: str = "<zone>",
    files: Mapping[str, str] | None = None,
    ttl: int | None = None,
) -> tuple[list[Record], tuple[Problem, ...]]:
    """Parse a master file and what it includes; `files` holds included texts by their path.

    `ttl` is for records that say none before any `$TTL`; without it that is a fault. Returns the records and every fault; a record with a fault is left out.
    """
    state = _State(origin, ttl=ttl)
    _parse_file(state, text, file, files or {}, depth=0)
    problems = state.problems[:MAX_PROBLEMS]
    return state.records, tuple(problems)


def resolve(path: str, file: str) -> str:
    """Complete the path of an `$INCLUDE` in `file`."""
    return normpath(join(dirname(file), path))


def parse_data(type_: str, data: str, origin: bytes) -> tuple[int, bytes]:
    """Parse one record's type and data, written as in a master file. Raises ValueError."""
    entries = list(_entries(f"{type_} {data}"))
    if len(entries) != 1 or entries[0][3]:
        raise ValueError(entries[0][3] if entries else "a record has a type and data")
    number = parse_type(type_)
    return number, parse_rdata(number, Tokens(entries[0][2][1:], origin))


def _parse_file(state: _State, text: str, file: str, files: Mapping[str, str], *, depth: int) -> None:
    for number, indented, fields, fault in _entries(text):
        try:
            if fault:
                raise ValueError(fault)
            place = Place(file, number, 1)
            if not fields[0][0].startswith("$") or indented:
                state.records.append(_record(state, indented, fields, place))
            elif fields[0][0].upper() == "$GENERATE":
                state.records += [_record(state, indented, each, place) for each in generated(fields)]
            else:
                _directive(state, fields, file, files, depth)
        except ValueError as error:
            if len(state.problems) < MAX_PROBLEMS:
                place = Place(file, number, 1)
                state.problems.append(Problem("master-file", str(error), "correct this line", place=place))


def _entries(text: str) -> Iterator[tuple[int, bool, Fields, str]]:
    """Yield each entry: line number, whether it starts with a blank, its fields, a fault of its syntax."""
    lines = enumerate(text.split("\n"), 1)
    for number, line in lines:
        indented = line[:1] in {" ", "\t"}
        if line.isascii() and _SPECIAL.isdisjoint(line):
            plain = line.split()
            if plain:
                yield number, indented, [(token, False) for token in plain], ""
            continue
        fields: Fields = []
        depth, fault = _tokenize(line, fields, 0)
        while depth > 0 and not fault:
            following = next(lines, None)
            if following is None:
                fault = "a parenthesis is never closed"
                break
            depth, fault = _tokenize(following[1], fields, depth)
        if fields or fault:
            yield number, indented, fields, fault


def _tokenize(line: str, fields: Fields, depth: int) -> tuple[int, str]:
    for match in _TOKEN.finditer(line):
        quoted, bracket, comment, plain, stray = match.groups()
        if plain is not None:
            fields.append((plain, False))
        elif quoted is not None:
            fields.append((quoted, True))
        elif bracket:
            depth += 1 if bracket == "(" else -1
            if depth < 0:
                return 0, "a parenthesis is closed that was not opened"
        elif stray:
            return 0, f"stray {stray} in the line"
        elif comment:
            break
    return depth, ""


def _directive(state: _State, fields: Fields, file: str, files: Mapping[str, str], depth: int) -> None:
    words = [text for text, _ in fields]
    match words[0].upper(), words[1:]:
        case "$ORIGIN", [name]:
            state.origin = parse_name(name, state.origin)
        case "$TTL", [ttl]:
            state.ttl = parse_period(ttl)
        case "$INCLUDE", [path, *origin] if len(origin) <= 1:
            _include(state, resolve(path, file), origin, files, depth)
        case "$ORIGIN" | "$TTL" | "$INCLUDE", _:
            raise ValueError(f"{words[0]} takes one value")
        case _:
            raise ValueError(f"unknown directive {words[0]}; $ORIGIN, $TTL, $INCLUDE and $GENERATE are known")


def _include(state: _State, path: str, origin: list[str], files: Mapping[str, str], depth: int) -> None:
    if depth >= MAX_INCLUDES:
        raise ValueError(f"more than {MAX_INCLUDES} files include each other")
    if path not in files:
        raise ValueError(f"included file {path} cannot be read")
    # RFC 1035 5.1: the origin and owner of the including file are as before once the included one ends.
    before = state.origin, state.owner
    if origin:
        state.origin = parse_name(origin[0], state.origin)
    _parse_file(state, files[path], path, files, depth=depth + 1)
    state.origin, state.owner = before


def _record(state: _State, indented: bool, fields: Fields, place: Place) -> Record:
    position = 0
    if indented:
        if state.owner is None:
            raise ValueError("the first record has no owner name; do not start its line with a blank")
    else:
        state.owner = parse_name(fields[0][0], state.origin)
        position = 1
    ttl: int | None = None
    while position < len(fields):
        text = fields[position][0]
        if text[:1].isdigit() and ttl is None:
            ttl = parse_period(text)
        elif text.upper() in {"CH", "HS", "CS"}:
            raise ValueError(f"class {text}: only IN is served")
        elif text.upper() != "IN":
            break
        position += 1
    if position == len(fields):
        raise ValueError("the record has no type")
    type_ = parse_type(fields[position][0])
    data = parse_rdata(type_, Tokens(fields[position + 1 :], state.origin))
    if ttl is None:
        ttl = _default_ttl(state, type_, data)
    state.last_ttl = ttl
    assert state.owner is not None
    return Record(state.owner, type_, ttl, data, place)


def _default_ttl(state: _State, type_: int, data: bytes) -> int:
    """Decide the TTL of a record that has none: `$TTL` (RFC 2308 4), the last one (RFC 1035 5.1), the SOA's MINIMUM."""
    for known in (state.ttl, state.last_ttl):
        if known is not None:
            return known
    if type_ == SOA:
        return int.from_bytes(data[-4:], "big")
    state.last_ttl = 0  # once is enough to say
    raise ValueError("the record has no TTL; write $TTL at the top of the file")


def format_zone(zone: Zone, *, comment: str = "") -> str:
    """Format a zone as a master file: names relative, in canonical order (RFC 4034 6.1), types by number."""
    ttls = [rrset.ttl for _, rrset in zone.rrsets()]
    default = max(set(ttls), key=lambda ttl: (ttls.count(ttl), -ttl)) if len(set(ttls)) < 64 else ttls[0]
    lines = [f"; {line}".rstrip() for line in comment.splitlines()]
    lines += [f"$ORIGIN {format_name(zone.origin)}", f"$TTL {default}"]
    shown = _relative(zone.origin)
    names = sorted((name for name, node in zone.nodes.items() if node), key=sort_key)
    width = max(len(shown(name)) for name in names)
    for name in names:
        owner = shown(name)
        for rrset in sorted(zone.nodes[name], key=lambda each: (each.type != SOA, each.type)):
            lines += _format_rrset(f"{owner:<{width}}", rrset, default)
            owner = ""
    return "\n".join(lines) + "\n"


def _format_rrset(owner: str, rrset: RRset, default: int) -> Iterator[str]:
    ttl = "" if rrset.ttl == default else f" {rrset.ttl}"
    for data in rrset.rdatas:
        shown = _format_soa(data) if rrset.type == SOA else format_rdata(rrset.type, data)
        yield f"{owner}{ttl} IN {format_type(rrset.type)} {shown}"
        owner = " " * len(owner)


def _format_soa(data: bytes) -> str:
    texts = format_rdata(SOA, data).split(" ")
    assert int(texts[2]) == soa_serial(data)
    comments = ("serial", "refresh", "retry", "expire", "minimum")
    lines = [f"    {value:<10} ; {said}" for value, said in zip(texts[2:], comments, strict=True)]
    return "\n".join([f"{texts[0]} {texts[1]} (", *lines, "    )"])


def _relative(origin: bytes) -> Callable[[bytes], str]:
    def shown(name: bytes) -> str:
        if name == origin:
            return "@"
        if origin == b"\x00" or not is_below(name, origin):
            return format_name(name)
        kept = len(labels(name)) - len(labels(origin))
        return ".".join(format_name(name).split(".")[:kept]) if b"." not in name else format_name(name)

    return shown
