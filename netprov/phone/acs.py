"""TR-069 on the road: the phone's CWMP client driven by the phone's own means of fetching.

TR-069 3.1 (discovery), A.3.2.8 (Download); Cisco's guide, "TR69 Provisioning": firmware images, vendor configuration
files and custom CA files are what a phone downloads for an ACS. The ACS's certificate is checked against its URL's host.
"""

from __future__ import annotations

from dataclasses import replace

from netprov.cwmp import action as cwmp
from netprov.cwmp.cpe import Cpe
from netprov.cwmp.parameter import telephone
from netprov.cwmp.rpc import DeviceId
from netprov.errors import Malformed
from netprov.phone.action import Failed, Response, Road, Say
from netprov.phone.fetch.exchange import FetchRequest, Refusal, fetch, reach, resolve
from netprov.phone.fetch.load import CERTIFICATE, Loaded, NotLoaded, load
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import Url, parse_url

MAX_ACTIONS = 60
"""Posts and downloads in one boot; an ACS that wants more is taken for one that never ends."""

DOWNLOAD_FAILED, WRONG_FILE = 9010, 9018
"""Fault codes of a CPE (TR-069 A.5.1): download failure, file corrupted or unusable."""


def manage(handset: Handset, text: str) -> Road[Loaded | None]:
    """Hold sessions with the ACS until nothing is outstanding; return what it made the phone load, or None."""
    handset.found_by, handset.last_error = "acs", ""
    cpe = _client(handset, text)
    found: dict[str, tuple[str, ...]] = {}
    cpe.boot(handset.now, bootstrap=True)
    loaded: Loaded | None = None
    for _ in range(MAX_ACTIONS):
        if cpe.settled:
            break
        match cpe.next_action(handset.now):
            case cwmp.Post() as post:
                yield from _post(handset, cpe, post, found)
            case cwmp.Fetch() as wanted:
                loaded = (yield from _download(handset, cpe, wanted)) or loaded
            case cwmp.Restart():
                cpe.boot(handset.now)
            case cwmp.Wait():
                break
        for event in cpe.events():
            yield Say(_line(event), failure=isinstance(event, cwmp.SessionFailed))
    if loaded is None:
        reason = cpe.failure or handset.last_error or "it had the phone load nothing"
        handset.last_error = f"ACS {text}: {reason}"
    return loaded


def _client(handset: Handset, acs_url: str) -> Cpe:
    identity = handset.identity
    device = DeviceId("Cisco", identity.ma[:6].upper(), identity.model.name, identity.serial_number)
    address = handset.lease.address if handset.lease else ""
    parameters = telephone(
        device,
        acs_url,
        mac=identity.mac,
        address=address,
        software=handset.software,
        hardware=identity.hardware,
    )
    return Cpe(device, parameters, lambda: handset.draw(1 << 16) / (1 << 16))


def _post(handset: Handset, cpe: Cpe, post: cwmp.Post, found: dict[str, tuple[str, ...]]) -> Road[None]:
    """Post one message; `found` remembers addresses, so that a session asks DNS once."""
    try:
        url = parse_url(post.url)
    except Malformed as error:
        cpe.post_failed(str(error), handset.now)
        return
    request = FetchRequest(method="POST", body=post.body, headers=dict(post.headers))
    if url.host not in found:
        located = (url.host,) if url.by_address else (yield from resolve(handset, url.host))
        if isinstance(located, Failed):
            cpe.post_failed(f"{url.host}: {located}", handset.now)
            return
        found[url.host] = located
    answer, _ = yield from reach(handset, url, request, found[url.host])
    if isinstance(answer, Response):
        cpe.posted(cwmp.Answer(answer.status, answer.headers, answer.body), handset.now)
    else:
        cpe.post_failed(str(answer), handset.now)


def _download(handset: Handset, cpe: Cpe, wanted: cwmp.Fetch) -> Road[Loaded | None]:
    """Fetch what the ACS asked for, and tell the client how it went."""
    try:
        url = parse_url(handset.expand(wanted.url))
    except Malformed as error:
        cpe.fetch_failed(DOWNLOAD_FAILED, str(error), handset.now)
        return None
    request = FetchRequest(user=wanted.username, password=wanted.password)
    if wanted.file_type.startswith("3"):
        return (yield from _configuration(handset, cpe, url, request))
    answer = yield from fetch(handset, url, request)
    if isinstance(answer, Refusal):
        cpe.fetch_failed(DOWNLOAD_FAILED, answer.error, handset.now)
    elif wanted.file_type.startswith("1"):
        handset.software = url.path.rsplit("/", 1)[-1].removesuffix(".loads")
        cpe.fetched(handset.now)
        yield Say(f"Firmware {handset.software} installed")
    elif CERTIFICATE in answer.body:
        handset.custom_roots = (answer.body.decode("ascii", "replace"),)
        cpe.fetched(handset.now)
        yield Say(f"Custom CA Info: Installed from {url}")
    else:
        cpe.fetch_failed(WRONG_FILE, f"{wanted.file_type} is of no use here", handset.now)
    return None


def _configuration(handset: Handset, cpe: Cpe, url: Url, request: FetchRequest) -> Road[Loaded | None]:
    loaded = yield from load(handset, url, replace(request))
    if isinstance(loaded, NotLoaded):
        cpe.fetch_failed(WRONG_FILE if loaded.corrupt else DOWNLOAD_FAILED, loaded.error, handset.now)
        return None
    cpe.fetched(handset.now)
    return loaded


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
        case cwmp.SessionFailed(reason):
            return f"TR-069: session failed: {reason}"
        case cwmp.SessionClosed():
            return "TR-069: session closed"
