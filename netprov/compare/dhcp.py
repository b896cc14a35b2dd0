"""DHCP as it is compared: conversations of many clients at once, each message answered before the next is sent.

A link is whatever carries messages to a server and brings the replies; the sockets are in `compare.link`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from netprov.compare.answer import Answer, DhcpAnswer, DhcpQuestion, Question
from netprov.compare.client import AskingClient
from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type
from netprov.dhcp.option import table as code
from netprov.dhcp.option.kind import USER_CLASS
from netprov.dhcp.relay import CIRCUIT_ID
from netprov.plan import Plan

FIRST_MESSAGES = ("discover",)
"""Messages that leave no trace on a server, and whose answers need no address of the client's."""

ALL_MESSAGES = ("discover", "request", "rebind", "reboot", "inform", "relayed")
"""Messages that a test may send: they take leases. Relayed once they have them: a server may ping an address before its offer."""

ENDS = ("released", "declined")
"""What is asked once a client gave its address back, or said that somebody else has it."""

_ASKED_ANYWAY = frozenset(code.OPTIONS) - code.NOT_SETTABLE.keys() | {code.LEASE_TIME, code.T1, code.T2}
"""Options that are asked for, beside those that an inventory gives: all that a server can be told to send."""

_CIRCUIT = b"port 7"
"""What the relay agent calls the place that a client is at."""

_NOBODYS = 0xC0000201
"""192.0.2.1 (RFC 5737): an address of none of the networks."""


class Link(Protocol):
    """What carries messages of clients on one network to a server."""

    def ask(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message] | None:
        """Return the replies by xid, of those that came; None for a network that is only reached through relay agents."""

    def adopt(self, network: str, addresses: Sequence[int]) -> None:
        """Take what is sent to these addresses, and to no others."""

    def relay(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message] | None:
        """Return the replies to messages that a relay agent of the network passes on; None where there is none."""

    def tell(self, network: str, messages: Sequence[Message]) -> None:
        """Send messages that nobody answers, none of which a server drops as one too many of its client."""


@dataclass(slots=True)
class _Conversation:
    client: AskingClient
    asks: tuple[int, ...] | None
    offer: Message | None = None
    bound: int = 0


def option_lists(plan: Plan, further: Sequence[int] = ()) -> tuple[tuple[int, ...] | None, ...]:
    """Return the request lists to ask with: everything, each alone by asking for next to nothing, and none."""
    given = {number for each in plan.dhcp.networks for number in each.settings}
    given |= {number for each in plan.dhcp.classes for number in each.settings}
    given |= {number for each in plan.dhcp.phones.values() for number in each.settings}
    everything = tuple(sorted({*_ASKED_ANYWAY, *given, *further} - {0, 255}))
    return everything, (code.MASK,), None


def ask_dhcp(
    link: Link,
    clients: Sequence[AskingClient],
    lists: Sequence[tuple[int, ...] | None],
    messages: Sequence[str] = FIRST_MESSAGES,
    *,
    first_xid: int = 1,
) -> dict[Question, Answer]:
    """Hold every conversation with one server; return its answers by question.

    `first_xid` must differ from call to call by more than their messages: a late answer is no answer to another question.

    A relay agent is asked through once, and leases are ended once: with the first and the last list.
    """
    found: dict[Question, Answer] = {}
    numbers = count(first_xid)
    for asks in lists:
        for network in dict.fromkeys(client.network for client in clients):
            here = [_Conversation(client, asks) for client in clients if client.network == network]
            for message in messages:
                if message == "relayed" and asks != lists[0]:
                    continue
                found |= _exchange(link, network, here, message, numbers)
                if message == "request":
                    found |= _again(link, network, here, found, numbers)
                    link.adopt(network, [each.bound for each in here if each.bound])
            bound = [each for each in here if each.bound]
            ending = messages == ALL_MESSAGES and asks == lists[-1]
            decliner = next((each for each in reversed(bound) if ending and not each.client.fixed), None)
            link.tell(network, [_ended(each, next(numbers), declined=each is decliner) for each in bound])
            link.adopt(network, ())
            if ending:
                released = [each for each in bound if each is not decliner]
                found |= _exchange(link, network, released, "released", numbers)
                found |= _exchange(link, network, [decliner] if decliner else [], "declined", numbers)
    return found


def _again(
    link: Link,
    network: str,
    here: Iterable[_Conversation],
    found: Mapping[Question, Answer],
    numbers: Iterator[int],
) -> dict[Question, Answer]:
    """Let clients whose request was refused begin anew, one by one (RFC 2131 3.1 step 5).

    A server that reserves nothing with its offers may have offered one address to two of them.
    """
    answers: dict[Question, Answer] = {}
    for each in here:
        first = found.get(DhcpQuestion(each.client, "request", each.asks))
        if isinstance(first, DhcpAnswer) and first.kind == Type.NAK.name:
            for message in ("discover", "request"):
                answers |= _exchange(link, network, [each], message, numbers)
    return answers


