"""TR-069 in the plan: where the ACS listens, and what each phone gets from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from netprov.cwmp.config import AcsConfig, Target, configure
from netprov.dns.service import SERVICES
from netprov.errors import InventoryError, Path, Problem
from netprov.hostport import PORTS, format_origin, scheme_of
from netprov.inventory.model import AcsCredentials
from netprov.mac import bare_mac
from netprov.plan.layer import protect
from netprov.plan.site import Site, SiteTarget

SHORTEST: Final = 10
"""Seconds between Informs, at least: less is a slip of the unit."""

BOOTSTRAP_PATH: Final = "/{product_class}.xml"
"""Phones name their model as product class; the file of that name is an alias of /$PSN.xml."""

CODE_LENGTH: Final = 64
"""Characters of a ProvisioningCode, at most (TR-106, DeviceInfo)."""


@dataclass(frozen=True, slots=True)
class AcsListener:
    """Where one ACS URL leads; `addresses` are those of its host, `secure` says TLS."""

    host: str
    addresses: tuple[str, ...]
    port: int
    path: str
    secure: bool


@dataclass(frozen=True, slots=True)
class CwmpPlan:
    """What the ACS serves, where, and to whom; `credentials` is None where nobody is asked."""

    config: AcsConfig
    listeners: tuple[AcsListener, ...] = ()
    credentials: AcsCredentials | None = None


def plan_cwmp(site: Site) -> CwmpPlan:
    """Derive the ACS's part of the plan. Raises `InventoryError`."""
    problems = list(_problems(site))
    if problems:
        raise InventoryError(problems)
    settings = site.inventory.acs
    urls = [url for _, url in _urls(site)]
    listeners = tuple(dict.fromkeys(found for url in urls if (found := _listener(site, url))))
    bases = _bases(site, urls)
    if not listeners or not bases.secure:
        return CwmpPlan(
            configure((), inform_interval=settings.inform_interval), listeners, settings.credentials
        )
    bootstrap = settings.unlisted == "bootstrap" and site.inventory.provisioning.bootstrap
    config = configure(
        _targets(site, bases),
        inform_interval=settings.inform_interval,
        # Who is not listed may come by any of the ACS's URLs: what the least of them can do, all can.
        bootstrap_url=bases.of({url.scheme for url in urls}) + BOOTSTRAP_PATH if bootstrap else "",
    )
    return CwmpPlan(config, listeners, settings.credentials)


def _urls(site: Site) -> Iterator[tuple[Path, SplitResult]]:
    for name, declared in site.inventory.classes.items():
        if declared.acs_url is not None:
            yield ("classes", name, "acs_url"), urlsplit(declared.acs_url.strip())


def _problems(site: Site) -> Iterator[Problem]:
    for name, declared in site.inventory.classes.items():
        if declared.acs_url is not None and (fault := _url_fault(declared.acs_url)):
            yield Problem(
                "acs-url-invalid",
                f"{declared.acs_url!r} is not the URL of an ACS: {fault}",
                "write https://pr1.example.com:7547/ (CWMP's own port is 7547)",
                path=("classes", name, "acs_url"),
            )
        code = declared.provisioning_code or ""
        if len(code) > CODE_LENGTH or not code.isprintable():
            yield Problem(
                "acs-provisioning-code",
                f"provisioning_code has {len(code)} characters"
                if code.isprintable()
                else "provisioning_code has control characters",
                f"TR-106 allows {CODE_LENGTH} printable characters",
                path=("classes", name, "provisioning_code"),
            )
    settings = site.inventory.acs
    if settings.inform_interval < SHORTEST:
        yield Problem(
            "acs-inform-interval",
            f"phones would Inform every {settings.inform_interval} seconds",
            f"give at least {SHORTEST} seconds; 1h is usual",
            path=("acs", "inform_interval"),
        )
    if settings.credentials and ":" in settings.credentials.username:
        yield Problem(
            "acs-username",
            "the username holds a colon, which ends it in HTTP authentication (RFC 7617)",
            "leave the colon out",
            path=("acs", "credentials", "username"),
        )


