"""Onboarding by Cisco's cloud: the services that a phone asks, and the activation codes that it takes.

Cisco's guide, "Onboard Your Phone with the Activation Code" (16 digits, from 11.2(3)MSR1), "Enable Auto Provisioning with
Short Activation Code" (# and 3 to 16 digits, from 11.3(1)), "Remote Customization (RC) Distribution" (activate.cisco.com
from 11.2(1), webapps.cisco.com before); the 6800 series' administration guide for the model without codes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from netprov.hostport import PORTS
from netprov.provision.firmware import firmware_version

CODE = re.compile(r"[0-9]{16}")
SHORT_CODE = re.compile(r"#[0-9]{3,16}")
"""Both kinds of activation code: digits of ASCII, which is what the keypad has."""

CODES_SINCE, SHORT_CODES_SINCE, ACTIVATE_SINCE = "11.2(3)MSR1", "11.3(1)", "11.2(1)"
WITHOUT_CODES = frozenset({"CP-6861-3PCC"})


@dataclass(frozen=True, slots=True)
class CloudService:
    """One name that a firewall must let phones reach; firmware before `since`, or from `before` on, does not ask it."""

    name: str
    port: int
    purpose: str
    since: str = ""
    before: str = ""

    def asked_by(self, firmware: str) -> bool:
        """Tell whether phones of a firmware ask it; one that is not known counts as new."""
        version = firmware_version(firmware)
        since, before = firmware_version(self.since), firmware_version(self.before)
        if version is None:
            return before is None
        return (since is None or version >= since) and (before is None or version < before)


DEVICE_ACTIVATION = CloudService(
    "activate.cisco.com",
    PORTS["https"],
    "the provider of a new phone, by MAC (EDOS, RC)",
    since=ACTIVATE_SINCE,
)
REMOTE_CUSTOMIZATION = CloudService(
    "webapps.cisco.com",
    PORTS["https"],
    "the provider of a new phone, by MAC (EDOS, RC)",
    before=ACTIVATE_SINCE,
)
SERVICES = (
    DEVICE_ACTIVATION,
    REMOTE_CUSTOMIZATION,
    CloudService("activation.webex.com", PORTS["https"], "activation codes (GDS)", since=CODES_SINCE),
    CloudService(
        "sudirenewal.cisco.com", PORTS["http"], "renewal of the phone's own certificate", since="11.3(5)"
    ),
)
"""What to allow through a firewall, and why (guide; release notes for the last)."""


def redirector_of(firmware: str) -> str:
    """Return the name of Cisco's that a phone from the box asks for its provider."""
    return (DEVICE_ACTIVATION if DEVICE_ACTIVATION.asked_by(firmware) else REMOTE_CUSTOMIZATION).name


def screen_fault(model: str, firmware: str) -> str:
    """Return why a phone has no screen for activation codes, "" if it has one."""
    if model in WITHOUT_CODES:
        return f"{model} takes no activation codes"
    return _older(firmware, CODES_SINCE, "activation codes")


def code_fault(code: str, model: str, firmware: str) -> str:
    """Return why a phone does not take a code, "" if it does."""
    if fault := screen_fault(model, firmware):
        return fault
    if SHORT_CODE.fullmatch(code):
        return _older(firmware, SHORT_CODES_SINCE, "short activation codes")
    return "" if CODE.fullmatch(code) else "a code is 16 digits, or # and 3 to 16 digits"


def _older(firmware: str, since: str, what: str) -> str:
    ours, needed = firmware_version(firmware), firmware_version(since)
    if ours is None or needed is None or ours >= needed:
        return ""
    return f"firmware {firmware} has no {what}: they come with {since}"