def _exchange(
    link: Link, network: str, here: Iterable[_Conversation], message: str, numbers: Iterator[int]
) -> dict[Question, Answer]:
    """Send one message of every conversation; return the answers."""
    waiting = {}
    for each in here:
        request = _request(message, each, next(numbers))
        if request is not None:
            waiting[request.xid] = (each, request)
    send = link.relay if message == "relayed" else link.ask
    replies = send(network, [request for _, request in waiting.values()])
    if replies is None:
        return {}
    return {
        DhcpQuestion(each.client, message, each.asks): _heard(each, message, replies.get(xid))
        for xid, (each, _) in waiting.items()
    }


def _heard(each: _Conversation, message: str, reply: Message | None) -> DhcpAnswer:
    """Note what a reply means for the conversation, and return it in comparable form."""
    if reply is None:
        return DhcpAnswer()
    if message == "discover" and reply.type == Type.OFFER:
        each.offer = reply
    if message == "request" and reply.type == Type.ACK:
        each.bound = reply.yiaddr
    kind = Type(reply.type).name if reply.type in set(Type) else f"type {reply.type}"
    options = {
        key: data for key, data in reply.options.items() if key not in {code.MESSAGE_TYPE, code.MESSAGE}
    }
    if reply.type == Type.NAK:
        options = {}
    header = (reply.siaddr, reply.sname, reply.file)
    again = message in ENDS and reply.yiaddr == each.bound
    return DhcpAnswer(kind, reply.yiaddr, reply.address(code.SERVER_ID), options, header, again)


def _request(message: str, each: _Conversation, xid: int) -> Message | None:
    """Return one message of a conversation, None if it cannot be sent because an earlier one had no answer."""
    client = each.client
    base = Message(dhcp.BOOTREQUEST, xid, client.mac, flags=dhcp.BROADCAST)
    match message:
        case "discover" | "released" | "declined":
            return base._replace(options=_options(each, Type.DISCOVER))
        case "relayed":
            further = {code.RELAY_INFO: bytes([CIRCUIT_ID, len(_CIRCUIT)]) + _CIRCUIT}
            return base._replace(hops=1, options={**_options(each, Type.DISCOVER), **further})
        case "request" if each.offer is not None:
            offer = each.offer
            further = {
                code.REQUESTED_ADDRESS: offer.yiaddr.to_bytes(4, "big"),
                code.SERVER_ID: offer.options.get(code.SERVER_ID, b""),
            }
            return base._replace(options=_options(each, Type.REQUEST, further))
        case "rebind" if each.bound:
            return base._replace(ciaddr=each.bound, options=_options(each, Type.REQUEST))
        case "reboot" if each.bound:
            wrong = {code.REQUESTED_ADDRESS: _NOBODYS.to_bytes(4, "big")}
            return base._replace(options=_options(each, Type.REQUEST, wrong))
        case "inform" if each.bound:
            return base._replace(ciaddr=each.bound, options=_options(each, Type.INFORM))
    return None


def _ended(each: _Conversation, xid: int, *, declined: bool) -> Message:
    """Return what ends a lease: RELEASE, or DECLINE (RFC 2131 4.4.4, table 5)."""
    server = each.offer.options.get(code.SERVER_ID, b"") if each.offer else b""
    options = {code.MESSAGE_TYPE: bytes([Type.DECLINE if declined else Type.RELEASE]), code.SERVER_ID: server}
    if declined:
        options[code.REQUESTED_ADDRESS] = each.bound.to_bytes(4, "big")
    return Message(
        dhcp.BOOTREQUEST, xid, each.client.mac, ciaddr=0 if declined else each.bound, options=options
    )


def _options(each: _Conversation, kind: Type, further: Mapping[int, bytes] = {}) -> dict[int, bytes]:
    client = each.client
    options = {code.MESSAGE_TYPE: bytes([kind]), **further, code.MAX_SIZE: (1400).to_bytes(2, "big")}
    if client.vendor_class:
        options[code.VENDOR_CLASS] = client.vendor_class.encode()
    if client.user_classes:
        options[code.USER_CLASSES] = USER_CLASS.encode(list(client.user_classes))
    if client.host_name:
        options[code.HOST_NAME] = client.host_name.encode()
    if each.asks is not None:
        options[code.REQUEST_LIST] = bytes(each.asks)
    return options
