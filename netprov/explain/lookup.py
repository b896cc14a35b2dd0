"""What went wrong in DNS, where it kept a phone from a server."""

from __future__ import annotations

from collections.abc import Sequence

from netprov.dns.service import SERVICES
from netprov.explain.timeline import tell
from netprov.explain.verdict import UNKNOWN, UNSEEN, Fault
from netprov.phone.action import Failed, Found, Resolve, Step, Trouble


def lookups(steps: Sequence[Step]) -> list[Fault]:
    """Return what went wrong in DNS, where it kept the phone from a server."""
    failed = [step for step in steps if isinstance(step.action, Resolve) and isinstance(step.result, Failed)]
    srv = [step for step in steps if isinstance(step.action, Resolve) and step.action.type == "SRV"]
    answered = [step for step in srv if isinstance(step.result, Found)]
    targets = {
        record.target for step in answered if isinstance(step.result, Found) for record in step.result.records
    }
    faults = []
    if answered and targets <= {"", "."}:
        faults.append(Fault("srv-no-service", tell(answered[0]).asked, answered[0]))
    for step in failed:
        assert isinstance(step.action, Resolve)
        assert isinstance(step.result, Failed)
        name, trouble = step.action.name, step.result.trouble
        missing = trouble in {Trouble.NXDOMAIN, Trouble.NODATA}
        if missing and step.action.type == "A" and not _is_domain(name, srv):
            cause = "target-no-address" if name in targets else "host-no-address"
            faults.append(Fault(cause, f"A {name}: {step.result}", step))
        elif not missing:
            faults.append(
                Fault(_DNS.get(trouble, "dns-failed"), f"{step.action.type} {name}: {step.result}", step)
            )
    if srv and not answered and not faults:
        names = ", ".join(step.action.name for step in srv if isinstance(step.action, Resolve))
        faults.append(Fault("srv-missing", f"{names}: {srv[0].result}", srv[0]))
    return faults


_DNS = {
    Trouble.TIMEOUT: "dns-silent",
    Trouble.REFUSED: "dns-closed",
    Trouble.UNREACHABLE: "dns-silent",
    Trouble.DNS_REFUSED: "dns-refused",
    Trouble.ELSEWHERE: UNKNOWN,
    Trouble.UNSEEN: UNSEEN,
}


def _is_domain(name: str, srv: Sequence[Step]) -> bool:
    """Tell whether a name is the domain itself, whose address a phone asks for without needing it."""
    owners = {f"{label}.{name}" for label in SERVICES.values()}
    return any(isinstance(step.action, Resolve) and step.action.name in owners for step in srv)
