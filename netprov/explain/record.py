"""What the running servers noted of one phone, put into the steps that `explain` reads.

Of DHCP: the lease on record and why there is none; which options went with it is worked out from the inventory as it is now.
Of HTTPS the servers know what a capture cannot show. Of DNS they keep nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netprov.cwmp.device import InformReceived, MessageRefused
from netprov.dhcp.lease import Bound, Nak
from netprov.dhcp.lease import Lease as DhcpLease
from netprov.dhcp.message import dotted
from netprov.errors import Malformed
from netprov.explain.promise_tls import PlannedTls
from netprov.explain.timeline import REASON
from netprov.explain.verdict import SEALED, SENT, WHY
from netprov.hostport import CWMP_PORT, PORTS, Scheme
from netprov.phone.action import AskDhcp, Done, Failed, Fetch, Lease, Response, Result, Say, Step, Trouble
from netprov.phone.rule.url import Url, parse_url
from netprov.plan import Plan
from netprov.plan.offer import Offers, Preview
from netprov.provision.event import Asked, RequestRefused, TlsFailed, TransferFailed, alert_of
from netprov.state.device import HistoryLine
from netprov.state.dhcp_fact import Unanswered

SERVER = "this server"

_SENT = frozenset({200, 206, 304})
"""Statuses of what a phone got, or has already."""

_DHCP = frozenset({Bound.event_kind, Nak.event_kind, Unanswered.event_kind})
"""Lines that tell how a phone's asking DHCP ended."""

_ALERTS: Mapping[str, Trouble] = {
    "unknown ca": Trouble.UNTRUSTED,
    "certificate expired": Trouble.EXPIRED,
    "bad certificate": Trouble.REJECTED,
    "certificate unknown": Trouble.REJECTED,
    "unsupported certificate": Trouble.REJECTED,
}
"""The alerts by which a phone refuses a certificate (RFC 5246 7.2.2); some stand for several faults."""

_SYMBOLS: Mapping[str, Trouble] = {
    "peer did not return a certificate": Trouble.CLIENT_CERTIFICATE,
    "http request": Trouble.GARBAGE,
}
"""Symbols of OpenSSL for what our server disliked of a handshake, beside versions and ciphers."""


@dataclass(frozen=True, slots=True)
class Heard:
    """All that is on record of one phone: `lease` None without one, `plan` None where the inventory is not at hand."""

    mac: str
    history: Sequence[HistoryLine]
    lease: DhcpLease | None = None
    lease_state: str = ""
    plan: Plan | None = field(default=None, repr=False)
    offers: Offers | None = field(default=None, repr=False)
    """The plan's server in memory, where many phones are looked at."""
    tls: PlannedTls | None = field(default=None, repr=False)
    """What the servers present."""


def steps_of(heard: Heard) -> list[Step]:
    """Return a phone's last boot as its servers saw it; without any trace, and without a DHCP server of ours, none."""
    lines = list(heard.history)
    last = max((place for place, line in enumerate(lines) if line.kind in _DHCP), default=-1)
    asked = [_step(heard, line) for line in lines[last + 1 :]]
    fetched = any(isinstance(step.action, Fetch) for step in asked)
    first = _dhcp(heard, lines[last] if last >= 0 else None, fetched=fetched)
    return [first, *asked] if first else []


def _dhcp(heard: Heard, line: HistoryLine | None, *, fetched: bool) -> Step | None:
    """Return how DHCP went; a phone that fetched files has an address, whoever it is from."""
    started = heard.history[0].time if heard.history else 0.0
    if line is not None and line.kind != Bound.event_kind and not fetched:
        trouble = Trouble.DHCP_NAK if line.kind == Nak.event_kind else Trouble.DHCP_UNSERVED
        failed = Failed(trouble, str(line.fields.get("reason", "")))
        return Step(_asking(heard), failed, line.time, evidence=_evidence(line))
    if heard.lease is not None:
        return _leased(heard, heard.lease, line, started)
    address = next((each.address for each in reversed(heard.history) if each.address), "")
    if address:
        return Step(_asking(heard), Lease(address, SERVER), started, evidence="the device record")
    if heard.plan is not None and heard.plan.dhcp.networks:
        return Step(_asking(heard), Failed(Trouble.DHCP_UNHEARD), started)
    return None


def _leased(heard: Heard, lease: DhcpLease, line: HistoryLine | None, started: float) -> Step:
    """Return the lease with the options that the inventory gives to such a client."""
    evidence = f"lease on {dotted(lease.address)}, {heard.lease_state}"
    if line is not None:
        evidence = f"{_evidence(line)}; {evidence}"
    given = Lease(dotted(lease.address), SERVER)
    if heard.plan is not None and heard.plan.dhcp.network(lease.network) is not None:
        found = _preview(heard, heard.plan, lease)
        evidence += f"; class {found.class_name or 'none'} by vendor class {lease.vendor_class!r}"
        given = _given(heard, heard.plan)
    action = AskDhcp(lease.vendor_class, (), heard.mac)
    return Step(action, given, line.time if line else started, evidence=evidence)


def _preview(heard: Heard, plan: Plan, lease: DhcpLease) -> Preview:
    offers = heard.offers or Offers(plan.dhcp)
    return offers.preview(
        lease.mac, vendor_class=lease.vendor_class, network=lease.network, hostname=lease.hostname
    )


