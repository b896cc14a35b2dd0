"""TR-069 on the road: the phone's CWMP client driven by the phone's own means of fetching.

TR-069 3.1 (discovery), 3.7.1.5 (events), A.3.2.8 (Download); Cisco's guide, "TR69 Provisioning": firmware images, vendor
configuration files and custom CA files are what a phone downloads for an ACS. The ACS's certificate is checked against
its URL's host. A phone that lives restarts where the ACS says so; one that only boots goes on as if it had.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from netprov.cwmp import action as cwmp
from netprov.cwmp import rpc
from netprov.cwmp.cpe import Cpe
from netprov.errors import Malformed
from netprov.phone.acs.client import is_managed, management, take_over
from netprov.phone.action import Failed, Response, Road, Say
from netprov.phone.fetch.auth import authorization
from netprov.phone.fetch.exchange import MAX_CHALLENGES, Refusal, fetch
from netprov.phone.fetch.load import CERTIFICATE, Loaded, NotLoaded, load
from netprov.phone.fetch.reach import FetchRequest, reach, resolve
from netprov.phone.handset.management import Management
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import Url, parse_url
from netprov.phone.upgrade import load_of

MAX_ACTIONS = 60
"""Posts and downloads in one go; an ACS that wants more is taken for one that never ends."""

TIRED_S = 60.0
"""Seconds that such an ACS is then left alone."""

DOWNLOAD_FAILED, WRONG_FILE = 9010, 9018
"""Fault codes of a CPE (TR-069 A.5.1): download failure, file corrupted or unusable."""


def manage(handset: Handset, text: str) -> Road[Loaded | None]:
    """Hold sessions with the ACS that DHCP named until nothing is outstanding; return what it made the phone load, or None."""
    handset.found_by, handset.last_error = "acs", ""
    found = management(handset, handset["ACS_URL"] or text)
    yield from converse(handset, found)
    if found.profile is None or found.cpe.failure:
        reason = found.cpe.failure or handset.last_error or "it had the phone load nothing"
        handset.last_error = f"ACS {text}: {reason}"
        return None
    return Loaded(found.profile, found.changed)


def attend(handset: Handset, cause: str = "") -> Road[float | None]:
    """Hold what sessions are due, or one for `cause`; return when the next is, None for never."""
    known = handset.management
    url = handset["ACS_URL"] or (known.url if known else "")
    if not is_managed(handset) or not url:
        return None
    found = management(handset, url)
    if cause:
        found.cpe.trigger(rpc.EventCode(cause), handset.now)
    return (yield from converse(handset, found))


def converse(handset: Handset, managed: Management) -> Road[float | None]:
    """Do what the client wants until it waits or the phone is to restart; return until when it waits."""
    cpe = managed.cpe
    dialogue = _Dialogue()
    until: float | None = None
    for _ in range(MAX_ACTIONS):
        match cpe.next_action(handset.now):
            case cwmp.Post() as post:
                yield from _post(handset, cpe, post, dialogue)
            case cwmp.Fetch() as wanted:
                yield from _download(handset, managed, wanted)
            case cwmp.Restart() as restart:
                managed.restart = restart
                if not handset.lives:
                    managed.restart = None
                    cpe.boot(handset.now, bootstrap=restart.factory)
            case cwmp.Wait(when):
                until = None if when == float("inf") else when
                break
        for event in cpe.events():
            yield Say(_line(event), failure=isinstance(event, cwmp.SessionFailed))
        if managed.restart is not None:
            break
    else:
        until = handset.now + TIRED_S
    take_over(handset, managed)
    return until


@dataclass(slots=True)
class _Dialogue:
    """What is known of the ACS's hosts while the phone talks: addresses, so that a session asks DNS once, and challenges.

    A challenge is answered again in every request, counted (TR-069 section 3.4.4, RFC 7616 section 3.4), until there is another.
    """

    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    challenges: dict[tuple[str, int], str] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)

    def authorization(self, handset: Handset, url: Url) -> dict[str, str]:
        """Return the header that answers the last challenge of a URL's host, none where there is none to answer."""
        challenge = self.challenges.get((url.host, url.port), "")
        if not challenge or not handset["ACS_Username"]:
            return {}
        self.answered[challenge] += 1
        header = authorization(
            challenge,
            user=handset["ACS_Username"],
            password=handset["ACS_Password"],
            method="POST",
            path=url.path,
            draw=handset.draw,
            count=self.answered[challenge],
        )
        return {"Authorization": header} if header else {}


