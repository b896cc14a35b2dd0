"""Which format a file is in, by its name and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from netprov.convert.ansible import read_ansible
from netprov.convert.dnsmasq.config import read_dnsmasq
from netprov.convert.draft import Draft
from netprov.convert.isc.dhcpd import read_dhcpd
from netprov.convert.isc.kea import read_kea
from netprov.convert.phone_list import find_heading, read_csv
from netprov.convert.profile import read_profile
from netprov.convert.zone import read_named, read_zone
from netprov.errors import InventoryError, Place, Problem
from netprov.inventory.yaml.source import place_of

FORMATS: Mapping[str, Callable[[str, str], Draft]] = {
    "dnsmasq": read_dnsmasq,
    "dhcpd": read_dhcpd,
    "kea": read_kea,
    "csv": read_csv,
    "ansible": read_ansible,
    "zone": read_zone,
    "named": read_named,
    "profile": read_profile,
}
"""What reads each format: from its text and the name of its file, a draft."""

_KEA = r'"Dhcp4"\s*:'
_DHCPD = r"^\s*(subnet\s+[\d.]+\s+netmask|hardware\s+ethernet|shared-network\s|option\s+[\w.-]+\s.*;|default-lease-time\s)"
_DNSMASQ = (
    r"^\s*(dhcp-(range|host|option|option-force|boot|vendorclass|userclass|mac|ignore)|srv-host|host-record|address"
    r"|interface|domain|cname|txt-record|listen-address)\s*="
)


_LONGEST_LINE = 65_536
"""Characters; JSON and XML may be all in one line."""
_DEEPEST = 64
"""Braces within braces; dhcpd.conf and Kea need eight."""


def refuse_hostile(text: str, name: str) -> None:
    """Raise `InventoryError` for a file that no server would take, before anything tries to read it."""
    depth = 0
    for found in re.finditer(r"[{}\[\]]", text):
        depth = depth + 1 if found[0] in "{[" else max(0, depth - 1)
        if depth > _DEEPEST:
            problem = f"braces within braces, more than {_DEEPEST} deep"
            raise InventoryError([_unreadable(problem, place_of(text, found.start(), name))])
    if not text.lstrip().startswith(("{", "[", "<")) and re.search(_KEA, text) is None:
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > _LONGEST_LINE:
                problem = f"a line of {len(line)} characters, more than {_LONGEST_LINE}"
                raise InventoryError([_unreadable(problem, Place(name, number, 1))])


def _unreadable(problem: str, place: Place) -> Problem:
    return Problem("unreadable", problem, "import the configuration that a server runs with", place=place)


def guess(name: str, text: str) -> str:
    """Return the format of a file, "" if it is none of those that can be read."""
    if re.search(_KEA, text):
        return "kea"
    if name.endswith(".csv"):
        return "csv"
    if re.search(r"<(flat-profile|device)[\s>]", text):
        return "profile"
    if re.search(r'^\s*zone\s+"[^"]*"\s+(IN\s+)?\{', text, re.MULTILINE):
        return "named"
    if re.search(r"\sSOA\s+\S+\s+\S+", text) and re.search(
        r"^(\$(TTL|ORIGIN)|@|\S+\.)\s", text, re.MULTILINE
    ):
        return "zone"
    if re.search(_DHCPD, text, re.MULTILINE):
        return "dhcpd"
    if re.search(r"^\s*\[[\w:. -]+\]\s*$|^\s*hosts:\s*$", text, re.MULTILINE):
        return "ansible"
    if re.search(_DNSMASQ, text, re.MULTILINE):
        return "dnsmasq"
    return "csv" if find_heading(text.splitlines()) is not None else ""


def is_inventory(text: str) -> bool:
    """Say whether a file looks like one of netprov's own."""
    return bool(re.search(r"^domain:", text, re.MULTILINE) and re.search(r"^networks:", text, re.MULTILINE))
