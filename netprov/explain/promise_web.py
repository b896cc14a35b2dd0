"""The file servers as an inventory promises them: the catalog, credentials, static files, the secrets that `serve` would make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from netprov.explain.verdict import WHY
from netprov.hostport import Scheme
from netprov.phone.action import Failed, Fetch, Response, Trouble
from netprov.plan import Plan
from netprov.provision.answer import Content, Refusal, TreeFile, Unasked
from netprov.provision.auth import Authority
from netprov.provision.catalog import Catalog, decode_path
from netprov.provision.config import Listener, SecretsPlace
from netprov.provision.gate.handout import HandOut
from netprov.provision.http import HttpRequest
from netprov.provision.requester import Requester, parse_agent
from netprov.provision.respond import Responder, SourceUnasked
from netprov.provision.secret import SITE, Secrets
from netprov.state.catalog import DEFAULT_FILE, load_secrets
from netprov.state.tree import open_file

LARGEST = 8 << 20
"""Octets of a static file that are looked at: no profile is longer."""


def planned_secrets(plan: Plan, state: Path) -> Secrets:
    """Return the secrets as `serve` would have them, making a site's secret in memory where it would make one on disk.

    Raises `ServiceError` where the inventory names a place that cannot be read.
    """
    place = plan.provision.secrets
    if place == SecretsPlace() and not (state / DEFAULT_FILE).exists():
        return Secrets({SITE: os.urandom(32).hex()})
    return load_secrets(place, state)


class PlannedServers:
    """Answers what phones fetch by TFTP, HTTP and HTTPS; TLS is judged before."""

    def __init__(
        self, plan: Plan, ca: str, secrets: Secrets, now: float, keys: Mapping[str, HandOut] | None = None
    ) -> None:
        handed = keys or {}
        self.catalog = Catalog(
            plan.provision, entropy=os.urandom, ca=ca.encode(), secrets=secrets, handed=handed.get
        )
        self._listeners = plan.provision.listeners
        self._responder = Responder(self.catalog, plan.provision, Authority(os.urandom(32)))
        self._now = now

    def listener(self, action: Fetch) -> Listener | None:
        """Return who would answer a fetch, None for nobody."""
        wanted = (action.url.scheme, action.address, action.url.port)
        return next(
            (each for each in self._listeners if (each.scheme, each.address, each.port) == wanted), None
        )

    def answer(self, action: Fetch, scheme: Scheme, address: str, mac: str) -> Response | Failed:
        """Answer a fetch of the phone with this MAC address from this IP address."""
        agent = parse_agent(action.headers.get("User-Agent", "")) if scheme != "tftp" else None
        requester = Requester(
            scheme, address, action.address, action.url.port, agent=agent, link_mac=lambda: mac
        )
        return self._tftp(action, requester) if scheme == "tftp" else self._http(action, requester)

    def _tftp(self, action: Fetch, requester: Requester) -> Response | Failed:
        path = decode_path(action.url.path)
        answer = self.catalog.respond(path, requester) if path else Refusal("not a path of any file")
        match answer:
            case Content(body=body):
                return Response(200, body)
            case TreeFile():
                file = _read(answer)
                return Failed(Trouble.NOT_FOUND, action.url.path) if file is None else Response(200, file)
            case Unasked(source=source):
                return Failed(Trouble.UNASKED, source)
            case Refusal(status=status, why=why) if why:
                return Response(status, headers=((WHY, why),))
            case Refusal(status=403, reason=reason):
                return Failed(Trouble.TRANSFER, reason)
            case _:
                return Failed(Trouble.NOT_FOUND, action.url.path)

    def _http(self, action: Fetch, requester: Requester) -> Response | Failed:
        fields = {name.lower(): value for name, value in action.headers.items()}
        request = HttpRequest(action.method, action.url.path, 1, fields, action.body)
        try:
            answered = self._responder.respond(request, requester, self._now)
        except SourceUnasked as error:
            return Failed(Trouble.UNASKED, error.unasked.source)
        if answered.file is not None:
            body = _read(answered.file)
            return Response(404) if body is None else Response(200, body)
        why = ((WHY, answered.event.why),) if answered.event.why else ()
        return Response(answered.response.status, answered.response.body, (*answered.response.fields, *why))


def _read(wanted: TreeFile) -> bytes | None:
    """Return a static file, None for one that would not be sent."""
    found = open_file(wanted)
    if found is None:
        return None
    try:
        return found.read(0, min(found.size, LARGEST))
    finally:
        found.close()
