"""The cloud side of the road, against stand-ins in a lab: remote customization (RC, EDOS) and activation codes (GDS).

Cisco's guide, "Remote Customization (RC) Distribution" and "Onboard Your Phone with the Activation Code". The wire
format of Cisco's own services is not published. Here both stand-ins answer HTTPS GET with a flat profile whose
Profile_Rule names the provider's server, or 404; an emulated phone asks them by the names its `Habits` give, and never
the names of Cisco's services.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from netprov.phone.action import Road, Say
from netprov.phone.fetch.load import Loaded, NotLoaded, load
from netprov.phone.handset.customization import Turn
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import is_yes
from netprov.phone.resync import settle
from netprov.phone.rule.url import parse_url
from netprov.provision.profile import Parameter, format_profile, layer

REDIRECT_PATH = "/customization"
ACTIVATE_PATH = "/activation"
"""Paths of the two stand-ins."""

CODE = re.compile(r"\d{16}\Z|#\d{3,16}\Z")
"""An activation code: 16 digits, or # and 3 to 16 digits (the short form)."""


def customize(handset: Handset) -> Road[Loaded | None]:
    """Ask the redirector for this MAC and model, and load what it points to."""
    host = handset.behaviour.cloud.redirector
    handset.turn(Turn.ASKED)
    if not host:
        yield Say(
            "Customization pending: no redirector in this lab; a phone on the Internet would ask Cisco's"
        )
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


def activate(handset: Handset) -> Road[Loaded | None]:
    """Offer the activation screen, and load what the code stands for."""
    host, code = handset.behaviour.cloud.activation, handset.behaviour.activation_code
    if not is_yes(handset["Webex_Onboard_Enable"]) or not code:
        yield Say("Enter activation code")
        return None
    if not CODE.match(code):
        yield Say(f"Invalid activation code: {code}: 16 digits, or # and 3 to 16 digits", failure=True)
        return None
    if not host:
        yield Say("Activation: no activation server in this lab")
        return None
    query = f"code={quote(code)}&mac={handset.identity.ma}"
    answer = yield from load(handset, parse_url(f"https://{host}{ACTIVATE_PATH}?{query}"))
    if isinstance(answer, NotLoaded):
        yield Say(f"Activation failed: {answer.error}", failure=True)
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
    """What the stand-ins know: providers' profile rules by MAC (without separators) or model, and by code."""

    providers: Mapping[str, str]
    codes: Mapping[str, str]


def respond(site: CloudSite, target: str) -> bytes | None:
    """Answer a GET to either stand-in with a flat profile, or None for 404."""
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    rule: str | None = None
    if parts.path == REDIRECT_PATH:
        rule = site.providers.get(query.get("mac", "").lower()) or site.providers.get(query.get("model", ""))
    elif parts.path == ACTIVATE_PATH:
        rule = site.codes.get(query.get("code", ""))
    return format_profile(layer([Parameter("Profile_Rule", rule, "na")])) if rule else None
