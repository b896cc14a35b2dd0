"""The road: from power-up to a profile, mechanism by mechanism, in the order of Cisco's guide.

1. DHCP, 2. DNS SRV, 3. EDOS (remote customization), 4. EDOS device activation, or GDS (activation code). A usable DHCP option ends the search
there; `Behaviour.fall_through` goes on instead. A phone whose profile rule names a server skips all four and resyncs.
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.phone.action import AskDhcp, Failed, Lease, Road, Say, Wait
from netprov.phone.cloud import activate, customize, enroll
from netprov.phone.discover import Miss, from_dhcp, from_srv
from netprov.phone.fetch.load import Loaded, NotLoaded
from netprov.phone.handset.customization import Customization, Turn
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.schedule import random_delay
from netprov.phone.handset.settings import is_yes
from netprov.phone.onboarding import screen_fault
from netprov.phone.resync import POWER_UP, CodeWanted, resync, settle, triggered


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a search or a resync ended: by which mechanism the profile came and from where, or why there is none.

    Not `attempted`: the parameters wanted none.
    """

    provisioned: bool
    method: str = ""
    url: str = ""
    reason: str = ""
    customization: Customization = Customization.OPEN
    attempted: bool = True


def boot(handset: Handset, *, always: bool = False) -> Road[Outcome]:
    """Power the phone up: a lease first, then the search for a profile; `always`, whatever Resync_On_Reset says."""
    identity = handset.identity
    answer = yield AskDhcp(handset.option_60, handset.requested, identity.mac)
    if not isinstance(answer, Lease):
        assert isinstance(answer, Failed)
        yield Say("Network initialization: no DHCP lease", failure=True)
        return _failed(handset, f"no DHCP lease: {answer}")
    handset.lease = answer
    if not (is_yes(handset["Provision_Enable"]) and (always or is_yes(handset["Resync_On_Reset"]))):
        return _unwanted(handset, "Provision_Enable or Resync_On_Reset is No")
    if not triggered(handset):
        return _unwanted(handset, "neither Resync_Trigger_1 nor Resync_Trigger_2 holds")
    seconds = random_delay(handset["Resync_Random_Delay"], handset.draw)
    if seconds:
        yield Wait(seconds, "Resync_Random_Delay")
    if handset.behaviour.profile_rule and not handset.typed:
        handset.typed = True
        return (yield from enter(handset, handset.behaviour.profile_rule))
    return (yield from search(handset))


def enter(handset: Handset, rule: str) -> Road[Outcome]:
    """Enter a profile rule on the phone and press Resync (guide, "Manually Provision a Phone from the Keypad")."""
    yield Say(f"Profile Rule entered: {rule}")
    handset.turn(Turn.BY_HAND)
    handset.parameters["Profile_Rule"] = rule
    return (yield from _configured(handset))


def search(handset: Handset) -> Road[Outcome]:
    """Find a profile for a phone that has a lease."""
    assert handset.lease is not None
    handset.awaits_code = False
    if not handset["Profile_Rule"].startswith("/"):
        return (yield from _configured(handset))
    found = yield from from_dhcp(handset, handset.lease)
    if isinstance(found, Loaded):
        return (yield from _on_the_lan(handset, found, handset.found_by or "dhcp"))
    if found is Miss.FAILED and not handset.behaviour.fall_through:
        handset.turn(Turn.NAMED)
        return _failed(handset, handset.last_error)
    found = yield from from_srv(handset, handset.lease)
    if isinstance(found, Loaded):
        return (yield from _on_the_lan(handset, found, "srv"))
    reason = handset.last_error or "neither DHCP nor DNS names a provisioning server"
    for method, mechanism in (("edos", customize), ("device", enroll), ("gds", activate)):
        provided = yield from mechanism(handset)
        if provided is not None:
            return _provisioned(handset, provided, method)
    handset.awaits_code = not screen_fault(handset.identity.model.name, handset.software)
    return _failed(handset, reason)


def again(handset: Handset, reason: int, url: str = "") -> Road[Outcome]:
    """Resync a phone that is up, to `url` where one is given; search again where no profile ever named a server."""
    if not url and handset["Profile_Rule"].startswith("/"):
        return (yield from search(handset))
    return (yield from _configured(handset, reason, url))


def _configured(handset: Handset, reason: int = POWER_UP, url: str = "") -> Road[Outcome]:
    outcome = yield from resync(handset, reason, url)
    if isinstance(outcome, Loaded):
        outcome = yield from settle(handset, outcome)
    if isinstance(outcome, Loaded):
        return _provisioned(handset, outcome, "rule")
    if isinstance(outcome, CodeWanted):
        return (yield from by_code(handset))
    if outcome is None:  # nothing there to fetch, or its conditions do not hold now
        return _unwanted(handset, "no profile rule names a URL")
    return _failed(handset, outcome.error)


def by_code(handset: Handset, code: str = "") -> Road[Outcome]:
    """Ask for an activation code, as `gds://` says; `code` is what is typed."""
    loaded = yield from activate(handset, code)
    handset.awaits_code = loaded is None
    if loaded:
        return _provisioned(handset, loaded, "gds")
    return _failed(handset, "the phone shows its activation code screen, and no code led to a profile")


def _on_the_lan(handset: Handset, loaded: Loaded, method: str) -> Road[Outcome]:
    """Go where the first profile points: the LAN has answered, so remote customization is over."""
    handset.turn(Turn.LAN)
    handset.resynced = handset.now
    settled = yield from settle(handset, loaded)
    if isinstance(settled, CodeWanted):
        return (yield from by_code(handset))
    if isinstance(settled, NotLoaded):
        return _failed(handset, f"the first profile came from {loaded.url}, but then: {settled.error}")
    return _provisioned(handset, settled, method)


def _provisioned(handset: Handset, loaded: Loaded, method: str) -> Outcome:
    handset.awaits_code = False
    return Outcome(True, method, str(loaded.url), customization=handset.customization)


def _unwanted(handset: Handset, reason: str) -> Outcome:
    return Outcome(False, reason=reason, customization=handset.customization, attempted=False)


def _failed(handset: Handset, reason: str) -> Outcome:
    return Outcome(False, reason=reason, customization=handset.customization)
