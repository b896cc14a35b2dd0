"""One question to one server, as a stub resolver asks it: UDP with retries, TCP where the reply is cut."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from netprov.dns.stub import Reply, build_query, parse_reply
from netprov.errors import Malformed, ServiceError
from netprov.runtime.dns.forward import ask_tcp, ask_udp

TRIES = 3
TIMEOUT = 2.0


async def ask(
    name: str,
    type_: int,
    server: str,
    port: int = 53,
    *,
    tcp: bool = False,
    patience: float = TIMEOUT,
    waiting: Callable[[int, int], None] = lambda _tries, _of: None,
) -> Reply:
    """Ask a server; each try has `patience` seconds, and `waiting` hears of each but the last that had no answer.

    Raises `ServiceError` if it does not answer, or not with a reply that can be read.
    """
    query = build_query(name, type_, id_=secrets.randbelow(1 << 16), edns=True)

    async def exchange(*, by_tcp: bool) -> bytes:
        if by_tcp:
            return await asyncio.wait_for(ask_tcp(query, server, port), patience)
        for tried in range(1, TRIES):
            try:
                return await asyncio.wait_for(ask_udp(query, server, port), patience)
            except TimeoutError:
                waiting(tried, TRIES)
        return await asyncio.wait_for(ask_udp(query, server, port), patience)

    try:
        reply = parse_reply(await exchange(by_tcp=tcp), query)
        if reply is not None and reply.truncated and not tcp:
            reply = parse_reply(await exchange(by_tcp=True), query)
    except Malformed as error:
        raise ServiceError(f"{server} sent a reply that cannot be read: {error}") from error
    except (OSError, EOFError) as error:
        said = f": {error}" if str(error) else ""
        raise ServiceError(
            f"{server} port {port} does not answer{said}",
            "is it running, and is this machine on its network? `netprov serve dns` starts ours",
        ) from error
    if reply is None:
        raise ServiceError(f"{server} answered something else than was asked")
    return reply
