"""Which of the networks on its link a client gets its address of, and what was said before that it need not repeat."""

from __future__ import annotations

from collections.abc import Sequence

from netprov.dhcp.intake import Intake
from netprov.dhcp.lease_tables import LeaseTables
from netprov.dhcp.message import Message, Type
from netprov.dhcp.option import table as code
from netprov.dhcp.reply import Incoming
from netprov.machine import Endpoint

_MAY_BE_BRIEF = frozenset({Type.REQUEST, Type.INFORM})
"""What a client sends once it is known."""

_WITHOUT_CLASS = frozenset({Type.DECLINE, Type.RELEASE})
"""What carries no vendor class (RFC 2131 table 5); whose lease it is decides."""


class Placement:
    """Places the clients of one plan by its leases."""

    def __init__(self, intake: Intake, tables: LeaseTables) -> None:
        self._intake = intake
        self._tables = tables

    def accept(self, request: Message, source: Endpoint) -> Incoming | str:
        """Return what is needed to answer a request, or why it is not answered.

        A client need not say again what it said when it got its offer or lease: without option 60 it is still the same.
        """
        found = self._of_its_address(self._intake.look(request, source))
        if isinstance(found, str):
            return found
        if code.VENDOR_CLASS not in request.options and request.type in _MAY_BE_BRIEF:
            told = self._tables[found.network].told(found.key)
            if told:
                options = {**request.options, code.VENDOR_CLASS: told.encode()}
                found = self._of_its_address(self._intake.look(request._replace(options=options), source))
                if isinstance(found, str):
                    return found
        if found.serving.served or request.type in _WITHOUT_CLASS:
            return found
        if request.type == Type.DISCOVER and self.choices(found, 0.0):
            return found
        network = found.network
        return f"client is not served on network {network.name}, which serves `clients: {network.clients}`"

    def choices(self, incoming: Incoming, now: float) -> Sequence[Incoming]:
        """Return where a client may be offered an address, best first.

        First where it has its own address or a lease; then networks that name its class; then the others as written.
        """
        if not incoming.siblings:
            return (incoming,) if _admits(incoming) else ()
        others = (self._intake.look(incoming.request, incoming.source, each) for each in incoming.siblings)
        found = [each for each in (incoming, *others) if isinstance(each, Incoming) and _admits(each)]
        return sorted(found, key=lambda each: self._rank(each, now))

    def _rank(self, incoming: Incoming, now: float) -> int:
        lease = self._tables[incoming.network].of(incoming.key, incoming.owner)
        if incoming.fixed or (lease is not None and lease.active(now)):
            return 0
        return 1 if incoming.network.classes else 2

    def _of_its_address(self, found: Incoming | str) -> Incoming | str:
        """Put a client that names its address into the network of that address, if it is on this link."""
        if isinstance(found, str) or not found.siblings or found.request.type == Type.DISCOVER:
            return found
        address = found.request.ciaddr or found.request.address(code.REQUESTED_ADDRESS)
        own = next((each for each in found.siblings if each.contains(address)), None)
        return self._intake.look(found.request, found.source, own) if own is not None else found


def _admits(incoming: Incoming) -> bool:
    classes = incoming.network.classes
    return incoming.serving.served and (
        not classes or incoming.serving.contents.class_name in classes or incoming.fixed != 0
    )
