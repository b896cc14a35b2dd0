"""Certificates are renewed under 200 requests a second, each with its own handshake; none fails, none is cut.

First with our contexts alone, renewed as fast as keys are drawn; then `netprov serve` with `netprov cert issue` beside it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.lab.lan import Host
from netprov.lab.server import start_server
from netprov.pki.request import PkiPlan
from netprov.pki.store import Store
from netprov.runtime.web.tls import (
    ServerTls,
    certificate_store,
    client_context,
    presented_chain,
)
from tests.lab.conftest import PYTHON, MakeLan
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
            tls.reload()

    context = client_context(store.anchors())
    loop = asyncio.get_running_loop()
    old_reader, old_writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="example.com"
    )
    start = loop.time()
    await asyncio.gather(renewals(), *(request(start + number / RATE) for number in range(REQUESTS)))
    old_writer.write(b"still there?\n")
    still = await old_reader.readline()
    old_writer.close()
    server.close()
    return failures, serials, still


def test_no_handshake_fails_while_certificates_are_renewed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ensure(both_kinds(), time.time())
    failures, serials, still = asyncio.run(asyncio.wait_for(under_load(store), 100))
    assert failures == []
    assert len(serials) > 2
    assert still == b"ok\n"


SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
certificates: {ca_key: ecdsa-p256}
phones: [{mac: 00:12:34:ab:45:de, model: CP-8851-3PCC}]
"""
GET = b"GET /8851-3PCC.xml HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
LONGEST_S = 60.0


async def fetched(context: ssl.SSLContext) -> tuple[str, bytes]:
    """Fetch the profile; return the serial number of the server's certificate and the status line."""
    reader, writer = await asyncio.open_connection(
        "10.20.0.1", 443, ssl=context, server_hostname="example.com"
    )
    try:
        serial = presented_chain(writer.get_extra_info("ssl_object"))[0].serial
        writer.write(GET)
        answer = await reader.read()
        return serial, answer.partition(b"\r\n")[0]
    finally:
        writer.close()


async def load_until_renewed(
    server: Host, issue: list[str], context: ssl.SSLContext
) -> tuple[list[str], set[str]]:
    """Ask at RATE until a renewal was seen; return what went wrong, and the serial numbers."""
    troubles: list[str] = []
    serials: set[str] = set()
    loop = asyncio.get_running_loop()
    asking: set[asyncio.Task[None]] = set()

    async def ask() -> None:
        try:
            serial, status = await fetched(context)
            serials.add(serial)
            if status != b"HTTP/1.1 200 OK":
                troubles.append(status.decode())
        except Exception as error:
            troubles.append(repr(error))

    async def renew() -> None:
        done = await asyncio.to_thread(server.run, issue, timeout=LONGEST_S)
        assert done.returncode == 0, done.stderr
        while len(serials) < 2:
            await asyncio.sleep(0.05)

    renewing = asyncio.create_task(renew())
    due = loop.time()
    while not renewing.done():
        asking.add(task := asyncio.create_task(ask()))
        task.add_done_callback(asking.discard)
        due = max(due + 1 / RATE, loop.time() - 0.5)
        await asyncio.sleep(due - loop.time())
    await renewing
    await asyncio.gather(*asking)
    return troubles, serials


@pytest.mark.lab
def test_no_request_fails_while_netprov_cert_renews_what_netprov_serves(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=[None])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    (tmp_path / "site.yaml").write_text(SITE)
    start_server(lan["server"], tmp_path / "site.yaml", tmp_path / "state", roles=["http"])
    context = client_context(certificate_store(tmp_path / "state").anchors())
    issue = [PYTHON, "-m", "netprov", "cert", "issue", "-f", str(tmp_path / "site.yaml")]
    issue += ["--state", str(tmp_path / "state")]
    with lan["client0"].entered():
        work = load_until_renewed(lan["server"], issue, context)
        troubles, serials = asyncio.run(asyncio.wait_for(work, LONGEST_S))
    assert troubles == []
    assert len(serials) == 2
