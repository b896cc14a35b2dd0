"""The road of a phone, walked with real requests from this machine: whether it ends in a profile is its own outcome.

No lease is taken, waits take no time, nothing is logged in the phone's name, and an ACS is told nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from netprov.emulator.phone import travel
from netprov.explain.engine import Story, explain
from netprov.phone.action import Action, AskDhcp, Done, Failed, Fetch, Found, Lease, Resolve, Response, Result
from netprov.phone.boot import boot
from netprov.phone.handset.identity import Identity
from netprov.phone.handset.memory import Handset
from netprov.pki.chain import Certificate


class Transport(Protocol):
    """What asks servers: with sockets, or with a table in a test."""

    async def resolve(self, name: str, kind: str, servers: tuple[str, ...]) -> Found | Failed:
        """Ask DNS."""

    async def ask(self, action: Fetch) -> Response | Failed:
        """Fetch."""


class Prober:
    """Performs what a road asks for; `lease` is what DHCP has offered."""

    def __init__(self, asker: Transport, lease: Lease) -> None:
        self._asker = asker
        self._lease = lease

    async def perform(self, action: Action) -> Result:
        """Perform one action."""
        match action:
            case AskDhcp():
                return self._lease
            case Resolve():
                return await self._asker.resolve(action.name, action.type, action.servers)
            case Fetch():
                return await self._asker.ask(action)
            case _:
                return Done()


async def walk(asker: Transport, identity: Identity, lease: Lease, anchors: Sequence[Certificate]) -> Story:
    """Return the story of a phone that trusts these anchors, from its lease on."""
    roots = tuple(each.pem() for each in anchors)
    trusting = replace(identity, custom_roots=(*identity.custom_roots, *roots))
    handset = Handset(trusting, lambda _below: 0)
    outcome, steps = await travel(handset, boot(handset), Prober(asker, lease))
    return explain(steps, outcome)
