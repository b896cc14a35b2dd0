"""What a rule is, what it finds, and the view of the site that it is given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address

from netprov.errors import Path, Problem, Severity
from netprov.inventory.model import Inventory, Method
from netprov.inventory.model.provision import Values
from netprov.plan import Plan
from netprov.plan.site import Site, SiteNetwork, SitePhone, absolute

PROVISIONING_CODES = (66, 150, 159, 160)
"""Options that hold a provisioning server and nothing else (guide, DHCP_Option_To_Use)."""

URL_CODES = (43, 60, 125)
"""Options of DHCP_Option_To_Use that a phone reads as a provisioning source only if they hold a URL."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found: where, what, which other entries take part, and a better remedy than the rule's."""

    path: Path
    message: str
    related: tuple[Path, ...] = ()
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Audience:
    """Clients that are treated alike: a class, the clients of no class, or one phone with settings of its own.

    `options` maps each DHCP option they get to the path that gives it.
    """

    path: Path
    label: str
    method: Method
    options: Mapping[int, tuple[object, Path]]


@dataclass(frozen=True)
class View:
    """What rules look at: the inventory, what follows from it, and the indexes that many of them share.

    `plan` is None if it could not be derived; those problems are reported by themselves.
    """

    inventory: Inventory
    site: Site
    plan: Plan | None = None
    now: float = 0.0

    @cached_property
    def names(self) -> Mapping[str, Path]:
        """Every host, absolute and in lower case, and its path."""
        found: dict[str, Path] = {self.site.server_name.lower(): ("server", "name")}
        for name in self.inventory.hosts:
            found[absolute(name, self.site.domain).lower()] = ("hosts", name)
        for index, phone in enumerate(self.inventory.phones):
            if phone.name:
                found.setdefault(absolute(phone.name, self.site.domain).lower(), ("phones", index, "name"))
        return found

    @cached_property
    def aliases(self) -> Mapping[str, Path]:
        """Every alias, absolute and in lower case, and its path."""
        domain = self.site.domain
        return {
            absolute(alias, domain).lower(): ("hosts", name, "aliases", index)
            for name, host in self.inventory.hosts.items()
            for index, alias in enumerate(host.aliases)
        }

    @cached_property
    def record_owners(self) -> Mapping[str, list[Path]]:
        """Owners of the further records, absolute and in lower case, and their paths."""
        found: dict[str, list[Path]] = defaultdict(list)
        for index, record in enumerate(self.inventory.records):
            found[owner(record.name, self.site.domain)].append(("records", index))
        return found

    @cached_property
    def own_addresses(self) -> frozenset[IPv4Address]:
        """Addresses of this server."""
        return frozenset(network.address for network in self.site.networks)

    @cached_property
    def values(self) -> tuple[tuple[Path, Mapping[str, str]], ...]:
        """Every set of profile parameters that gives any: its path, and its texts by name."""
        inventory = self.inventory
        written: list[tuple[Path, Values]] = [
            (("provisioning", "values"), inventory.provisioning.values),
            *((("profiles", name, "values"), each.values) for name, each in inventory.profiles.items()),
            *((("classes", name, "values"), each.values) for name, each in inventory.classes.items()),
            *((("phones", index, "values"), each.values) for index, each in enumerate(inventory.phones)),
        ]
        return tuple((path, texts(values)) for path, values in written if values)

    @cached_property
    def audiences(self) -> tuple[Audience, ...]:
        """Every group of clients that can be told apart without its phones' settings."""
        return tuple(_audiences(self.inventory, self.site))

    @cached_property
    def methods(self) -> frozenset[Method]:
        """The methods that some client is served by."""
        return frozenset(audience.method for audience in self.audiences)

    @cached_property
    def networks_by_name(self) -> Mapping[str, SiteNetwork]:
        """The networks by name."""
        return {network.name: network for network in self.site.networks}

    def phones_without_address(self, network: str) -> Iterator[SitePhone]:
        """Yield the listed phones that need an address of a network's pool."""
        only = len(self.site.networks) == 1
        for phone in self.site.phones:
            if phone.declared.address is None and (
                phone.network == network or (only and phone.network is None)
            ):
                yield phone

    def in_zone(self, name: str) -> bool:
        """Tell whether a name is the domain or below it."""
        lower, domain = name.lower().rstrip("."), self.site.domain.lower()
        return lower == domain or lower.endswith("." + domain)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, its weight, why a phone fails by it, what to do, and the function that looks."""

    id: str
    severity: Severity
    why: str
    remedy: str
    look: Callable[[View], Iterable[Finding]] = field(repr=False)

    def check(self, view: View) -> Iterator[Problem]:
        """Yield what is wrong by this rule."""
        for found in self.look(view):
            yield Problem(
                self.id,
                found.message,
                found.remedy or self.remedy,
                found.path,
                self.severity,
                found.related,
            )


def of_the_plan(view: View) -> Iterator[Finding]:  # noqa: ARG001 - a rule's signature
    """Find nothing: deriving the plan finds it, and reports it under the rule's id."""
    return iter(())


def texts(values: Values) -> dict[str, str]:
    """Return the parameters that are given a value, as text."""
    found = {}
    for key, value in values.items():
        text = value if isinstance(value, str) else value.value
        if text is not None:
            found[key] = text
    return found


def owner(name: str, domain: str) -> str:
    """Return the owner of a further record: absolute with a dot, relative without, in lower case."""
    if name in {"@", ""}:
        return domain.lower()
    return (name.rstrip(".") if name.endswith(".") else f"{name}.{domain}").lower()


def _audiences(inventory: Inventory, site: Site) -> Iterator[Audience]:
    everywhere: dict[int, tuple[object, Path]] = {
        code: (value, ("networks", network.name, "options", code))
        for network in site.networks
        for code, value in network.declared.options.items()
    }
    yield Audience(("networks",), "phones of no class", "srv", everywhere)
    by_class: dict[str, dict[int, tuple[object, Path]]] = {}
    for name, each in inventory.classes.items():
        where: Path = ("classes", name)
        by_class[name] = {**everywhere, **_given(each.options, where)}
        yield Audience(where, f"class {name}", each.method or "srv", by_class[name])
    for phone in site.phones:
        declared = phone.declared
        if declared.options or declared.method:
            path: Path = ("phones", phone.index)
            inherited = by_class.get(phone.class_name or "", everywhere)
            options = {**inherited, **_given(declared.options, path)}
            yield Audience(path, f"phone {declared.mac}", phone.method, options)


def _given(options: Mapping[int, object], path: Path) -> dict[int, tuple[object, Path]]:
    return {code: (value, (*path, "options", code)) for code, value in options.items()}
