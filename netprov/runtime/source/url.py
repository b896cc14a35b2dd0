"""Asks a URL: one GET, one JSON object; redirects are not followed, and the certificate has to be right.

aiohttp is loaded when the first URL is asked: most inventories have none.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from aiohttp import StreamReader

from netprov.provision.config import JsonUrl, Source
from netprov.provision.source import MAX_OCTETS, Row, SourceFailed, read_object
from netprov.text import visible

_PLACE = re.compile(r"\{(\w+)\}")
_REMEDY = "ask it by hand: `curl -i URL`"
_PLAIN_JSON = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""A coding would be one more thing that an answer of 64 KiB can blow up with."""


async def ask_url(source: Source, how: JsonUrl, headers: Mapping[str, str], facts: Mapping[str, str]) -> Row:
    """Return what the URL says of a phone. Raises `SourceFailed`; whoever calls sees to the time."""
    import aiohttp
    from yarl import URL

    url = _PLACE.sub(lambda found: quote(facts[found[1]], safe=""), how.url)
    trust = await asyncio.to_thread(_trust, source, how) if url.startswith("https:") else True
    try:
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(
                URL(url, encoded=True),
                headers={**_PLAIN_JSON, **headers},
                ssl=trust,
                allow_redirects=False,
            ) as response,
        ):
            if response.status in {404, 410}:
                fault = f"it knows no such phone (status {response.status})"
                raise SourceFailed(source.name, fault, "enter the phone there", why="source-answer")
            if response.status != 200:
                raise SourceFailed(
                    source.name, f"it answers with status {response.status}", _advice(response.status)
                )
            coding = visible(response.headers.get("Content-Encoding", "identity"))[:40]
            body = await _read(response.content)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise SourceFailed(source.name, f"it cannot be asked: {_fault(error, headers)}", _REMEDY) from None
    if len(body) > MAX_OCTETS:
        fault = f"it says more than {MAX_OCTETS} octets"
        raise SourceFailed(source.name, fault, "let it say less", why="source-answer")
    if coding != "identity":
        fault = f"it says {coding}, where no coding was asked for"
        raise SourceFailed(source.name, fault, "let it answer without compression", why="source-answer")
    return read_object(source.name, body)


def _trust(source: Source, how: JsonUrl) -> ssl.SSLContext:
    """Return what its certificate is judged by. Raises `SourceFailed`."""
    try:
        return ssl.create_default_context(cafile=how.ca or None)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        remedy = "name a PEM file under `ca:` that the services' user may read"
        raise SourceFailed(source.name, f"its CA {how.ca} cannot be read: {visible(said)}", remedy) from None


async def _read(stream: StreamReader) -> bytes:
    """Read the body, and no more than one octet beyond the most."""
    body = bytearray()
    while len(body) <= MAX_OCTETS and (data := await stream.read(MAX_OCTETS + 1 - len(body))):
        body += data
    return bytes(body)


def _advice(status: int) -> str:
    if 300 <= status < 400:
        return "redirects are not followed: write the URL that it leads to"
    return "see that the secret of its `headers:` is right" if status in {401, 403} else _REMEDY


def _fault(error: Exception, headers: Mapping[str, str]) -> str:
    """Say what failed, in a line, without the values of header fields."""
    said = str(error).strip().partition("\n")[0] or type(error).__name__
    for value in headers.values():
        said = said.replace(value, "…")
    return visible(said)[:300]
