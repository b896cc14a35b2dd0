"""Which names a certificate stands for: reference identities (RFC 9525 section 6.3), and a phone's own subject.

Absent: internationalised names, which must come as A-labels already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from netprov.mac import bare_mac

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class PhoneSubject:
    """What the certificate that a phone carries from the factory says: OU, L, ST of its subject.

    `mac` is twelve lower-case hexadecimal digits, "" if it is no MAC address.
    """

    model: str
    serial: str
    mac: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "mac", bare_mac(self.mac))


def matches(pattern: str, name: str) -> bool:
    """Tell whether a DNS name of a certificate stands for `name` (RFC 9525 section 6.3).

    A wildcard is the whole left-most label and stands for exactly one: `*.example.com` is not `example.com`.
    """
    have, wanted = pattern.rstrip(".").lower(), name.rstrip(".").lower()
    if have == wanted:
        return True
    first, _, rest = have.partition(".")
    return first == "*" and "." in rest and wanted.partition(".")[2] == rest


def covers(dns_names: Iterable[str], addresses: Iterable[Address], name: str) -> bool:
    """Tell whether the names of a certificate include `name`, a DNS name or an address in text."""
    try:
        wanted = ip_address(name)
    except ValueError:
        return any(matches(pattern, name) for pattern in dns_names)
    return wanted in tuple(addresses)


def within(name: str, domain: str) -> bool:
    """Tell whether `name` is the domain or below it: the DNS constraint of RFC 5280 section 4.2.1.10."""
    return f".{name.lower()}".endswith(f".{domain.lower().lstrip('.')}")
