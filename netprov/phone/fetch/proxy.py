"""The HTTP proxy between a phone and its servers: which one a request goes through, and what the phone tells it.

Parameters of firmware 11.3(7) on (administration guide, "Set Up a Proxy Server"): Proxy_Mode Off, Manual or Auto; Proxy_Host
and Proxy_Port; Proxy_Server_Requires_Authentication with Proxy_Username and Proxy_Password; for Auto, Use_Auto_Discovery__WPAD_ and
PAC_URL. TFTP goes through none.

WPAD (draft-ietf-wrec-wpad-01): DHCP option 252, else `http://wpad.DOMAIN/wpad.dat`. Ours, as no guide says: where WPAD finds nothing the
phone goes straight to its servers; a PAC file that is named, by PAC_URL or DHCP, and that cannot be had stops it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from netprov.dhcp.option.table import PROXY_DISCOVERY
from netprov.errors import Malformed
from netprov.hostport import format_hostport, port_number
from netprov.phone.action import Failed, Proxy, Response, Road, Say
from netprov.phone.fetch.auth import authorization
from netprov.phone.fetch.pac import LARGEST, Wanted, find_proxies
from netprov.phone.fetch.reach import PLAIN, reach, resolve
from netprov.phone.handset.memory import Handset, discovers
from netprov.phone.handset.settings import is_yes
from netprov.phone.rule.url import Url, parse_url

USUAL_PORT = 3128

MOST_NAMES = 16
"""Names that a PAC file may have looked up for one URL."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who the phone is to its proxy; without a user it has no answer to a challenge."""

    user: str = ""
    password: str = ""


def ways_to(handset: Handset, url: Url) -> Road[tuple[Proxy | None, ...]]:
    """Return the proxies for a URL in the order to try them, None for none.

    Raises `Malformed` where the phone's parameters name none that it can use.
    """
    mode = handset["Proxy_Mode"].strip().lower()
    if url.scheme == "tftp" or mode in {"", "off"}:
        return (None,)
    if mode == "manual":
        return (_manual(handset),)
    if mode != "auto":
        raise Malformed(f"Proxy_Mode is {handset['Proxy_Mode']!r}: Auto, Manual or Off")
    script = yield from _script(handset)
    return (None,) if script is None else (yield from _by_program(handset, url, script))


def _manual(handset: Handset) -> Proxy:
    host = handset["Proxy_Host"].strip()
    if not host:
        raise Malformed("Proxy_Mode is Manual, and Proxy_Host is empty")
    port = port_number(handset["Proxy_Port"].strip() or str(USUAL_PORT))
    if port is None:
        raise Malformed(f"Proxy_Port is {handset['Proxy_Port']!r}, which is no port")
    return Proxy(host, port)


def _by_program(handset: Handset, url: Url, script: str) -> Road[tuple[Proxy | None, ...]]:
    """Let a PAC file say it, with the names looked up that it wants."""
    known: dict[str, str] = {}
    own = handset.lease.address if handset.lease else ""
    for _ in range(MOST_NAMES + 1):
        found = find_proxies(script, url, own=own, known=known)
        if not isinstance(found, Wanted):
            return found
        addresses = yield from resolve(handset, found.name)
        known[found.name] = "" if isinstance(addresses, Failed) else addresses[0]
    raise Malformed(f"the PAC file looks up more than {MOST_NAMES} names")


def _script(handset: Handset) -> Road[str | None]:
    """Return the PAC file, fetched once until the phone starts again or another is named; None where WPAD finds none."""
    text = handset["PAC_URL"].strip()
    if discovers(handset):
        option = handset.lease.options.get(PROXY_DISCOVERY, b"") if handset.lease else b""
        text = option.rstrip(b"\0\n").decode("utf-8", "replace").strip()
        domain = handset.lease.domain if handset.lease else ""
        named, text = bool(text), text or (f"http://wpad.{domain}/wpad.dat" if domain else "")
        if not text:
            return None
    elif not text:
        raise Malformed("Proxy_Mode is Auto, Use_Auto_Discovery__WPAD_ is No, and PAC_URL is empty")
    else:
        named = True
    if handset.pac is not None and handset.pac[0] == text:
        return handset.pac[1]
    url = parse_url(handset.expand(text))
    answer, _ = yield from reach(handset, url, PLAIN)
    if isinstance(answer, Response) and answer.status == 200 and len(answer.body) <= LARGEST:
        handset.pac = text, answer.body.decode("utf-8", "replace")
        return handset.pac[1]
    why = str(answer)
    if isinstance(answer, Response):
        why = f"HTTP {answer.status}" if answer.status != 200 else f"larger than {LARGEST} octets"
    if named:
        raise Malformed(f"no PAC file from {url}: {why}")
    yield Say(f"No PAC file from {url} ({why}): no proxy")
    return None


def account(handset: Handset) -> Account:
    """Return what the phone answers a challenge of its proxy with."""
    if not is_yes(handset["Proxy_Server_Requires_Authentication"]):
        return Account()
    return Account(handset["Proxy_Username"], handset["Proxy_Password"])


def answered(handset: Handset, proxy: Proxy, url: Url, method: str, challenge: Response) -> Proxy | None:
    """Return the proxy with the answer to its 407, None where the phone has none (RFC 9110 11.7)."""
    known = account(handset)
    if not known.user:
        return None
    # The request target that the proxy sees (RFC 9112 3.2): through a tunnel, of the CONNECT.
    tunnel = url.scheme == "https"
    header = authorization(
        challenge.header("Proxy-Authenticate"),
        user=known.user,
        password=known.password,
        method="CONNECT" if tunnel else method,
        path=format_hostport(url.host, url.port) if tunnel else str(url),
        draw=handset.draw,
    )
    return replace(proxy, authorization=header) if header else None


def why_refused(handset: Handset) -> str:
    """Say why a proxy's challenge could not be met."""
    if account(handset).user:
        return "the proxy does not accept Proxy_Username and Proxy_Password"
    return (
        "the proxy wants a user and a password, and the phone has none (Proxy_Server_Requires_Authentication)"
    )
