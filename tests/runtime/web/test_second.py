"""Who counts as another server of the inventory: one that presents its domain, and nobody else that answers TLS."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from netprov.runtime.web.second import presents
from tests.pki.chains import made


@pytest.mark.parametrize(
    ("names", "ours"), [(("example.com", "pr1.example.com"), True), (("proxy.example.net",), False)]
)
def test_only_a_server_that_presents_the_domain_is_another_one_of_the_inventory(
    tmp_path: Path, names: tuple[str, ...], *, ours: bool
) -> None:
    file = tmp_path / "server.pem"
    file.write_bytes(made(names[0], names=names).encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def ask() -> bool:
        server = await asyncio.start_server(
            lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context
        )
        async with server:
            return await presents("127.0.0.1", server.sockets[0].getsockname()[1], "example.com")

    assert ours is asyncio.run(ask())
