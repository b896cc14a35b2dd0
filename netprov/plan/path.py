"""Every path at which profiles are to be had, and some at which nothing is: what a server of files can be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netprov.provision.config import ALIASES, CA_PATH, LADDER, Device, Provision
from netprov.provision.macro import device_macros, expand, names_in

_NOBODY = Device("02:00:5e:10:ff:fe", model="CP-8851-3PCC", serial="NOBODY00001")
"""A phone of no inventory: its address is locally administered (RFC 7042 2.1)."""

_MISSING = ("/", "/nothing-here.xml", "/ciscophone/none.cnf.xml")


@dataclass(frozen=True, slots=True)
class ServedPath:
    """A path with every macro expanded; `mac` is the phone that it names, "" for none."""

    path: str
    mac: str = ""


def served_paths(provision: Provision) -> tuple[ServedPath, ...]:
    """Return what to ask for: every listed phone's paths, a stranger's, what all share, redirects, and what is not there.

    The first phone of each class is asked for by every name that the inventory and administrators have for its profile.
    """
    found: dict[ServedPath, None] = {}
    classes: set[str] = set()
    for device in (*provision.devices.values(), _NOBODY):
        names = (*LADDER, *provision.paths)
        if device.class_name not in classes:
            classes.add(device.class_name)
            names = (*names, *ALIASES)
        found |= dict.fromkeys(_of(device, names, provision.bases))
    shared = (CA_PATH, *sorted(provision.literals), *_MISSING)
    found |= dict.fromkeys(ServedPath(each) for each in shared)
    found |= dict.fromkeys(_of(_NOBODY, (*provision.redirects, *dict(provision.statuses)), ("",)))
    return tuple(found)


def _of(device: Device, names: tuple[str, ...], bases: tuple[str, ...]) -> Iterator[ServedPath]:
    """Yield a phone's paths, as far as its macros are known."""
    macros = device_macros(device.mac, model=device.model, serial=device.serial, firmware=device.firmware)
    known = {name: value for name, value in macros.items() if value}
    for name in names:
        path = expand(name, known)
        if names_in(path):
            continue
        named = device.mac if {"MA", "MAU", "MAC"} & names_in(name) else ""
        yield from (ServedPath(f"{base}{path}", named) for base in bases)
