"""A plan's servers in memory, asked by the code that compares servers on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from netprov.compare.answer import Answer, DnsQuestion, Question
from netprov.compare.client import AskingClient
from netprov.compare.dhcp import ALL_MESSAGES, ask_dhcp
from netprov.compare.dns import ask_dns
from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message
from netprov.dhcp.server import Server
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.machine import Endpoint
from netprov.plan import Plan


class MemoryLink:
    """A DHCP server in memory; each batch of messages comes a second after the one before."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        limits = replace(plan.dhcp.limits, client_rate=1_000_000)
        self._server = Server(replace(plan.dhcp, limits=limits))
        self._now = 0.0

    def ask(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message]:
        self._now += 1.0
        server, found = self._server, {}
        config = self._plan.dhcp.network(network)
        assert config is not None
        server.handle_timer(self._now)
        for each in messages:
            server.receive(
                dhcp.encode(each), Endpoint("0.0.0.0", dhcp.CLIENT_PORT, config.interface), self._now
            )
            for probe in server.probes_to_send():
                server.conclude(probe.address, taken=False, now=self._now)
            server.events()
            for datagram in server.datagrams_to_send():
                reply = dhcp.decode(datagram.data)
                found[reply.xid] = reply
        return found

    def tell(self, network: str, messages: Sequence[Message]) -> None:
        self.ask(network, messages)

    def adopt(self, network: str, addresses: Sequence[int]) -> None:
        """Everything arrives here."""


def hear(
    plan: Plan,
    clients: Sequence[AskingClient],
    lists: Sequence[tuple[int, ...] | None],
    names: Sequence[DnsQuestion],
) -> dict[Question, Answer]:
    """Ask the servers of a plan everything."""
    responder = Responder(plan.dns.zones)
    found = ask_dhcp(MemoryLink(plan), clients, lists, ALL_MESSAGES)
    return found | ask_dns(lambda query, tcp: responder.respond(query, Client(tcp=tcp)), names)
