"""HTTP, HTTPS and TFTP as they are compared: every path at every socket of the plan, without following redirects."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import ssl
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from netprov.compare.answer import Answer, Question, WebAnswer, WebQuestion
from netprov.emulator.failure import REALISTIC, trouble_of
from netprov.emulator.fetch import download
from netprov.errors import PkiError
from netprov.hostport import Scheme, format_origin
from netprov.phone.action import Failed, Fetch, Trouble
from netprov.phone.rule.url import Url
from netprov.pki.chain import is_certificate
from netprov.plan import Plan
from netprov.plan.path import served_paths
from netprov.provision.crypto import MAGIC
from netprov.provision.event import PROBE
from netprov.runtime.web.tls import client_context, presented_chain

HEADERS = ("Content-Type", "Content-Encoding", "Location", "WWW-Authenticate", "Proxy-Authenticate")
"""What a phone goes by, of all fields of an answer."""

_TIMEOUT_S = 10.0
_TRIES = 3
_AGENT = "netprov compare"


def web_questions(plan: Plan) -> tuple[WebQuestion, ...]:
    """Return what to ask: every path at every planned socket of TFTP, HTTP and HTTPS."""
    paths = [each.path for each in served_paths(plan.provision)]
    sockets = [each for each in plan.provision.listeners if each.scheme != "syslog"]
    return tuple(
        WebQuestion(each.scheme, each.address, each.port, path, each.name)
        for each in sockets
        for path in paths
        if path != "/" or each.scheme != "tftp"
    )


Get = Callable[[WebQuestion], WebAnswer]
"""What brings the answer to one question."""


def ask_web(get: Get, questions: Sequence[WebQuestion]) -> dict[Question, Answer]:
    """Put every question to one server; return its answers."""
    return {each: get(each) for each in questions}


class WebSockets:
    """Asks a server over the network; connections are kept and used again. Close it at the end."""

    def __init__(self, address: str = "") -> None:
        """Ask the addresses that the questions name, or one server's alone."""
        self._address = address
        self._kept: dict[tuple[str, str, int], http.client.HTTPConnection] = {}
        self._closed: dict[tuple[str, str, int], WebAnswer] = {}
        self._tls = client_context(None, oldest="1.0")

    def close(self) -> None:
        """Close every connection."""
        for each in self._kept.values():
            each.close()

    def get(self, question: WebQuestion) -> WebAnswer:
        """Ask one question."""
        address = self._address or question.address
        if question.scheme == "tftp":
            return asyncio.run(_by_tftp(question, address))
        place = question.scheme, address, question.port
        if place not in self._closed:
            for _ in range(_TRIES):  # a kept connection may have been closed by the other end
                connection = self._kept.pop(place, None) or self._connection(*place)
                try:
                    answer = _by_http(connection, question)
                except (OSError, http.client.HTTPException) as error:
                    connection.close()
                    answer = WebAnswer(trouble_of(error).value if isinstance(error, OSError) else "garbage")
                    continue
                self._kept[place] = connection
                return answer
            if answer.status != Trouble.REFUSED.value:
                return answer
            self._closed[place] = answer
        return self._closed[place]

    def _connection(self, scheme: str, address: str, port: int) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(address, port, timeout=_TIMEOUT_S, context=self._tls)
        return http.client.HTTPConnection(address, port, timeout=_TIMEOUT_S)


def _by_http(connection: http.client.HTTPConnection, question: WebQuestion) -> WebAnswer:
    """Ask by HTTP. Raises `OSError`, `HTTPException`."""
    scheme: Scheme = "https" if question.scheme == "https" else "http"
    _, _, host = format_origin(scheme, question.host or question.address, question.port).partition("//")
    fields = {"User-Agent": _AGENT, PROBE: "compare", "Host": host}
    connection.request("GET", quote(question.path, safe="/:$"), headers=fields)
    names: tuple[str, ...] = ()
    if isinstance(connection.sock, ssl.SSLSocket):
        names = _names(connection.sock)
    response = connection.getresponse()
    body = response.read()
    answered = {name: response.getheader(name) or "" for name in HEADERS}
    return web_answer(str(response.status), body, answered, names)


def _names(sock: ssl.SSLSocket) -> tuple[str, ...]:
    """Return the names of the certificate that is presented: what phones verify."""
    try:
        chain = presented_chain(sock)
    except PkiError:
        return ("unreadable",)
    return tuple(sorted({*chain[0].dns_names, *map(str, chain[0].addresses)})) if chain else ()


async def _by_tftp(question: WebQuestion, address: str) -> WebAnswer:
    url = Url("tftp", address, question.port, question.path)
    found = await download(Fetch(url, address, headers={PROBE: "compare"}), "0.0.0.0", REALISTIC)
    if isinstance(found, Failed):
        return WebAnswer("404" if found.trouble is Trouble.NOT_FOUND else found.trouble.value)
    return web_answer(str(found.status), found.body, {})


def web_answer(status: str, body: bytes, fields: Mapping[str, str], names: tuple[str, ...] = ()) -> WebAnswer:
    """Return an answer in comparable form: a challenge without its nonce, a body only where it is a file's."""
    kept = {name: value for name, value in fields.items() if value}
    for name in kept.keys() & {"WWW-Authenticate", "Proxy-Authenticate"}:
        kept[name] = kept[name].partition(" ")[0]
    if status != "200":
        return WebAnswer(
            status,
            {name: value for name, value in kept.items() if not name.startswith("Content")},
            "",
            "",
            names,
        )
    kind = "encrypted" if body.startswith(MAGIC) or kept.get("Content-Encoding") == "aes128gcm" else ""
    if b"-----BEGIN CERTIFICATE" in body and is_certificate(body):
        kind = "certificates"
    return WebAnswer(status, kept, hashlib.sha256(body).hexdigest()[:16], kind, names)
