"""Rules about the chains that hosts present: what a phone's TLS would refuse, found by `netprov.pki.verify`."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.check.rule import Finding, Rule, View
from netprov.errors import Place, Severity


def _rule(rule_id: str, severity: Severity, why: str, remedy: str) -> Rule:
    def look(view: View) -> Iterator[Finding]:
        for chain, problem in view.presented:
            if problem.rule == rule_id:
                message = f"{chain.host}: {problem.message}"
                yield Finding(
                    ("certificates",), message, remedy=problem.remedy, place=Place(chain.file, 1, 1)
                )

    return Rule(rule_id, severity, why, remedy, look)


RULES = (
    _rule(
        "cert-san-domain",
        "error",
        "The phone compares the certificate with the domain that DHCP gave it (guide, DNS SRV for HTTP Provisioning), not with the SRV target: without the domain it refuses the server.",
        "issue it again with the domain among its names: `netprov cert renew`",
    ),
    _rule(
        "cert-wildcard-apex",
        "error",
        "A wildcard stands for exactly one label (RFC 9525 6.3): *.example.com does not cover example.com, which is the name that the phone verifies.",
        "add the domain itself to the certificate's names",
    ),
    _rule(
        "cert-wildcard",
        "warning",
        "Older phones refuse wildcard names altogether.",
        "name every SRV target instead",
    ),
    _rule(
        "cert-common-name",
        "warning",
        "Old firmware looks at the common name alone.",
        "make the domain the common name",
    ),
    _rule(
        "cert-name-constraint",
        "error",
        "The CA is constrained to other names: a client that obeys refuses the chain.",
        "take a CA that permits the names, or take them out of the certificate",
    ),
    _rule(
        "cert-chain-order",
        "error",
        "Phones take the chain as it is presented: a certificate that the next one did not issue ends it.",
        "put the server's certificate first, then its issuer, and so on",
    ),
    _rule(
        "cert-issuer-not-ca",
        "error",
        "Only a CA may issue (RFC 5280 4.2.1.9); the phone refuses a chain through any other certificate.",
        "use a CA's certificate as issuer",
    ),
    _rule(
        "cert-unknown-ca",
        "error",
        "The phone trusts Cisco's roots and the CA that it was given, and no other.",
        "import the chain's root: `netprov cert import`",
    ),
    _rule(
        "cert-use",
        "error",
        "The extended key use does not allow a server.",
        "issue it again as a server certificate",
    ),
    _rule(
        "cert-expired",
        "error",
        "Phones refuse expired certificates.",
        "renew it: `netprov cert renew`",
    ),
    _rule(
        "cert-expiring",
        "warning",
        "In a few days every phone refuses the server, all at once.",
        "renew it: `netprov cert renew`",
    ),
    _rule(
        "cert-not-yet-valid",
        "error",
        "Phones refuse certificates that begin in the future, and a phone whose clock is behind does so even longer.",
        "set the clock right, or issue the certificate with `backdate:`",
    ),
    _rule(
        "cert-after-2038",
        "warning",
        "A 32-bit clock cannot hold dates after 2038-01-19; old firmware takes the certificate for expired.",
        "let it end before",
    ),
    _rule(
        "cert-key-small",
        "error",
        "Keys below RSA-2048 are refused by current TLS libraries.",
        "issue it again with RSA-2048 or ECDSA P-256",
    ),
    _rule(
        "cert-key-kind",
        "error",
        "Phones know RSA and ECDSA keys and no others.",
        "issue it again with RSA-2048 or ECDSA P-256",
    ),
    _rule(
        "cert-signature-weak",
        "error",
        "Signatures with MD5 or SHA-1 are refused by current TLS libraries.",
        "issue it again with SHA-256",
    ),
)
