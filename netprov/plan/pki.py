"""Which certificates the site needs: one request per host that listens.

Every certificate carries the domain first, as common name and SAN, because that is what phones verify
(guide, "DNS SRV for HTTP Provisioning"), then every SRV target: so any host of a domain can stand in for any other.
This machine's has every domain, a further host's those whose targets it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from netprov.errors import InventoryError, Problem
from netprov.pki.names import Address, within
from netprov.pki.request import COMMON_NAME_LIMIT, AuthorityRequest, ClientPolicy, PkiPlan, ServerRequest
from netprov.plan.domain import domain_hosts, domain_targets, domains
from netprov.plan.site import Site, absolute

SHORTEST = 3600
"""Seconds that a certificate must live at least: less is a slip of the unit."""

_URL = re.compile(r"https://[^\s;,|\"']+", re.IGNORECASE)


def certificates(site: Site) -> PkiPlan:
    """Derive the certificate requests; raises `InventoryError` for a domain or lifetime that no certificate can have."""
    declared = site.inventory.certificates
    if found := list(_problems(site)):
        raise InventoryError(found)
    servers = tuple(_request(site, host) for host in _hosts(site))
    names = _distinct(name for each in servers for name in each.dns_names)
    authority = AuthorityRequest(
        name=declared.ca_name,
        key=declared.ca_key,
        lifetime=declared.ca_lifetime,
        intermediate=declared.intermediate,
        intermediate_lifetime=max(declared.ca_lifetime // 2, declared.lifetime),
        permitted=_domains(names) if declared.name_constraints else (),
        backdate=declared.backdate,
        crl_url=declared.crl_url,
        crl_lifetime=declared.crl_lifetime,
    )
    clients = ClientPolicy(declared.client_certificates, declared.client_roots)
    of_classes = sorted({each.tls_min for each in site.inventory.classes.values() if each.tls_min})
    return PkiPlan(authority, servers, clients, declared.tls_min, tuple(of_classes))


def _request(site: Site, host: str) -> ServerRequest:
    declared = site.inventory.certificates
    here = _domains_at(site, host)
    return ServerRequest(
        host=host,
        dns_names=_names(site, here),
        addresses=_addresses(site, here),
        keys=declared.keys,
        lifetime=declared.lifetime,
        renew_before=declared.renew_before,
        also=_distinct(here[1:]),
    )


def _problems(site: Site) -> Iterator[Problem]:
    declared = site.inventory.certificates
    for domain in dict.fromkeys(_domains_at(site, host)[0] for host in _hosts(site)):
        if len(domain) > COMMON_NAME_LIMIT:
            yield Problem(
                "cert-common-name-length",
                f"the domain has {len(domain)} characters, and a certificate's common name holds "
                f"{COMMON_NAME_LIMIT} (RFC 5280)",
                "choose a shorter domain: older firmware compares the common name",
                path=("domain",) if domain == site.domain else ("domains", domain),
            )
    for key in ("ca_lifetime", "lifetime", "crl_lifetime"):
        if getattr(declared, key) < SHORTEST:
            yield Problem(
                "cert-lifetime",
                f"{key} is {getattr(declared, key)} seconds",
                "give at least an hour: 1h, 397d",
                path=("certificates", key),
            )
    if declared.lifetime > declared.ca_lifetime:
        yield Problem(
            "cert-lifetime",
            "server certificates would outlive their CA",
            "make ca_lifetime longer than lifetime",
            path=("certificates", "lifetime"),
            related=(("certificates", "ca_lifetime"),),
        )


def _hosts(site: Site) -> tuple[str, ...]:
    """Return the hosts that serve TLS: this one first, then the HTTPS targets of all domains."""
    targets = (target for domain in domains(site) for target in domain_targets(site, domain))
    return _distinct([site.server_name, *(each.target for each in targets if each.service == "https")])


def _domains_at(site: Site, host: str) -> tuple[str, ...]:
    """Return the domains that are provisioned from a host, the main one first: all of them from this machine, which may
    have any address that the inventory names."""
    if host == site.server_name.lower():
        return domains(site)
    return tuple(
        domain
        for domain in domains(site)
        if any(target.target.lower() == host for target in domain_targets(site, domain))
    )


def _names(site: Site, here: tuple[str, ...]) -> tuple[str, ...]:
    targets = [target.target for domain in here for target in domain_targets(site, domain)]
    if site.domain not in here:
        return _distinct([*here, *targets])
    declared = [absolute(name, site.domain) for name in site.inventory.certificates.names]
    return _distinct([*here, *targets, site.server_name, *_names_in_urls(site), *declared])


def _names_in_urls(site: Site) -> Iterator[str]:
    """Yield the hosts of ours that phones are sent to by an https URL, which they then verify."""
    options = [each.options for each in site.inventory.classes.values()]
    options += [each.options for each in site.inventory.phones]
    options += [network.declared.options for network in site.networks]
    texts = [each.acs_url or "" for each in site.inventory.classes.values()]
    texts += [text for each in options for value in each.values() for text in _texts(value)]
    for text in texts:
        for url in _URL.findall(text):
            host = _host(url)
            if host and (site.host(host) or host.lower() == site.domain.lower()):
                yield host


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)


def _host(url: str) -> str | None:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    try:
        ip_address(host)
    except ValueError:
        return host or None
    return None


def _addresses(site: Site, here: tuple[str, ...]) -> tuple[Address, ...]:
    wanted = site.inventory.certificates.addresses
    if wanted == "none":
        return ()
    if not isinstance(wanted, str):
        return tuple(dict.fromkeys(wanted))
    known = {host.name.lower(): host for domain in domains(site) for host, _ in domain_hosts(site, domain)}
    found: list[Address] = []
    if site.domain in here:
        found += [network.address for network in site.networks]
    for domain in here:
        named = [known.get(target.target.lower()) for target in domain_targets(site, domain)]
        found += [address for host in named if host for address in host.addresses]
    return tuple(dict.fromkeys(found))


def _domains(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fewest domains that hold all the names, as name constraints."""
    shortest_first = sorted(names, key=len)
    kept: list[str] = []
    for name in shortest_first:
        if not any(within(name, domain) for domain in kept):
            kept.append(name)
    return tuple(kept)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return names in lower case and in order, each once (RFC 4343: case does not tell names apart)."""
    return tuple(dict.fromkeys(name.lower() for name in names))
