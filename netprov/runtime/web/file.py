"""Sends an open file, or a part of it, as the answer to a request."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from aiohttp import web

from netprov.provision.selection import Selection

_PIECE: Final = 256 * 1024
"""Octets read at once; a file that is no longer is read in the loop, others in threads, for disks may be slow."""


async def send_file(
    request: web.BaseRequest, fd: int, selection: Selection, content_type: str, *, seconds: float
) -> web.StreamResponse:
    """Send what was selected of a file; the caller closes it.

    A client that does not read is cut off, and so is one that was promised more than there is any more.
    """
    response = web.StreamResponse(status=selection.status)
    for name, value in selection.fields:
        response.headers[name] = value
    response.headers["Server"] = "netprov"
    if selection.status != 304:
        response.content_type = content_type
        response.content_length = selection.length
    try:
        async with asyncio.timeout(seconds):
            await response.prepare(request)
            if request.method != "HEAD":
                await _write(response, fd, selection.start, selection.length)
            await response.write_eof()
    except (TimeoutError, EOFError):
        if request.transport is not None:
            request.transport.abort()
    return response


async def _write(response: web.StreamResponse, fd: int, start: int, length: int) -> None:
    loop = asyncio.get_running_loop()
    end, at = start + length, start
    while at < end:
        size = min(_PIECE, end - at)
        if length <= _PIECE:
            piece = os.pread(fd, size, at)
        else:
            piece = await loop.run_in_executor(None, os.pread, fd, size, at)
        if not piece:
            raise EOFError
        await response.write(piece)
        at += len(piece)
