"""Sockets: where this server is asked, and is not any more."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.diff.seen import Change
from netprov.hostport import format_hostport
from netprov.plan import Plan


def listener_changes(old: Plan, new: Plan) -> Iterator[Change]:
    """Yield the sockets that come and go."""
    before, after = dict.fromkeys(_sockets(old)), dict.fromkeys(_sockets(new))
    for each in before:
        if each not in after:
            yield Change("listeners", each, "served", "yes", "")
    for each in after:
        if each not in before:
            yield Change("listeners", each, "served", "", "yes")


def _sockets(plan: Plan) -> Iterator[str]:
    for network in plan.dhcp.networks:
        if network.interface:
            yield f"dhcp on {network.interface}"
    yield from (f"dns {format_hostport(str(each), plan.dns.port)}" for each in plan.dns.listen)
    yield from map(str, plan.provision.listeners)
    for address in plan.provision.syslog:
        yield f"syslog {address}"
    for listener in plan.cwmp.listeners:
        for address in listener.addresses:
            kind = "acs over TLS" if listener.secure else "acs"
            yield f"{kind} {format_hostport(address, listener.port)}{listener.path}"
