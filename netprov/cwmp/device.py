"""What an ACS knows of its devices, and what it wants of one that Informs: settings, and its profile.

Pure: `identify`, `settings_for` and `download_for` decide; netprov.cwmp.acs says it in a session.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import ClassVar, Final

from netprov.cwmp import rpc
from netprov.cwmp.config import MODEL, AcsConfig, Target
from netprov.cwmp.parameter import (
    INTERVAL,
    MAC_ADDRESS,
    PARAMETER_KEY,
    PERIODIC,
    PROVISIONING_CODE,
    REQUEST_URL,
)
from netprov.mac import read_mac

OUTSTANDING: Final = 600.0
"""Seconds that a phone has for a transfer before it is asked for again."""

FAILED: Final = 300.0
"""Seconds after a failed transfer before it is asked for again."""

TEXT: Final = 256
"""Characters kept of a text that a device sent; the schema allows its identity 198."""


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of one device; times are in seconds, 0 for never.

    `requested` and `applied` are the command keys, which are revisions of a profile, of the last Download asked for
    and of the last that the device reported done. Until `hold_until` it is not asked again. `taken_key` is the ParameterKey of
    the settings that it took last, `key_before` the one that it told before. `request_url` is where it takes connection requests, `request_password` what was
    set for them, `request_refused` why it did not take that.
    """

    key: str
    mac: str = ""
    listed: bool = False
    product_class: str = ""
    software: str = ""
    address: str = ""
    informed_at: float = 0
    codes: tuple[str, ...] = ()
    requested: str = ""
    applied: str = ""
    hold_until: float = 0
    fault: str = ""
    refused_key: str = ""
    taken_key: str = ""
    key_before: str = ""
    request_url: str = ""
    request_password: str = field(default="", repr=False)
    request_refused: str = ""


@dataclass(frozen=True, slots=True)
class InformReceived:
    """A device opened a session."""

    device: str
    mac: str
    source: str
    codes: tuple[str, ...]
    listed: bool
    product_class: str = field(default="", repr=False)
    software: str = field(default="", repr=False)
    event_kind: ClassVar[str] = "InformReceived"

    def __str__(self) -> str:
        listed = "" if self.listed else ", which is not in the inventory"
        return f"{self.device} {self.mac or 'without a MAC'} at {self.source}{listed}: Inform {', '.join(self.codes)}"


@dataclass(frozen=True, slots=True)
class Configured:
    """A device took settings."""

    device: str
    names: tuple[str, ...]
    event_kind: ClassVar[str] = "Configured"

    def __str__(self) -> str:
        return f"{self.device}: set {', '.join(name.rpartition('.')[2] for name in self.names)}"


@dataclass(frozen=True, slots=True)
class DownloadRequested:
    """A device agreed to fetch its profile."""

    device: str
    url: str
    command_key: str
    event_kind: ClassVar[str] = "DownloadRequested"

    def __str__(self) -> str:
        return f"{self.device}: Download {self.url} ({self.command_key})"


@dataclass(frozen=True, slots=True)
class FileTransferred:
    """A device reported how a transfer ended; fault code 0 is success."""

    device: str
    mac: str
    command_key: str
    fault_code: int
    fault_text: str
    source: str = ""
    event_kind: ClassVar[str] = "FileTransferred"

    def __str__(self) -> str:
        said = str(rpc.Fault(self.fault_code, self.fault_text)) if self.fault_code else "done"
        return f"{self.device} {self.mac}: transfer {self.command_key}: {said}"


@dataclass(frozen=True, slots=True)
class Faulted:
    """A device refused a call."""

    device: str
    method: str
    fault: rpc.Fault
    mac: str = ""
    event_kind: ClassVar[str] = "Faulted"

    def __str__(self) -> str:
        parts = "".join(f"; {each.name}: {rpc.Fault(each.code, each.text)}" for each in self.fault.parameters)
        return f"{self.device}: {self.method} refused: {self.fault}{parts}"


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """Something was posted that is no message, or none that could come here."""

    source: str
    reason: str
    mac: str = ""
    sent: str = ""
    event_kind: ClassVar[str] = "MessageRefused"

    def __str__(self) -> str:
        sent = f": {self.sent}" if self.sent else ""
        return f"{self.source}: 400 {self.reason}{sent}"


AcsEvent = InformReceived | Configured | DownloadRequested | FileTransferred | Faulted | MessageRefused


def told_macs(inform: rpc.Inform) -> tuple[str, ...]:
    """Return the MAC addresses that a device tells of itself: as its serial number, and as its LAN's."""
    told = (
        read_mac(inform.device.serial),
        read_mac(inform.parameter(MAC_ADDRESS)),
        read_mac(inform.parameter(".MACAddress")),
    )
    return tuple(mac for mac in told if mac)


