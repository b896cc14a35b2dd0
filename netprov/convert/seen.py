"""What a LAN's DHCP servers hand out today, from the messages that a capture holds, as a draft.

A capture shows what was asked for, by those who asked: what nobody asked for is not in it, and whose address is fixed cannot be
seen. Its packets take the place of lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from netprov.convert.arrange import arrange
from netprov.convert.draft import Draft, Section
from netprov.convert.rule import Grant, Rules
from netprov.dhcp.contents import is_phone
from netprov.dhcp.message import Message, Type, dotted
from netprov.dhcp.option import table as code
from netprov.mac import format_mac
from netprov.phone.handset.identity import MODELS

_OF_THE_REPLY = frozenset(
    {
        *(code.MASK, code.MESSAGE_TYPE, code.SERVER_ID, code.LEASE_TIME, code.T1, code.T2, code.MESSAGE),
        *(code.CLIENT_IDENTIFIER, code.RELAY_INFO, code.FQDN, code.HOST_NAME, 28),
    }
)
"""Options that say what kind of reply it is, or are each client's own."""


MOST_CLIENTS, MOST_NETWORKS = 2000, 64
"""Clients whose answers are drafted, and subnets: a capture may hold any number of invented ones."""
MOST_REQUESTS = 4096
"""Requests that an answer is looked for."""
MOST_LEFT = 500
"""Answers that are listed as not carried over."""
_TOO_MANY = (
    f"more than {MOST_CLIENTS} clients, {MOST_NETWORKS} subnets or {MOST_LEFT} answers to list are not read"
)


@dataclass(slots=True)
class _Lan:
    """What was seen on one subnet."""

    section: Section
    name: str
    server: int
    given: dict[tuple[str, bytes], dict[int, tuple[bytes, int]]] = field(default_factory=dict)
    """By vendor class and client: the options of its replies, each with its packet."""


def read_seen(messages: Iterable[tuple[int, Message]], source: str) -> Draft:
    """Read DHCP messages, each with the number of its packet."""
    draft = Draft(source)
    said: dict[tuple[bytes, int], str] = {}
    lans: dict[str, _Lan] = {}
    clients: set[bytes] = set()
    for number, message in messages:
        if message.type in {Type.DISCOVER, Type.REQUEST, Type.INFORM}:
            said[message.chaddr, message.xid] = _vendor(message)
            if len(said) > MOST_REQUESTS:
                del said[next(iter(said))]
        elif message.type in {Type.OFFER, Type.ACK} and message.yiaddr:
            crowded = len(clients) >= MOST_CLIENTS and message.chaddr not in clients
            if crowded or len(lans) >= MOST_NETWORKS or len(draft.leftovers) >= MOST_LEFT:
                draft.leave(number, "what follows", _TOO_MANY)
                break
            clients.add(message.chaddr)
            _reply(draft, lans, number, message, said.get((message.chaddr, message.xid), ""))
    rules = Rules()
    for lan in lans.values():
        _grants(rules, lan)
    arrange(draft, rules)
    return draft


def _reply(draft: Draft, lans: dict[str, _Lan], number: int, reply: Message, vendor: str) -> None:
    """Note what one client was given."""
    mask = reply.address(code.MASK)
    if not mask:
        draft.leave(
            number,
            f"reply to {format_mac(reply.chaddr)}",
            "it has no subnet mask, so its network is not known",
        )
        return
    try:
        subnet = IPv4Network((reply.yiaddr & mask, str(IPv4Address(mask))))
    except ValueError:
        draft.leave(number, f"mask {dotted(mask)}", "it is no subnet mask")
        return
    server = reply.address(code.SERVER_ID)
    if str(subnet) not in lans:
        section = draft.add_network(subnet, line=number)
        name = next(key for key, each in draft.networks.items() if each is section)
        lans[str(subnet)] = _Lan(section, name, server)
        section |= {
            "clients": "all",
            "lease": int.from_bytes(reply.options.get(code.LEASE_TIME, b"\0\0\x0e\x10"), "big"),
        }
        draft.leave(
            number,
            f"pool of {subnet}",
            "a capture does not show which addresses a server has: the default is drafted",
        )
    lan = lans[str(subnet)]
    if server != lan.server:
        draft.leave(
            number,
            f"server {dotted(server)}",
            f"{dotted(lan.server)} answers on {subnet} too: its answers are drafted",
        )
        return
    options = lan.given.setdefault((vendor, reply.chaddr), {})
    options |= {key: (data, number) for key, data in reply.options.items() if key not in _OF_THE_REPLY}
    _phone(draft, reply.chaddr, vendor)


def _vendor(request: Message) -> str:
    data = request.options.get(code.VENDOR_CLASS, b"")
    text = data.rstrip(b"\0").decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""


def _phone(draft: Draft, mac: bytes, vendor: str) -> None:
    """List a client that is a phone, once."""
    text = format_mac(mac)
    if is_phone(vendor) and all(each["mac"] != text for each in draft.phones):
        draft.phones.append({"mac": text} | ({"model": vendor} if vendor in MODELS else {}))


def _grants(rules: Rules, lan: _Lan) -> None:
    """Say what everybody was given, and what only those of a vendor class were."""
    first, *rest = lan.given.values()
    alike = {
        key for key, (data, _) in first.items() if all(each.get(key, (b"", 0))[0] == data for each in rest)
    }
    networks = frozenset({lan.name})
    for (vendor, _), options in lan.given.items():
        tag = rules.tag(f"vendor {vendor}", 1)
        tag.alternatives = [{"vendor_class": vendor}] if vendor else []
        for key, (data, number) in options.items():
            text = f"option {key} ({code.name(key)})"
            everybody = key in alike or not vendor
            needs = frozenset[str]() if everybody else frozenset({f"vendor {vendor}"})
            rules.grants.append(
                Grant(key, data, number, text, (0 if everybody else 1,), needs, networks=networks)
            )
