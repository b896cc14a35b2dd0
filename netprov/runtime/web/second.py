"""Whether another server of the inventory presents its certificates already, so that no second CA is made beside it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from netprov.errors import PkiError, ServiceError
from netprov.pki.names import covers
from netprov.plan import Plan
from netprov.runtime.address import is_here
from netprov.runtime.web.tls import certificate_store, client_context, presented_chain

PATIENCE_S = 1.0
"""Seconds that another server has for a handshake."""


async def refuse_second_ca(plan: Plan, state: Path) -> None:
    """Raise `ServiceError` if there is no CA here, and another server of the inventory answers HTTPS.

    A phone that trusts the one CA could not be taken over by the other server, nor decrypt what it sends.
    """
    if certificate_store(state).ca_file.exists():
        return
    elsewhere = {
        (each.address, each.port)
        for each in plan.provision.listeners
        if each.scheme == "https" and not is_here(each.address)
    }
    answered = await asyncio.gather(
        *(presents(address, port, plan.provision.domain) for address, port in sorted(elsewhere))
    )
    for (address, _), answers in zip(sorted(elsewhere), answered, strict=True):
        if answers:
            raise ServiceError(
                f"{address} serves this inventory already, and there is no CA here: phones could not trust both",
                "take its state: `netprov state export FILE` there, `netprov state import FILE` here; "
                "or make a CA of its own on purpose: `netprov cert init`",
            )


async def presents(address: str, port: int, domain: str) -> bool:
    """Say whether a TLS server there presents the domain: what else answers, a proxy on the way say, is none of ours."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(address, port, ssl=client_context(None))
    except (OSError, ssl.SSLError, TimeoutError, ValueError):
        return False
    try:
        chain = presented_chain(writer.get_extra_info("ssl_object"))
    except PkiError:
        return False
    finally:
        writer.close()
    return bool(chain) and covers(chain[0].dns_names, (), domain)
