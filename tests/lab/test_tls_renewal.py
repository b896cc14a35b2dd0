"""Certificates are renewed under 200 requests a second, each with its own handshake; none fails, none is cut."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from netprov.pki.request import PkiPlan
from netprov.pki.store import Store
from netprov.runtime.tls import ServerTls, client_context, keep_current, presented_chain
from tests.pki.conftest import plan as a_plan

RATE = 200
REQUESTS = 600
RENEWALS = 12
HOST = "pr1.example.com"


def both_kinds() -> PkiPlan:
    plan = a_plan()
    return replace(plan, servers=(replace(plan.servers[0], keys=("rsa-2048", "ecdsa-p256")),))


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readline():
            writer.write(b"ok\n")
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def under_load(store: Store) -> tuple[list[Exception], set[str], bytes]:
    """Return what failed, the serial numbers seen, and what a connection of before the first renewal still hears."""
    tls = ServerTls(store, both_kinds())
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls.context)
    port = server.sockets[0].getsockname()[1]
    failures: list[Exception] = []
    serials: set[str] = set()

    async def request(at: float) -> None:
        await asyncio.sleep(at - loop.time())
        try:
            # asyncio resumes no session: every handshake is full.
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname="example.com"
            )
            serials.add(presented_chain(writer.get_extra_info("ssl_object"))[0].serial)
            writer.write(b"profile?\n")
            assert await reader.readline() == b"ok\n"
            writer.close()
        except Exception as error:
            failures.append(error)

    async def renewals() -> None:
        for _ in range(RENEWALS):
            await asyncio.to_thread(store.ensure, both_kinds(), time.time(), hosts=[HOST])

    context = client_context(store.anchors())
    loop = asyncio.get_running_loop()
    keeping = asyncio.create_task(
        keep_current(tls, store, both_kinds, time.time, report=lambda _: None, interval=0.02)
    )
    old_reader, old_writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="example.com"
    )
    start = loop.time()
    await asyncio.gather(renewals(), *(request(start + number / RATE) for number in range(REQUESTS)))
    old_writer.write(b"still there?\n")
    still = await old_reader.readline()
    old_writer.close()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    server.close()
    return failures, serials, still


def test_no_handshake_fails_while_certificates_are_renewed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ensure(both_kinds(), time.time())
    failures, serials, still = asyncio.run(asyncio.wait_for(under_load(store), 100))
    assert failures == []
    assert len(serials) > 2
    assert still == b"ok\n"
