"""Every field of what is issued, compared whole with certificates.txt; NETPROV_REWRITE=1 writes it anew."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from netprov.pki import issue, revocation
from netprov.pki.chain import Certificate
from netprov.pki.issue import Issuer, Validity
from netprov.pki.names import PhoneSubject
from netprov.pki.request import DAY, AuthorityRequest, ServerRequest
from netprov.pki.verify import date
from tests.pki.conftest import NOW

GOLDEN = Path(__file__).parent / "certificates.txt"
REQUEST = AuthorityRequest(
    "Golden CA", intermediate=True, permitted=("example.com",), crl_url="http://netprov.example.com/crl.der"
)
SERVER = ServerRequest(
    "pr1.example.com", ("example.com", "pr1.example.com", "pr2.example.com"), (ip_address("10.20.0.11"),)
)
PHONE = PhoneSubject("CP-8841-3PCC", "FCH2133A1B2", "001234ab45de")


def told(certificate: Certificate) -> str:
    """Return every field but the numbers of keys and signatures."""
    own = certificate.x509
    lines = [
        f"subject     {certificate.subject}",
        f"issuer      {certificate.issuer}",
        f"serial      {certificate.serial}",
        f"from        {date(certificate.not_before)}",
        f"until       {date(certificate.not_after)}",
        f"key         {certificate.key}",
        f"signature   {own.signature_algorithm_oid._name}",
    ]
    for extension in own.extensions:
        critical = "critical" if extension.critical else "-"
        lines.append(f"{extension.oid._name:<23} {critical:<9} {shown(extension.value)}")
    return "\n".join(line.rstrip() for line in lines)


def shown(value: x509.ExtensionType) -> str:
    match value:
        case x509.BasicConstraints():
            return f"ca={value.ca} path_length={value.path_length}"
        case x509.KeyUsage():
            uses = ("digital_signature", "key_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
            return " ".join(use for use in uses if getattr(value, use))
        case x509.ExtendedKeyUsage():
            return " ".join(each._name for each in value)
        case x509.NameConstraints():
            return " ".join(str(each.value) for each in value.permitted_subtrees or ())
        case x509.SubjectAlternativeName():
            return " ".join(str(each.value) for each in value)
        case x509.CRLDistributionPoints():
            return " ".join(str(name.value) for each in value for name in each.full_name or ())
        case x509.SubjectKeyIdentifier():
            return f"{len(value.digest)} octets"
        case x509.AuthorityKeyIdentifier():
            return f"{len(value.key_identifier or b'')} octets"
        case _:
            raise AssertionError(value)


def everything() -> str:
    keys = {"root": issue.new_key("rsa-2048"), "between": issue.new_key("rsa-2048")}
    root = issue.root(REQUEST, keys["root"], now=NOW, serial=1)
    signer = Issuer(root, keys["root"], REQUEST.crl_url)
    between = issue.intermediate(REQUEST, keys["between"].public_key(), signer, now=NOW, serial=2)
    issuer = Issuer(between, keys["between"], REQUEST.crl_url)
    rsa, ecdsa = (issue.new_key(kind).public_key() for kind in SERVER.keys)
    validity = Validity(NOW, NOW + 3650 * DAY)
    parts = {
        "root": root,
        "intermediate": between,
        "server, RSA": issue.server(SERVER, rsa, issuer, now=NOW, backdate=DAY, serial=3),
        "server, ECDSA": issue.server(SERVER, ecdsa, issuer, now=NOW, backdate=DAY, serial=4),
        "phone": issue.phone(PHONE, ecdsa, issuer, validity=validity, serial=5),
    }
    return "\n\n".join(f"[{name}]\n{told(certificate)}" for name, certificate in parts.items()) + "\n"


def test_every_field_is_as_it_was() -> None:
    found = everything()
    if os.environ.get("NETPROV_REWRITE"):
        GOLDEN.write_text(found)
    assert GOLDEN.read_text() == found


def test_a_request_with_a_key_that_phones_do_not_know_is_refused() -> None:
    ca_key = issue.new_key("ecdsa-p256")
    root = issue.root(REQUEST, ca_key, now=NOW, serial=1)
    key = ed25519.Ed25519PrivateKey.generate()
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, None)
    with pytest.raises(ValueError, match="not signed by its own RSA or ECDSA key"):
        issue.server_from_request(csr, Issuer(root, ca_key), validity=Validity(NOW, NOW + DAY), serial=2)


def test_lists_count_up_and_keep_what_they_had() -> None:
    key = issue.new_key("ecdsa-p256")
    root = issue.root(REQUEST, key, now=NOW, serial=1)
    issuer = Issuer(root, key)
    first = revocation.revoke(issuer, None, root, reason="key-compromise", now=NOW, lifetime=DAY)
    second = revocation.sign(issuer, first, now=NOW + 60, lifetime=DAY)
    number = second.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    (entry,) = second
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert (number, entry.serial_number, reason) == (2, 1, x509.ReasonFlags.key_compromise)
    assert revocation.decode(revocation.encode((first, second))) == (first, second)


def test_an_unspecified_reason_is_left_out() -> None:
    key = issue.new_key("ecdsa-p256")
    root = issue.root(REQUEST, key, now=NOW, serial=1)
    listed = revocation.revoke(Issuer(root, key), None, root, reason="unspecified", now=NOW, lifetime=DAY)
    (entry,) = listed
    assert list(entry.extensions) == []
