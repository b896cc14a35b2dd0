"""Whose a file of a static tree is: what its class demands holds for such files as for the phone's profile."""

from __future__ import annotations

import re
from collections.abc import Iterable

from netprov.mac import bare_mac
from netprov.provision.config import Device

_SEPARATORS = re.compile(r"[:.-]")
_DIGITS = re.compile(r"[0-9a-f]{12,}")
_MAC_DIGITS = 12


class Owners:
    """Tells by a file's name which listed phone it is for: its MAC address in any notation, or its serial number."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._named: dict[str, Device] = {}
        for device in devices:
            if device.serial:
                self._named[device.serial.lower()] = device
            self._named[bare_mac(device.mac)] = device

    def of(self, path: str) -> Device | None:
        """Return the phone that a path names, None if it names none that is listed."""
        for part in path.lower().split("/"):
            if (found := self._named.get(part.partition(".")[0])) is not None:
                return found
            for run in _DIGITS.findall(_SEPARATORS.sub("", part)):
                for start in range(len(run) - _MAC_DIGITS + 1):
                    if (found := self._named.get(run[start : start + _MAC_DIGITS])) is not None:
                        return found
        return None
