"""The world as an inventory promises it: what a phone would be answered if every service ran as planned.

Nothing is sent. DHCP, DNS, the catalog, the certificates' names and the ACS answer from the plan; an address that is no
server of the plan does not answer.
"""

from __future__ import annotations

import os
from pathlib import Path

from netprov.cwmp.acs import Acs, AcsRequest
from netprov.dhcp.message import dotted
from netprov.dhcp.option.table import SERVER_ID
from netprov.dns import stub
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.mac import parse_mac
from netprov.phone.action import (
    Action,
    AskDhcp,
    Done,
    Failed,
    Fetch,
    Found,
    Lease,
    Resolve,
    Response,
    Result,
    SrvRecord,
    Trouble,
)
from netprov.pki.names import covers
from netprov.pki.store import Store
from netprov.plan import Plan
from netprov.plan.offer import OfferedOption, Offers
from netprov.provision.answer import Content, Redirect, Refusal, TreeFile
from netprov.provision.catalog import Catalog, decode_path
from netprov.provision.requester import Requester
from netprov.provision.secret import Secrets
from netprov.state.catalog import peek_catalog

TYPES = {"A": 1, "SRV": 33}

_NEGATIVE = {
    stub.Status.NXDOMAIN: Trouble.NXDOMAIN,
    stub.Status.NODATA: Trouble.NODATA,
    stub.Status.REFUSED: Trouble.DNS_REFUSED,
}


PLANNED_CA = "-----BEGIN CERTIFICATE-----\nnot yet made\n-----END CERTIFICATE-----\n"
"""Stands for the CA of an inventory that was never served, so that there is none on disk."""


class PlanWorld:
    """Answers the actions of one phone; `ca` is the PEM of the CA that the servers' chains end in."""

    def __init__(self, plan: Plan, state: Path) -> None:
        """`state` is where a CA and secrets are read from, if they are there."""
        self.plan = plan
        self.ca, self.catalog = _catalog(plan, state)
        self._offers = Offers(plan.dhcp)
        self._dns = Responder(self.plan.dns.zones)
        self._acs = Acs(self.plan.cwmp.config)
        self.given: tuple[OfferedOption, ...] = ()
        self._mac = ""
        self._address = ""
        self._turn = 0

    def __call__(self, action: Action) -> Result:
        """Answer one action."""
        match action:
            case AskDhcp():
                return self._lease(action)
            case Resolve():
                return self._resolve(action)
            case Fetch():
                return self._fetch(action)
        return Done()

    def _lease(self, action: AskDhcp) -> Lease | Failed:
        self._mac = action.client_mac
        got = self._offers.preview(
            parse_mac(action.client_mac), vendor_class=action.vendor_class, asks=bytes(action.requested)
        )
        self.given = got.options
        if not got.served:
            return Failed(Trouble.TIMEOUT, f"the inventory does not serve this client: {got.reason}")
        self._address = dotted(got.offered)
        server = dotted(got.reply.address(SERVER_ID))
        return Lease(self._address, server, {each.code: each.data for each in got.options})

    def _resolve(self, action: Resolve) -> Found | Failed:
        listening = {str(address) for address in self.plan.dns.listen}
        if not listening & set(action.servers):
            return Failed(
                Trouble.TIMEOUT, f"{', '.join(action.servers)} is not a DNS server of the inventory"
            )
        query = stub.build_query(action.name, TYPES[action.type], id_=0)
        message = self._dns.respond(query, Client())
        reply = stub.parse_reply(message, query) if message else None
        if reply is None:
            return Failed(Trouble.DNS_FAILED, action.name)
        if reply.status is not stub.Status.ANSWER:
            return Failed(_NEGATIVE.get(reply.status, Trouble.DNS_FAILED), action.name)
        records = tuple(SrvRecord(t.priority, t.weight, t.port, t.target) for t in reply.targets())
        return Found(tuple(str(each) for each in reply.addresses() if each.version == 4), records)

    def _fetch(self, action: Fetch) -> Response | Failed:
        url = action.url
        management = any(
            action.address in map(str, each.addresses) and each.port == url.port
            for each in self.plan.cwmp.listeners
        )
        name = ""
        if not management:
            listener = next(
                (
                    each
                    for each in self.plan.provision.listeners
                    if (each.scheme, each.address, each.port) == (url.scheme, action.address, url.port)
                ),
                None,
            )
            if listener is None:
                return Failed(
                    Trouble.REFUSED, f"the inventory has no {url.scheme} at {action.address}:{url.port}"
                )
            name = listener.name
        failed = self._verify(action, name or url.host)
        if failed:
            return failed
        return self._inform(action) if management else self._file(action)

    def _verify(self, action: Fetch, host: str) -> Failed | None:
        if not action.verify:
            return None
        request = next(
            (each for each in self.plan.pki.servers if each.host == host), self.plan.pki.servers[0]
        )
        if not any(self.ca.strip() in pem for pem in action.anchors):
            return Failed(Trouble.UNTRUSTED, f"signed by {self.plan.pki.authority.name}")
        if not covers(request.dns_names, request.addresses, action.verify):
            return Failed(Trouble.WRONG_NAME, f"it is for {', '.join(request.dns_names)}")
        return None

    def _file(self, action: Fetch) -> Response | Failed:
        scheme = action.url.scheme
        requester = Requester(
            scheme,
            self._address,
            action.address,
            action.url.port,
            link_mac=lambda: self._mac,
        )
        path = decode_path(action.url.path)
        answer = self.catalog.respond(path, requester) if path else Refusal("no path")
        match answer:
            case Content(body=body, lock=None):
                return Response(200, body, (("Content-Encoding", answer.coding),) if answer.coding else ())
            case Content():
                return Response(401, headers=(("WWW-Authenticate", "Basic"),))
            case TreeFile(directory=directory, path=below):
                return Failed(
                    Trouble.GARBAGE, f"the file {below} of {directory} is looked at only when it is served"
                )
            case Redirect(location=location, status=status) if scheme != "tftp":
                return Response(status, headers=(("Location", location),))
            case Refusal(status=status) if scheme != "tftp":
                return Response(status)
            case _:
                return Failed(Trouble.NOT_FOUND, action.url.path)

    def _inform(self, action: Fetch) -> Response:
        self._turn += 1
        cookie = next((value for key, value in action.headers.items() if key.lower() == "cookie"), "")
        request = AcsRequest(action.body, cookie=cookie, source=self._address, connection=self._mac)
        reply = self._acs.respond(request, float(self._turn), f"token{self._turn}")
        return Response(reply.status, reply.body, reply.headers)


def _catalog(plan: Plan, state: Path) -> tuple[str, Catalog]:
    """Return the CA in PEM and the catalog that hands it out, without making either."""
    path = Store(state / "pki").ca_file
    if path.exists():
        return path.read_text(), peek_catalog(plan.provision, state)
    return PLANNED_CA, Catalog(plan.provision, entropy=os.urandom, ca=PLANNED_CA.encode(), secrets=Secrets())
