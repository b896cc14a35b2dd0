"""Where a phone stands: what each fact about it changes in its device record."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.machine import Event
from netprov.provision.event import (
    Asked,
    FileSent,
    PhoneSaid,
    Posted,
    Reported,
    RequestRefused,
    SyslogLine,
    TlsFailed,
    TransferFailed,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """What an event tells of a phone; "" for what it does not tell."""

    address: str = ""
    mac: str = ""
    model: str = ""
    firmware: str = ""
    standing: str = ""
    got_profile: bool = False
    refused: bool = False
    proven: bool | None = True
    """Whether the sender is that phone; None for a claim that only the records can compare with what they know."""


def fact_of(event: Event) -> Fact | None:
    """Return what an event of the provisioning servers tells, None for any other event.

    A 404 says nothing about where a phone stands: the ladder is made of them.
    """
    match event:
        case Asked():
            return _asked(event)
        case Reported(address=address, mac=mac, fields=fields, proven=proven):
            return Fact(address, mac, firmware=_reported_firmware(fields), proven=proven)
        case Posted(address=address, mac=mac, proven=proven):
            return Fact(address, mac, proven=proven)
        case PhoneSaid(address=address, mac=mac, told=told):
            standing = "" if told.outcome == "asked" else str(told)
            return Fact(address, mac, told.model, standing=standing, proven=None)
        case SyslogLine(address=address):
            return Fact(address)
        case TlsFailed(address=address, reason=reason):
            return Fact(address, standing=f"TLS failed: {reason}", refused=True)
        case RequestRefused(address=address, status=status, reason=reason):
            return Fact(address, standing=f"refused: {status} {reason}", refused=True)
        case TransferFailed(address=address, path=path, reason=reason):
            return Fact(address, standing=f"TFTP of {path} ended early: {reason}")
        case FileSent(address=address):
            return Fact(address)
        case _:
            return None


def _asked(event: Asked) -> Fact:
    agent = event.agent
    standing = ""
    if event.status == 200 and event.kind == "profile":
        standing = f"provisioned over {event.scheme}"
    elif event.status == 200 and event.kind == "bootstrap":
        standing = f"bootstrapped over {event.scheme}"
    elif event.status not in {200, 301, 302, 304, 404}:
        standing = f"refused {event.path}: {event.status} {event.reason}"
    mac = event.mac or (agent.mac if agent else "")
    return Fact(
        event.address,
        mac,
        agent.model if agent else "",
        agent.firmware if agent else "",
        standing,
        got_profile=event.kind == "profile" and event.status == 200,
        refused=event.status >= 400,
        # User-Agent is anybody's to send: what it alone says is compared with what is known.
        proven=event.proven if event.mac else None,
    )


def _reported_firmware(fields: object) -> str:
    if not hasattr(fields, "items"):
        return ""
    for name, value in fields.items():
        if name.rpartition("/")[2].lower() in {"software_version", "firmware_version", "firmware"}:
            return str(value)
    return ""
