"""DNS zones of other servers: master files (RFC 1035 5), and the zones of a named.conf of BIND.

Addresses become hosts, the records of the provisioning services targets, everything else records as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netprov.convert.draft import REVERSE, Draft, Section
from netprov.dns.iana.rrtype import format_type
from netprov.dns.message.name import format_host, parse_name
from netprov.dns.message.rdata import format_rdata
from netprov.dns.service import SERVICES
from netprov.dns.zone.master import parse
from netprov.dns.zone.zone import Record

_SCHEMES = {owner: scheme for scheme, owner in SERVICES.items()}
_ORIGIN = re.compile(
    r"^\$ORIGIN\s+(\S+)|^(\S+\.)\s+(?:\d+\s+)?(?:IN\s+)?(?:\d+\s+)?SOA\s", re.MULTILINE | re.IGNORECASE
)
_DEFAULT_TTL = 3600


def read_zone(text: str, source: str) -> Draft:
    """Read one master file; its name is that of the zone where it says none itself."""
    draft = Draft(source)
    _zone(draft, text, source, _origin(text, source))
    return draft


def _origin(text: str, source: str) -> str:
    found = _ORIGIN.search(text)
    if found:
        return (found[1] or found[2]).rstrip(".")
    return Path(source).name.removeprefix("db.").removesuffix(".zone").removesuffix(".db")


def _zone(draft: Draft, text: str, file: str, origin: str) -> None:
    """Add a zone to a draft; the first that is no reverse zone gives it its domain."""
    try:
        apex = parse_name(origin, b"\0")
    except ValueError as error:
        draft.leave(1, origin, f"this is no name of a zone: {error}", file=file)
        return
    records, problems = parse(text, apex, file=file, ttl=_DEFAULT_TTL)
    for each in problems:
        draft.leave(each.place.line if each.place else 1, each.message, "this line cannot be read", file=file)
    if not draft.domain and not f".{origin}".lower().endswith(REVERSE):
        draft.domain = origin.lower()
    aliases: list[Record] = []
    for record in records:
        line = record.place.line if record.place else 1
        kind, data = format_type(record.type), format_rdata(record.type, record.data)
        name = format_host(record.name)
        if kind in {"SOA", "NS"}:
            draft.leave(
                line,
                f"{name} {kind} {data}",
                "netprov writes its own; secondaries stand under `dns:`",
                file=file,
            )
        elif kind == "PTR":
            draft.leave(
                line,
                f"{name} {kind} {data}",
                "netprov answers for the addresses of its hosts and phones by itself",
                file=file,
            )
        elif kind in {"A", "AAAA"} and not name.startswith("*"):
            draft.add_host(name, data)
        elif kind == "CNAME":
            aliases.append(record)
        else:
            _other(draft, name, kind, data)
    for record in aliases:
        _alias(draft, format_host(record.name), format_rdata(record.type, record.data))


def _other(draft: Draft, name: str, kind: str, data: str) -> None:
    service = _SCHEMES.get(name.lower().removesuffix(f".{draft.domain}"))
    if kind == "SRV" and service:
        priority, weight, port, target = data.split()
        entry: Section = {"target": draft.relative(target), "port": int(port)}
        draft.srv.setdefault(service, []).append(entry | {"priority": int(priority), "weight": int(weight)})
        return
    draft.records.append({"name": draft.owner(name), "type": kind, "data": data})


def _alias(draft: Draft, name: str, target: str) -> None:
    host = draft.hosts.get(draft.relative(target))
    if host is not None:
        host.setdefault("aliases", []).append(draft.relative(name))
    else:
        draft.records.append({"name": draft.owner(name), "type": "CNAME", "data": target})


_TOKEN = re.compile(r'//[^\n]*|#[^\n]*|/\*.*?\*/|"((?:[^"\\]|\\.)*)"|([{};])|([^\s{};"]+)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Statement:
    """One statement of a named.conf, with those inside its braces."""

    line: int
    words: tuple[str, ...]
    inner: tuple[_Statement, ...] = ()

    def value(self, key: str) -> str:
        """Return the second word of a statement inside, "" if there is none."""
        return next(
            (each.words[1] for each in self.inner if each.words[0] == key and len(each.words) > 1), ""
        )


def read_named(text: str, source: str) -> Draft:
    """Read the primary zones of a named.conf, with their master files, as far as those are there."""
    draft = Draft(source)
    statements = _statements(list(_tokens(text)))
    directory = next((each.value("directory") for each in statements if each.words[:1] == ("options",)), "")
    for each in statements:
        match each.words:
            case ["zone", name, *_]:
                _named_zone(draft, each, name, Path(source).parent / directory)
            case ["options", *_]:
                for inner in each.inner:
                    if inner.words[0] != "directory":
                        draft.leave(inner.line, " ".join(inner.words), "the inventory has no such setting")
            case [word, *_]:
                draft.leave(each.line, " ".join(each.words), f"{word} is not carried over")
    return draft


def _named_zone(draft: Draft, each: _Statement, name: str, directory: Path) -> None:
    origin = name.rstrip(".")
    if each.value("type") not in {"primary", "master"}:
        draft.leave(
            each.line, f"zone {name}", "only primary zones are carried over: the others are another server's"
        )
        return
    file = directory / each.value("file")
    for inner in each.inner:
        if inner.words[0] in {"allow-transfer", "also-notify"} and inner.inner:
            who = ", ".join(" ".join(one.words) for one in inner.inner)
            draft.leave(
                inner.line, f"{inner.words[0]} {who}", "write those who follow under `dns: {secondaries: …}`"
            )
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        draft.leave(each.line, f"zone {name}", f"{file} cannot be read: {error.strerror}")
        return
    if draft.domain and not f".{origin}".lower().endswith(REVERSE):
        draft.zones.append({"origin": origin, "file": str(file)})
        return
    _zone(draft, text, str(file), origin)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for found in _TOKEN.finditer(text):
        word = found[1] if found[1] is not None else found[2] or found[3]
        if word is not None:
            yield text.count("\n", 0, found.start()) + 1, word


def _statements(tokens: list[tuple[int, str]]) -> tuple[_Statement, ...]:
    """Return the statements up to the brace that ends them, and take their tokens away."""
    found: list[_Statement] = []
    words: list[str] = []
    inner: tuple[_Statement, ...] = ()
    start = 0
    while tokens:
        line, word = tokens.pop(0)
        if word == "}":
            break
        if word == "{":
            inner = _statements(tokens)
        elif word == ";":
            if words:
                found.append(_Statement(start, tuple(words), inner))
            words, inner = [], ()
        else:
            start = start if words else line
            words.append(word)
    return tuple(found)