def _given(heard: Heard, plan: Plan) -> Lease:
    """Return what went with the lease by the inventory as it is now; without one, nothing."""
    lease = heard.lease
    network = plan.dhcp.network(lease.network) if lease else None
    if lease is None or network is None:
        return Lease("", SERVER)
    options = {each.code: each.data for each in _preview(heard, plan, lease).options}
    return Lease(dotted(lease.address), dotted(network.address), options)


def _asking(heard: Heard) -> AskDhcp:
    return AskDhcp(heard.lease.vendor_class if heard.lease else "", (), heard.mac)


def sent(heard: Heard) -> tuple[str, ...]:
    """Return the kinds of what a phone was sent, in order: profile, bootstrap, ca, file."""
    asked = (line.fields for line in heard.history if line.kind == Asked.event_kind)
    return tuple(str(fields["kind"]) for fields in asked if int(str(fields["status"])) in _SENT)


def _step(heard: Heard, line: HistoryLine) -> Step:
    """Return what a line tells: a fetch, or a sentence."""
    read = _READERS.get(line.kind)
    found = read(heard, {**line.fields, "service": line.service}) if read else None
    action, result = found or (Say(line.text), Done())
    return Step(action, result, line.time, evidence=_evidence(line) if found else "")


def _asked(_heard: Heard, fields: Mapping[str, object]) -> tuple[Fetch, Result] | None:
    url = _url(str(fields["scheme"]), str(fields["path"]))
    if url is None:
        return None
    fetch = Fetch(url, SERVER, method=str(fields["method"]))
    status = int(str(fields["status"]))
    if why := str(fields.get("why", "")):
        return fetch, Response(status, headers=((WHY, why), (REASON, str(fields["reason"]))))
    if url.scheme == "tftp" and status not in _SENT:
        trouble = Trouble.NOT_FOUND if status == 404 else Trouble.TRANSFER
        return fetch, Failed(trouble, str(fields["reason"]))
    if status in {301, 302}:
        return fetch, Response(status, headers=(("Location", str(fields["reason"])),))
    if status in _SENT:
        return fetch, Response(SENT if fields["kind"] in {"profile", "bootstrap"} else SEALED)
    return fetch, Response(status)


def _broken_off(_heard: Heard, fields: Mapping[str, object]) -> tuple[Fetch, Result] | None:
    url = _url("tftp", str(fields["path"]))
    return (Fetch(url, SERVER), Failed(Trouble.STALLED, str(fields["reason"]))) if url else None


def _tls(heard: Heard, fields: Mapping[str, object]) -> tuple[Fetch, Result]:
    """Read the trouble that a phone's alert tells the server; one that stands for several faults is compared with the chain."""
    reason = str(fields["reason"])
    alert = alert_of(reason)
    symbol = reason.lower().replace("_", " ")
    trouble = _ALERTS.get(alert) or _SYMBOLS.get(symbol, Trouble.TLS)
    fetch = Fetch(Url("https", SERVER, PORTS["https"], "/"), SERVER, verify=SERVER)
    if trouble is Trouble.REJECTED and heard.tls is not None and heard.plan is not None:
        name = _verified(heard, heard.plan, str(fields.get("server", "")))
        asked = replace(fetch, verify=name, anchors=(heard.tls.ca,))
        refused = heard.tls.refused(asked, name)
        if refused is not None:
            return fetch, Failed(refused.trouble, f"{reason}; {refused.detail}")
        return fetch, Failed(trouble, f"{reason}; name, dates and chain are as they should be for {name}")
    return fetch, Failed(trouble, reason)


def _verified(heard: Heard, plan: Plan, server: str) -> str:
    """Return the name that a phone compares with a server's certificate: the domain by SRV, else the URL's host."""
    known = next((each for each in plan.site.phones if each.declared.mac == heard.mac), None)
    if known is None or known.method == "srv":
        return _given(heard, plan).domain or plan.site.domain
    listener = next((each for each in plan.provision.listeners if each.address == server), None)
    return (listener.name if listener else "") or plan.site.domain


def _informed(_heard: Heard, _fields: Mapping[str, object]) -> tuple[Fetch, Result]:
    url = Url("http", SERVER, CWMP_PORT, "/")
    return Fetch(url, SERVER, method="POST", headers={"SOAPAction": ""}), Response(200)


def _refused(_heard: Heard, fields: Mapping[str, object]) -> tuple[Fetch, Result]:
    """Read a request that a server refused before it knew what was wanted, or a message that the ACS did."""
    managed = fields["service"] == "acs"
    scheme: Scheme = "https" if fields.get("scheme") == "https" else "http"
    url = Url(scheme, SERVER, CWMP_PORT if managed else PORTS[scheme], "/")
    headers = {"SOAPAction": ""} if managed else {}
    status = int(str(fields.get("status", 400)))
    return Fetch(url, SERVER, method="POST" if managed else "GET", headers=headers), Response(status)


_READERS: Mapping[str, Callable[[Heard, Mapping[str, object]], tuple[Fetch, Result] | None]] = {
    Asked.event_kind: _asked,
    TransferFailed.event_kind: _broken_off,
    TlsFailed.event_kind: _tls,
    InformReceived.event_kind: _informed,
    MessageRefused.event_kind: _refused,
    RequestRefused.event_kind: _refused,
}


def _url(scheme: str, path: str) -> Url | None:
    try:
        return parse_url(f"{scheme}://server/{path.lstrip('/')}")
    except Malformed:
        return None


def _evidence(line: HistoryLine) -> str:
    return f"record of {line.time:.3f}: {line.text}"
