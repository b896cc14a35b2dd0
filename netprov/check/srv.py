"""Rules about the SRV records of the two provisioning services (guide, "DNS SRV for HTTP Provisioning"; RFC 2782)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from netprov.check.rule import Finding, View, is_host_name, planned, rule
from netprov.dns.order import cisco_rank
from netprov.dns.service import SERVICES
from netprov.errors import Path
from netprov.hostport import DHCP_PORT, DNS_PORT, PORTS
from netprov.inventory.model import SrvTarget
from netprov.plan.domain import record_owner

_ADDRESS = re.compile(r"\d+(\.\d+){3}\Z")
LONGEST_TTL = 3600
"""Seconds: what a staging LAN can wait for a corrected record."""

RESERVED_PORTS = {DNS_PORT: "DNS", DHCP_PORT: "DHCP", PORTS["tftp"]: "TFTP"}


def _targets(view: View) -> Iterator[tuple[str, SrvTarget, str, Path]]:
    for service in view.services:
        for target, name, path in service.targets:
            yield service.name, target, name, path


@rule(
    "srv-target-address",
    "error",
    why=(
        "A phone that gets the SRV record asks for the address of its target next; without one it tries the next "
        "record, or gives up."
    ),
    remedy="give it an address under `hosts:`, or remove the record",
)
def srv_target_address(view: View) -> Iterator[Finding]:
    for _, _, name, path in _targets(view):
        if not view.resolves(name) and not _ADDRESS.match(name):
            yield Finding((*path, "target"), f"SRV target {name} has no address")


@rule(
    "srv-target-is-address",
    "error",
    why="The target of an SRV record is a name (RFC 2782); an address in its place is looked up as a name and not found.",
    remedy="name the machine under `hosts:` and write that name",
)
def srv_target_is_address(view: View) -> Iterator[Finding]:
    for _, target, _, path in _targets(view):
        if _ADDRESS.match(target.target):
            yield Finding((*path, "target"), f"SRV target {target.target} is an address, not a name")


@rule(
    "srv-target-alias",
    "error",
    why="The target of an SRV record must not be an alias (RFC 2782): many resolvers return no address for it.",
    remedy="write the host's own name",
)
def srv_target_alias(view: View) -> Iterator[Finding]:
    for _, _, name, path in _targets(view):
        if name in view.all_aliases:
            yield _alias_finding(view, name, (*path, "target"))
    for _, record, path in view.records:
        if record.type.upper() == "SRV":
            target = record.data.split()[-1:] or [""]
            name = record_owner(target[0], _domain_of(view, path)).lower()
            if name in view.all_aliases:
                yield _alias_finding(view, name, (*path, "data"))


def _alias_finding(view: View, name: str, path: Path) -> Finding:
    place = view.all_aliases[name]
    return Finding(path, f"SRV target {name} is an alias", (place,) if place else ())


def _domain_of(view: View, path: Path) -> str:
    """Return the domain that the data of a further record is relative to."""
    return str(path[1]) if path[0] == "domains" else view.site.domain


@rule(
    "srv-target-outside",
    "warning",
    why=(
        "This server answers for the domain only: whether phones can resolve the target depends on another server, and "
        "its certificate must carry the domain all the same."
    ),
    remedy="give it a name under the domain, or make sure that phones can resolve it",
)
def srv_target_outside(view: View) -> Iterator[Finding]:
    for _, _, name, path in _targets(view):
        if not view.in_zone(name) and not _ADDRESS.match(name):
            yield Finding((*path, "target"), f"SRV target {name} is outside every domain served here")


@rule(
    "srv-target-twice",
    "warning",
    why="A second record of the same target and port is no second chance.",
    remedy="remove one, or correct its target or port",
)
def srv_target_twice(view: View) -> Iterator[Finding]:
    for service in view.services:
        seen: dict[tuple[str, int], Path] = {}
        for target, name, path in service.targets:
            first = seen.setdefault((name, target.port), path)
            if first != path:
                yield Finding(path, f"{name} port {target.port} is in `{service.name}` twice", (first,))


@rule(
    "srv-port-reserved",
    "error",
    why="Phones would speak HTTP to a port where another service listens.",
    remedy="write the port of the web server: 443, 80 or one of your own",
)
def srv_port_reserved(view: View) -> Iterator[Finding]:
    for service, target, name, path in _targets(view):
        if target.port in RESERVED_PORTS:
            yield Finding(
                (*path, "port"),
                f"port {target.port} of {name} is {RESERVED_PORTS[target.port]}'s, not {service}'s",
            )


@rule(
    "srv-port-swapped",
    "warning",
    why="The port is the usual one of the other service: phones would speak TLS to a plain server or the reverse.",
    remedy="check the port",
)
def srv_port_swapped(view: View) -> Iterator[Finding]:
    for service, target, name, path in _targets(view):
        if target.port == PORTS["http" if service == "https" else "https"]:
            yield Finding(
                (*path, "port"), f"`{service}` of {name} is on port {target.port}, the other service's"
            )


@rule(
    "srv-weights",
    "warning",
    why=(
        "Cisco's guide tries the lower weight first; RFC 2782 gives the higher weight the larger share. Phones and other "
        "clients go to different servers."
    ),
    remedy="give the records different priorities, or write `order: strict` under `srv:`",
)
def srv_weights(view: View) -> Iterator[Finding]:
    for service in view.services:
        if service.order == "strict":
            continue
        found = sorted(service.targets, key=lambda each: cisco_rank(each[0]))
        for priority, group in groupby(found, key=lambda each: each[0].priority):
            members = list(group)
            (first, _, path), (last, _, other) = members[0], members[-1]
            if first.weight != last.weight:
                yield Finding(
                    (*other, "weight"),
                    f"at priority {priority} of `{service.name}`, the guide tries {first.target} (weight {first.weight}) "
                    f"first, RFC 2782 prefers {last.target} (weight {last.weight})",
                    ((*path, "weight"),),
                )


@rule(
    "srv-http-only",
    "warning",
    why=(
        "Without `_ciscoprov-https._tls`, profiles with their passwords can be read on the LAN, and nothing proves to "
        "the phone whose profile it is."
    ),
    remedy="add `https:` records",
)
def srv_http_only(view: View) -> Iterator[Finding]:
    srv = view.inventory.srv
    if srv.http and not srv.https and "srv" in view.methods:
        yield Finding(("srv", "http"), "only `_ciscoprov-http._tcp` is published: profiles travel in clear")


@rule(
    "srv-none",
    "error",
    why="Phones that discover by DNS SRV find nothing and go on to Cisco's cloud.",
    remedy="add records under `srv:`, or remove the section for the default ones",
)
def srv_none(view: View) -> Iterator[Finding]:
    srv = view.inventory.srv
    if (srv.https is not None or srv.http is not None) and not srv.https and not srv.http and _wanted(view):
        yield Finding(("srv",), "no SRV record is published, and there are phones of method srv")


def _wanted(view: View) -> bool:
    return not view.site.phones or any(phone.method == "srv" for phone in view.site.phones)


@rule(
    "srv-label-wrong",
    "error",
    why=(
        "Phones ask for `_ciscoprov-https._tls` and `_ciscoprov-http._tcp` and no other pair; `_ciscoprov-https._tcp`, as "
        "generic tools write it, is never asked for."
    ),
    remedy="publish the service under `srv:`",
)
def srv_label_wrong(view: View) -> Iterator[Finding]:
    for name, _, path in view.records:
        first, _, rest = name.partition(".")
        # Under which domain phones ask, option 15 may say, or a rule with --srv; by which labels, never.
        right = f"{first}.{rest.partition('.')[0]}" in SERVICES.values()
        if first.startswith("_ciscoprov") and not right and "tftp" not in first:
            yield Finding((*path, "name"), f"no phone asks for {name}")


@rule(
    "srv-tftp",
    "error",
    why="DNS SRV does not support TFTP; the phone says: Error - TFTP Scheme not supported in SRV lookups.",
    remedy="use `srv: {http: …}`, or hand out TFTP by options 66 and 150",
)
def srv_tftp(view: View) -> Iterator[Finding]:
    for name, record, path in view.records:
        first = name.partition(".")[0]
        if first in {"_ciscoprov-tftp", "_tftp"} and record.type.upper() == "SRV":
            yield Finding((*path, "name"), f"{record.name}: TFTP has no SRV provisioning")


@rule(
    "srv-record-by-hand",
    "warning",
    why=(
        "What stands under `records:` is not known to the certificates and web servers; its targets get no certificate "
        "with their name."
    ),
    remedy="move the record to `srv:`",
)
def srv_record_by_hand(view: View) -> Iterator[Finding]:
    right = {f"{label}.{domain}".lower() for label in SERVICES.values() for domain in view.domains}
    for name, record, path in view.records:
        if name in right:
            yield Finding(
                (*path, "name"),
                f"{record.name} is a provisioning service written under `records:`",
            )


@rule(
    "srv-ttl-long",
    "info",
    why=(
        "The guide's example prints 86400, but phones and caches keep a record for its TTL: on a staging LAN a correction "
        "should arrive within minutes."
    ),
    remedy="write `ttl: 5m` under `srv:`",
)
def srv_ttl_long(view: View) -> Iterator[Finding]:
    ttl = view.inventory.srv.ttl
    if ttl > LONGEST_TTL:
        yield Finding(("srv", "ttl"), f"a wrong SRV record stays with the phones for {ttl} s")


@rule(
    "ttl-zero",
    "warning",
    why="TTL 0 forbids caching; some stub resolvers drop such records before they are used.",
    remedy="write `ttl: 5m`",
)
def ttl_zero(view: View) -> Iterator[Finding]:
    for path, ttl in ((("srv", "ttl"), view.inventory.srv.ttl), (("dns", "ttl"), view.inventory.dns.ttl)):
        if ttl == 0:
            yield Finding(path, "records with TTL 0 are asked for again by every step of every phone")


@rule(
    "domain-local",
    "error",
    why=".local belongs to multicast DNS (RFC 6762): phones and PCs do not send such names to a DNS server.",
    remedy="use a subdomain of a domain you own, or home.arpa (RFC 8375)",
)
def domain_local(view: View) -> Iterator[Finding]:
    for path, domain in _domains(view):
        if domain.lower().endswith(".local") or domain.lower() == "local":
            yield Finding(path, f"{domain} ends in .local")


@rule(
    "domain-single-label",
    "warning",
    why=(
        "Many resolvers do not send names of one label to a DNS server, and no certificate authority but your own "
        "issues for one."
    ),
    remedy="use a domain of two labels or more: staging.example.com",
)
def domain_single_label(view: View) -> Iterator[Finding]:
    for path, domain in _domains(view):
        if "." not in domain and domain.lower() != "local":
            yield Finding(path, f"the domain {domain} is a single label")


@rule(
    "domain-numeric",
    "error",
    why="A name whose last label is a number is read as an address (RFC 3696).",
    remedy="use a domain that ends in letters",
)
def domain_numeric(view: View) -> Iterator[Finding]:
    for path, domain in _domains(view):
        if domain.rpartition(".")[2].isdecimal():
            yield Finding(path, f"the domain {domain} ends in a number")


@rule(
    "domain-name-invalid",
    "warning",
    why="Names of hosts have letters, digits and hyphens (RFC 1123): TLS clients refuse certificates for a domain with others.",
    remedy="use a domain of letters, digits and hyphens",
)
def domain_name_invalid(view: View) -> Iterator[Finding]:
    for path, domain in _domains(view):
        if not is_host_name(domain):
            yield Finding(path, f"the domain {domain} has other characters than letters, digits and hyphens")


def _domains(view: View) -> Iterator[tuple[Path, str]]:
    yield ("domain",), view.site.domain
    yield from ((("domains", name), name) for name in view.inventory.domains)
    for network in view.site.networks:
        if network.declared.domain and network.declared.domain.lower() != view.site.domain.lower():
            yield ("networks", network.name, "domain"), network.declared.domain


LISTENER_CONFLICT = planned(
    "listener-conflict",
    "error",
    why="The port is taken by the other scheme on that address: phones would speak TLS to a plain server or the reverse.",
    remedy="give the service another port, or a host of its own",
)
