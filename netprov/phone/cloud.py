"""The cloud side of the road, against stand-ins in a lab: remote customization (RC, EDOS), codes (GDS), devices by MAC.

Cisco's guide, "Remote Customization (RC) Distribution", "Onboard Your Phone with the Activation Code" and "Phone
Onboarding to Webex Cloud". The wire format of Cisco's own services is not published. Here the stand-ins answer HTTPS GET with a flat profile whose
Profile_Rule names the provider's server, or 404; an emulated phone asks them by the names its `Behaviour` gives, and never
the names of Cisco's services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlsplit

from netprov.phone.action import Road, Say
from netprov.phone.fetch.load import Loaded, NotLoaded, load
from netprov.phone.handset.customization import Customization, Turn
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import is_yes
from netprov.phone.onboarding import code_fault, redirector_of, screen_fault
from netprov.phone.resync import settle
from netprov.phone.rule.url import parse_url
from netprov.provision.profile import Parameter, format_profile, layer

REDIRECT_PATH = "/customization"
ACTIVATE_PATH = "/activation"
DEVICE_PATH = "/device"
"""Paths of the three stand-ins."""

NOT_ASKED = frozenset({Customization.ABORTED, Customization.ACQUIRED})
"""States in which remote customization is over until a factory reset."""


def customize(handset: Handset) -> Road[Loaded | None]:
    """Ask the redirector for this MAC and model, and load what it points to."""
    host = handset.behaviour.cloud.redirector
    if handset.customization in NOT_ASKED:
        yield Say(
            f"Customization state {handset.customization}: no redirector is asked until a factory reset"
        )
        return None
    handset.turn(Turn.ASKED)
    if not host:
        theirs = redirector_of(handset.software)
        yield Say(f"Customization pending: no redirector in this lab; on the Internet {theirs} is asked")
        return None
    identity = handset.identity
    query = f"mac={identity.ma}&model={quote(identity.model.name)}"
    redirected = yield from load(handset, parse_url(f"https://{host}{REDIRECT_PATH}?{query}"))
    if isinstance(redirected, NotLoaded):
        if redirected.category == "B":
            handset.turn(Turn.UNKNOWN)
        return None
    handset.turn(Turn.REDIRECTED)
    return (yield from _provider(handset, redirected))


def activate(handset: Handset, code: str = "") -> Road[Loaded | None]:
    """Offer the activation screen, and load what the code stands for; `code` is typed, or what the behaviour says."""
    host, code = handset.behaviour.cloud.activation, code or handset.behaviour.activation_code
    model = handset.identity.model.name
    handset.notice = ""
    if fault := screen_fault(model, handset.software):
        yield Say(f"No activation code screen: {fault}", failure=True)
        return None
    yield Say("Enter activation code")
    if not code:
        return None
    if fault := code_fault(code, model, handset.software):
        handset.notice = f"Invalid activation code: {fault}"
        yield Say(f"Invalid activation code {code}: {fault}", failure=True)
        return None
    if not host:
        handset.notice = "no activation server in this lab"
        yield Say("Activation: no activation server in this lab")
        return None
    query = f"code={quote(code)}&mac={handset.identity.ma}"
    answer = yield from load(handset, parse_url(f"https://{host}{ACTIVATE_PATH}?{query}"))
    if isinstance(answer, NotLoaded):
        handset.notice = f"Activation failed: {answer.error}"
        yield Say(f"Activation failed: {answer.error}", failure=True)
        return None
    return (yield from _provider(handset, answer))


def enroll(handset: Handset) -> Road[Loaded | None]:
    """Ask whether this MAC is known to the provider's cloud (EDOS device activation), if `Webex_Onboard_Enable` says so."""
    host = handset.behaviour.cloud.devices
    if not is_yes(handset["Webex_Onboard_Enable"]) or not host:
        return None
    identity = handset.identity
    query = f"mac={identity.ma}&serial={quote(identity.serial_number)}"
    answer = yield from load(handset, parse_url(f"https://{host}{DEVICE_PATH}?{query}"))
    if isinstance(answer, NotLoaded):
        yield Say(f"Device activation: {answer.error}")
        return None
    return (yield from _provider(handset, answer))


def _provider(handset: Handset, redirected: Loaded) -> Road[Loaded | None]:
    """Resync to the provider's server; the redirect alone is no configuration."""
    settled = yield from settle(handset, redirected)
    if not isinstance(settled, Loaded) or settled is redirected:
        return None
    handset.turn(Turn.LOADED)
    return settled


@dataclass(frozen=True, slots=True)
class CloudSite:
    """What the stand-ins know: providers' profile rules by MAC (without separators) or model, by code, by device's MAC."""

    providers: Mapping[str, str]
    codes: Mapping[str, str]
    devices: Mapping[str, str] = field(default_factory=dict)


def respond(site: CloudSite, target: str) -> bytes | None:
    """Answer a GET to a stand-in with a flat profile, or None for 404."""
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    rule: str | None = None
    if parts.path == REDIRECT_PATH:
        rule = site.providers.get(query.get("mac", "").lower()) or site.providers.get(query.get("model", ""))
    elif parts.path == ACTIVATE_PATH:
        rule = site.codes.get(query.get("code", ""))
    elif parts.path == DEVICE_PATH:
        rule = site.devices.get(query.get("mac", "").lower())
    return format_profile(layer([Parameter("Profile_Rule", rule, "na")])) if rule else None
