"""Where two answers differ, and which differences are explained by how the servers work rather than by what they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netprov.compare.answer import Answer, DhcpAnswer, DhcpQuestion, DnsAnswer, Question, WebAnswer
from netprov.dhcp.contents import ALWAYS
from netprov.dhcp.message import dotted
from netprov.dhcp.option import table as code
from netprov.dhcp.option.kind import printable
from netprov.dhcp.option.vendor import decode_tlv
from netprov.dns.stub import Status
from netprov.errors import Malformed

REASONS: Mapping[str, str] = {
    "order": "the order of records in an answer is the server's own; phones sort by priority and weight",
    "ttl": "a TTL changes how long an answer is kept, not what it says",
    "next-server": "siaddr, sname and file are for boot loaders; phones go by options 66 and 150",
    "times": "T1 and T2 follow from the lease, by each server's own share (RFC 2131 4.4.5)",
    "broadcast-address": "clients work the broadcast address out from their mask",
    "padding": "a NUL that ends a text, or an END that ends option 43, is no part of the value (RFC 2132 2 and 8.4)",
    "server": "each server names itself",
    "echo": "the option repeats what the client said",
    "basic": "mask, router, DNS and domain are always sent by netprov, for without them a phone finds nothing",
    "request-list": "what a client without a request list gets is left to the server (RFC 2131 4.3.1)",
    "pool": "both addresses are of the network's pool",
    "inform": "INFORM takes no lease: what goes by the lease, or the entry of a host, some servers leave out",
    "encoding": "the same value in other octets: names may be compressed (RFC 3397)",
    "host-name": "some servers tell a client its name unasked",
    "suboptions": "the same sub-options in another order",
    "running": "the lease had run for some seconds when it was told again",
    "silence": "a server that is not authoritative may say nothing of an address that is not of the network",
    "listed": "the import or export lists it among what is not carried over",
    "inform-lease": "an answer to INFORM holds no lease time (RFC 2131 4.3.5); some servers send one",
    "upstream": "the server asks others for names that it does not know, and here are no others",
    "own": "netprov publishes its own name, and the names of its services where none are given",
    "salt": "each server encrypts with a salt, and where its key was made by itself a key, of its own",
    "authority": "each server hands out its own authority's certificate",
    "released": "the address that was given back need not be the one that comes next (RFC 2131 4.3.1)",
    "aa": "whether a server calls itself authoritative does not matter to phones",
}
"""Why a difference is none, by its short name."""

_ECHOED = frozenset({code.CLIENT_IDENTIFIER, code.RELAY_INFO, code.FQDN, code.SUBNET_SELECTION})
_TIMES = frozenset({code.T1, code.T2})
_BROADCAST = 28
_SAID = frozenset({code.VENDOR_CLASS, code.HOST_NAME})
_LATER = frozenset({"rebind", "request", "relayed"})
_CLOCK_S = 60
"""How much of a lease may have run while it was talked of, in seconds: its length itself is compared in the offer."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; `reason` is a key of `REASONS`, "" if nothing explains it."""

    question: Question
    what: str
    left: str
    right: str
    reason: str = ""
    option: int = 0
    """The option that differs, 0 for none."""

    def __str__(self) -> str:
        told = f": {REASONS[self.reason]}" if self.reason else ""
        return (
            f"{self.question}: {self.what}: {self.left or 'nothing'} against {self.right or 'nothing'}{told}"
        )


def differences(question: Question, left: Answer, right: Answer) -> Iterator[Difference]:
    """Yield where two answers to one question differ."""
    if isinstance(left, DnsAnswer) and isinstance(right, DnsAnswer):
        yield from _dns(question, left, right)
    elif (
        isinstance(left, DhcpAnswer) and isinstance(right, DhcpAnswer) and isinstance(question, DhcpQuestion)
    ):
        yield from _dhcp(question, left, right)
    elif isinstance(left, WebAnswer) and isinstance(right, WebAnswer):
        yield from _web(question, left, right)
    else:
        raise TypeError(question)


def _dns(question: Question, left: DnsAnswer, right: DnsAnswer) -> Iterator[Difference]:
    if left.status != right.status:
        negative = {Status.NODATA.value, Status.NXDOMAIN.value}
        asks_others = left.status == Status.REFUSED.value and right.status in negative
        yield Difference(question, "status", left.status, right.status, "upstream" if asks_others else "")
        return
    if sorted(left.records) != sorted(right.records):
        yield Difference(question, "records", _records(left), _records(right))
    elif left.records != right.records:
        yield Difference(question, "order", _records(left), _records(right), "order")
    elif left.ttls != right.ttls:
        yield Difference(question, "TTL", str(left.ttls), str(right.ttls), "ttl")
    if left.authoritative != right.authoritative:
        yield Difference(question, "AA", str(left.authoritative), str(right.authoritative), "aa")


