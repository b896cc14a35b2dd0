"""DHCP as it is compared: conversations of many clients at once, each message answered before the next is sent.

A link is whatever carries messages to a server and brings the replies; the sockets are in `compare.link`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from netprov.compare.answer import Answer, DhcpAnswer, DhcpQuestion, Question
from netprov.compare.client import AskingClient
from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type
from netprov.dhcp.option import table as code
from netprov.dhcp.option.kind import USER_CLASS
from netprov.plan import Plan

FIRST_MESSAGES = ("discover",)
"""Messages that leave no trace on a server, and whose answers need no address of the client's."""

ALL_MESSAGES = ("discover", "request", "rebind", "reboot", "inform")
"""Messages that a test may send: they take leases."""

_ASKED_ANYWAY = frozenset(code.OPTIONS) - code.NOT_SETTABLE.keys() | {code.LEASE_TIME, code.T1, code.T2}
"""Options that are asked for, beside those that an inventory gives: all that a server can be told to send."""

_NOBODYS = 0xC0000201
"""192.0.2.1 (RFC 5737): an address of none of the networks."""


class Link(Protocol):
    """What carries messages of clients on one network to a server."""

    def ask(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message]:
        """Return the replies by xid, of those that came."""

    def adopt(self, network: str, addresses: Sequence[int]) -> None:
        """Take what is sent to these addresses, and to no others."""

    def tell(self, network: str, messages: Sequence[Message]) -> None:
        """Send messages that nobody answers."""


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
) -> dict[Question, Answer]:
    """Hold every conversation with one server; return its answers by question."""
    found: dict[Question, Answer] = {}
    numbers = count(1)
    for asks in lists:
        for network in dict.fromkeys(client.network for client in clients):
            here = [_Conversation(client, asks) for client in clients if client.network == network]
            for message in messages:
                waiting = {}
                for each in here:
                    request = _request(message, each, next(numbers))
                    if request is not None:
                        waiting[request.xid] = (each, request)
                replies = link.ask(network, [request for _, request in waiting.values()])
                for xid, (each, _) in waiting.items():
                    question = DhcpQuestion(each.client, message, asks)
                    found[question] = _heard(each, message, replies.get(xid))
                if message == "request":
                    link.adopt(network, [each.bound for each in here if each.bound])
            link.tell(network, [_release(each, next(numbers)) for each in here if each.bound])
            link.adopt(network, ())
    return found


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
    return DhcpAnswer(kind, reply.yiaddr, reply.address(code.SERVER_ID), options, header)


def _request(message: str, each: _Conversation, xid: int) -> Message | None:
    """Return one message of a conversation, None if it cannot be sent because an earlier one had no answer."""
    client = each.client
    base = Message(dhcp.BOOTREQUEST, xid, client.mac, flags=dhcp.BROADCAST)
    match message:
        case "discover":
            return base._replace(options=_options(each, Type.DISCOVER))
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


def _release(each: _Conversation, xid: int) -> Message:
    server = each.offer.options.get(code.SERVER_ID, b"") if each.offer else b""
    options = {code.MESSAGE_TYPE: bytes([Type.RELEASE]), code.SERVER_ID: server}
    return Message(dhcp.BOOTREQUEST, xid, each.client.mac, ciaddr=each.bound, options=options)


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
