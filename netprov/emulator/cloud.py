"""The cloud's stand-ins as a server for labs: remote customization and activation codes over HTTPS.

Only for names of a lab: it refuses to stand in under a name of Cisco's own services, whose certificates and phones' trust
it could not have anyway.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from netprov.emulator.doors import SILENT
from netprov.errors import ServiceError
from netprov.phone.cloud import CloudSite, respond
from netprov.pki.chain import decode

CISCO = ("cisco.com", "webex.com")
"""Domains of the real services."""


def server_context(path: Path) -> ssl.SSLContext:
    """Return the TLS context of a PEM file with chain and key. Raises `ServiceError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(path)
        names = decode(path.read_bytes())[0].dns_names
    except (OSError, ssl.SSLError) as error:
        raise ServiceError(
            f"{path} cannot be presented: {error.strerror or error}", "name a PEM file with chain and key"
        ) from error
    for name in names:
        if name.lower().endswith(CISCO):
            raise ServiceError(
                f"{path} is for {name}: nobody stands in for Cisco's services under their names",
                "use names of your lab, and tell the phones: --redirector, --activation",
            )
    return context


async def start_cloud(
    site: CloudSite, address: str, port: int, context: ssl.SSLContext, say: Callable[[str], None]
) -> web.AppRunner:
    """Serve until the runner is cleaned up; `say` is told of every answer. Raises `ServiceError`."""

    async def answer(request: web.Request) -> web.Response:
        body = respond(site, request.path_qs)
        say(f"{request.remote} {request.path_qs}: {'a profile' if body else 'unknown'}")
        if body is None:
            return web.Response(status=404)
        return web.Response(body=body, content_type="text/xml")

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, logger=SILENT)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port, ssl_context=context).start()
    except OSError as error:
        await runner.cleanup()
        raise ServiceError(
            f"cannot listen on {address}:{port}: {error.strerror}", "choose another with --listen"
        ) from error
    return runner
