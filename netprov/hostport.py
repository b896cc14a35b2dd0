"""Hosts with their ports, as text and back, and the ports that a service has where none is named.

RFC 3986 section 3.2 (an IPv6 address stands in brackets); Cisco's guide, "Manually Provision a Phone from the Keypad" and
"Server Preparation and Software Tools" for the ports of provisioning, IANA's registry for those of DNS, DHCP and CWMP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from netprov.errors import Malformed
from netprov.number import whole

Scheme = Literal["tftp", "http", "https"]

PORTS: Mapping[Scheme, int] = {"tftp": 69, "http": 80, "https": 443}
"""Every scheme that a phone fetches by, in the order that it tries them on a bare host, and its port."""

MOST_PORT = 65535

DNS_PORT, DHCP_PORT, NTP_PORT, SYSLOG_PORT, CWMP_PORT = 53, 67, 123, 514, 7547


def scheme_of(text: str) -> Scheme | None:
    """Return a URL's scheme, whatever its case; None for one that phones do not fetch by."""
    return next((scheme for scheme in PORTS if scheme == text.lower()), None)


def bracketed(host: str) -> str:
    """Return a host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def format_hostport(host: str, port: int) -> str:
    """Return `host:port`, `[2001:db8::1]:port`."""
    return f"{bracketed(host)}:{port}"


def format_origin(scheme: Scheme, host: str, port: int = 0) -> str:
    """Return a URL without its path; the scheme's own port, or 0, is left out."""
    own = port in {0, PORTS[scheme]}
    return f"{scheme}://{bracketed(host) if own else format_hostport(host, port)}"


def parse_hostport(text: str, default: int) -> tuple[str, int]:
    """Read `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address; raises `Malformed` for a port that is none."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise Malformed(f"{text!r}: write [ADDRESS]:PORT")
        return host, _port(rest[1:]) if rest else default
    if text.count(":") > 1:
        return text, default
    host, colon, port = text.partition(":")
    return host, _port(port) if colon else default


def port_number(text: str) -> int | None:
    """Return the port that a text spells, 1 to 65535; None for anything else."""
    port = whole(text)
    return port if port and port <= MOST_PORT else None


def _port(text: str) -> int:
    port = port_number(text)
    if port is None:
        raise Malformed(f"{text!r} is not a port: 1 to 65535")
    return port
