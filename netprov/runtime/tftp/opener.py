"""What a read request is answered with: a profile, a file of a tree, text in netascii, or a refusal; either is reported."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any

from netprov.machine import Event
from netprov.provision.answer import Content, Redirect, Refusal, TreeFile, Unasked
from netprov.provision.catalog import Catalog, tidy_path
from netprov.provision.config import Listener
from netprov.provision.event import PROBE, Asked
from netprov.provision.requester import Requester
from netprov.provision.source import Sourced
from netprov.runtime.net.sender import Origin, Senders, minute_of_day
from netprov.runtime.tftp.text import Texts
from netprov.state.tree import open_file
from netprov.tftp.packet import Error, ErrorCode, Opcode, TftpRequest
from netprov.tftp.transfer import Memory, Source

_NETASCII_LIMIT = 1024 * 1024
_CODES = {403: ErrorCode.ACCESS_VIOLATION, 404: ErrorCode.FILE_NOT_FOUND}


class Opener:
    """Opens what is asked for; `catalog` is the plan's."""

    catalog: Catalog

    def __init__(self, senders: Senders, report: Callable[[Event], None]) -> None:
        self._senders = senders
        self._report = report
        self._texts = Texts()

    def open(
        self, request: TftpRequest, peer: tuple[str, int], listener: Listener, sourced: Sourced
    ) -> Source | Error | Unasked:
        """Return what is to be sent, or the refusal, which are reported, or which source is to be asked before.

        `sourced` is what came of asking so far.
        """
        if request.opcode == Opcode.WRQ:
            return self._refuse(request, peer, 403, "this server is read-only")
        if request.mode not in {"octet", "netascii"}:
            return self._refuse(request, peer, 400, "mode is neither octet nor netascii")
        path = tidy_path(request.filename)
        if path is None:
            return self._refuse(request, peer, 404, "not a path of any file")
        now, origin = time(), Origin(self._senders, peer[0])
        requester = Requester(
            "tftp",
            peer[0],
            listener.address,
            listener.port,
            link_mac=origin.mac,
            posted_before=self._senders.posted.of,
            at_port=origin.at_port,
            now=now,
            minute=minute_of_day(now),
            sourced=sourced,
        )
        if mark := request.options.get(PROBE):
            requester = self.catalog.marked(requester, mark, path, now)
        answer = self.catalog.respond(path, requester)
        match answer:
            case Content(kind=kind, body=body, mac=mac):
                proven = not mac or self.catalog.is_proven(mac, requester)
                self._report(
                    _asked(request, peer, path, 200, kind=kind, octets=len(body), mac=mac, proven=proven)
                )
                return self._texts.of(body) if request.mode == "netascii" else Memory(body)
            case TreeFile():
                return self._open_file(request, answer, peer, path)
            case Redirect():
                return self._refuse(request, peer, 404, "TFTP cannot redirect")
            case Unasked():
                return answer
            case Refusal():
                mac = answer.mac
                told = {
                    "mac": mac,
                    "proven": not mac or self.catalog.is_proven(mac, requester),
                    "why": answer.why,
                }
                return self._refuse(request, peer, answer.status, answer.reason, **told)

    def _open_file(
        self, request: TftpRequest, wanted: TreeFile, peer: tuple[str, int], path: str
    ) -> Source | Error:
        opened = open_file(wanted)
        if opened is None:
            return self._refuse(request, peer, 404, "no such file")
        if request.mode == "octet":
            self._report(_asked(request, peer, path, 200, kind="file", octets=opened.size, mac=wanted.mac))
            return opened
        try:
            if opened.size > _NETASCII_LIMIT:
                return self._refuse(request, peer, 400, "too large for netascii: ask for octet mode")
            text = self._texts.of_file(opened)
        except OSError:
            return self._refuse(request, peer, 404, "cannot be read")
        finally:
            opened.close()
        self._report(_asked(request, peer, path, 200, kind="file", octets=text.size, mac=wanted.mac))
        return text

    def _refuse(
        self, request: TftpRequest, peer: tuple[str, int], status: int, reason: str, **told: Any
    ) -> Error:
        path = request.filename[:200].encode("ascii", "backslashreplace").decode("ascii")
        self._report(_asked(request, peer, path, status, reason=reason, **told))
        shown = reason if status < 500 else "not now: see the server's log"
        return Error(_CODES.get(status, ErrorCode.NOT_DEFINED), shown)


def _asked(request: TftpRequest, peer: tuple[str, int], path: str, status: int, **told: Any) -> Asked:
    return Asked("tftp", peer[0], request.opcode.name, path, status, probe=PROBE in request.options, **told)
