"""The emulated phones of an inventory: who each listed phone is, and which trust anchors it starts with."""

from __future__ import annotations

from netprov.mac import read_mac
from netprov.phone.handset.identity import Identity, model_named
from netprov.plan.site import Site, SitePhone

DEFAULT_MODEL = "CP-8851-3PCC"
"""What a phone is taken for whose model the inventory does not name."""

DEFAULT_FIRMWARE = "11.3.1"


def identity_of(phone: SitePhone, *, custom_roots: tuple[str, ...] = ()) -> Identity:
    """Return the emulated twin of a listed phone; one of method acs has TR-069 on."""
    declared = phone.declared
    return Identity(
        mac=declared.mac,
        model=model_named(declared.model or DEFAULT_MODEL),
        serial=declared.serial or "",
        firmware=declared.firmware or DEFAULT_FIRMWARE,
        tr069=phone.method == "acs",
        custom_roots=custom_roots,
    )


def find_phone(site: Site, text: str) -> SitePhone | None:
    """Return the listed phone of this MAC address, in any notation, or of this name."""
    mac = read_mac(text)
    for phone in site.phones:
        if phone.declared.mac == mac or phone.declared.name == text:
            return phone
    return None
