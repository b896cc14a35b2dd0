"""Groups of clients that are treated alike: each class on each network, the clients of no class, phones with settings of their own.

Options are as the operator wrote them, and laid over each other as the DHCP server does (`dhcp.contents.compose`): the
network's, the class's, the phone's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from netprov.dhcp.config import Method
from netprov.dhcp.match import Client, Held, held
from netprov.errors import Path
from netprov.inventory.model.phone import PhoneClass
from netprov.plan.condition import condition
from netprov.plan.site import Site, SitePhone

Options = Mapping[int, tuple[object, Path]]
"""Options by code, each with the path that gives it."""


@dataclass(frozen=True, slots=True)
class ClientGroup:
    """Clients that are treated alike, and the options they get.

    `networks` are where, () where it makes no difference.
    """

    path: Path
    label: str
    method: Method
    options: Options
    networks: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The networks in words, to be appended to a sentence."""
        return f" on network {' or '.join(self.networks)}" if self.networks else ""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What networks give whoever is on them; those that give nothing are one. `alone`: there is no other."""

    networks: tuple[str, ...]
    options: Options
    alone: bool

    def group(self, path: Path, label: str, method: Method, own: Options) -> ClientGroup:
        """Return the clients here that have options of their own."""
        return ClientGroup(path, label, method, {**self.options, **own}, () if self.alone else self.networks)


def client_groups(site: Site) -> Iterator[ClientGroup]:
    """Yield the groups that can be told apart without the files of phones: no class first, then classes, then phones."""
    grounds = _grounds(site)
    for ground in grounds:
        yield ground.group(("networks",), "phones of no class", "srv", {})
    for name, each in site.inventory.classes.items():
        path: Path = ("classes", name)
        own = _given(each.options, path)
        for ground in _reached(name, each, grounds, site):
            yield ground.group(path, f"class {name}", each.method or "srv", own)
    for phone in site.phones:
        if phone.declared.options or phone.declared.method:
            yield from _of_phone(phone, grounds, site)


def _of_phone(phone: SitePhone, grounds: Sequence[_Ground], site: Site) -> Iterator[ClientGroup]:
    path: Path = ("phones", phone.index)
    named = site.inventory.classes.get(phone.class_name or "")
    of_class = _given(named.options, ("classes", phone.class_name or "")) if named else {}
    own = {**of_class, **_given(phone.declared.options, path)}
    for ground in grounds:
        if phone.network is None or not ground.networks or phone.network in ground.networks:
            yield ground.group(path, f"phone {phone.declared.mac}", phone.method, own)


def _grounds(site: Site) -> tuple[_Ground, ...]:
    given = {
        each.name: _given(each.declared.options, ("networks", each.name))
        for each in site.networks
        if each.declared.options
    }
    bare = tuple(each.name for each in site.networks if not each.declared.options)
    alone = len(given) + bool(bare) <= 1
    grounds = [_Ground((name,), options, alone) for name, options in given.items()]
    return (*grounds, _Ground(bare, {}, alone)) if bare or not grounds else tuple(grounds)


def _reached(name: str, each: PhoneClass, grounds: Sequence[_Ground], site: Site) -> Iterator[_Ground]:
    """Yield the grounds that clients of a class can be on, by its own condition and the networks' `classes:`."""
    shut = {
        network.name
        for network in site.networks
        if (network.declared.classes and name not in network.declared.classes)
        or _excluded(each, network.name)
    }
    for ground in grounds:
        networks = tuple(network for network in ground.networks if network not in shut)
        if networks or not ground.networks:
            yield replace(ground, networks=networks)


def _excluded(each: PhoneClass, network: str) -> bool:
    """Say whether a class takes nobody on a network, whatever else a client says."""
    if each.match is None:
        return False
    somebody = Client(None, None, None, None, None, network, None, None)
    return held(condition(each.match, (), []), somebody) is Held.NO


def _given(options: Mapping[int, object], path: Path) -> Options:
    return {code: (value, (*path, "options", code)) for code, value in options.items()}
