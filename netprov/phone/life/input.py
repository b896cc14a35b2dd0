"""What happens to a phone from outside: keys, its web page, SIP NOTIFY, the cable, the power.

Cisco's guides: "Manually Provision a Phone from the Keypad", "Phone Provisioning Practices", the resync and upgrade URLs
(`/admin/resync?`, `/admin/upgrade?`), `Resync_From_SIP`, `Report_To_Server`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResyncAsked:
    """Resync now, or as soon as nobody calls where it is not `pressed` at the phone; to `url`, or by the rules where it is ""."""

    url: str = ""
    pressed: bool = False


@dataclass(frozen=True, slots=True)
class UpgradeAsked:
    """Upgrade to the load of `url`, or by the rule where it is ""."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class ReportAsked:
    """Send what `Report_Rule` says (SIP NOTIFY with `Event: report`)."""


@dataclass(frozen=True, slots=True)
class ConnectionRequested:
    """The ACS asks for a session (TR-069 section 3.2.2)."""


@dataclass(frozen=True, slots=True)
class RuleEntered:
    """A profile rule is entered at the phone or on its web page; Resync follows it."""

    rule: str


@dataclass(frozen=True, slots=True)
class CodeEntered:
    """An activation code is typed at the screen that asks for it."""

    code: str


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """A parameter is set at the phone or on its web page."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FormSubmitted:
    """What was changed on the phone's web page, when "Submit All Changes" is clicked."""

    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CallPlaced:
    """A call begins."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call ends."""


@dataclass(frozen=True, slots=True)
class LeaseAsked:
    """DHCP is asked again, as when a lease has run out."""


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The cable was pulled and plugged in again, perhaps elsewhere."""


@dataclass(frozen=True, slots=True)
class PowerCycled:
    """The power went and came back."""


@dataclass(frozen=True, slots=True)
class ResetToFactory:
    """Everything that was ever set is forgotten, and the phone starts."""


Queued = (
    ResyncAsked
    | UpgradeAsked
    | ReportAsked
    | ConnectionRequested
    | RuleEntered
    | CodeEntered
    | ParameterSet
    | FormSubmitted
    | LeaseAsked
)
"""What a phone sees to in turn, once it has finished what it is about."""

Input = Queued | CallPlaced | CallEnded | LinkChanged | PowerCycled | ResetToFactory
