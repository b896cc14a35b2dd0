"""The responder: query bytes to reply bytes, in the named steps ANSWER, AUTHORITY, ADDITIONAL.

RFC 1035 4.1.1 and 7.3, RFC 6891, RFC 5001 (NSID), RFC 7766, RFC 9471 (glue), RFC 9619. A reply to anything that a
network can deliver is bytes or None; nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netprov.dns.compose import Composer
from netprov.dns.lookup import Catalog, Sections
from netprov.dns.name import parse_name
from netprov.dns.query import (
    AA,
    BADVERS,
    CD,
    CH,
    DO,
    FORMERR,
    IN,
    MIN_SIZE,
    NOERROR,
    NOTIFY,
    NOTIMP,
    OPCODE,
    QR,
    QUERY,
    RD,
    REFUSED,
    TC,
    Query,
    decode,
)
from netprov.dns.rrtype import ANY, META, TXT
from netprov.dns.zone import RRset, Zone
from netprov.errors import Malformed

UDP_SIZE = 1232
"""Octets of the largest UDP reply: what fits every path unfragmented (DNS flag day 2020)."""

MAX_MESSAGE = 65535
OPT_SIZE = 11
NSID = 3
ANSWER, AUTHORITY, ADDITIONAL = range(3)

_VERSION_NAMES = frozenset(map(parse_name, ("version.bind", "version.server")))
_IDENTITY_NAMES = frozenset(map(parse_name, ("id.server", "hostname.bind")))


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server answers, whatever its zones: what it tells of itself, and how long its UDP replies get."""

    version: str | None = None
    identity: str | None = None
    udp_size: int = UDP_SIZE


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: packed address, whether of a network that is served here, over which transport."""

    address: bytes = b"\x7f\x00\x00\x01"
    local: bool = True
    tcp: bool = False


class Responder:
    """Answers for a set of zones; frozen once made, and replaced whole on a reload."""

    __slots__ = ("catalog", "manners")

    def __init__(self, zones: Iterable[Zone], manners: Manners | None = None) -> None:
        self.catalog = Catalog(zones)
        self.manners = manners or Manners()

    def respond(self, message: bytes, client: Client) -> bytes | None:
        """Return the reply to a message, or None where there must be none (RFC 1035 7.3, to a response)."""
        if len(message) < 12 or message[2] & 0x80:
            return None
        try:
            query = decode(message)
        except Malformed:
            opcode = message[2] >> 3 & 0xF
            return refuse(message, FORMERR if opcode in {QUERY, NOTIFY} else NOTIMP)
        rcode = self._unanswerable(query)
        if rcode == NOERROR:
            return self._answer(query, client)
        return self._reply(query, Sections(rcode, authoritative=False), client)

    def _unanswerable(self, query: Query) -> int:
        """Decide whether a well-formed query is of a kind that gets no answer, and with which RCODE."""
        if query.edns and query.edns.version > 0:
            return BADVERS  # RFC 6891 6.1.3
        if query.opcode == NOTIFY:
            return REFUSED  # RFC 1996 3.10: we are nobody's secondary
        if query.opcode != QUERY:
            return NOTIMP
        if query.message[6:8] != b"\x00\x00":
            return FORMERR
        if query.qclass not in {IN, CH}:
            return REFUSED
        if query.qtype in META and query.qtype != ANY:
            return NOTIMP
        return NOERROR

    def _answer(self, query: Query, client: Client) -> bytes:
        if query.qclass == CH:
            return self._reply(query, self._tell(query), client)
        return self._reply(query, self.catalog.look_up(query.key, query.qtype), client)

    def _tell(self, query: Query) -> Sections:
        """Answer class CH: who this server is, where the operator lets it say so; else REFUSED."""
        text = None
        if query.key in _VERSION_NAMES:
            text = self.manners.version
        elif query.key in _IDENTITY_NAMES:
            text = self.manners.identity
        if text is None or query.qtype not in {TXT, ANY}:
            return Sections(REFUSED, authoritative=False)
        data = text.encode()[:255]
        return Sections(answer=[(query.key, RRset(TXT, 0, (bytes([len(data)]) + data,)))])

    def _reply(self, query: Query, sections: Sections, client: Client) -> bytes:
        """Compose a reply: sections in order, then OPT if the query had one (RFC 6891 6.1.1)."""
        edns = query.edns
        options = self._options(query) if edns else b""
        limit = MAX_MESSAGE if client.tcp else self._udp_limit(query)
        composer = Composer(query.question, query.key, limit - (OPT_SIZE + len(options) if edns else 0))
        fits = (
            _add_answer(composer, sections)
            and _add_authority(composer, sections)
            and _add_additional(composer, sections)
        )
        flags = QR | query.flags & (OPCODE | RD | CD) | sections.rcode & 0xF
        if sections.authoritative:
            flags |= AA
        if not fits:
            flags |= TC
        if edns:
            ttl = sections.rcode >> 4 << 24 | edns.flags & DO
            composer.add_opt(self.manners.udp_size, ttl, options)
        return composer.finish(query.message[:2], flags)

    def _udp_limit(self, query: Query) -> int:
        if query.edns is None:
            return MIN_SIZE
        return max(MIN_SIZE, min(query.edns.size, self.manners.udp_size))

    def _options(self, query: Query) -> bytes:
        assert query.edns
        options = b""
        if self.manners.identity is not None and query.edns.option(NSID) is not None:
            options += _option(NSID, self.manners.identity.encode())
        return options


def refuse(message: bytes, rcode: int) -> bytes:
    """Return a bare header with an RCODE, for a message whose question cannot be trusted."""
    flags = QR | (message[2] << 8 | message[3]) & (OPCODE | RD | CD) | rcode
    return message[:2] + flags.to_bytes(2, "big") + bytes(8)


def _add_answer(composer: Composer, sections: Sections) -> bool:
    return all(composer.add(ANSWER, name, rrset) for name, rrset in sections.answer)


def _add_authority(composer: Composer, sections: Sections) -> bool:
    return all(composer.add(AUTHORITY, name, rrset, ttl) for name, rrset, ttl in sections.authority)


def _add_additional(composer: Composer, sections: Sections) -> bool:
    """Add what fits; only the glue of a referral must be whole, or the reply is truncated (RFC 9471 3.1)."""
    fits = True
    for name, rrset in sections.additional:
        fits = composer.add(ADDITIONAL, name, rrset) and fits
    return fits or not sections.glue


def _option(code: int, data: bytes) -> bytes:
    return code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
