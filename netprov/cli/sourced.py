"""A phone's profile with the values that sources give, which verbs ask as a server does."""

from __future__ import annotations

from dataclasses import replace

import click

from netprov.errors import ServiceError
from netprov.plan import Plan
from netprov.provision.catalog import Catalog
from netprov.provision.config import Device
from netprov.provision.report import is_secret
from netprov.provision.requester import Requester
from netprov.provision.source import Row, SourceFailed, SourceWanted, values_of


def plain_with_sources(plan: Plan, catalog: Catalog, device: Device, requester: Requester) -> bytes:
    """Return a listed phone's profile, and tell what sources gave for it.

    Raises `ServiceError` where one gives nothing that can be used, and what `Catalog.plain` raises.
    """
    try:
        return catalog.plain(device, requester)
    except SourceWanted:
        import asyncio  # a profile without sources needs none

        return asyncio.run(_asked(plan, catalog, device, requester))


async def _asked(plan: Plan, catalog: Catalog, device: Device, requester: Requester) -> bytes:
    from netprov.runtime.source.pool import SourcePool

    pool = SourcePool(plan.provision.sources, catalog.secrets, lambda _: None)
    sourced: dict[str, Row | SourceFailed] = {}
    try:
        while True:
            try:
                return catalog.plain(device, replace(requester, sourced=sourced))
            except SourceWanted as wanted:
                said = sourced[wanted.source] = await pool.ask(wanted.source, device)
                if isinstance(said, Row):
                    click.echo(f"netprov: source {wanted.source} gave {_shown(said)}", err=True)
            except SourceFailed as failed:
                raise ServiceError(str(failed), failed.remedy) from None
    finally:
        await pool.close()


def _shown(row: Row) -> str:
    """Return the values of a row for people; of what is a secret by its name, that there is one."""
    values = values_of(row).items()
    return (
        ", ".join(f"{name}={'…' if is_secret(name) else repr(value)}" for name, value in values) or "nothing"
    )
