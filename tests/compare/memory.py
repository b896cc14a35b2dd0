"""A plan's servers in memory, asked by the code that compares servers on the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from netprov.compare.answer import Answer, DnsQuestion, Question, WebAnswer, WebQuestion
from netprov.compare.client import AskingClient
from netprov.compare.dhcp import ALL_MESSAGES, ask_dhcp
from netprov.compare.dns import ask_dns
from netprov.compare.web import ask_web, web_answer
from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, dotted
from netprov.dhcp.server import Server
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.hostport import Scheme
from netprov.machine import Endpoint
from netprov.plan import Plan
from netprov.provision.answer import Content
from netprov.provision.auth import Authority
from netprov.provision.catalog import Catalog
from netprov.provision.http import HttpRequest
from netprov.provision.requester import Requester
from netprov.provision.respond import Responder as WebResponder
from netprov.provision.secret import SITE, Secrets


class MemoryLink:
    """A DHCP server in memory; each batch of messages comes a second after the one before."""

    def __init__(self, plan: Plan, names: Mapping[str, str] = {}) -> None:
        """Serve a plan; `names` are its networks' by those that questions have."""
        self._plan = plan
        self._names = names
        limits = replace(plan.dhcp.limits, client_rate=1_000_000)
        self._server = Server(replace(plan.dhcp, limits=limits))
        self._now = 0.0

    def ask(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message]:
        config = self._plan.dhcp.network(self._names.get(network, network))
        assert config is not None
        return self._send(messages, Endpoint("0.0.0.0", dhcp.CLIENT_PORT, config.interface))

    def _send(self, messages: Sequence[Message], source: Endpoint) -> Mapping[int, Message]:
        self._now += 1.0
        server, found = self._server, {}
        server.handle_timer(self._now)
        for each in messages:
            server.receive(dhcp.encode(each), source, self._now)
            for probe in server.probes_to_send():
                server.conclude(probe.address, taken=False, now=self._now)
            server.events()
            for datagram in server.datagrams_to_send():
                reply = dhcp.decode(datagram.data)
                found[reply.xid] = reply
        return found

    def relay(self, network: str, messages: Sequence[Message]) -> Mapping[int, Message]:
        config = self._plan.dhcp.network(self._names.get(network, network))
        assert config is not None
        giaddr = config.address + 1
        return self._send(
            [each._replace(giaddr=giaddr) for each in messages], Endpoint(dotted(giaddr), dhcp.SERVER_PORT)
        )

    def tell(self, network: str, messages: Sequence[Message]) -> None:
        self.ask(network, messages)

    def adopt(self, network: str, addresses: Sequence[int]) -> None:
        """Everything arrives here."""


def _web(plan: Plan) -> Callable[[WebQuestion], WebAnswer]:
    """Return what answers questions about paths as the plan's servers would."""
    catalog = Catalog(plan.provision, entropy=bytes, secrets=Secrets({SITE: "one for all"}))
    responder = WebResponder(catalog, plan.provision, Authority(b"key"))
    names = {(str(each.scheme), each.address, each.port): each.name for each in plan.provision.listeners}

    def get(question: WebQuestion) -> WebAnswer:
        name = names.get((question.scheme, question.address, question.port))
        if name is None:
            return WebAnswer("refused")
        if question.scheme == "tftp":
            answer = catalog.respond(question.path, Requester("tftp", "192.0.2.1", name, question.port))
            return web_answer("200", answer.body, {}) if isinstance(answer, Content) else WebAnswer("404")
        scheme: Scheme = "https" if question.scheme == "https" else "http"
        request = HttpRequest("GET", question.path, 1, {})
        response = responder.respond(
            request, Requester(scheme, "192.0.2.1", name, question.port), 0.0
        ).response
        certificate = plan.pki.server(name).dns_names if scheme == "https" else ()
        return web_answer(str(response.status), response.body, dict(response.fields), certificate)

    return get


def hear(
    plan: Plan,
    clients: Sequence[AskingClient],
    lists: Sequence[tuple[int, ...] | None],
    names: Sequence[DnsQuestion],
    paths: Sequence[WebQuestion] = (),
    *,
    network_names: Mapping[str, str] = {},
) -> dict[Question, Answer]:
    """Ask the servers of a plan everything."""
    responder = Responder(plan.dns.zones)
    found = ask_dhcp(MemoryLink(plan, network_names), clients, lists, ALL_MESSAGES)
    found |= ask_dns(lambda query, tcp: responder.respond(query, Client(tcp=tcp)), names)
    return found | ask_web(_web(plan), paths)
