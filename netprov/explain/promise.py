"""The world as an inventory promises it: what a phone would be answered if every service ran as planned.

Nothing is sent. DHCP, DNS, the catalog, the certificates' names and the ACS answer from the plan. At an address of the plan
nobody answers beside them; of any other address the inventory does not know who is there (ELSEWHERE).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from netprov.cwmp.acs import Acs
from netprov.cwmp.auth import SECRET, Credentials, Gate
from netprov.cwmp.session import AcsRequest
from netprov.dhcp.message import dotted
from netprov.dhcp.option.table import SERVER_ID
from netprov.dns import stub
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.explain.promise_tls import PlannedTls
from netprov.explain.promise_web import PlannedServers, planned_secrets
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
from netprov.plan import Plan
from netprov.plan.cwmp import AcsListener
from netprov.plan.offer import OfferedOption, Offers
from netprov.provision.secret import Secrets
from netprov.state.handout import given

TYPES = {"A": 1, "SRV": 33}

_NEGATIVE = {
    stub.Status.NXDOMAIN: Trouble.NXDOMAIN,
    stub.Status.NODATA: Trouble.NODATA,
    stub.Status.REFUSED: Trouble.DNS_REFUSED,
}


class PlanWorld:
    """Answers the actions of one phone; `ca` is the PEM of the CA that the servers' chains end in."""

    def __init__(self, plan: Plan, state: Path, now: float | None = None) -> None:
        """`state` is where certificates and secrets are read from, if they are there; `now` is in seconds since 1970.

        Raises `ServiceError` for secrets that the inventory keeps in a place that cannot be read.
        """
        self.plan = plan
        moment = time.time() if now is None else now
        secrets = planned_secrets(plan, state)
        self.tls = PlannedTls(plan, state, moment)
        self.ca = self.tls.ca
        self._servers = PlannedServers(plan, self.ca, secrets, moment, given(state))
        self.catalog = self._servers.catalog
        self._offers = Offers(plan.dhcp)
        self._dns = Responder(self.plan.dns.zones, failed=[zone.origin for zone in self.plan.dns.failed])
        self._acs = Acs(self.plan.cwmp.config)
        self._gate = _gate(plan, secrets)
        self._own = frozenset(_addresses(plan))
        self.given: tuple[OfferedOption, ...] = ()
        self._mac = ""
        self._address = ""
        self._turn = moment

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
            return self._unheard(action.servers)
        query = stub.build_query(action.name, TYPES[action.type], id_=0)
        message = self._dns.respond(query, Client())
        reply = stub.parse_reply(message, query) if message else None
        if reply is None:
            return Failed(Trouble.DNS_FAILED, action.name)
        if reply.status is stub.Status.REFUSED and self.plan.dns.forward:
            return Failed(Trouble.ELSEWHERE, f"forwarded to {', '.join(map(str, self.plan.dns.forward))}")
        if reply.status is not stub.Status.ANSWER:
            return Failed(_NEGATIVE.get(reply.status, Trouble.DNS_FAILED), action.name)
        records = tuple(SrvRecord(t.priority, t.weight, t.port, t.target) for t in reply.targets())
        return Found(tuple(str(each) for each in reply.addresses() if each.version == 4), records)

    def _unheard(self, servers: Sequence[str]) -> Failed:
        """Say what comes of asking DNS servers of which none is ours: silence only where the machine is."""
        here = [each for each in servers if each in self._own]
        if len(here) == len(servers):
            return Failed(Trouble.REFUSED, f"the inventory has no DNS server at {', '.join(here)}")
        return Failed(Trouble.ELSEWHERE, ", ".join(each for each in servers if each not in here))

    def _fetch(self, action: Fetch) -> Response | Failed:
        url = action.url
        if action.proxy is not None:
            return Failed(Trouble.ELSEWHERE, f"through the proxy {action.proxy.host}:{action.proxy.port}")
        acs = next((each for each in self.plan.cwmp.listeners if _hears(each, action)), None)
        listener = self._servers.listener(action)
        if acs is None and listener is None:
            return self._other(action)
        if acs is not None and acs.secure != (url.scheme == "https"):
            return Failed(Trouble.GARBAGE if acs.secure else Trouble.NOT_TLS, f"the ACS at port {url.port}")
        name = listener.name if listener else url.host
        oldest = self.catalog.oldest_tls(self._address, lambda: self._mac)
        failed = self.tls.judge(action, name or url.host, None if acs else oldest)
        if failed is not None:
            return failed
        if acs is not None:
            return self._inform(action)
        return self._servers.answer(action, url.scheme, self._address, self._mac)

    def _other(self, action: Fetch) -> Failed:
        """Say who answers a fetch that nobody answers as the phone expects."""
        url = action.url
        for each in self.plan.provision.listeners:
            if (each.address, each.port) == (action.address, url.port) and not each.is_datagram:
                trouble = Trouble.NOT_TLS if url.scheme == "https" else Trouble.GARBAGE
                return Failed(trouble, f"{each.scheme} is on port {url.port}")
        if action.address not in self._own:
            return Failed(Trouble.ELSEWHERE, f"{action.address}:{url.port}")
        return Failed(Trouble.REFUSED, f"the inventory has no {url.scheme} at {action.address}:{url.port}")

    def _inform(self, action: Fetch) -> Response:
        self._turn += 1
        fields = {name.lower(): value for name, value in action.headers.items()}
        given = fields.get("authorization", "")
        if self._gate is not None:
            verdict = self._gate.judge(given, action.method, self._turn)
            if verdict != "good":
                challenges = self._gate.challenges(self._turn, stale=verdict == "stale")
                return Response(401, headers=tuple(("WWW-Authenticate", each) for each in challenges))
        request = AcsRequest(
            action.body, cookie=fields.get("cookie", ""), source=self._address, connection=self._mac
        )
        reply = self._acs.respond(request, self._turn, f"token{self._turn}")
        return Response(reply.status, reply.body, reply.headers)


def _addresses(plan: Plan) -> Iterator[str]:
    """Yield every address at which a service of the plan listens: what is not planned there, nobody answers."""
    yield from (str(each.address) for each in plan.dhcp.networks)
    yield from map(str, plan.dns.listen)
    yield from (each.address for each in plan.provision.listeners)
    for listener in plan.cwmp.listeners:
        yield from map(str, listener.addresses)


def _hears(listener: AcsListener, action: Fetch) -> bool:
    return action.address in map(str, listener.addresses) and listener.port == action.url.port


def _gate(plan: Plan, secrets: Secrets) -> Gate | None:
    """Return what asks phones for the ACS's password; where there is none on disk, nobody knows it."""
    given = plan.cwmp.credentials
    if given is None:
        return None
    password = given.password or secrets.get(SECRET) or os.urandom(16).hex()
    return Gate(Credentials(given.username, password, given.scheme == "basic"), os.urandom(32))
