"""What clients would see differently by another plan: their DHCP answers, names, profiles, certificates, sockets."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.diff.acs import acs_changes
from netprov.diff.certificate import certificate_changes
from netprov.diff.dhcp import dhcp_changes
from netprov.diff.dns import dns_changes
from netprov.diff.listener import listener_changes
from netprov.diff.profile import profile_changes
from netprov.diff.seen import Change
from netprov.plan import Plan

__all__ = ["Change", "changes"]


def changes(old: Plan, new: Plan) -> tuple[Change, ...]:
    """Return everything that somebody would see differently, each once, in the order of a phone's road."""
    found: dict[Change, None] = {}
    for each in _all(old, new):
        found[each] = None
    return tuple(found)


def _all(old: Plan, new: Plan) -> Iterator[Change]:
    yield from dhcp_changes(old, new)
    yield from dns_changes(old.dns, new.dns)
    yield from listener_changes(old, new)
    yield from certificate_changes(old.pki, new.pki)
    yield from profile_changes(old.provision, new.provision)
    yield from acs_changes(old.cwmp, new.cwmp)
