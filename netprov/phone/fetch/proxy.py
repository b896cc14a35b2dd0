"""The HTTP proxy between a phone and its servers: which one a request goes through, and what the phone tells it.

Parameters of firmware 11.3(7) on (administration guide, "Set Up a Proxy Server"): Proxy_Mode Off, Manual or Auto; Proxy_Host
and Proxy_Port; Proxy_Server_Requires_Authentication with Proxy_Username and Proxy_Password. TFTP goes through none.

Absent: Proxy_Mode Auto. A PAC file is a program in JavaScript; a phone of this emulator stops and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from netprov.errors import Malformed
from netprov.hostport import format_hostport, port_number
from netprov.phone.action import Proxy, Response
from netprov.phone.fetch.auth import authorization
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import is_yes
from netprov.phone.rule.url import Url

USUAL_PORT = 3128


@dataclass(frozen=True, slots=True)
class Account:
    """Who the phone is to its proxy; without a user it has no answer to a challenge."""

    user: str = ""
    password: str = ""


def proxy_for(handset: Handset, url: Url) -> Proxy | None:
    """Return the proxy for a URL, None for none. Raises `Malformed` where the phone's parameters name none that it can use."""
    mode = handset["Proxy_Mode"].strip().lower()
    if url.scheme == "tftp" or mode in {"", "off"}:
        return None
    if mode != "manual":
        raise Malformed(
            f"Proxy_Mode {handset['Proxy_Mode']}: the emulated phone runs no PAC file; use Manual or Off"
        )
    host = handset["Proxy_Host"].strip()
    if not host:
        raise Malformed("Proxy_Mode is Manual, and Proxy_Host is empty")
    port = port_number(handset["Proxy_Port"].strip() or str(USUAL_PORT))
    if port is None:
        raise Malformed(f"Proxy_Port is {handset['Proxy_Port']!r}, which is no port")
    return Proxy(host, port)


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
