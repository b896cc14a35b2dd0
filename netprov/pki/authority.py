"""The local CA over time: its next root, intermediate, revocation lists and server chains, from those at hand.

Pure but for the drawing of keys: each function returns what to keep next and why, or None where nothing is due.
Serial numbers come from `serial`, which is called when one is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from netprov.errors import PkiError
from netprov.pki import issue, renewal, revocation
from netprov.pki.bundle import Bundle
from netprov.pki.chain import Certificate
from netprov.pki.issue import Issuer
from netprov.pki.request import AuthorityRequest, KeyKind, PkiPlan, ServerRequest

Serial = Callable[[], int]
Next = tuple[Bundle, str]
"""A key with its chain, and why it was issued."""

Lists = tuple[x509.CertificateRevocationList, ...]


def issuer_of(authority: Bundle, request: AuthorityRequest) -> Issuer:
    """Return a CA as what signs."""
    return Issuer(authority.leaf, authority.key, request.crl_url)


def next_root(have: Bundle | None, plan: PkiPlan, now: float, serial: Serial) -> Next | None:
    """Issue the root if it is missing; give it a new term under its old key if it would not outlive its servers.

    Phones that hold the old certificate go on: key and name are the same.
    """
    if have is None:
        return new_root(plan.authority, now, serial), "missing"
    reason = renewal.root_due(have.leaf, plan, now)
    if not reason:
        return None
    return Bundle((issue.root(plan.authority, have.key, now=now, serial=serial()),), have.key), reason


def new_root(request: AuthorityRequest, now: float, serial: Serial) -> Bundle:
    """Issue a root with a new key."""
    key = issue.new_key(request.key)
    return Bundle((issue.root(request, key, now=now, serial=serial()),), key)


def next_intermediate(
    have: Bundle | None, root: Bundle, plan: PkiPlan, now: float, serial: Serial
) -> Next | None:
    """Issue the intermediate if it is missing, due, below another root, or permits other names than asked for."""
    reason = renewal.intermediate_reason(have, root.leaf, plan, now)
    if not reason:
        return None
    # The key stays where there is one: what it has revoked stays revoked by the same list.
    key = have.key if have else issue.new_key(plan.authority.key)
    signer = issuer_of(root, plan.authority)
    certificate = issue.intermediate(plan.authority, key.public_key(), signer, now=now, serial=serial())
    return Bundle((certificate,), key), reason


def check_permitted(request: AuthorityRequest, authority: Certificate) -> None:
    """Raise `PkiError` if the CA's name constraints leave out a domain that is asked for."""
    if missing := renewal.outside(request, authority):
        raise PkiError(
            f"the CA may certify only {', '.join(authority.permitted)}, and {', '.join(missing)} is asked for",
            "make a new CA (`netprov cert init --replace`), give its certificate to the phones, and consider "
            "`certificates.intermediate: true`, whose names can change without that",
        )


def next_lists(issuers: Sequence[Bundle], lists: Lists, request: AuthorityRequest, now: float) -> Lists:
    """Return the revocation list of every issuer, signed again where it is missing or half through its term."""
    fresh = []
    for authority in issuers:
        issuer = issuer_of(authority, request)
        have = list_of(lists, issuer)
        ending = have.next_update_utc if have is not None else None  # an empty list is false
        if have is None or ending is None or ending.timestamp() - now < request.crl_lifetime / 2:
            have = revocation.sign(issuer, have, now=now, lifetime=request.crl_lifetime)
        fresh.append(have)
    return tuple(fresh)


def list_of(lists: Lists, issuer: Issuer) -> x509.CertificateRevocationList | None:
    """Return the list that an issuer signed, or None."""
    key = issuer.certificate.x509.public_key()
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    name = issuer.certificate.x509.subject
    return next((each for each in lists if each.issuer == name and each.is_signature_valid(key)), None)


def next_server(
    have: Bundle | None,
    request: ServerRequest,
    kind: KeyKind,
    *,
    issuers: Sequence[Bundle],
    lists: Lists,
    authority: AuthorityRequest,
    now: float,
    serial: Serial,
    anyway: bool = False,
) -> Next | None:
    """Issue a server's chain with a new key, if there is a reason to (`renewal.server_reason`) or `anyway`."""
    above = tuple(each.leaf for each in issuers)
    reason = renewal.server_reason(have, request, kind, above, now)
    if not reason and have is not None and revocation.is_revoked(lists, have.leaf):
        reason = "it is revoked"
    if not reason and not anyway:
        return None
    key = issue.new_key(kind)
    certificate = issue.server(
        request,
        key.public_key(),
        issuer_of(issuers[0], authority),
        now=now,
        backdate=authority.backdate,
        serial=serial(),
    )
    return Bundle((certificate, *above[:-1]), key), reason or "asked for"
