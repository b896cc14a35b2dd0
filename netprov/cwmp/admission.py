"""Whose Inform an ACS takes in: the version that both speak, and the client certificate that a device has shown.

A certificate says who a device is before anything that it tells of itself (TR-069 section 3.4.4, 3.4.5): one that tells
something else is refused. Versions are those of section 3.5, "SupportedCWMPVersions" and "UseCWMPVersion".
"""

from __future__ import annotations

from collections.abc import Sequence

from netprov.cwmp import rpc
from netprov.cwmp.config import AcsConfig, Target
from netprov.cwmp.device import told_macs
from netprov.cwmp.soap import CWMP_VERSIONS

VERSIONS = tuple(each.replace("-", ".") for each in CWMP_VERSIONS)
"""The protocol versions that this ACS speaks; what they differ in is what it does not use."""


def agreed(supported: Sequence[str]) -> str:
    """Return the newest version that a CPE offers and this ACS speaks, "" for none."""
    return max((each for each in VERSIONS if each in supported), key=VERSIONS.index, default="")


def refusal(
    message: rpc.Message, inform: rpc.Inform, target: Target | None, certificate: str, config: AcsConfig
) -> rpc.Fault | None:
    """Return why an Inform is not taken in, None if it is; `certificate` is the MAC address of the one that was shown."""
    if message.supported and not agreed(message.supported):
        return rpc.Fault(8006, f"the ACS speaks CWMP {VERSIONS[0]} to {VERSIONS[-1]}")
    if not certificate:
        if target is not None and target.certified:
            return rpc.Fault(
                8001, f"{target.mac} is known by its client certificate alone, and none was shown"
            )
        return None
    told = {*told_macs(inform), config.serials.get(inform.device.serial.lower(), "")} - {""}
    if told - {certificate}:
        other = min(told - {certificate})
        return rpc.Fault(
            8001, f"the client certificate is of {certificate}, and the device says that it is {other}"
        )
    return None
