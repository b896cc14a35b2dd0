"""The responder: query bytes to reply bytes, in the named steps ANSWER, AUTHORITY, ADDITIONAL.

RFC 1035 4.1.1 and 7.3, RFC 5001 (NSID), RFC 5936 2.2 and 4.2, RFC 6891, RFC 7766, RFC 7873 5, RFC 8945 5, RFC 9471
(glue), RFC 9619. A reply to anything that a network can deliver is bytes or None; nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from netprov.dns.iana.flag import RCODE_MASK, EdnsFlag, Flag
from netprov.dns.iana.opcode import MASK, Opcode, opcode
from netprov.dns.iana.rcode import Rcode
from netprov.dns.iana.rrclass import RRClass
from netprov.dns.iana.rrtype import ANY, AXFR, IXFR, META, TXT
from netprov.dns.message.name import format_name, parse_name
from netprov.dns.message.query import MIN_SIZE, Edns, FormatError, Query, decode
from netprov.dns.server import cookie, quick, tsig
from netprov.dns.server.compose import Composer
from netprov.dns.server.policy import Access, Client, Outcome, Policy
from netprov.dns.server.transfer import ZoneTransferred, changes, transfer
from netprov.dns.server.tsig import Key
from netprov.dns.zone.journal import Delta, Journal
from netprov.dns.zone.lookup import Catalog, Sections
from netprov.dns.zone.zone import RRset, Zone
from netprov.errors import Malformed

MAX_MESSAGE = 65535
OPT_SIZE = 11
NSID = 3
ANSWER, AUTHORITY, ADDITIONAL = range(3)

_VERSION_NAMES = frozenset(map(parse_name, ("version.bind", "version.server")))
_IDENTITY_NAMES = frozenset(map(parse_name, ("id.server", "hostname.bind")))


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What a reply holds beside its sections: its EDNS options, and octets to keep free for a signature."""

    options: bytes = b""
    reserve: int = 0


_PLAIN = ReplyContext()
_BEHIND_HEADER = 10
"""Where the question begins in a query behind its ID."""

_STRANGERS_HEADS = quick.heads()


