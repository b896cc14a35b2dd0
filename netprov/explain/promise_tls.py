"""TLS as an inventory promises it: which versions a server takes, whether it demands a certificate, what it presents.

A chain that is on disk is judged as phones would judge it; before there is one, the one that `serve` would issue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from netprov.errors import PkiError
from netprov.phone.action import Failed, Fetch, Trouble
from netprov.pki.chain import Certificate, decode
from netprov.pki.names import covers
from netprov.pki.store import Store
from netprov.pki.verify import problems
from netprov.plan import Plan
from netprov.provision.config import TlsVersion

PLANNED_CA = "-----BEGIN CERTIFICATE-----\nnot yet made\n-----END CERTIFICATE-----\n"
"""Stands for the CA of an inventory that was never served, so that there is none on disk."""

TROUBLES: Mapping[str, Trouble] = {
    "cert-expired": Trouble.EXPIRED,
    "cert-not-yet-valid": Trouble.NOT_YET,
    "cert-san-domain": Trouble.WRONG_NAME,
    "cert-wildcard-apex": Trouble.WRONG_NAME,
    "cert-unknown-ca": Trouble.UNTRUSTED,
    "cert-chain-order": Trouble.UNTRUSTED,
    "cert-issuer-not-ca": Trouble.UNTRUSTED,
    "cert-name-constraint": Trouble.UNTRUSTED,
    "cert-use": Trouble.UNTRUSTED,
    "cert-key-small": Trouble.UNTRUSTED,
    "cert-key-kind": Trouble.UNTRUSTED,
    "cert-signature-weak": Trouble.UNTRUSTED,
}
"""What a phone calls each fault that keeps it from a chain."""


class PlannedTls:
    """Judges the handshakes of phones; `ca` is the PEM of the CA that the chains end in."""

    def __init__(self, plan: Plan, state: Path, now: float) -> None:
        self._plan = plan.pki
        self._store = Store(state / "pki")
        self._now = now
        made = self._store.ca_file.exists()
        self.ca = self._store.ca_file.read_text() if made else PLANNED_CA
        self._chains: dict[str, tuple[Certificate, ...]] = {}

    def judge(self, action: Fetch, host: str, oldest: TlsVersion | None) -> Failed | None:
        """Return why a handshake with the servers of `host` fails, None if it does not; `oldest` is the phone's class's."""
        if not action.verify:
            return None
        lowest = oldest or self._plan.tls_min
        if lowest == "1.3" and not action.tls13:
            return Failed(Trouble.TLS, "the server takes TLS 1.3 and nothing older; this phone speaks 1.2")
        refused = self.refused(action, host)
        if refused is None and self._plan.clients.ask == "required" and not action.client_certificate:
            return Failed(
                Trouble.CLIENT_CERTIFICATE, "`client_certificates: required`, and the phone has none"
            )
        return refused

    def refused(self, action: Fetch, host: str) -> Failed | None:
        """Return what a phone would dislike of the chain that the servers of `host` present, None for nothing."""
        chain = self._chain(host)
        if chain:
            found = problems(chain, action.verify, self._now, _anchors(action.anchors))
            worst = next((each for each in found if each.severity == "error" and each.rule in TROUBLES), None)
            return Failed(TROUBLES[worst.rule], worst.message) if worst else None
        request = next(
            (each for each in self._plan.servers if each.host.lower() == host.lower()), self._plan.servers[0]
        )
        if not any(self.ca.strip() in pem for pem in action.anchors):
            return Failed(Trouble.UNTRUSTED, f"signed by {self._plan.authority.name}")
        if not covers(request.dns_names, request.addresses, action.verify):
            return Failed(Trouble.WRONG_NAME, f"it is for {', '.join(request.dns_names)}")
        return None

    def _chain(self, host: str) -> tuple[Certificate, ...]:
        """Return what the servers of a host present now, () if there is nothing yet, or it is not for us to read."""
        if host not in self._chains:
            self._chains[host] = ()
            try:
                own = next(
                    (each.host for each in self._plan.servers if each.host.lower() == host.lower()), ""
                )
                files = self._store.chain_files(own or self._plan.servers[0].host)
                self._chains[host] = decode(files[0].read_bytes()) if files else ()
            except (PkiError, OSError):
                pass
        return self._chains[host]


def _anchors(pems: Sequence[str]) -> tuple[Certificate, ...]:
    found: list[Certificate] = []
    for pem in pems:
        try:
            found += decode(pem.encode())
        except PkiError:
            continue
    return tuple(found)
