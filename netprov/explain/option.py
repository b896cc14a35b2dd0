"""What the options of a lease have to do with a failure: where they lead, what is odd about them, what no phone can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netprov.dhcp.option import table as code
from netprov.dhcp.option.provisioning import ACS_CODES, ORDER
from netprov.dhcp.option.remark import HARMLESS, Oddity, remarks
from netprov.dhcp.option.vendor import ACS_MARK
from netprov.dns.service import SERVICES
from netprov.explain.verdict import Fault
from netprov.phone.action import AskDhcp, Fetch, Lease, Resolve, Step
from netprov.phone.source import Source, Unusable, read_options

LOOKED_AT = (code.DOMAIN, *(option for option in ORDER if option != code.VENDOR_CLASS))
"""Options whose octets matter to provisioning; a vendor class is only echoed."""


def is_managed(steps: Sequence[Step]) -> bool:
    """Tell whether TR-069 is on in the phone, as its vendor class says."""
    return any(isinstance(step.action, AskDhcp) and ACS_MARK in step.action.vendor_class for step in steps)


def option_fault(source: Source | Unusable, options: Mapping[int, bytes], *, managed: bool) -> Fault | None:
    """Return why an option leads a phone nowhere, None where it does not say so."""
    if isinstance(source, Source):
        if source.acs_url and not managed:
            return Fault("tr069-off", f"option {source.option} names {source.acs_url}")
        return None
    if source.option == code.VENDOR_CLASS or (source.option in ACS_CODES and not managed):
        return None  # the vendor class echoed, or information for other clients
    found = {remark.oddity for remark in remarks(source.option, options[source.option])}
    cause = "option-octets" if Oddity.BINARY_ADDRESS in found else "option-value"
    return Fault(cause, f"option {source.option}: {source.reason}")


def oddities(lease: Lease, step: Step) -> Iterator[Fault]:
    """Yield what is odd about the octets of options that matter, whether a phone stumbles over it or not."""
    for option in LOOKED_AT:
        for remark in remarks(option, lease.options[option]) if option in lease.options else ():
            if remark.oddity not in HARMLESS:
                yield Fault("option-odd", f"option {option}: {remark.clause}", step)


def misread(lease: Lease, fault: Fault) -> str:
    """Return what is odd about the option by which a phone came to a host that has no address, "" for nothing."""
    action = fault.step.action if fault.step else None
    if not isinstance(action, Resolve):
        return ""
    wanted = action.name.strip().rstrip(".").rstrip("\0").encode()
    for option in ORDER:
        data = lease.options.get(option, b"")
        if option != code.VENDOR_CLASS and wanted in data:
            odd = [each for each in remarks(option, data) if each.oddity not in HARMLESS]
            if odd:
                return f"option {option}: {odd[0].clause}"
    return ""


def uncaptured(steps: Sequence[Step], lease: Lease) -> Fault | None:
    """Tell of a lease that leads somewhere, after which nothing of the phone was seen: that is no evidence of more."""
    if any(isinstance(step.action, Resolve | Fetch) for step in steps):
        return None
    step = next(step for step in reversed(steps) if isinstance(step.result, Lease))
    managed = is_managed(steps)
    for source in read_options(lease.options):
        if isinstance(source, Source) and (managed or not source.acs_url):
            named = source.acs_url or ", ".join(source.values)
            return Fault("not-captured", f"option {source.option} of the lease names {named}", step)
    if lease.domain and lease.dns:
        named = f"{SERVICES['https']}.{lease.domain} at {', '.join(lease.dns)}"
        return Fault("not-captured", f"the lease leads to a lookup of {named}", step)
    return None
