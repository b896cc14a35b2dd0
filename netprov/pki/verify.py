"""Why a phone would refuse a server's chain: the certificate checks of a TLS client, each a finding of its own.

Follows RFC 5280 section 6 for the path and RFC 9525 for the name, as Cisco's guide asks: the name is the
domain that DHCP gave, not the SRV target. Absent: revocation, which phones do not ask about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from netprov.errors import Problem
from netprov.pki.chain import WEAK_HASHES, Certificate
from netprov.pki.names import covers, within

EXPIRES_SOON = 14 * 86400
"""Seconds before the end from which an expiry is worth a warning."""

_RENEWAL = {
    False: "renew it: `netprov cert renew`",
    True: "get a new one where this one came from, and import it: `netprov cert import`",
    None: "renew it: `netprov cert renew`; an imported one is got anew where it came from, and imported again",
}
"""What to do about the end of a certificate that was imported, was not, or may have been."""

END_OF_TIME_32 = 0x7FFFFFFF
"""2038-01-19: the last second of a signed 32-bit clock, which old firmware has."""


def problems(
    chain: Sequence[Certificate],
    domain: str,
    now: float,
    trust: Iterable[Certificate] | None = None,
    *,
    also: Iterable[str] = (),
    imported: bool | None = None,
) -> list[Problem]:
    """Return what is wrong with a chain as a server presents it, leaf first; errors stop a phone, warnings may.

    `domain` is the name that the client verifies, `also` are those that others verify; `trust` are their roots, None
    for "do not look at them". `imported` says whether the chain is the operator's own, None where nobody knows.
    The first error is the first that a client would meet: chain, then time, then name.
    """
    if not chain:
        return [_error("cert-missing", "no certificate was presented", "load a chain: `netprov cert issue`")]
    found = _order(chain)
    path = list(chain)
    roots = None if trust is None else tuple(trust)
    if roots is not None:
        anchor = _anchor(chain, roots)
        if anchor is None:
            found.append(_unknown(chain))
        elif anchor not in path:
            path.append(anchor)
    for certificate in chain:
        found += _strength(certificate)
    for place, certificate in enumerate(path):
        spare = place > 0 and roots is not None and _anchor(chain[:place], roots) not in (None, certificate)
        found += _time(certificate, now, _LEAVE_OUT if spare else _RENEWAL[imported])
    found += _use(path)
    found += _name(chain[0], domain)
    found += [each for other in also for each in _name(chain[0], other) if each.severity == "error"]
    found += _constraints(path)
    return sorted(found, key=lambda problem: problem.severity != "error")


def _order(chain: Sequence[Certificate]) -> list[Problem]:
    for place, (certificate, issuer) in enumerate(pairwise(chain)):
        if certificate.issued_by(issuer):
            continue
        if any(certificate.issued_by(other) for other in chain[place + 2 :]):
            what = "the chain is out of order"
        else:
            what = "the chain does not hold together"
        return [
            _error(
                "cert-chain-order",
                f"{what}: certificate {place + 2} ({issuer.subject}) did not issue certificate {place + 1} "
                f"({certificate.subject}), {certificate.issuer} did",
                "put the server's certificate first, then the one that issued it, and so on",
            )
        ]
    return []


def _anchor(chain: Sequence[Certificate], trust: Sequence[Certificate]) -> Certificate | None:
    for certificate in chain:
        for root in trust:
            if certificate.fingerprint == root.fingerprint or certificate.issued_by(root):
                return root
    return None


def _unknown(chain: Sequence[Certificate]) -> Problem:
    top = chain[-1]
    if len(chain) == 1 and top.self_issued and not top.is_ca:
        return _error(
            "cert-unknown-ca",
            f"the certificate signed itself ({top.subject}), and is none that the client trusts",
            "present a chain from a CA that the phone trusts",
        )
    return _error(
        "cert-unknown-ca",
        f"{top.issuer}, which issued the last certificate presented, is not a CA that the client trusts",
        "give the phone the CA first (Custom_CA_Rule, over HTTP or TFTP), or add the missing intermediate",
    )


def _strength(certificate: Certificate) -> list[Problem]:
    found = []
    kind = certificate.key.partition("-")[0].partition(" ")[0]
    least = {"RSA": 2048, "ECDSA": 256}.get(kind)
    if least is None:
        found.append(
            _error(
                "cert-key-kind",
                f"{_who(certificate)} has a key of kind {certificate.key}, which phones do not know",
                "use RSA-2048 or ECDSA P-256",
            )
        )
    elif certificate.key_bits < least:
        found.append(
            _error(
                "cert-key-small",
                f"{_who(certificate)} has a key of {certificate.key_bits} bits ({certificate.key})",
                "issue it again with RSA-2048 or ECDSA P-256",
            )
        )
    if certificate.signature_hash in WEAK_HASHES and not certificate.self_issued:
        found.append(
            _error(
                "cert-signature-weak",
                f"{_who(certificate)} is signed with {certificate.signature_hash.upper()}",
                "issue it again with SHA-256",
            )
        )
    return found


_LEAVE_OUT = (
    "leave that certificate out of the chain: the ones before it lead to a root that the client trusts"
)


def _time(certificate: Certificate, now: float, again: str) -> list[Problem]:
    who = _who(certificate)
    if now < certificate.not_before:
        return [
            _error(
                "cert-not-yet-valid",
                f"{who} is valid from {date(certificate.not_before)}, and the clock says {date(now)}",
                "set the clock right (option 42 gives phones the time), or backdate the certificate",
            )
        ]
    if now > certificate.not_after:
        ended = f"{who} expired on {date(certificate.not_after)}, and the clock says {date(now)}"
        return [_error("cert-expired", ended, again)]
    found = []
    if certificate.not_after - now < EXPIRES_SOON:
        found.append(_warning("cert-expiring", f"{who} expires on {date(certificate.not_after)}", again))
    if certificate.not_after > END_OF_TIME_32:
        found.append(
            _warning(
                "cert-after-2038",
                f"{who} expires on {date(certificate.not_after)}, which a 32-bit clock cannot hold",
                "let it end before 2038-01-19 where phones are old",
            )
        )
    return found


def _use(chain: Sequence[Certificate]) -> list[Problem]:
    found = []
    if not chain[0].server_use:
        found.append(
            _error(
                "cert-use",
                f"{_who(chain[0])} may not be used by a server: its extended key use lacks serverAuth",
                "issue it again as a server certificate",
            )
        )
    for issuer in chain[1:]:
        if not issuer.is_ca:
            found.append(
                _error(
                    "cert-issuer-not-ca",
                    f"{_who(issuer)} stands among the issuers, but is not a CA (basic constraints)",
                    "use a CA's certificate there",
                )
            )
    return found


def _name(leaf: Certificate, domain: str) -> list[Problem]:
    names = ", ".join((*leaf.dns_names, *map(str, leaf.addresses))) or "none"
    found = []
    if not covers(leaf.dns_names, leaf.addresses, domain):
        if f"*.{domain.lower()}" in {name.lower() for name in leaf.dns_names}:
            found.append(
                _error(
                    "cert-wildcard-apex",
                    f"the certificate's wildcard *.{domain} does not stand for {domain} itself (RFC 9525 6.3)",
                    f"add {domain} to its subject alternative names",
                )
            )
        else:
            found.append(
                _error(
                    "cert-san-domain",
                    f"the certificate does not carry {domain}, the name that the phone verifies; it carries: {names}",
                    f"issue it again with {domain} among its subject alternative names",
                )
            )
    elif leaf.common_name.lower() != domain.lower():
        found.append(
            _warning(
                "cert-common-name",
                f"the certificate's common name is {leaf.common_name or 'missing'}, not {domain}",
                "older firmware compares the common name too: make it the domain",
            )
        )
    if any(name.startswith("*.") for name in leaf.dns_names):
        found.append(
            _warning(
                "cert-wildcard",
                "the certificate has a wildcard name, which older phones refuse",
                "name every SRV target instead",
            )
        )
    return found


def _constraints(chain: Sequence[Certificate]) -> list[Problem]:
    for issuer in chain[1:]:
        outside = [
            name
            for name in chain[0].dns_names
            if issuer.permitted and not any(within(name, each) for each in issuer.permitted)
        ]
        if outside:
            return [
                _error(
                    "cert-name-constraint",
                    f"{_who(issuer)} may certify only {', '.join(issuer.permitted)}, not {', '.join(outside)}",
                    "make a CA that permits these names, or take them out of the certificate",
                )
            ]
    return []


def date(time: float) -> str:
    """Return a time as people write it, in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _who(certificate: Certificate) -> str:
    return f"the certificate of {certificate.common_name or certificate.subject or 'no name'}"


def _error(rule: str, message: str, remedy: str) -> Problem:
    return Problem(rule, message, remedy)


def _warning(rule: str, message: str, remedy: str) -> Problem:
    return Problem(rule, message, remedy, severity="warning")
