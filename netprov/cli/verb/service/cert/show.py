"""Certificates as people and programs read them: `netprov cert show`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netprov.cli.findings import as_data as finding
from netprov.cli.say import say
from netprov.cli.table import print_table
from netprov.cli.verb.service.cert.desk import Desk, read
from netprov.errors import Problem
from netprov.pki.chain import Certificate, decode
from netprov.pki.revocation import is_revoked
from netprov.pki.verify import date, problems


@dataclass(frozen=True, slots=True)
class View:
    """One certificate, where it serves, and what a phone would object to."""

    role: str
    name: str
    certificate: Certificate
    findings: tuple[Problem, ...] = ()
    revoked: bool = False


def of_store(desk: Desk, host: str | None = None) -> list[View]:
    """Return the CA, then what every host, or the one named, presents."""
    store, anchors = desk.store, desk.store.anchors()
    views = []
    if host is None:
        local = [bundle.leaf for bundle in reversed(store.issuers())]
        views += [View("imported root", "-", each) for each in anchors if each not in local]
        names = ["root", *["intermediate"] * (len(local) - 1)]
        views += [View(name, "-", each) for name, each in zip(names, local, strict=True)]
    hosts = [desk.pki.server(host)] if host else list(desk.pki.servers)
    for request in hosts:
        own = store.imported(request.host)
        for bundle in store.chains(request.host):
            found = problems(bundle.chain, request.domain, desk.now, anchors, also=request.also, imported=own)
            gone = is_revoked(store.revoked(), bundle.leaf)
            views.append(View("imported" if own else "server", request.host, bundle.leaf, tuple(found), gone))
    if host is None:
        views += [View("phone", _mac(bundle.leaf), bundle.leaf) for bundle in store.phones()]
    return views


def of_issued(desk: Desk) -> list[View]:
    """Return every certificate that was ever issued here, oldest first."""
    lists = desk.store.revoked()
    views = [View("issued", _mac(each), each, (), is_revoked(lists, each)) for each in desk.store.issued()]
    return sorted(views, key=lambda view: view.certificate.not_before)


def of_file(desk: Desk, path: Path) -> list[View]:
    """Return the certificates of a file, the first judged with the rest as its chain."""
    chain = decode(read(str(path)))
    roots = (*desk.store.anchors(), *(each for each in chain if each.self_issued and each.is_ca))
    found = problems(chain, desk.pki.servers[0].domain, desk.now, roots) if not chain[0].is_ca else []
    first = View("file", str(path), chain[0], tuple(found))
    return [first, *(View("chain", str(path), each) for each in chain[1:])]


def print_views(views: Sequence[View], now: float, *, as_json: bool) -> int:
    """Print certificates as a table or as JSON; return 1 if a phone would refuse one."""
    if as_json:
        print(json.dumps([_as_data(view) for view in views], indent=2))
    else:
        _print_people(views, now)
    return int(any(each.severity == "error" for view in views for each in view.findings))


def _print_people(views: Sequence[View], now: float) -> None:
    rows = [
        (
            view.role,
            view.name,
            view.certificate.key,
            date(view.certificate.not_after).partition(" ")[0],
            _left(view.certificate, now),
            ", ".join((*view.certificate.dns_names, *map(str, view.certificate.addresses)))
            or view.certificate.subject,
            view.certificate.serial[:16],
            "revoked" if view.revoked else _worst(view.findings),
        )
        for view in views
    ]
    print_table(("role", "host", "key", "until", "left", "names", "serial", "state"), rows)
    for view in views:
        for problem in view.findings:
            say(f"{view.name}: {problem}")


def _left(certificate: Certificate, now: float) -> str:
    days = int((certificate.not_after - now) // 86400)
    return f"{days} d" if days >= 0 else "expired"


def _worst(findings: Sequence[Problem]) -> str:
    return findings[0].severity if findings else "ok"


def _mac(certificate: Certificate) -> str:
    phone = certificate.phone()
    return phone.mac if phone else certificate.common_name or "-"


def _as_data(view: View) -> dict[str, object]:
    certificate = view.certificate
    return {
        "role": view.role,
        "host": view.name,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "common_name": certificate.common_name,
        "dns_names": certificate.dns_names,
        "addresses": [str(each) for each in certificate.addresses],
        "not_before": date(certificate.not_before),
        "not_after": date(certificate.not_after),
        "key": certificate.key,
        "signature_hash": certificate.signature_hash,
        "serial": certificate.serial,
        "sha256": certificate.fingerprint,
        "ca": certificate.is_ca,
        "name_constraints": certificate.permitted,
        "revoked": view.revoked,
        "findings": [finding(each) for each in view.findings],
    }
