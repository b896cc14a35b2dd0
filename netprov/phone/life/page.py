"""What a phone answers to HTTP: /admin/resync?, /admin/upgrade?, /admin/reboot, its status, its form, connection requests.

Cisco's guides: "Resync URL", "Upgrade URL", "Reboot URL"; `&xuser=admin&xpassword=…` or HTTP Basic where there is an
`Admin_Password`. Enable_Web_Server, Enable_Web_Admin_Access and Enable_Direct_Action_Url shut it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from netprov.errors import Malformed
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import is_yes
from netprov.phone.life.form import PATH, form, read_form
from netprov.phone.life.input import ConnectionRequested, Input, PowerCycled, ResyncAsked, UpgradeAsked
from netprov.phone.life.machine import LivingPhone
from netprov.phone.life.screen import Lines, status
from netprov.provision.auth import Account, Authority

USER = "admin"
ACTIONS = ("/admin/resync", "/admin/upgrade", "/admin/reboot")


@dataclass(frozen=True, slots=True)
class PageReply:
    """What the page answers, and what it makes the phone do."""

    status: int
    text: Lines = ()
    challenge: str = ""
    event: Input | None = None
    kind: str = "text/plain"


BUSY: Final = PageReply(503, ("The phone has too many requests before this one.",))
"""What a phone answers that will not see to a request (RFC 9110 section 15.6.4); without Retry-After, as TR-069 3.2.2 says."""


def visit(phone: LivingPhone, authority: Authority, target: str, authorization: str | None) -> PageReply:
    """Answer a GET to the phone's own web page."""
    handset = phone.handset
    path, _, query = target.partition("?")
    query, user, password = _credentials(query)
    admin = urlsplit(path).path.rstrip("/")
    if admin in {"", "/admin", "/admin/status"}:
        return PageReply(200, status(phone))
    if admin not in {*ACTIONS, PATH}:
        return PageReply(404, ("not found",))
    if admin in ACTIONS and not is_yes(handset["Enable_Direct_Action_Url"]):
        return PageReply(403, ("Enable_Direct_Action_Url is No",))
    credentials = user, password
    refused = _refusal(
        handset, authority, method="GET", target=target, authorization=authorization, given=credentials
    )
    if refused is not None:
        return refused
    if admin == PATH:
        return PageReply(200, tuple(form(handset).split("\n")), kind="text/html")
    return _taken(phone, _act(phone, admin, unquote(query)))


def submit(
    phone: LivingPhone, authority: Authority, target: str, authorization: str | None, body: str
) -> PageReply:
    """Answer a POST to the phone's own web page: a form is taken, nothing else is."""
    if target.partition("?")[0].rstrip("/") != PATH:
        return PageReply(405, ("only a form is submitted, to " + PATH,))
    refused = _refusal(phone.handset, authority, method="POST", target=target, authorization=authorization)
    if refused is not None:
        return refused
    try:
        submitted = read_form(phone.handset, body)
    except Malformed as error:
        return PageReply(400, (str(error),))
    names = ", ".join(name for name, _ in submitted.values)
    text = f"Phone will take {names} when it has done what it is about." if names else "Nothing was changed."
    return _taken(phone, PageReply(200, (text,), event=submitted if names else None))


def _refusal(
    handset: Handset,
    authority: Authority,
    *,
    method: str,
    target: str,
    authorization: str | None,
    given: tuple[str, str] = ("", ""),
) -> PageReply | None:
    """Return why somebody is not let in as the administrator, None if he is; `given` are credentials of the URL."""
    if not is_yes(handset["Enable_Web_Admin_Access"]):
        return PageReply(403, ("Enable_Web_Admin_Access is No",))
    account = Account(USER, handset["Admin_Password"])
    if not account.password or given == (account.user, account.password):
        return None
    verdict = authority.judge(authorization, account, "basic", method=method, target=target, now=handset.now)
    if verdict == "good":
        return None
    return PageReply(401, ("credentials wanted",), authority.challenge("basic", handset.now)[0])


def knock(phone: LivingPhone, authority: Authority, target: str, authorization: str | None) -> PageReply:
    """Answer a connection request of the ACS: Digest by the account that it has set (TR-069 section 3.2.2)."""
    handset = phone.handset
    account = Account(handset["Connection_Request_Username"], handset["Connection_Request_Password"])
    verdict = authority.judge(authorization, account, "digest", method="GET", target=target, now=handset.now)
    if verdict != "good" or not account.user:
        challenge = authority.challenge("digest", handset.now, stale=verdict == "stale")[-1]
        return PageReply(401, ("credentials wanted",), challenge)
    return _taken(phone, PageReply(200, event=ConnectionRequested()))


def _act(phone: LivingPhone, path: str, url: str) -> PageReply:
    if path == "/admin/reboot":
        return PageReply(200, ("Phone will reboot when it is not in use.",), event=PowerCycled())
    if path == "/admin/upgrade":
        if not is_yes(phone.handset["Upgrade_Enable"]):
            return PageReply(403, ("Upgrade_Enable is No",))
        return PageReply(200, ("Phone will upgrade when it is not in use.",), event=UpgradeAsked(url))
    if not is_yes(phone.handset["Provision_Enable"]):
        return PageReply(403, ("Provision_Enable is No",))
    return PageReply(200, ("Phone will resync when it is not in use.",), event=ResyncAsked(url))


def _taken(phone: LivingPhone, reply: PageReply) -> PageReply:
    """Return the reply, or another one where the phone has too much before it to do what it says (RFC 9110 15.6.4)."""
    if reply.event is None or phone.takes(reply.event):
        return reply
    return BUSY


def _credentials(query: str) -> tuple[str, str, str]:
    """Return the URL that a query is, without the user and password that may follow it."""
    url, mark, rest = query.partition("&xuser=")
    if not mark:
        return query, "", ""
    user, _, password = rest.partition("&xpassword=")
    return url, unquote(user), unquote(password)
