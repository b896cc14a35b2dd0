"""The ladder: which URLs a phone tries for one value of a provisioning option, in order.

Cisco's migration guide: a URL as it is, then with each of the two paths appended; a bare address or name by TFTP, then
HTTP, then HTTPS, two paths each. Targets of SRV have their own two paths (provisioning guide, "Use DNS SRV for HTTP
Provisioning").
"""

from __future__ import annotations

from collections.abc import Iterable

from netprov.errors import Malformed
from netprov.hostport import PORTS
from netprov.phone.rule.url import Url, is_host, parse_url
from netprov.provision.config import FACTORY_PATH, SRV_MAC_PATH

SRV_PATHS = (FACTORY_PATH, SRV_MAC_PATH)
"""The two paths at a target of SRV; the second has no $PN in it."""


def rungs(value: str, first: str, second: str) -> tuple[Url, ...]:
    """Return the attempts for one value; `first` and `second` are the two paths, macros expanded.

    Raises `Malformed` for a value that is neither a URL nor a bare host.
    """
    if "://" in value:
        url = parse_url(value)
        directory = url.path.rstrip("/")
        return (url, url.at(directory + first), url.at(directory + second))
    if not is_host(value):
        raise Malformed(f"{value!r} is neither scheme://host[:port][/path] nor a bare host")
    return tuple(Url(scheme, value, port, path) for scheme, port in PORTS.items() for path in (first, second))


def ladder(values: Iterable[str], first: str, second: str) -> tuple[Url, ...]:
    """Return the attempts for a list of values: the whole ladder of each before the next."""
    return tuple(url for value in values for url in rungs(value, first, second))