class Responder:
    """Answers for a set of zones; frozen once made, and replaced whole on a reload."""

    __slots__ = ("_heads", "_prepared", "access", "catalog", "journals", "policy")

    def __init__(
        self,
        zones: Iterable[Zone],
        policy: Policy | None = None,
        *,
        access: Access | None = None,
        journals: Mapping[bytes, Journal] | None = None,
        failed: Iterable[bytes] = (),
    ) -> None:
        self.catalog = Catalog(zones, failed)
        self.policy = policy or Policy()
        self.access = access or Access()
        self.journals = journals or {}
        self._heads = quick.heads(Flag.RA) if self.policy.forwards else _STRANGERS_HEADS
        self._prepared = quick.prepare(self.catalog.zones.values(), self.catalog.failed)

    def respond_quickly(self, query: bytes, *, local: bool = True) -> bytes | None:
        """Return the reply to a plain query over UDP, both behind their IDs; None where `decide` must be asked.

        The reply may be kept.
        """
        if local:
            return quick.answer(self._prepared, query, self._heads)
        return None if self.policy.cookies_required else quick.answer(self._prepared, query, _STRANGERS_HEADS)

    def knows(self, query: bytes) -> bool:
        """Say whether the name that a query, behind its ID, asks for is in a zone: a glance, of whatever octets."""
        end = query.find(b"\0", _BEHIND_HEADER) + 1
        name = query[_BEHIND_HEADER:end].lower()  # no length of a label is a capital letter
        return any(name in zone.nodes for zone in self.catalog.zones.values())

    def respond(self, message: bytes, client: Client, now: float = 0.0) -> bytes | None:
        """Return the reply to a message, or None where there is none to send at once."""
        return self.decide(message, client, now).reply

    def decide(self, message: bytes, client: Client, now: float) -> Outcome:
        """Decide what becomes of a message; a response never gets one (RFC 1035 7.3). `now` is seconds since 1970."""
        if len(message) < 12 or message[2] & 0x80:
            return Outcome()
        try:
            query = decode(message)
        except FormatError as error:
            return Outcome(self._refuse_format(message, error.query, client))
        try:
            if query.signed_from:
                return self._decide_signed(query, client, now)
            return self._decide(query, client, now)
        except Malformed:
            return Outcome(self._refuse_format(message, query, client))

    def _decide(
        self, query: Query, client: Client, now: float, key: bytes = b"", reserve: int = 0
    ) -> Outcome:
        edns = query.edns
        context, known = ReplyContext(reserve=reserve), False
        if edns and edns.options:
            options, known = self._take_options(edns, client, now)
            context = ReplyContext(options, reserve)
        rcode = self._unanswerable(query) or self._want_cookie(query, client, known=known or bool(key))
        if rcode != Rcode.NOERROR or not query.question:
            return Outcome(
                self._reply(query, Sections(rcode, authoritative=False), client, context), known=known
            )
        keep = not (edns and edns.options) and not key and not client.doubted
        if not (known or key) and (client.doubted or self._is_required(client)):
            return Outcome(self._reply(query, Sections(authoritative=False, cut=True), client, context), keep)
        if query.qtype in {AXFR, IXFR}:
            return self._transfer(query, client, key, context)
        if query.qclass == RRClass.CH:
            return Outcome(self._reply(query, self._tell(query), client, context), known=known)
        sections = self.catalog.look_up(query.key, query.qtype)
        if sections.rcode == Rcode.REFUSED and client.local:
            if self._is_blackhole(query.key):
                sections = self._deny(query.key)
            elif self.policy.forwards and query.flags & Flag.RD:
                return Outcome(relay=query)
        return Outcome(self._reply(query, sections, client, context), keep, known)

    def _refuse_format(self, message: bytes, query: Query | None, client: Client) -> bytes:
        """Answer FORMERR with the question and an OPT, where they could be read: without OPT the reply would say that
        this server knows no EDNS (RFC 6891 6.1.1 and 7), and clients would do without it from then on."""
        known = opcode(message[2] << 8) in {Opcode.QUERY, Opcode.NOTIFY}
        rcode = Rcode.FORMERR if known else Rcode.NOTIMP
        if query is None:
            return _refuse(message, rcode)
        return self._reply(query, Sections(rcode, authoritative=False), client)

    def _is_required(self, client: Client) -> bool:
        """Say whether a client must show a cookie."""
        return self.policy.cookies_required and not client.local and not client.tcp

    def _want_cookie(self, query: Query, client: Client, *, known: bool) -> Rcode:
        """Return BADCOOKIE where a good cookie, which the reply holds, must come first (RFC 7873 5.2.3 and 5.4)."""
        theirs = query.edns.option(cookie.COOKIE) if query.edns and self.policy.cookies else None
        if theirs is None:
            if not query.question:
                raise Malformed("no question, and no cookie that is asked for (RFC 7873 5.4)")
            return Rcode.NOERROR
        wanted = self._is_required(client) if query.question else len(theirs) > cookie.CLIENT_SIZE
        return Rcode.BADCOOKIE if wanted and not known else Rcode.NOERROR

    def _unanswerable(self, query: Query) -> Rcode:
        """Decide whether a well-formed query is of a kind that gets no answer, and with which RCODE."""
        if query.edns and query.edns.version > 0:
            return Rcode.BADVERS  # RFC 6891 6.1.3
        if query.opcode == Opcode.NOTIFY:
            return Rcode.REFUSED  # RFC 1996 3.10: we are nobody's secondary
        if query.opcode != Opcode.QUERY:
            return Rcode.NOTIMP
        if query.message[6:8] != b"\x00\x00":
            return Rcode.FORMERR
        if query.qclass not in {RRClass.IN, RRClass.CH}:
            return Rcode.REFUSED
        if query.qtype in META and query.qtype not in {ANY, AXFR, IXFR}:
            return Rcode.NOTIMP
        return Rcode.NOERROR

    def _take_options(self, edns: Edns, client: Client, now: float) -> tuple[bytes, bool]:
        """Return the EDNS options of the reply, and whether the client's cookie is good. Raises `Malformed`."""
        policy, options = self.policy, b""
        if policy.identity is not None and edns.option(NSID) is not None:
            options += _option(NSID, policy.identity.encode())
        theirs = edns.option(cookie.COOKIE)
        if theirs is None or not policy.cookies:
            return options, False
        if not cookie.is_well_formed(theirs):
            raise Malformed("a cookie of impossible length (RFC 7873 5.2.2)")
        options += _option(cookie.COOKIE, cookie.make(theirs, client.address, policy.cookies, now))
        return options, cookie.is_valid(theirs, client.address, policy.cookies, now)

    def _tell(self, query: Query) -> Sections:
        """Answer class CH: who this server is, where the operator lets it say so; else REFUSED."""
        text = None
        if query.key in _VERSION_NAMES:
            text = self.policy.version
        elif query.key in _IDENTITY_NAMES:
            text = self.policy.identity
        if text is None or query.qtype not in {TXT, ANY}:
            return Sections(Rcode.REFUSED, authoritative=False)
        data = text.encode()[:255]
        return Sections(answer=[(query.key, RRset(TXT, 0, (bytes([len(data)]) + data,)))])

    def _is_blackhole(self, name: bytes) -> bool:
        blackhole = self.policy.blackhole
        while blackhole and name[0]:
            if name in blackhole:
                return True
            name = name[1 + name[0] :]
        return False

    def _deny(self, name: bytes) -> Sections:
        """Answer NXDOMAIN for a name in the blackhole, with an SOA so that it is remembered (RFC 2308 5)."""
        zone = next(iter(self.catalog.zones.values()))
        return Sections(Rcode.NXDOMAIN, authority=[(name, zone.soa, 60)])

    def _transfer(self, query: Query, client: Client, key: bytes, context: ReplyContext) -> Outcome:
        """Answer AXFR and IXFR, to those alone who may have them."""
        address = client.address
        allowed = self.access.secondaries & {(address, key), (address, b"")}
        zone = self.catalog.zones.get(query.key)
        if not allowed or zone is None:
            rcode = Rcode.NOTAUTH if allowed else Rcode.REFUSED  # RFC 5936 2.2.1
            if allowed and query.key in self.catalog.failed:
                rcode = Rcode.SERVFAIL
            return Outcome(self._reply(query, Sections(rcode, authoritative=False), client, context))
        if client.tcp:
            journal = self.journals.get(zone.origin) or Journal()
            deltas = changes(query, zone, journal)
            return Outcome(
                stream=transfer(query, zone, deltas, reserve=context.reserve),
                transferred=_transferred(query, zone, deltas, client),
            )
        if query.qtype == AXFR:
            rcode = Rcode.FORMERR  # RFC 5936 4.2: there is no AXFR over UDP
            return Outcome(self._reply(query, Sections(rcode, authoritative=False), client, context))
        # RFC 1995 2: over UDP the SOA alone sends the secondary to TCP.
        return Outcome(self._reply(query, Sections(answer=[(zone.origin, zone.soa)]), client, context))

    def _decide_signed(self, query: Query, client: Client, now: float) -> Outcome:
        """Answer a query with TSIG: the reply is signed as well, and a bad signature gets nothing else (RFC 8945 5)."""
        verdict = tsig.verify(query.message, query.signed_from, self.access.keys, now)
        key, theirs = verdict.key, verdict.signature
        reserve = key.overhead() if key else tsig.BARE_SIZE + len(theirs.name)
        if verdict.error:
            sections = Sections(Rcode.NOTAUTH, authoritative=False)
            bare = self._reply(query, sections, client, ReplyContext(reserve=reserve))
            if key is None:
                return Outcome(tsig.refuse(bare, verdict, now))
            signed, _ = tsig.sign(
                bare, key, now, request_mac=theirs.mac, error=verdict.error, request_time=theirs.time
            )
            return Outcome(signed)
        assert key
        outcome = self._decide(query, client, now, key.name, reserve)
        if outcome.stream is not None:
            return outcome._replace(stream=_sign_stream(outcome.stream, key, now, theirs.mac))
        if outcome.reply is None:
            return outcome
        return Outcome(tsig.sign(outcome.reply, key, now, request_mac=theirs.mac)[0])

    def _reply(
        self, query: Query, sections: Sections, client: Client, context: ReplyContext = _PLAIN
    ) -> bytes:
        """Compose a reply: sections in order, then OPT if the query had one (RFC 6891 6.1.1)."""
        edns, options = query.edns, context.options
        limit = MAX_MESSAGE if client.tcp else self.udp_limit(query)
        reserve = context.reserve + (OPT_SIZE + len(options) if edns else 0)
        composer = Composer(query.question, query.key, limit - reserve)
        fits = (
            _add_answer(composer, sections)
            and _add_authority(composer, sections)
            and _add_additional(composer, sections)
        )
        flags = _echoed(query.flags) | sections.rcode & RCODE_MASK
        if sections.authoritative:
            flags |= Flag.AA
        if sections.cut or not fits:
            flags |= Flag.TC
        if self.policy.forwards and client.local:
            flags |= Flag.RA
        if edns:
            ttl = sections.rcode >> 4 << 24 | edns.flags & EdnsFlag.DO
            composer.add_opt(self.policy.udp_size, ttl, options)
        return composer.finish(query.message[:2], flags)

    def cut(self, query: Query) -> bytes:
        """Return the empty, truncated reply that sends a client of the LAN to TCP."""
        return self._reply(query, Sections(authoritative=False, cut=True), Client())

    def udp_limit(self, query: Query) -> int:
        """Return how long a reply over UDP may be (RFC 6891 6.2.3)."""
        if query.edns is None:
            return MIN_SIZE
        return max(MIN_SIZE, min(query.edns.size, self.policy.udp_size))


