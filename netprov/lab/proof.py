"""Two servers asked the same, each on a LAN of its own, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from netprov.compare.client import AskingClient, clients_of
from netprov.compare.dhcp import option_lists
from netprov.compare.dns import dns_questions
from netprov.compare.report import Verdict, judge
from netprov.dhcp.match import Condition
from netprov.lab.stage import Asked, Start, hear
from netprov.plan import Plan
from netprov.plan.offer import Offers
from netprov.plan.site import absolute

Place = Callable[[tuple[str | int, ...]], object]


def prove(
    plan: Plan,
    place: Place,
    servers: tuple[Start, Start],
    scratch: Path,
    *,
    further: Iterable[Condition] = (),
    listed: Collection[int] = (),
    approximate: Collection[str] = (),
    names: bool = False,
) -> Verdict:
    """Start two servers, one after the other, ask both for all clients of a plan, and compare.

    `place` tells where the inventory says what stands at a path; `further` are conditions of clients that the plan knows nothing of; `names` asks DNS too. `approximate` are labels of clients whose
    class an export says that it takes only nearly. Raises `LabError` for a
    server that does not start.
    """
    asked = Asked(clients_of(plan, further), option_lists(plan), dns_questions(plan) if names else ())
    left, right = (
        hear(plan, start, asked, scratch / side)
        for side, start in zip(("left", "right"), servers, strict=True)
    )
    places = places_of(place, plan, asked.clients)
    return judge(
        left,
        right,
        places=places,
        listed=frozenset(listed),
        own=own_names(plan),
        approximate=frozenset(approximate),
    )


def own_names(plan: Plan) -> frozenset[str]:
    """Return the names that netprov publishes without being told: its own, the domains', services nobody described."""
    site = plan.site
    found = {site.server_name, site.domain, *(each.domain for each in site.networks)}
    if site.inventory.srv.https is None and site.inventory.srv.http is None:
        found |= {site.service_owner("https"), site.service_owner("http")}
    found |= {each.address.reverse_pointer for each in site.networks}
    return frozenset(found - {absolute(name, site.domain) for name in site.inventory.hosts})


def places_of(place: Place, plan: Plan, clients: Iterable[AskingClient]) -> Mapping[tuple[str, int], str]:
    """Return where an inventory says each option of each client."""
    offers = Offers(plan.dhcp)
    found: dict[tuple[str, int], str] = {}
    for each in clients:
        preview = offers.preview(
            each.mac,
            vendor_class=each.vendor_class,
            network=each.network,
            user_class=each.user_classes,
            hostname=each.host_name,
        )
        for option in preview.options:
            found[str(each), option.code] = str(place(option.origin))
    return found
