"""The consoles of living phones on a local socket: a line in, what the phone shows then out.

One JSON object a line each way: `{"phone": "", "line": "resync"}`, `{"shown": [...], "error": ""}`. A command that does
something to the phone is answered when the phone rests again, with its screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from netprov.emulator.stay import Stay
from netprov.errors import Malformed, ServiceError
from netprov.mac import read_mac
from netprov.phone.life.command import Look, parse_command
from netprov.phone.life.live import MAX_INBOX
from netprov.phone.life.screen import screen
from netprov.text import clean

LONGEST = 1 << 16
"""Octets of a line that is asked; answers hold every parameter."""

PATIENCE_S = 600.0
"""How long a phone may be about something before whoever asked is told so."""


@asynccontextmanager
async def consoles(path: Path, stays: Mapping[str, Stay]) -> AsyncIterator[None]:
    """Serve the consoles of phones, by MAC address, on a socket of this user alone. Raises `ServiceError`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await _line(reader):
                writer.write(json.dumps(await _answer(line, stays)).encode() + b"\n")
                await writer.drain()
        writer.close()

    try:
        _forget(path)
        mask = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(serve, path, limit=LONGEST)
        finally:
            os.umask(mask)
    except OSError as error:
        raise ServiceError(
            f"no console at {path}: {error.strerror or error}",
            "name a new file in a directory that is there and that you may write to; 107 octets at most",
        ) from error
    try:
        async with server:
            yield
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line, b"" at the end; of one that is too long nothing but that there was one."""
    try:
        return await reader.readline()
    except ValueError:
        return b"\n"


def _forget(path: Path) -> None:
    """Remove the socket of a process that is gone; whatever else is there stays."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):  # connect(2) refuses any file as it does a dead socket
            raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(0, "phones live there already")


async def _answer(line: bytes, stays: Mapping[str, Stay]) -> dict[str, object]:
    try:
        asked = json.loads(line)
        stay = _chosen(_text(asked["phone"]), stays)
        command = parse_command(clean(_text(asked["line"])))
    except Malformed as error:
        return {"shown": [], "error": str(error)}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"shown": [], "error": f"not a request of this version of netprov in {LONGEST} octets"}
    if isinstance(command, Look):
        return {"shown": command.show(stay.phone), "error": ""}
    if not stay.happen(command):
        busy = f"the phone has {MAX_INBOX} requests before it, and does not see to this one: try again later"
        return {"shown": screen(stay.phone), "error": busy}
    try:
        async with asyncio.timeout(PATIENCE_S):
            await stay.rest()
    except TimeoutError:
        return {"shown": screen(stay.phone), "error": f"the phone is still about it after {PATIENCE_S:g} s"}
    return {"shown": screen(stay.phone), "error": ""}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _chosen(text: str, stays: Mapping[str, Stay]) -> Stay:
    if not text and len(stays) == 1:
        return next(iter(stays.values()))
    mac = read_mac(text) if text else None
    if mac is None or mac not in stays:
        raise Malformed(f"{text or 'which phone?'}: name one of {', '.join(list(stays)[:8])}")
    return stays[mac]


def ask(path: Path, phone: str, lines: Sequence[str]) -> list[tuple[Sequence[str], str]]:
    """Give lines to a console in turn, up to one that is refused; return what was shown. Raises `ServiceError`."""
    answers: list[tuple[Sequence[str], str]] = []
    try:
        with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as replies:
            sock.settimeout(PATIENCE_S + 10)
            sock.connect(str(path))
            for line in lines:
                sock.sendall(json.dumps({"phone": phone, "line": line}).encode() + b"\n")
                reply = json.loads(replies.readline())
                answers.append((reply["shown"], reply["error"]))
                if reply["error"]:
                    break
    except OSError as error:
        raise ServiceError(
            f"no phone answers at {path}: {error.strerror or error}",
            "let one live there: netprov phone PHONE -i IF --stay --console PATH",
        ) from error
    except (ValueError, KeyError) as error:
        raise ServiceError(f"{path} is no console of this version", "is another program there?") from error
    return answers
