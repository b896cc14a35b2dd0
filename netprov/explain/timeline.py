"""A timeline in words: what each step asked, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from netprov.dhcp.option import table as code
from netprov.dhcp.option.provisioning import ORDER
from netprov.dhcp.option.table import show
from netprov.phone.action import (
    AskDhcp,
    Done,
    Failed,
    Fetch,
    Found,
    Lease,
    Resolve,
    Response,
    Say,
    Step,
    Wait,
)

REASON = "netprov-reason"
"""The field in which a refusal of our own servers, on record, says why it was."""

SHOWN = (code.DNS, code.DOMAIN, code.NTP, *ORDER)
"""Options of a lease that matter to provisioning, in the order they are told."""


@dataclass(frozen=True, slots=True)
class StepText:
    """One step in words; `kind` is dhcp, dns, tftp, http, https, wait or phone."""

    kind: str
    asked: str
    answered: str
    fine: bool


def tell(step: Step) -> StepText:
    """Put one step into words."""
    fine = not isinstance(step.result, Failed)
    match step.action:
        case AskDhcp(vendor_class):
            return StepText("dhcp", f"DISCOVER, REQUEST as {vendor_class!r}", _answer(step), fine)
        case Resolve(name, kind):
            return StepText("dns", f"{kind} {name}", _answer(step), fine)
        case Fetch() as fetch:
            verb = "RRQ" if fetch.url.scheme == "tftp" else fetch.method
            at = "" if fetch.url.by_address else f" at {fetch.address}"
            name = f", certificate for {fetch.verify}" if fetch.verify else ""
            fine = isinstance(step.result, Response) and step.result.status < 300
            return StepText(fetch.url.scheme, f"{verb} {fetch.url}{at}{name}", _answer(step), fine)
        case Wait(seconds, why):
            span = "until somebody asks" if seconds == inf else f"{seconds:g} s"
            return StepText("wait", f"{span}, {why}", "", True)
        case Say(text, _, failure):
            return StepText("phone", text, "", not failure)


def as_data(step: Step) -> Mapping[str, object]:
    """Return a step as plain data, for JSON."""
    told = tell(step)
    data: dict[str, object] = {
        "kind": told.kind,
        "asked": told.asked,
        "answered": told.answered,
        "fine": told.fine,
        "milliseconds": round(step.seconds * 1000, 3),
        "octets_asked": step.asked,
        "octets_answered": step.answered,
    }
    if isinstance(step.result, Failed):
        data["trouble"] = step.result.trouble.name.lower()
    if isinstance(step.result, Response):
        data["status"] = step.result.status
    if isinstance(step.result, Lease):
        data["options"] = {str(code): value.hex() for code, value in step.result.options.items()}
    return data


def _answer(step: Step) -> str:
    match step.result:
        case Lease(address, server, options):
            told = [f"{code} {show(code, options[code])}" for code in SHOWN if code in options]
            return f"{address} from {server}" + (f"; {', '.join(told)}" if told else "")
        case Found(addresses, records):
            targets = [f"{r.priority} {r.weight} {r.port} {r.target}" for r in records]
            return ", ".join([*addresses, *targets])
        case Response(status, body) as response:
            if reason := response.header(REASON):
                return f"{status}, {reason}"
            if step.action.__class__ is Fetch and step.action.url.scheme == "tftp":
                return f"{len(body)} octets"
            if status < 0:
                return "an answer that is not at hand" + (
                    f", {step.answered} octets" if step.answered else ""
                )
            return f"{status}, {len(body)} octets"
        case Failed() as failed:
            return str(failed)
        case Done():
            return ""
