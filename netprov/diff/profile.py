"""Profiles: the parameters of each listed phone that differ, how its profile is protected, and files for everybody.

Secrets never appear: the text of a template that asks for one is compared with the secret's name in its place. So is one that
asks for a value of a source, which is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

from netprov.diff.seen import NOTHING, Change, compared, words
from netprov.errors import NetprovError
from netprov.hostport import PORTS, Scheme
from netprov.provision.catalog import Catalog
from netprov.provision.config import Device, JsonUrl, Policy, Program, Provision, Source, SqlQuery
from netprov.provision.profile import Layer, Parameter, parse_profile
from netprov.provision.requester import Requester
from netprov.provision.secret import Secrets
from netprov.provision.source import named_rows

PROFILE = "profile"
"""The aspect of a phone's profile as a whole."""

_ROADS: tuple[Scheme, ...] = ("https", "http")
"""Profiles differ by the road: over HTTP they begin with the way to HTTPS."""


class _NamedSecrets(Secrets):
    """Stands for every secret: its name."""

    def get(self, name: str) -> str | None:
        return f"<secret {name}>"


def profile_changes(old: Provision, new: Provision) -> Iterator[Change]:
    """Yield what phones would load differently."""
    if old == new:
        return
    before, after = _Side(old), _Side(new)
    same_for_all = _shared(old) == _shared(new)
    for mac in dict.fromkeys((*new.devices, *old.devices)):
        one, other = old.devices.get(mac), new.devices.get(mac)
        if one != other or not same_for_all:
            name = next((each.name for each in (other, one) if each is not None and each.name), "")
            subject = f"{name} ({mac})" if name else mac
            if one is not None and other is not None:
                yield from compared("profiles", subject, before.seen(one), after.seen(other), mac)
            else:
                yield Change("profiles", subject, PROFILE, before.in_short(one), after.in_short(other), mac)
    yield from compared("profiles", "phones that are not listed", _layer(old.unlisted), _layer(new.unlisted))
    yield from compared("profiles", "files", _files(old), _files(new))
    yield from compared("profiles", "sources", _sources(old), _sources(new))


class _Side:
    """One plan's profiles."""

    def __init__(self, provision: Provision) -> None:
        self._catalog = Catalog(provision, entropy=bytes, secrets=_NamedSecrets())
        named = named_rows(provision.sources)
        self._requesters = [
            Requester(scheme, "", provision.server_name, PORTS[scheme], sourced=named) for scheme in _ROADS
        ]

    def in_short(self, device: Device | None) -> str:
        """Return what a phone that only one plan lists has of its own, "" for nothing."""
        return NOTHING if device is None else f"of its own, {len(self.seen(device))} parameters"

    def seen(self, device: Device) -> Mapping[str, str]:
        """Return a phone's parameters as it reads them, and how its profile is protected."""
        found = {f"{name.replace('_', ' ')}": words(value) for name, value in _policy(device.policy)}
        try:
            for requester in self._requesters:
                for parameter in parse_profile(self._catalog.plain(device, requester)).values():
                    found.setdefault(parameter.name, _value(parameter))
        except NetprovError as error:
            found[PROFILE] = f"cannot be composed: {error}"
        return found


def _value(parameter: Parameter) -> str:
    value = "as the phone has it" if parameter.value is None else repr(parameter.value)
    return f"{value}, ua {parameter.ua}" if parameter.ua else value


def _policy(policy: Policy) -> Iterator[tuple[str, object]]:
    for each in fields(policy):
        yield each.name, getattr(policy, each.name)


def _layer(layer: Layer | None) -> Mapping[str, str]:
    if layer is None:
        return {}
    return {"profile": "one", **{parameter.name: _value(parameter) for parameter in layer.values()}}


def _files(provision: Provision) -> Mapping[str, str]:
    classes = provision.tree_classes
    found = {
        f"{path or '/'}": f"the files of {directory}"
        + (f", to class {classes[path]}" if path in classes else "")
        for path, directory in provision.trees
    }
    found |= {path: f"redirected to {to} ({status})" for path, (to, status) in provision.redirects.items()}
    found |= {path: f"answered {status}" for path, status in provision.statuses}
    if provision.reports:
        found[provision.reports] = "takes reports"
    return found


def _sources(provision: Provision) -> Mapping[str, str]:
    """Return each source as the inventory has it, which has no secret in it."""
    return {name: _source(each) for name, each in provision.sources.items()}


def _source(source: Source) -> str:
    match source.how:
        case SqlQuery(database, query, password):
            how = f"{query!r} of {database}" + (f" with the secret {password}" if password else "")
        case JsonUrl(url, headers, ca):
            how = f"{url}" + "".join(f", {field} by the secret {secret}" for field, secret in headers)
            how += f", CA {ca}" if ca else ""
        case Program(command):
            how = " ".join(command)
    return f"{how}; timeout {source.timeout} s, fresh {source.fresh} s, stale {source.stale} s"


def _shared(provision: Provision) -> Provision:
    """Return what all profiles depend on, without the phones."""
    return replace(
        provision, devices={}, addresses={}, listeners=(), trees=(), syslog=(), statuses=(), redirects={}
    )
