"""The domains of a site, and the hosts and SRV targets of each: the main one, tenants', those that networks hand out."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.errors import Path
from netprov.inventory.model import Domain
from netprov.plan.site import Site, SiteHost, SitePhone, SiteTarget, absolute, srv_targets


def domains(site: Site) -> tuple[str, ...]:
    """Return every domain that phones may be given, the main one first."""
    names = [site.domain, *(network.domain for network in site.networks), *site.inventory.domains]
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.lower(), name)
    return tuple(first.values())


def record_owner(name: str, domain: str) -> str:
    """Return the owner of a further record of a domain, without a final dot.

    It is relative to the domain unless it ends in a dot or in the domain.
    """
    if name == "@":
        return domain
    if name.endswith("."):
        return name[:-1] or name
    return name if is_within(name, domain) else f"{name}.{domain}"


def is_within(name: str, domain: str) -> bool:
    """Return whether a name is a domain or below it, both without a final dot; the root is "", and everything below it."""
    return not domain or f".{name}".lower().endswith(f".{domain}".lower())


def phone_names(site: Site) -> Iterator[tuple[SitePhone, str]]:
    """Yield every listed phone that has a name, with the name in full: that of one label is in its network's domain."""
    homes = {network.name: network.domain for network in site.networks}
    for phone in site.phones:
        if phone.declared.name is not None:
            yield phone, absolute(phone.declared.name, homes.get(phone.network or "", site.domain))


def domain_hosts(site: Site, domain: str) -> Iterator[tuple[SiteHost, Path]]:
    """Yield the hosts declared under a domain, each with its path in the inventory, () for this server itself."""
    if domain == site.domain:
        paths: dict[str, Path] = {
            absolute(name, domain).lower(): ("hosts", name) for name in site.inventory.hosts
        }
        for host in site.hosts:
            yield host, paths.get(host.name.lower(), ())
        return
    name, declared = _declared(site, domain)
    for label, each in declared.hosts.items():
        aliases = tuple(absolute(alias, domain) for alias in each.aliases)
        yield SiteHost(absolute(label, domain), each.addresses, aliases), ("domains", name, "hosts", label)


def domain_targets(site: Site, domain: str) -> tuple[SiteTarget, ...]:
    """Return the SRV records of a domain: its own, or the main domain's where it declares none."""
    name, declared = _declared(site, domain)
    if domain == site.domain or declared.srv is None:
        return site.targets
    return srv_targets(declared.srv, domain, site.server_name, ("domains", name, "srv"))


def _declared(site: Site, domain: str) -> tuple[str, Domain]:
    wanted = domain.lower()
    found = ((name, each) for name, each in site.inventory.domains.items() if name.lower() == wanted)
    return next(found, (domain, Domain()))
