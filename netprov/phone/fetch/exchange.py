"""Fetching one URL as a phone does: every address of its host, redirects, challenges, and what each status means.

Cisco's guide, "HTTP Status Code Handling on Resync and Upgrade" (its table 2): A success, B file not found or corrupt,
C anything else. Deviation: the guide sets no bound to redirects; here five are followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urljoin

from netprov.errors import Malformed
from netprov.phone.action import Failed, Proxy, Response, Road, Trouble
from netprov.phone.fetch.auth import authorization
from netprov.phone.fetch.proxy import answered, ways_to, why_refused
from netprov.phone.fetch.reach import PLAIN, FetchRequest, reach
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import Url, is_allowed, parse_url

MAX_REDIRECTS = 5
MAX_CHALLENGES = 2
"""Retries with credentials after 401 or 407 (guide, table 2)."""

Category = Literal["A", "B", "C"]

DOWN = frozenset(
    {
        *(Trouble.TIMEOUT, Trouble.REFUSED, Trouble.UNREACHABLE, Trouble.RESET, Trouble.NO_SERVER),
        *(Trouble.NXDOMAIN, Trouble.NODATA, Trouble.DNS_REFUSED, Trouble.DNS_FAILED),
    }
)
"""Troubles with a proxy for which the next one that a PAC file names is asked."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file, and where it came from in the end."""

    body: bytes
    url: Url
    address: str
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No file: its category of table 2 and what $ERR says."""

    category: Category
    error: str
    address: str = ""
    trouble: Trouble | None = None
    status: int = 0


def fetch(
    handset: Handset, url: Url, request: FetchRequest = PLAIN, *, at: tuple[str, ...] = ()
) -> Road[Fetched | Refusal]:
    """Fetch a URL; `at` gives the addresses to connect to where they are known already."""
    challenges = proxy_challenges = redirects = 0
    proxy: Proxy | None = None
    while redirects <= MAX_REDIRECTS:
        if not is_allowed(url.host, handset["Restricted_Access_Domains"]):
            return Refusal("C", f"{url.host} is not in Restricted_Access_Domains")
        try:
            ways = yield from ways_to(handset, url)
        except Malformed as error:
            return Refusal("C", str(error))
        answer, address, proxy = yield from _by_one_of(
            handset, url, request, at, [_kept(proxy, way) for way in ways]
        )
        if isinstance(answer, Failed):
            category: Category = "B" if answer.trouble is Trouble.NOT_FOUND else "C"
            return Refusal(category, str(answer), address, answer.trouble)
        match answer.status:
            case 301 | 302:
                try:
                    url = _moved(handset, url, answer)
                except Malformed as error:
                    return Refusal("C", f"{answer.status} {error}", address, status=answer.status)
                at, request, redirects = (), replace(request, verify=""), redirects + 1
            case 401:
                header = _credentials(handset, url, request, answer)
                challenges += 1
                if not header or challenges > MAX_CHALLENGES:
                    return Refusal("C", f"HTTP 401: {_why(request)}", address, status=401)
                request = replace(request, headers={**request.headers, "Authorization": header})
            case 407:
                proxy = answered(handset, proxy, url, request.method, answer) if proxy is not None else None
                proxy_challenges += 1
                if proxy is None or proxy_challenges > MAX_CHALLENGES:
                    return Refusal("C", f"HTTP 407: {why_refused(handset)}", address, status=407)
            case 404:
                return Refusal("B", "HTTP 404: file not found", address, status=404)
            case status if 200 <= status < 300:
                return Fetched(answer.body, url, address, answer.header("Content-Encoding"))
            case status:
                return Refusal("C", f"HTTP {status}", address, status=status)
    return Refusal("C", f"more than {MAX_REDIRECTS} redirects", status=302)


def _by_one_of(
    handset: Handset, url: Url, request: FetchRequest, at: tuple[str, ...], ways: Sequence[Proxy | None]
) -> Road[tuple[Response | Failed, str, Proxy | None]]:
    """Ask by one way after the other, until a proxy answers or there is none to ask; return by which."""
    for way in ways[:-1]:
        answer, address = yield from reach(handset, url, request, at, way)
        if way is None or not isinstance(answer, Failed) or answer.trouble not in DOWN:
            return answer, address, way
    answer, address = yield from reach(handset, url, request, at, ways[-1])
    return answer, address, ways[-1]


def _kept(known: Proxy | None, proxy: Proxy | None) -> Proxy | None:
    """Return a proxy with the answer that it has accepted before."""
    same = known is not None and proxy is not None and (known.host, known.port) == (proxy.host, proxy.port)
    return known if same else proxy


def _moved(handset: Handset, url: Url, answer: Response) -> Url:
    """Return where a 301 or 302 points; macros in it are expanded as in a rule."""
    location = handset.expand(answer.header("Location"))
    if not location:
        raise Malformed("without a Location")
    return parse_url(urljoin(str(url), location))


def _credentials(handset: Handset, url: Url, request: FetchRequest, answer: Response) -> str:
    if not request.user:
        return ""
    return authorization(
        answer.header("WWW-Authenticate"),
        user=request.user,
        password=request.password,
        method=request.method,
        path=url.path,
        draw=handset.draw,
    )


def _why(request: FetchRequest) -> str:
    if not request.user:
        return "the server wants a user and a password, and the rule gives none (the profile account screen)"
    return "the server does not accept the user and password"
