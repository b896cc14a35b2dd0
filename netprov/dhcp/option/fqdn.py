"""Option 81: the name that a client wants in DNS, and what the server answers that it does about it (RFC 4702)."""

from __future__ import annotations

from netprov.dhcp.option import name as dns_name
from netprov.errors import Malformed

SERVER_UPDATES, OVERRIDDEN, ENCODED, NO_UPDATES = 1, 2, 4, 8
"""The flags S, O, E and N (RFC 4702 2.1)."""

DONE = 255
"""What a server writes into both RCODE fields, which are deprecated (RFC 4702 2.2)."""


def host_label(name: bytes | None, fqdn: bytes | None) -> str:
    """Return the first label that a client names itself by, option 12 or 81, "" if it is no host name."""
    if name is None and fqdn is not None and len(fqdn) > 3:
        rest = fqdn[3:]
        # Canonical wire format if the E flag is set (RFC 4702 2.3.1), ASCII otherwise.
        name = rest[1 : 1 + rest[0]] if fqdn[0] & ENCODED else rest
    if not name:
        return ""
    label = name.rstrip(b"\0").split(b".", 1)[0][:63].decode("ascii", "replace")
    plain = label.replace("-", "")
    return label if plain.isascii() and plain.isalnum() and label[0] != "-" and label[-1] != "-" else ""


def wants_no_updates(fqdn: bytes | None) -> bool:
    """Say whether a client asks that its name stay out of DNS."""
    return fqdn is not None and len(fqdn) >= 3 and bool(fqdn[0] & NO_UPDATES)


def answer(fqdn: bytes, label: str, domain: str) -> bytes:
    """Return option 81 of a reply: the name that is published, by whom; b"" for an option too short to be one.

    A client that wants no updates gets none, and one without a usable name has none (RFC 4702 4).
    """
    if len(fqdn) < 3:
        return b""
    asked = fqdn[0]
    ours = bool(label and domain) and not asked & NO_UPDATES
    flags = asked & ENCODED | (SERVER_UPDATES if ours else NO_UPDATES)
    if bool(asked & SERVER_UPDATES) is not ours:
        flags |= OVERRIDDEN
    return bytes((flags, DONE, DONE)) + _name(f"{label}.{domain}" if label and domain else "", fqdn)


def _name(full: str, fqdn: bytes) -> bytes:
    if not full:
        return fqdn[3:]
    if not fqdn[0] & ENCODED:
        return full.encode()
    try:
        return dns_name.encode_list([full])
    except (ValueError, Malformed):
        return fqdn[3:]