def identify(
    inform: rpc.Inform, source: str, config: AcsConfig, certificate: str = ""
) -> tuple[str, Target | None]:
    """Return a device's MAC address, "" if it does not tell, and its entry in the inventory.

    A phone is known by the MAC address of its client certificate, if it has shown one, by a MAC address in its serial number or
    its LAN parameters, by its serial number, and last by the fixed address that DHCP gave it.
    """
    if certificate:
        return certificate, config.targets.get(certificate)
    macs = told_macs(inform)
    known = (
        *macs,
        config.serials.get(inform.device.serial.lower(), ""),
        config.addresses.get(source, ""),
    )
    for mac in known:
        if mac in config.targets:
            return mac, config.targets[mac]
    return (macs[0] if macs else ""), None


def target_of(device: Device, config: AcsConfig) -> Target | None:
    """Return where a device's profile is: its own, or the bootstrap profile of its model."""
    target = config.targets.get(device.mac)
    if target is None:
        target = Target(device.mac, config.bootstrap_url, config.bootstrap_revision)
    if MODEL in target.url and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", device.product_class):
        return None
    return replace(target, url=target.url.replace(MODEL, device.product_class)) if target.url else None


def settings_for(device: Device, inform: rpc.Inform, config: AcsConfig) -> rpc.SetParameterValues | None:
    """Return the settings a device still needs, told by the ParameterKey it reports (annex A.3.2.1), or None.

    A factory-fresh phone Informs every 20 seconds, which a hundred phones make five sessions a second.
    """
    target = config.targets.get(device.mac)
    code = target.provisioning_code if target else ""
    key = _settings_key(config.inform_interval, code)
    told = inform.parameter(PARAMETER_KEY)
    if key in {told, device.refused_key}:
        return None
    if device.taken_key == key and told == device.key_before:
        return None  # it took them, and keeps no ParameterKey: asked again, it would take them for ever
    root = root_of(inform)
    values = [
        rpc.ParameterValue(root + PERIODIC, "1", "xsd:boolean"),
        rpc.ParameterValue(root + INTERVAL, str(config.inform_interval), "xsd:unsignedInt"),
    ]
    if code:
        values.append(rpc.ParameterValue(root + PROVISIONING_CODE, code))
    return rpc.SetParameterValues(tuple(values), key)


def _settings_key(interval: int, code: str) -> str:
    """Return the ParameterKey of settings: at most 32 characters (annex A.3.2.1), another for every other setting."""
    return f"netprov-{sha256(f'{interval} {code}'.encode()).hexdigest()[:24]}"


def download_for(device: Device, config: AcsConfig, now: float) -> rpc.Download | None:
    """Return the profile that a device is to fetch now, or None if it has it, or was asked a moment ago."""
    target = target_of(device, config)
    if target is None or device.applied == target.revision:
        return None
    if device.requested == target.revision and now < device.hold_until:
        return None
    return rpc.Download(target.revision, rpc.CONFIGURATION, target.url)


def behind(device: Device, config: AcsConfig) -> str:
    """Return why a device has not got its profile yet, "" for one that has."""
    missing = download_for(device, config, float("inf"))
    if missing is None:
        return ""
    if device.requested != missing.command_key:
        return "it is asked to load its profile at its next Inform"
    return device.fault or "it was asked to load its profile, and has not told that it has"


def after_inform(device: Device, inform: rpc.Inform, codes: tuple[str, ...], now: float) -> Device:
    """Return a device's record as an Inform changes it: after a factory reset or a restart, what it had is void.

    Not so when the Inform also tells of a transfer: a phone that restarts to apply its profile has just got it.
    """
    device = replace(
        device,
        product_class=inform.device.product_class[:TEXT],
        software=inform.parameter("DeviceInfo.SoftwareVersion")[:TEXT],
        informed_at=now,
        codes=codes,
        request_url=inform.parameter(REQUEST_URL)[:TEXT],
    )
    if "0 BOOTSTRAP" in codes:
        device = replace(device, request_password="", request_refused="")
    if "7 TRANSFER COMPLETE" in codes:
        return device
    if "0 BOOTSTRAP" in codes:
        return replace(device, applied="", hold_until=0, refused_key="", taken_key="")
    return replace(device, hold_until=0) if "1 BOOT" in codes else device


def root_of(inform: rpc.Inform) -> str:
    """Return the root object of a device's data model, with its dot: Device, or InternetGatewayDevice."""
    first = next((each.name for each in inform.parameters if "." in each.name), "Device.")
    return first.partition(".")[0] + "."
