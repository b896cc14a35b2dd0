"""Rules about the chains that hosts present: what a phone's TLS would refuse, found by `netprov.pki.verify`."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.check.rule import Finding, Rule, View, rule
from netprov.errors import Place, Severity


def presented(rule_id: str, severity: Severity, *, why: str, remedy: str) -> Rule:
    """Return the rule by which a fault that `netprov.pki.verify` finds is told at the chain's file."""

    def look(view: View) -> Iterator[Finding]:
        for chain, problem in view.presented:
            if problem.rule == rule_id:
                message = f"{chain.host}: {problem.message}"
                yield Finding(
                    ("certificates",), message, remedy=problem.remedy, place=Place(chain.file, 1, 1)
                )

    return rule(rule_id, severity, why=why, remedy=remedy)(look)


CERT_SAN_DOMAIN = presented(
    "cert-san-domain",
    "error",
    why="The phone compares the certificate with the domain that DHCP gave it (guide, DNS SRV for HTTP Provisioning), not with the SRV target: without the domain it refuses the server.",
    remedy="issue it again with the domain among its names: `netprov cert renew`",
)

CERT_WILDCARD_APEX = presented(
    "cert-wildcard-apex",
    "error",
    why="A wildcard stands for exactly one label (RFC 9525 6.3): *.example.com does not cover example.com, which is the name that the phone verifies.",
    remedy="add the domain itself to the certificate's names",
)

CERT_WILDCARD = presented(
    "cert-wildcard",
    "warning",
    why="Older phones refuse wildcard names altogether.",
    remedy="name every SRV target instead",
)

CERT_COMMON_NAME = presented(
    "cert-common-name",
    "warning",
    why="Old firmware looks at the common name alone.",
    remedy="make the domain the common name",
)

CERT_NAME_CONSTRAINT = presented(
    "cert-name-constraint",
    "error",
    why="The CA is constrained to other names: a client that obeys refuses the chain.",
    remedy="take a CA that permits the names, or take them out of the certificate",
)

CERT_CHAIN_ORDER = presented(
    "cert-chain-order",
    "error",
    why="Phones take the chain as it is presented: a certificate that the next one did not issue ends it.",
    remedy="put the server's certificate first, then its issuer, and so on",
)

CERT_ISSUER_NOT_CA = presented(
    "cert-issuer-not-ca",
    "error",
    why="Only a CA may issue (RFC 5280 4.2.1.9); the phone refuses a chain through any other certificate.",
    remedy="use a CA's certificate as issuer",
)

CERT_UNKNOWN_CA = presented(
    "cert-unknown-ca",
    "error",
    why="The phone trusts Cisco's roots and the CA that it was given, and no other.",
    remedy="import the chain's root: `netprov cert import`",
)

CERT_USE = presented(
    "cert-use",
    "error",
    why="The extended key use does not allow a server.",
    remedy="issue it again as a server certificate",
)

CERT_EXPIRED = presented(
    "cert-expired",
    "error",
    why="Phones refuse expired certificates.",
    remedy="renew it: `netprov cert renew`; an imported one is got anew where it came from, and imported again",
)

CERT_EXPIRING = presented(
    "cert-expiring",
    "warning",
    why="In a few days every phone refuses the server, all at once.",
    remedy="renew it: `netprov cert renew`; an imported one is got anew where it came from, and imported again",
)

CERT_NOT_YET_VALID = presented(
    "cert-not-yet-valid",
    "error",
    why="Phones refuse certificates that begin in the future, and a phone whose clock is behind does so even longer.",
    remedy="set the clock right, or issue the certificate with `backdate:`",
)

CERT_AFTER_2038 = presented(
    "cert-after-2038",
    "warning",
    why="A 32-bit clock cannot hold dates after 2038-01-19; old firmware takes the certificate for expired.",
    remedy="let it end before",
)

CERT_KEY_SMALL = presented(
    "cert-key-small",
    "error",
    why="Keys below RSA-2048 are refused by current TLS libraries.",
    remedy="issue it again with RSA-2048 or ECDSA P-256",
)

CERT_KEY_KIND = presented(
    "cert-key-kind",
    "error",
    why="Phones know RSA and ECDSA keys and no others.",
    remedy="issue it again with RSA-2048 or ECDSA P-256",
)

CERT_SIGNATURE_WEAK = presented(
    "cert-signature-weak",
    "error",
    why="Signatures with MD5 or SHA-1 are refused by current TLS libraries.",
    remedy="issue it again with SHA-256",
)
