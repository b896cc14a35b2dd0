"""TR-069 on the road: sessions with the ACS that DHCP named, until one made the phone load a configuration.

TR-069 3.1 (discovery), A.3.2.8 (Download); Cisco's guide, "TR69 Provisioning": firmware images, vendor configuration
files and custom CA files are what a phone downloads for an ACS.
"""

from __future__ import annotations

from netprov.errors import Malformed
from netprov.phone.action import Download, Failed, Inform, Road, Say, Session
from netprov.phone.fetch import Refusal, Request, fetch, resolve
from netprov.phone.handset import Handset
from netprov.phone.load import CERTIFICATE, Loaded, load
from netprov.phone.url import Url, parse_url

MAX_SESSIONS = 4
"""Sessions in one boot: an ACS may set parameters in one, ask for a file in the next, hear of it in a third."""


def manage(handset: Handset, text: str) -> Road[Loaded | None]:
    """Hold sessions with the ACS; return what it made the phone load, or None."""
    try:
        url = parse_url(text)
    except Malformed as error:
        yield Say(f"ACS URL: {error}", failure=True)
        return None
    addresses = (url.host,) if url.by_address else (yield from resolve(handset, url.host))
    if isinstance(addresses, Failed):
        yield Say(f"ACS {url.host}: {addresses}", failure=True)
        return None
    loaded: Loaded | None = None
    events: tuple[str, ...] = ("0 BOOTSTRAP", "1 BOOT")
    for _ in range(MAX_SESSIONS):
        session = yield from _session(handset, url, addresses, events)
        if session is None:
            return loaded
        changed = _set(handset, session)
        if changed and loaded is None:
            loaded = Loaded(url, changed)
        if not session.downloads:
            return loaded
        for download in session.downloads:
            done = yield from _download(handset, download)
            loaded = done or loaded
        events = ("7 TRANSFER COMPLETE", "M Download")
    return loaded


def _session(
    handset: Handset, url: Url, addresses: tuple[str, ...], events: tuple[str, ...]
) -> Road[Session | None]:
    """Hold one session, with the first address that answers."""
    secure = url.scheme == "https"
    for address in addresses:
        result = yield Inform(
            url, address, events, url.host if secure else "", handset.anchors if secure else ()
        )
        if isinstance(result, Session):
            return result
        handset.last_error = f"ACS {url}: {result}"
        yield Say(handset.last_error, failure=True)
    return None


def _set(handset: Handset, session: Session) -> tuple[str, ...]:
    changed = tuple(name for name, value in session.values.items() if handset[name] != value)
    handset.parameters.update(session.values)
    return changed


def _download(handset: Handset, download: Download) -> Road[Loaded | None]:
    try:
        url = parse_url(handset.expand(download.url))
    except Malformed as error:
        yield Say(f"Download {download.url}: {error}", failure=True)
        return None
    request = Request(user=download.username, password=download.password)
    if download.file_type.startswith("3"):
        loaded = yield from load(handset, url, request)
        return loaded if isinstance(loaded, Loaded) else None
    answer = yield from fetch(handset, url, request)
    if isinstance(answer, Refusal):
        yield Say(f"Download {url}: {answer.error}", failure=True)
    elif CERTIFICATE in answer.body:
        handset.custom_roots = (answer.body.decode("ascii", "replace"),)
        yield Say(f"Custom CA Info: Installed from {url}")
    return None