def _web(question: Question, left: WebAnswer, right: WebAnswer) -> Iterator[Difference]:
    if left.status != right.status:
        yield Difference(question, "status", left.status, right.status)
        return
    for name in sorted(left.headers.keys() | right.headers.keys()):
        one, other = left.headers.get(name, ""), right.headers.get(name, "")
        if one != other:
            yield Difference(question, name, one, other)
    if left.digest != right.digest:
        own = left.kind if left.kind == right.kind else ""
        reason = {"encrypted": "salt", "certificates": "authority"}.get(own, "")
        yield Difference(question, "body", left.digest, right.digest, reason)
    if left.names != right.names:
        yield Difference(question, "certificate", ", ".join(left.names), ", ".join(right.names))


def _records(answer: DnsAnswer) -> str:
    return "; ".join(" ".join(each) for each in answer.records)


def _dhcp(question: DhcpQuestion, left: DhcpAnswer, right: DhcpAnswer) -> Iterator[Difference]:
    if left.kind != right.kind:
        yield Difference(question, "reply", left.kind, right.kind, _silence(question, left, right))
        return
    if left.again != right.again or left.address != right.address:
        yield _address(question, left, right)
    if left.header != right.header:
        yield Difference(question, "header", _header(left), _header(right), "next-server")
    for option in sorted(left.options.keys() | right.options.keys()):
        one, other = left.options.get(option), right.options.get(option)
        if one != other:
            why = _reason(question, option, _Side(one, left.server), _Side(other, right.server))
            label = f"option {option} ({code.name(option)})"
            yield Difference(question, label, _shown(option, one), _shown(option, other), why, option)


def _silence(question: DhcpQuestion, left: DhcpAnswer, right: DhcpAnswer) -> str:
    if left.kind and right.kind:
        return ""
    if question.message == "reboot" and "NAK" in {left.kind, right.kind}:
        return "silence"
    return "inform" if question.message == "inform" else ""


def _address(question: DhcpQuestion, left: DhcpAnswer, right: DhcpAnswer) -> Difference:
    """A phone's own address must be the same; of a pool, each server chooses."""
    if left.again != right.again:
        before = ["the address of before" if each.again else "another" for each in (left, right)]
        explained = "released" if question.message == "released" else ""
        return Difference(question, "address", before[0], before[1], explained)
    client = question.client
    from_pool = not client.fixed and all(
        any(low <= each.address <= high for low, high in client.pool) for each in (left, right)
    )
    return Difference(
        question, "address", dotted(left.address), dotted(right.address), "pool" if from_pool else ""
    )


def _header(answer: DhcpAnswer) -> str:
    siaddr, sname, file = answer.header
    parts = (
        f"siaddr {dotted(siaddr)}" if siaddr else "",
        printable(sname) if sname else "",
        printable(file) if file else "",
    )
    return ", ".join(filter(None, parts))


def _shown(option: int, data: bytes | None) -> str:
    return "" if data is None else code.show(option, data)


@dataclass(frozen=True, slots=True)
class _Side:
    data: bytes | None
    server: int

    def names_itself(self) -> bool:
        return self.data is not None and self.server != 0 and self.data == self.server.to_bytes(4, "big")


def _reason(question: DhcpQuestion, option: int, one: _Side, other: _Side) -> str:
    """Return the key of what explains that an option differs, "" if nothing does."""
    both = one.data is not None and other.data is not None
    if question.message == "inform" and not both:
        return "inform-lease" if option == code.LEASE_TIME else "inform"
    if option in _SAID and _said(question, option, one.data) and _said(question, option, other.data):
        return "echo"
    if option == code.SERVER_ID:
        return "server" if both else ""
    if option == code.RELAY_INFO and not both:
        return ""
    for codes, reason in ((_ECHOED, "echo"), (_TIMES, "times"), ({_BROADCAST}, "broadcast-address")):
        if option in codes:
            return reason
    if option in {code.ROUTER, code.DNS} and one.names_itself() and other.names_itself():
        return "server"
    if one.data is None or other.data is None:
        if question.asks is None:
            return "request-list"
        if option in question.asks:
            return ""
        return "basic" if option in ALWAYS else "host-name" if option == code.HOST_NAME else ""
    return _same_meaning(question, option, one.data, other.data)


def _said(question: DhcpQuestion, option: int, data: bytes | None) -> bool:
    """Say whether a server left an option out, or repeated what the client said."""
    client = question.client
    return (
        data is None
        or data == (client.vendor_class if option == code.VENDOR_CLASS else client.host_name).encode()
    )


def _same_meaning(question: DhcpQuestion, option: int, one: bytes, other: bytes) -> str:
    ended = b"\0" if option != code.VENDOR_INFO else b"\0\xff"
    if one.rstrip(ended) == other.rstrip(ended):
        return "padding"
    if option == code.LEASE_TIME and question.message in _LATER:
        return "running" if abs(int.from_bytes(one, "big") - int.from_bytes(other, "big")) <= _CLOCK_S else ""
    try:
        if option == code.SEARCH and code.decode(option, one) == code.decode(option, other):
            return "encoding"
        alike = option == code.VENDOR_INFO and decode_tlv(one) == decode_tlv(other)
    except Malformed:
        return ""
    return "suboptions" if alike else ""