def _url_fault(text: str) -> str:
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError as error:
        return str(error)
    if url.scheme not in SERVICES:
        return "it begins with neither http:// nor https://"
    if not url.hostname:
        return "it names no host"
    if port == 0:
        return "port 0 is no port"
    return "it holds a user or password" if url.username is not None else ""


def _listener(site: Site, url: SplitResult) -> AcsListener | None:
    """Return where an ACS URL leads, or None if its host is not of this inventory: somebody else's ACS."""
    host, scheme = url.hostname or "", scheme_of(url.scheme)
    addresses = _addresses(site, host)
    if not addresses or scheme is None:
        return None
    return AcsListener(host, addresses, url.port or PORTS[scheme], url.path or "/", scheme == "https")


def _addresses(site: Site, host: str) -> tuple[str, ...]:
    own = {str(network.address) for network in site.networks}
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        if host.lower() == site.domain.lower():
            return tuple(dict.fromkeys(str(network.address) for network in site.networks))
        found = site.host(host if "." in host else f"{host}.{site.domain}")
        return tuple(map(str, found.addresses)) if found else ()
    named = {str(each) for declared in site.hosts for each in declared.addresses}
    return (str(address),) if str(address) in own | named else ()


@dataclass(frozen=True, slots=True)
class _Bases:
    """The servers that phones fetch their profile from: `secure` prefers HTTPS, `plain` HTTP; "" if there is none."""

    secure: str
    plain: str

    def of(self, schemes: set[str]) -> str:
        """Return the server for phones that come to the ACS by one of these schemes.

        A phone that was told a plain ACS may be fresh from the factory, and knows no CA of ours to go on by HTTPS.
        """
        return self.plain if "http" in schemes else self.secure


def _bases(site: Site, urls: Sequence[SplitResult]) -> _Bases:
    hosts = {url.hostname for url in urls}
    return _Bases(_profile_base(site, hosts, "https"), _profile_base(site, hosts, "http"))


def _profile_base(site: Site, acs_hosts: set[str | None], first: str) -> str:
    """Return a server of profiles: the service `first` before the other, the ACS's own host before others."""

    def rank(target: SiteTarget) -> tuple[bool, bool]:
        return (target.service != first, target.target.lower() not in acs_hosts)

    # Sorting is stable: among equals the order in which a phone would try them stays.
    best = next(iter(sorted(site.targets, key=rank)), None)
    if best is None:
        return ""
    return format_origin(best.service, best.target, best.port)


def _targets(site: Site, bases: _Bases) -> Iterator[Target]:
    """Yield what each listed phone gets; one that is set up by hand is known, and gets no profile.

    A revision changes whenever something changes that goes into the phone's profile.
    """
    inventory = site.inventory
    certified = inventory.certificates.client_certificates == "required"
    shared = inventory.provisioning.model_dump_json()
    classes = {name: each.model_dump_json() for name, each in inventory.classes.items()}
    profiles = {name: each.model_dump_json() for name, each in inventory.profiles.items()}
    for phone in site.phones:
        declared = phone.declared
        of_class = inventory.classes.get(phone.class_name or "")
        acs_url = (of_class.acs_url or "") if of_class else ""
        policy = protect(inventory.provisioning, of_class, certified=certified)
        if policy.locks:
            # A Download has no place for a key; over HTTPS, the bootstrap profile has (netprov.provision.gate.guard).
            place = bases.secure + BOOTSTRAP_PATH
        else:
            by_https = policy.sender == "certificate"
            base = bases.secure if by_https else bases.of({urlsplit(acs_url.strip()).scheme})
            place = f"{base}/Cisco/{bare_mac(declared.mac)}.cfg"
        url = "" if phone.method == "manual" else place
        content = (
            url,
            shared,
            classes.get(phone.class_name or "", ""),
            profiles.get(phone.profile or "", ""),
            declared.model_dump_json(),
        )
        yield Target(
            mac=declared.mac,
            url=url,
            revision=hashlib.sha256("\n".join(content).encode()).hexdigest()[:16],
            serial=declared.serial or "",
            address=str(declared.address) if declared.address else "",
            provisioning_code=(of_class.provisioning_code or "") if of_class else "",
            certified=policy.sender == "certificate" and urlsplit(acs_url.strip()).scheme == "https",
        )
