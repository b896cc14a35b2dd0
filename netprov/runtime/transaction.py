"""A change of several services together: all of them take it, or none does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from netprov.errors import NetprovError, PkiError, ServiceError
from netprov.plan import Plan
from netprov.runtime.role import Prepared, Service


class Refused(NetprovError):
    """A service cannot take a change, so none of them did; says which, why and what helps."""

    def __init__(self, role: str, message: str, remedy: str = "") -> None:
        self.role = role
        self.message = message
        self.remedy = remedy
        super().__init__(f"{role}: {message}\n    {remedy}" if remedy else f"{role}: {message}")


@dataclass(slots=True)
class Transaction:
    """What services are ready for: commit it or abort it, once."""

    prepared: list[tuple[Service, Prepared]] = field(default_factory=list)

    async def commit(self) -> None:
        """Let every service take the change over, in the order they were started."""
        for service, each in self.prepared:
            try:
                await each.commit()
            except Exception:
                # A fault of ours, for a commit cannot fail; the others are not left behind for it.
                logging.getLogger(service.name).exception("unexpected error while a change was taken over")
        self.prepared.clear()

    async def abort(self) -> None:
        """Let every service stay as it is."""
        for service, each in reversed(self.prepared):
            try:
                await each.abort()
            except OSError:
                logging.getLogger(service.name).exception("unexpected error while a change was given up")
        self.prepared.clear()


async def prepare(services: Sequence[Service], plan: Plan) -> Transaction:
    """Make every service ready for a plan; raise `Refused`, with all of them as before, if one cannot be."""
    transaction = Transaction()
    try:
        for service in services:
            transaction.prepared.append((service, await _prepare(service, plan)))
    except (Refused, asyncio.CancelledError):
        await transaction.abort()
        raise
    return transaction


async def _prepare(service: Service, plan: Plan) -> Prepared:
    try:
        return await service.prepare(plan)
    except (ServiceError, PkiError) as error:
        raise Refused(service.name, error.message, error.remedy) from error
    except OSError as error:
        raise Refused(service.name, error.strerror or str(error)) from error
