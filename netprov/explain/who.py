"""Which phone a text means: its MAC address in any notation, SEP name, listed name, address or host name.

Every verb that takes a phone asks here, so that a phone is known to all of them or to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import IPv4Address
from pathlib import Path

from netprov.dhcp.message import dotted
from netprov.errors import InventoryError, Reason
from netprov.mac import format_mac, read_mac
from netprov.plan.domain import phone_names
from netprov.plan.site import Site
from netprov.state.device import load_devices
from netprov.state.lease import LeaseReader

UNKNOWN_PHONE = Reason(
    "unknown-phone",
    "error",
    "Nothing of this name or address is in the inventory, in the records or among the leases; a MAC address is always "
    "understood.",
    "name a phone by its MAC address, as SEP and its MAC address, by its name under `phones:`, its address or its host name",
)


@dataclass(frozen=True, slots=True)
class Names:
    """What phones are called: MAC addresses in canonical form by every other name, in lower case."""

    by_name: dict[str, str]

    def find(self, text: str) -> str:
        """Return the MAC address of the phone that a text means. Raises `InventoryError` for none."""
        found = read_mac(text) or self.by_name.get(text.strip().rstrip(".").lower(), "")
        if not found:
            meant = get_close_matches(text.lower(), self.by_name, n=3)
            hint = f"did you mean {', '.join(meant)}?" if meant else ""
            raise InventoryError([UNKNOWN_PHONE.problem(f"there is no phone {text!r}", hint)])
        return found

    def named(self, mac: str) -> str:
        """Return the shortest name of a phone, "" for one that has only addresses."""
        names = [name for name, each in self.by_name.items() if each == mac and not _is_address(name)]
        return min(names, key=len, default="")


def names_of(site: Site | None = None, state: Path | None = None) -> Names:
    """Return what the phones of an inventory are called, and those that its servers have on record.

    The inventory wins over a lease, a lease over a device record.
    """
    found: dict[str, str] = {}
    for name, mac in [*_listed(site), *_on_record(state)]:
        if name:
            found.setdefault(name.lower(), mac)
    return Names(found)


def find_all(names: Names, texts: Sequence[str]) -> list[str]:
    """Return the MAC addresses of the phones that texts mean, each once, in order. Raises `InventoryError`."""
    return list(dict.fromkeys(names.find(text) for text in texts))


def _listed(site: Site | None) -> Iterable[tuple[str, str]]:
    yield from ((full, phone.declared.mac) for phone, full in (phone_names(site) if site else ()))
    for phone in site.phones if site else ():
        declared = phone.declared
        if declared.name:
            yield declared.name, declared.mac
            home = site.domain if site else ""
            if declared.name.lower().endswith(f".{home.lower()}"):
                yield declared.name[: -len(home) - 1], declared.mac
        if declared.address:
            yield str(declared.address), declared.mac


def _on_record(state: Path | None) -> Iterable[tuple[str, str]]:
    if state is None:
        return
    for lease in sorted(LeaseReader(state).leases(), key=lambda each: -each.expires):
        yield dotted(lease.address), format_mac(lease.mac)
        yield lease.hostname, format_mac(lease.mac)
    for device in load_devices(state):
        yield device.address, device.mac


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True
