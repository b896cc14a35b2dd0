from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from netprov.pki.bundle import Bundle
from netprov.pki.chain import Certificate, decode, describe
from netprov.pki.verify import problems
from tests.pki.chains import DAY, ca, made, small_rsa
from tests.pki.conftest import NOW

ROOT = ca("Root")
BETWEEN = made("Between", issuer=ROOT, authority=True, names=())
GOOD = made(issuer=BETWEEN)
SELF_SIGNED = made()

WRONG: dict[str, tuple[Bundle, list[str]]] = {
    "right": (GOOD, []),
    "without the domain": (
        made("pr1.example.com", names=("pr1.example.com",), issuer=ROOT),
        ["cert-san-domain"],
    ),
    "domain only in the common name": (
        made("example.com", names=("pr1.example.com",), issuer=ROOT),
        ["cert-san-domain"],
    ),
    "no names": (made("example.com", names=(), issuer=ROOT), ["cert-san-domain"]),
    "wildcard misses the apex": (
        made("*.example.com", names=("*.example.com",), issuer=ROOT),
        ["cert-wildcard-apex", "cert-wildcard"],
    ),
    "wildcard beside the apex": (
        made("example.com", names=("example.com", "*.example.com"), issuer=ROOT),
        ["cert-wildcard"],
    ),
    "other common name": (made("pr1.example.com", issuer=ROOT), ["cert-common-name"]),
    "no common name": (made("", issuer=ROOT), ["cert-common-name"]),
    "expired": (made(issuer=ROOT, end=NOW - 1), ["cert-expired"]),
    "not yet valid": (made(issuer=ROOT, start=NOW + 60), ["cert-not-yet-valid"]),
    "about to expire": (made(issuer=ROOT, end=NOW + 5 * DAY), ["cert-expiring"]),
    "after 2038": (made(issuer=ROOT, end=NOW + 5000 * DAY), ["cert-after-2038"]),
    "small RSA key": (made(issuer=ROOT, key=small_rsa()), ["cert-key-small"]),
    "small curve": (
        made(issuer=ROOT, key=ec.generate_private_key(ec.SECP192R1())),
        ["cert-key-small"],
    ),
    "unknown kind of key": (
        made(issuer=ROOT, key=ed25519.Ed25519PrivateKey.generate()),
        ["cert-key-kind"],
    ),
    "for clients": (made(issuer=ROOT, use=ExtendedKeyUsageOID.CLIENT_AUTH), ["cert-use"]),
    "self-signed": (SELF_SIGNED, ["cert-unknown-ca"]),
    "unknown CA": (made(issuer=ca("Other")), ["cert-unknown-ca"]),
    "same name, other key": (made(issuer=ca("Root")), ["cert-unknown-ca"]),
    "intermediate missing": (Bundle(GOOD.chain[:1], GOOD.key), ["cert-unknown-ca"]),
    "root sent too": (Bundle((*GOOD.chain, ROOT.leaf), GOOD.key), []),
    "out of order": (
        Bundle((GOOD.leaf, ROOT.leaf, BETWEEN.leaf), GOOD.key),
        ["cert-chain-order"],
    ),
    "unrelated issuer": (
        Bundle((GOOD.leaf, ca("Else").leaf), GOOD.key),
        ["cert-chain-order", "cert-unknown-ca"],
    ),
    "issued by a server": (made(issuer=made("pr9", issuer=ROOT)), ["cert-issuer-not-ca"]),
    "outside the constraint": (
        made(issuer=made("Narrow", issuer=ROOT, authority=True, names=(), permitted=("example.org",))),
        ["cert-name-constraint"],
    ),
    "intermediate expired": (
        made(issuer=made("Old", issuer=ROOT, authority=True, names=(), end=NOW - 1)),
        ["cert-expired"],
    ),
}


def test_every_domain_that_phones_verify_must_be_carried() -> None:
    chain = made("example.com", names=("example.com", "one.example", "*.two.example"), issuer=ROOT).chain

    def rules(*also: str) -> list[str]:
        return [each.rule for each in problems(chain, "example.com", NOW, [ROOT.leaf], also=also)]

    assert rules() == rules("one.example") == ["cert-wildcard"]
    assert rules("one.example", "two.example") == ["cert-wildcard-apex", "cert-wildcard"]
    assert rules("three.example") == ["cert-san-domain", "cert-wildcard"]


@pytest.mark.parametrize("name", WRONG)
def test_each_fault_is_its_own_finding(name: str) -> None:
    bundle, expected = WRONG[name]
    found = problems(bundle.chain, "example.com", NOW, [ROOT.leaf])
    assert expected == [each.rule for each in found], found
    assert all(each.remedy for each in found)


def test_an_expired_root_is_found_though_it_is_not_sent() -> None:
    old = made("Old root", authority=True, names=(), end=NOW - 1)
    found = problems(made(issuer=old).chain, "example.com", NOW, [old.leaf])
    assert [each.rule for each in found] == ["cert-expired"]


@pytest.mark.parametrize("name", ["sha1", "md5"])
def test_a_weak_signature_is_named_as_such(name: str) -> None:
    leaf, root = decode((Path(__file__).parent / f"{name}.pem").read_bytes())
    found = problems([leaf], "example.com", NOW + DAY * 30, [root])
    assert [each.rule for each in found] == ["cert-signature-weak"]


def test_no_chain_is_a_finding() -> None:
    assert [each.rule for each in problems((), "example.com", NOW, [])] == ["cert-missing"]


def test_without_trust_the_issuer_does_not_matter() -> None:
    assert problems(SELF_SIGNED.chain, "example.com", NOW) == []


def test_case_of_names_does_not_matter() -> None:
    chain = made("EXAMPLE.com", names=("Example.COM",), issuer=ROOT).chain
    assert problems(chain, "eXample.com", NOW, [ROOT.leaf]) == []


def test_what_a_certificate_says_is_described() -> None:
    key = rsa.generate_private_key(65537, 2048)
    said = made(issuer=ROOT, key=key).leaf
    assert isinstance(said, Certificate)
    assert (said.key, said.key_bits, said.signature_hash) == ("RSA-2048", 2048, "sha256")
    assert (said.common_name, said.issuer, said.is_ca) == ("example.com", "CN=Root", False)
    assert said.phone() is None
    assert describe(said.x509) == said == decode(said.pem().encode())[0]