def _echoed(flags: int) -> int:
    """Return the flags of a reply: the opcode, and what of a query is copied; in other opcodes RD and CD mean nothing."""
    kept = MASK if flags & MASK else MASK | Flag.RD | Flag.CD
    return Flag.QR | flags & kept


def _refuse(message: bytes, rcode: Rcode) -> bytes:
    """Return a bare header with an RCODE, for a message whose question cannot be trusted."""
    flags = _echoed(message[2] << 8 | message[3]) | rcode
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


def _transferred(
    query: Query, zone: Zone, deltas: Sequence[Delta] | None, client: Client
) -> ZoneTransferred | None:
    """Say what a transfer will have been; None where the secondary has the zone already."""
    name, secondary = format_name(zone.origin), str(ip_address(client.address))
    if deltas is None:
        return ZoneTransferred("AXFR", name, zone.serial, secondary)
    return ZoneTransferred("IXFR", name, zone.serial, secondary, query.serial) if deltas else None


def _sign_stream(stream: Iterator[bytes], key: Key, now: float, mac: bytes) -> Iterator[bytes]:
    """Sign every message of a transfer, each over the one before (RFC 8945 5.3.1)."""
    for index, message in enumerate(stream):
        signed, mac = tsig.sign(message, key, now, request_mac=mac, later=index > 0)
        yield signed
