"""When a certificate has to be issued again, and why; pure decisions of the store."""

from __future__ import annotations

from netprov.pki.bundle import Bundle
from netprov.pki.chain import Certificate
from netprov.pki.issue import kind_of
from netprov.pki.names import within
from netprov.pki.request import AuthorityRequest, KeyKind, PkiPlan, ServerRequest
from netprov.pki.verify import date


def server_reason(
    bundle: Bundle | None, request: ServerRequest, kind: KeyKind, issuers: tuple[Certificate, ...], now: float
) -> str:
    """Return why a server's chain has to be issued, "" if it is good; `issuers` is what it must hang below."""
    if bundle is None:
        return "missing"
    leaf = bundle.leaf
    if kind_of(bundle.key) != kind:
        return f"its key is not {kind}"
    if is_unlike(leaf, request):
        return "its names changed"
    if bundle.chain[1:] != issuers[:-1] or not leaf.issued_by(issuers[0]):
        return "its CA changed"
    return due(leaf, now, request.renew_before)


def is_unlike(leaf: Certificate, request: ServerRequest) -> bool:
    """Say whether a server's certificate has other names than are asked for."""
    return (leaf.dns_names, leaf.addresses, leaf.common_name) != (
        request.dns_names,
        request.addresses,
        request.domain,
    )


def due(certificate: Certificate, now: float, renew_before: float) -> str:
    """Return why a certificate is due by its times, "" if it is not.

    Due is `renew_before` seconds before the end, or in the last third of its life if that is shorter.
    """
    if now < certificate.not_before:
        return f"it is valid only from {date(certificate.not_before)}"
    life = certificate.not_after - certificate.not_before
    if certificate.not_after - now < min(renew_before, life / 3):
        verb = "expired" if now > certificate.not_after else "expires"
        return f"it {verb} on {date(certificate.not_after)}"
    return ""


def root_due(authority: Certificate, plan: PkiPlan, now: float) -> str:
    """Return why a CA's certificate needs a new term: it must outlive what it signs now."""
    longest = max((request.lifetime for request in plan.servers), default=0)
    return due(authority, now, longest)


def intermediate_reason(have: Bundle | None, root: Certificate, plan: PkiPlan, now: float) -> str:
    """Return why the intermediate has to be issued, "" if it is good."""
    if have is None:
        return "missing"
    if not have.leaf.issued_by(root):
        return "its root changed"
    if set(have.leaf.permitted) != set(plan.authority.permitted):
        return "its names changed"
    return root_due(have.leaf, plan, now)


def outside(request: AuthorityRequest, authority: Certificate) -> tuple[str, ...]:
    """Return the domains that are asked for and that a CA's name constraints do not permit."""
    if not authority.permitted:
        return ()
    wanted = request.permitted
    return tuple(
        name for name in wanted if not any(within(name, permitted) for permitted in authority.permitted)
    )
