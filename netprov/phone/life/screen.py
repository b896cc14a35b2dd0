"""What a phone shows: its screen, its status page of provisioning, its parameters.

Cisco's guides: "Status > Phone Status > Provisioning" on the phone and "Provisioning Status" on the web page, whose fields
these are; the words of the screens are ours, but for those that the guides print.
"""

from __future__ import annotations

from netprov.phone.action import AskDhcp, Fetch, Resolve, Wait
from netprov.phone.handset.history import Attempt
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.schedule import DAY
from netprov.phone.handset.settings import LINES
from netprov.phone.life.machine import LivingPhone
from netprov.phone.onboarding import screen_fault
from netprov.phone.rule.conceal import conceal, is_hidden

Lines = tuple[str, ...]


def screen(phone: LivingPhone) -> Lines:
    """Return what the phone's screen shows now."""
    handset = phone.handset
    top = f"{handset.identity.model.name}  {clock(handset.now)}"
    match phone.action:
        case AskDhcp():
            return top, "Initializing network"
        case Resolve() | Fetch():
            return top, "Provisioning"
        case Wait() if handset.lease is None:
            return top, "Network is not available"
    if handset.awaits_code:
        return top, *_code_screen(handset)
    return top, *_lines(phone), *(("In a call",) if handset.calls else ())


def status(phone: LivingPhone) -> Lines:
    """Return the page Status > Phone Status > Provisioning."""
    handset = phone.handset
    rows = [
        ("Software version", handset.software),
        ("Customization state", str(handset.customization)),
        ("IP address", handset.lease.address if handset.lease else ""),
        ("Provisioning profile", conceal(handset["Profile_Rule"])),
        *_attempts("Provisioning status", handset.history.resyncs),
        *_attempts("Firmware upgrade status", handset.history.upgrades),
        ("Custom CA", f"Installed from {handset.loaded_ca}" if handset.loaded_ca else "Not installed"),
        *_managed(handset),
        ("Next", _next(phone)),
    ]
    return tuple(f"{name:26} {value}".rstrip() for name, value in rows)


def parameters(phone: LivingPhone, wanted: str = "") -> Lines:
    """Return parameters as NAME=VALUE: those whose names begin with `wanted`; never what a phone hides."""
    found = phone.handset.parameters.items()
    return tuple(
        f"{name}={'' if is_hidden(name) else conceal(value)}"
        for name, value in found
        if name.startswith(wanted)
    )


def clock(now: float) -> str:
    """Return a phone's time: the day since it was switched on, and the time of day."""
    day, seconds = divmod(int(now), DAY)
    return f"day {day + 1} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _code_screen(handset: Handset) -> Lines:
    if fault := screen_fault(handset.identity.model.name, handset.software):
        return (fault,)
    return "Enter activation code", *((f"  {handset.notice}",) if handset.notice else ())


def _lines(phone: LivingPhone) -> Lines:
    """Return what is beside the line keys; an unprovisioned phone has nothing there."""
    handset = phone.handset
    shown = (handset[f"Display_Name_{n}_"] or handset[f"User_ID_{n}_"] for n in range(1, LINES + 1))
    return tuple(each for each in shown if each) or ("Phone is not provisioned",)


def _managed(handset: Handset) -> list[tuple[str, str]]:
    found = handset.management
    if found is None:
        return []
    url = found.cpe.parameters.value("ManagementServer.ConnectionRequestURL")
    return [("ACS URL in use", found.url), ("Connection request URL", url)]


def _attempts(name: str, attempts: list[Attempt]) -> list[tuple[str, str]]:
    return [
        (f"{name} {number}", f"{clock(each.when)} {_outcome(each)}")
        for number, each in enumerate(attempts, 1)
    ] or [(f"{name} 1", "")]


def _outcome(attempt: Attempt) -> str:
    if attempt.error:
        return f"failed: {attempt.error}"
    return f"succeeded: {attempt.what}"


def _next(phone: LivingPhone) -> str:
    if phone.handset.lease is None and isinstance(phone.action, Wait):
        return f"{clock(phone.since + phone.action.seconds)} DHCP"
    due = phone.life.agenda.next()
    if due is None:
        return "nothing is due"
    return f"{clock(due[0])} {due[1]}"