def _post(handset: Handset, cpe: Cpe, post: cwmp.Post, dialogue: _Dialogue) -> Road[None]:
    """Post one message, with the credentials that the ACS asks for."""
    try:
        url = parse_url(post.url)
    except Malformed as error:
        cpe.post_failed(str(error), handset.now)
        return
    if url.host not in dialogue.addresses:
        located = (url.host,) if url.by_address else (yield from resolve(handset, url.host))
        if isinstance(located, Failed):
            cpe.post_failed(f"{url.host}: {located}", handset.now)
            return
        dialogue.addresses[url.host] = located
    answer: Response | Failed
    for _ in range(1 + MAX_CHALLENGES):
        headers = {**dict(post.headers), **dialogue.authorization(handset, url)}
        request = FetchRequest(method="POST", body=post.body, headers=headers)
        answer, _address = yield from reach(handset, url, request, dialogue.addresses[url.host])
        if not isinstance(answer, Response) or answer.status != 401 or not handset["ACS_Username"]:
            break
        dialogue.challenges[url.host, url.port] = _strongest(answer)
    if isinstance(answer, Response):
        cpe.posted(cwmp.Answer(answer.status, answer.headers, answer.body), handset.now)
    else:
        cpe.post_failed(str(answer), handset.now)


def _strongest(answer: Response) -> str:
    """Return the challenge to answer: Digest before any other, whatever stands first (RFC 7616 section 3.7)."""
    challenges = [value for name, value in answer.headers if name.lower() == "www-authenticate"]
    digests = [each for each in challenges if each.lower().startswith("digest ")]
    return next(iter(digests or challenges), "")


def _download(handset: Handset, managed: Management, wanted: cwmp.Fetch) -> Road[None]:
    """Fetch what the ACS asked for, and tell the client how it went; a phone that lives restarts with new firmware."""
    cpe = managed.cpe
    try:
        url = parse_url(handset.expand(wanted.url))
    except Malformed as error:
        cpe.fetch_failed(DOWNLOAD_FAILED, str(error), handset.now)
        return
    request = FetchRequest(user=wanted.username, password=wanted.password)
    if wanted.file_type.startswith("3"):
        yield from _configuration(handset, managed, url, request)
        return
    answer = yield from fetch(handset, url, request)
    if isinstance(answer, Refusal):
        cpe.fetch_failed(DOWNLOAD_FAILED, answer.error, handset.now)
    elif wanted.file_type.startswith("1"):
        handset.software = load_of(url)
        handset.history.upgraded(handset.now, handset.software, "")
        cpe.fetched(handset.now)
        yield Say(f"Firmware {handset.software} installed")
        if handset.lives:
            managed.restart = cwmp.Restart()
    elif CERTIFICATE in answer.body:
        handset.custom_roots = (answer.body.decode("ascii", "replace"),)
        handset.loaded_ca = str(url)
        cpe.fetched(handset.now)
        yield Say(f"Custom CA Info: Installed from {url}")
    else:
        cpe.fetch_failed(WRONG_FILE, f"{wanted.file_type} is of no use here", handset.now)


def _configuration(handset: Handset, managed: Management, url: Url, request: FetchRequest) -> Road[None]:
    loaded = yield from load(handset, url, request)
    if isinstance(loaded, NotLoaded):
        managed.cpe.fetch_failed(WRONG_FILE if loaded.corrupt else DOWNLOAD_FAILED, loaded.error, handset.now)
        return
    managed.cpe.fetched(handset.now)
    managed.profile, managed.changed = loaded.url, loaded.changed


def _line(event: cwmp.CpeEvent) -> str:
    """Return what the phone logs of an event of its CWMP client."""
    match event:
        case cwmp.InformAccepted(url, codes):
            return f"TR-069: {url} took the Inform in ({', '.join(codes)})"
        case cwmp.ParametersSet(names):
            return f"TR-069: the ACS set {', '.join(names)}"
        case cwmp.DownloadAsked(url, file_type, _):
            return f"TR-069: the ACS asks to download {url} ({file_type})"
        case cwmp.Reported(url, fault):
            return f"TR-069: reported {url}: {'done' if fault == 0 else f'fault {fault}'}"
        case cwmp.ReportRefused(url, fault):
            return f"TR-069: the ACS refused the report of {url}: {fault}"
        case cwmp.SessionFailed(reason):
            return f"TR-069: session failed: {reason}"
        case cwmp.SessionClosed():
            return "TR-069: session closed"
