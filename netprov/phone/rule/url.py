"""URLs of provisioning rules and DHCP options: `[scheme://][server[:port]]path`.

Cisco's guide, "URL Syntax": no scheme is TFTP, no server is the one of option 66, and the ports are 69, 80 and 443.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from netprov.errors import Malformed
from netprov.hostport import PORTS, Scheme, format_origin, parse_hostport, scheme_of
from netprov.phone.rule.refusal import Fault, RuleRefused

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?\Z")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Url:
    """Where to fetch; `path` starts with a slash and keeps its query."""

    scheme: Scheme
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        return f"{format_origin(self.scheme, self.host, self.port)}{self.path}"

    @property
    def by_address(self) -> bool:
        """Whether the host is an IPv4 address, so that DNS is not asked."""
        return is_address(self.host)

    def at(self, path: str) -> Url:
        """Return another path at the same server."""
        return replace(self, path=path)


def is_address(text: str) -> bool:
    """Tell whether a text is an IPv4 address in dotted decimal."""
    return bool(_ADDRESS.match(text)) and all(int(part) < 256 for part in text.split("."))


def is_allowed(host: str, domains: str) -> bool:
    """Tell whether `Restricted_Access_Domains` lets a phone load from a host; an empty list lets it from anywhere."""
    allowed = [each.strip().lower() for each in domains.split(",") if each.strip()]
    name = host.lower().rstrip(".")
    return not allowed or any(name == each or name.endswith(f".{each}") for each in allowed)


def is_host(text: str) -> bool:
    """Tell whether a text can be a host's name or address."""
    return (
        bool(_HOST.match(text)) and len(text) <= 253 and not (_ADDRESS.match(text) and not is_address(text))
    )


def parse_url(text: str, default_host: str = "") -> Url:
    """Read a rule's URL; `default_host` is the server of option 66, "" where a server must be named.

    Raises `RuleRefused` with a reason that an operator can act on.
    """
    name, separator, rest = text.partition("://")
    if not separator:
        name, rest = "tftp", text
    scheme = scheme_of(name)
    if scheme is None:
        raise RuleRefused(
            Fault.SCHEME, f"{name.lower()}: is not a scheme that phones fetch by: use tftp, http or https"
        )
    if any(ord(character) <= 32 or ord(character) > 126 for character in rest):
        raise RuleRefused(Fault.URL, f"{text!r} has a blank or a character that is not ASCII")
    authority, slash, path = rest.partition("/")
    if not slash and separator:
        authority, question, path = rest.partition("?")
        path = question + path
    try:
        host, port = parse_hostport(authority, PORTS[scheme])
    except Malformed as error:
        raise RuleRefused(Fault.URL, str(error)) from None
    if not host:
        if not default_host:
            raise RuleRefused(Fault.SERVER, f"{text!r} names no server")
        host = default_host
    elif not is_host(host):
        raise RuleRefused(Fault.URL, f"{host!r} is neither a host name nor an IPv4 address")
    return Url(scheme, host, port, f"/{path}")
