"""One request of a phone to one host: its name looked up, its addresses asked in turn, directly or through a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netprov.phone.action import Failed, Fetch, Found, Proxy, Resolve, Response, Road, Trouble
from netprov.phone.handset.identity import speaks_tls13
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import Url, is_address

ANSWERED = frozenset({Trouble.NOT_FOUND, Trouble.TRANSFER})
"""Troubles that a server reported itself, so that its other addresses need not be asked."""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What to ask, beyond the URL; `verify` is the name wanted in the certificate, "" for the URL's host."""

    verify: str = ""
    user: str = ""
    password: str = ""
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


PLAIN = FetchRequest()


def resolve(handset: Handset, host: str) -> Road[tuple[str, ...] | Failed]:
    """Return a host's addresses."""
    if not handset.dns:
        return Failed(Trouble.NO_SERVER, f"{host} cannot be looked up")
    answer = yield Resolve(host, "A", handset.dns)
    if isinstance(answer, Found) and answer.addresses:
        return answer.addresses
    return answer if isinstance(answer, Failed) else Failed(Trouble.NODATA, host)


def reach(
    handset: Handset,
    url: Url,
    request: FetchRequest,
    at: tuple[str, ...] = (),
    proxy: Proxy | None = None,
) -> Road[tuple[Response | Failed, str]]:
    """Ask each address of the host until one answers; of the proxy, where there is one: it looks the host up."""
    host = url.host if proxy is None else proxy.host
    if not at or proxy is not None:
        found = (host,) if is_address(host) else (yield from resolve(handset, host))
        if isinstance(found, Failed):
            return found, ""
        at = found
    secure = url.scheme == "https"
    answer: Response | Failed = Failed(Trouble.UNREACHABLE)
    for address in at:
        result = yield Fetch(
            url,
            address,
            verify=(request.verify or url.host) if secure else "",
            anchors=handset.anchors if secure else (),
            method=request.method,
            body=request.body,
            headers={"User-Agent": handset.agent, **request.headers},
            client_certificate=handset.identity.client_certificate if secure else "",
            client_key=handset.identity.client_key if secure else "",
            tls13=secure and speaks_tls13(handset.identity.model, handset.software),
            proxy=proxy,
        )
        assert isinstance(result, Response | Failed)
        answer = result
        if isinstance(result, Response) or result.trouble in ANSWERED:
            return result, address
    return answer, at[-1]
