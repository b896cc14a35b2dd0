"""A profile by DNS SRV: the service's records under a domain, its targets in order, every address of each.

Cisco's guide, "DNS SRV for HTTP Provisioning", RFC 2782. The certificate of every target must carry the domain.
"""

from __future__ import annotations

from netprov.dns.order import in_order
from netprov.dns.service import SERVICES
from netprov.hostport import Scheme
from netprov.phone.action import Failed, Found, Resolve, Road, Say
from netprov.phone.fetch.load import Loaded, NotLoaded, load
from netprov.phone.fetch.reach import PLAIN, FetchRequest, resolve
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import Url


def load_by_srv(
    handset: Handset,
    domain: str,
    scheme: Scheme,
    paths: tuple[str, ...],
    *,
    request: FetchRequest = PLAIN,
    key: str = "",
) -> Road[Loaded | NotLoaded | None]:
    """Load a profile from the first target that has it; None if there is no such service.

    The second path is for a server that answers but lacks the first; one that cannot be reached is not asked again.
    """
    answer = yield Resolve(f"{SERVICES[scheme]}.{domain}", "SRV", handset.dns)
    records = answer.records if isinstance(answer, Found) else ()
    outcome: NotLoaded | None = None
    for record in in_order(records, handset.behaviour.srv_order, handset.draw):
        if record.target in ("", "."):
            yield Say(f"the target of {SERVICES[scheme]}.{domain} is the root: no such service (RFC 2782)")
            continue
        addresses = yield from resolve(handset, record.target)
        if isinstance(addresses, Failed):
            outcome = NotLoaded("C", f"{record.target}: {addresses}")
            continue
        verified = FetchRequest(
            domain, request.user, request.password, request.method, request.body, request.headers
        )
        for path in paths:
            url = Url(scheme, record.target, record.port, path)
            loaded = yield from load(handset, url, verified, key=key, at=addresses)
            if isinstance(loaded, Loaded):
                return loaded
            outcome = loaded
            if loaded.category != "B":
                break
    return outcome
