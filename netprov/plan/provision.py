"""The provisioning servers' part of the plan: sockets, phones with their parameters, and every path that is served."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from netprov.dhcp.option.provisioning import SERVER_CODES
from netprov.errors import InventoryError, Path, Problem
from netprov.hostport import PORTS, Scheme, format_origin, scheme_of
from netprov.inventory.model import Inventory
from netprov.inventory.option import written_options
from netprov.phone.handset.settings import PROFILE_RULES
from netprov.phone.rule.written import read_written
from netprov.plan.layer import Layers
from netprov.plan.reference import unknown
from netprov.plan.site import Site, SitePhone
from netprov.plan.source import problems as source_problems
from netprov.plan.source import sources
from netprov.provision.config import (
    CA_PATH,
    Device,
    Listener,
    Provision,
    SecretsPlace,
)
from netprov.provision.macro import names_in

_TCP_SCHEMES: tuple[Scheme, ...] = ("http", "https")


def provision(site: Site) -> Provision:
    """Derive what the provisioning servers serve. Raises `InventoryError`."""
    problems: list[Problem] = []
    layers = Layers(site.inventory, problems)
    devices = {phone.declared.mac: _device(phone, layers, problems) for phone in site.phones}
    listeners = tuple(_listeners(site))
    problems += _conflicts(site)
    problems += _trees(site.inventory.provisioning.files)
    problems += source_problems(site.inventory)
    if problems:
        raise InventoryError(dict.fromkeys(problems))
    settings = site.inventory.provisioning
    urls = [_split(url) for url in _urls(site) if is_ours(site, url)]
    paths = [url.path for url in urls if names_in(url.path)]
    plain = [url.path for url in urls if url.path.strip("/") and not names_in(url.path)]
    return Provision(
        domain=site.domain,
        server_name=site.server_name,
        listeners=listeners,
        devices=devices,
        addresses={
            str(phone.declared.address): phone.declared.mac for phone in site.phones if phone.declared.address
        },
        unlisted=layers.site if settings.bootstrap else None,
        secure_url=_secure_url(listeners) if settings.secure else "",
        secure_srv=sum(target.service == "https" for target in site.targets) > 1,
        bases=tuple(dict.fromkeys(["", *(path.rstrip("/") for path in plain if not _is_file(path))])),
        paths=tuple(dict.fromkeys([*settings.paths, *paths])),
        literals=frozenset(path for path in plain if _is_file(path)),
        trees=tuple((_rooted(prefix), directory) for prefix, directory in settings.directories.items()),
        tree_classes={
            _rooted(prefix): each.class_
            for prefix, each in settings.files.items()
            if not isinstance(each, str)
        },
        redirects={
            _rooted(path): (target, 302) if isinstance(target, str) else (target.to, target.status)
            for path, target in settings.redirects.items()
        },
        statuses=tuple(settings.statuses.items()),
        reports=_rooted(settings.reports),
        syslog=tuple(dict.fromkeys(str(network.address) for network in site.networks))
        if settings.syslog
        else (),
        secrets=secrets_place(site.inventory),
        workers=settings.workers,
        sources=sources(site.inventory),
    )


def secrets_place(inventory: Inventory) -> SecretsPlace:
    """Return where the secrets are."""
    kept = inventory.provisioning.secrets
    return SecretsPlace(kept.file or "", kept.environment or "", kept.credential or "")


def _device(phone: SitePhone, layers: Layers, problems: list[Problem]) -> Device:
    declared = phone.declared
    own = layers.convert(declared.values, ("phones", phone.index, "values")) if declared.values else {}
    named = phone.profile or ""
    if named:
        problems += _unknown_profile(phone, named, layers.profiles)
    template = layers.inventory.profiles[named].template if named in layers.profiles else None
    found = (
        layers.site,
        layers.classes.get(phone.class_name or "", {}),
        layers.profiles.get(named, {}),
        own,
    )
    return Device(
        mac=declared.mac,
        model=declared.model or "",
        serial=declared.serial or "",
        firmware=declared.firmware or "",
        name=declared.name or "",
        class_name=phone.class_name or "",
        profile=named,
        layers=tuple(layer for layer in found if layer),
        template=template or "",
        policy=layers.policies.get(phone.class_name or "", layers.policy),
    )


def _unknown_profile(phone: SitePhone, named: str, known: Collection[str]) -> Iterator[Problem]:
    path: Path = ("phones", phone.index, "profile")
    if not phone.declared.profile:
        path = ("classes", phone.class_name or "", "profile")
    for where, text, remedy in unknown([(named, path)], known, "profiles"):
        yield Problem("profile-unknown", text, remedy, path=where)


def _listeners(site: Site) -> Iterator[Listener]:
    """Return every socket that the inventory asks for, each once, the SRV targets first.

    A phone that was given a bare address tries TFTP, HTTP and HTTPS on it in turn (Cisco's migration guide), so all
    three are served on each network's server address.
    """
    found: dict[tuple[bool, str, int], Listener] = {}
    for each in (*_target_listeners(site), *_named_listeners(site), *_network_listeners(site)):
        found.setdefault((each.scheme == "tftp", each.address, each.port), each)
    yield from found.values()


def _target_listeners(site: Site) -> Iterator[Listener]:
    for target in site.targets:
        host = site.host(target.target)
        for address in host.addresses if host else ():
            yield Listener(target.service, str(address), target.port, target.target)


def _network_listeners(site: Site) -> Iterator[Listener]:
    for network in site.networks:
        for scheme, port in PORTS.items():
            yield Listener(scheme, str(network.address), port, site.server_name)


def _named_listeners(site: Site) -> Iterator[Listener]:
    """Return the sockets that DHCP options and profile rules speak of, as far as the hosts are ours."""
    for url in _urls(site):
        parts = _split(url)
        scheme = scheme_of(parts.scheme)
        if scheme is None or not is_ours(site, url):
            continue
        for address in _addresses(site, parts.hostname or ""):
            yield Listener(scheme, address, parts.port or PORTS[scheme], parts.hostname or "")


def _conflicts(site: Site) -> Iterator[Problem]:
    """Find SRV targets that want a socket which is the other scheme's."""
    taken: dict[tuple[str, int], Scheme] = {
        (str(network.address), PORTS[scheme]): scheme for network in site.networks for scheme in _TCP_SCHEMES
    }
    for target in site.targets:
        host = site.host(target.target)
        for address in host.addresses if host else ():
            other = taken.setdefault((str(address), target.port), target.service)
            if other != target.service:
                yield Problem(
                    "listener-conflict",
                    f"{target.service} on {address}:{target.port}, where {other} is served",
                    "give it another port, or a host of its own",
                    path=target.origin,
                )
                break


def _secure_url(listeners: Iterable[Listener]) -> str:
    """Return the HTTPS address that phones are led to: the first SRV target that is ours, else this server."""
    for each in listeners:
        if each.scheme == "https":
            return format_origin("https", each.name, each.port)
    return ""


def _urls(site: Site) -> tuple[str, ...]:
    """Return every URL under which phones are told to look for a profile; a bare address counts as TFTP's."""
    inventory = site.inventory
    found: list[str] = []
    for _, _, value in written_options(inventory, SERVER_CODES):
        found += _places(value)
    for values in (
        inventory.provisioning.values,
        *(each.values for each in inventory.classes.values()),
        *(each.values for each in inventory.profiles.values()),
        *(phone.values for phone in inventory.phones),
    ):
        for name, value in values.items():
            if name in PROFILE_RULES:
                text = (value if isinstance(value, str) else value.value) or ""
                found += map(str, read_written(name, text).urls())
    return tuple(dict.fromkeys(found))


def _places(value: object) -> Iterator[str]:
    """Return the URLs of an option's value; `a;b` is a list of them (Cisco's migration guide)."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _places(each)
    elif isinstance(value, Mapping):
        yield from _places(value.get("raw", ""))
    elif value is not None:
        for each in str(value).split(";"):
            text = each.strip()
            if text:
                yield text if "://" in text else f"tftp://{text}"


def is_ours(site: Site, url: str) -> bool:
    """Say whether a URL leads to a host of this inventory, by its name or its address."""
    return bool(_addresses(site, _split(url).hostname or ""))


def _addresses(site: Site, host: str) -> tuple[str, ...]:
    """Return the addresses of a host of this inventory; () for one that is not."""
    try:
        ip_address(host)
    except ValueError:
        if host.lower() == site.domain.lower():
            return tuple(str(network.address) for network in site.networks)
        found = site.host(host if "." in host else f"{host}.{site.domain}")
        return tuple(map(str, found.addresses)) if found else ()
    known = {str(network.address) for network in site.networks}
    known |= {str(address) for each in site.hosts for address in each.addresses}
    return (host,) if host in known else ()


def _split(url: str) -> SplitResult:
    """Split a URL; what is none has no host and is nobody's."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return urlsplit("")
    return parts


def _is_file(path: str) -> bool:
    return "." in path.rpartition("/")[2]


def _rooted(path: str) -> str:
    return "/" + path.strip("/")


def _trees(files: Mapping[str, object]) -> Iterator[Problem]:
    for prefix in files:
        if _rooted(prefix) == CA_PATH or "//" in prefix or ".." in prefix.split("/"):
            yield Problem(
                "files-path",
                f"{prefix!r} cannot be the path of a directory",
                "give it one of its own, as `/firmware`: phones look for their profile in the rest",
                path=("provisioning", "files", prefix),
            )
