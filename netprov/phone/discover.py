"""The first two mechanisms on the road: the options that DHCP gave, and DNS SRV under the domain that DHCP gave.

Cisco's guide, "DNS SRV for HTTP Provisioning": DHCP first, then SRV with `https` before `http`, targets by priority
and weight, each certificate checked against the domain of DHCP, not against the target. Whether a phone goes on to the
next option after one that led nowhere is not documented; here it does.
"""

from __future__ import annotations

from enum import Enum, auto

from netprov.dns.service import SERVICES
from netprov.phone.acs.client import is_managed
from netprov.phone.acs.session import manage
from netprov.phone.action import Lease, Resolve, Road, Say
from netprov.phone.fetch.load import Loaded, NotLoaded, load
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.ladder import SRV_PATHS, ladder
from netprov.phone.source import Source, Unusable, parse_order, read_options
from netprov.phone.srv import load_by_srv
from netprov.provision.config import MAC_PATH


class Miss(Enum):
    """Why a mechanism gave no profile: it had nothing to go by, or what it named did not work."""

    NOTHING = auto()
    FAILED = auto()


def from_dhcp(handset: Handset, lease: Lease) -> Road[Loaded | Miss]:
    """Try every provisioning option that DHCP gave, in the order of `DHCP_Option_To_Use`."""
    if not handset["Profile_Rule"].startswith("/"):
        yield Say("Profile_Rule names a server, so DHCP options are not used")
        return Miss.NOTHING
    tried, asked = False, set[str]()
    for source in read_options(lease.options, parse_order(handset["DHCP_Option_To_Use"])):
        if isinstance(source, Unusable):
            yield Say(f"DHCP option {source.option}: {source.reason}")
        elif source.acs_url and not is_managed(handset):
            yield Say(f"DHCP option {source.option} names an ACS, but TR-069 is off in this phone")
        elif source.acs_url in asked:
            continue  # 43 and 125 name the same ACS
        else:
            tried = True
            asked |= {source.acs_url} if source.acs_url else set()
            loaded = yield from _follow(handset, source)
            if loaded is not None:
                return loaded
    return Miss.FAILED if tried else Miss.NOTHING


def _follow(handset: Handset, source: Source) -> Road[Loaded | None]:
    if source.acs_url:
        return (yield from manage(handset, source.acs_url))
    first, second = handset.expand(handset["Profile_Rule"]), handset.expand(MAC_PATH)
    for url in ladder(map(handset.expand, source.values), first, second):
        loaded = yield from load(handset, url)
        if isinstance(loaded, Loaded):
            return loaded
    return None


def from_srv(handset: Handset, lease: Lease) -> Road[Loaded | Miss]:
    """Look up both services under the domain of DHCP, and try their targets."""
    domain = lease.domain
    if not domain:
        yield Say("DHCP gave no domain name (option 15), so there is no name to look up SRV records of")
        return Miss.NOTHING
    if not handset.dns:
        yield Say("DHCP gave no DNS server (option 6)")
        return Miss.NOTHING
    yield Resolve(domain, "A", handset.dns)
    outcome = Miss.NOTHING
    for scheme in SERVICES:
        paths = tuple(map(handset.expand, SRV_PATHS))
        loaded = yield from load_by_srv(handset, domain, scheme, paths)
        if isinstance(loaded, Loaded):
            return loaded
        if isinstance(loaded, NotLoaded):
            outcome = Miss.FAILED
    return outcome
