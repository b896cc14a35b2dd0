"""What templates, and sources, know of a phone."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.provision.config import Device


def phone_fields(device: Device) -> Mapping[str, str]:
    """Return what is known of a phone by the inventory, by the names that templates use."""
    return {
        "mac": device.mac,
        "model": device.model,
        "serial": device.serial,
        "firmware": device.firmware,
        "name": device.name,
        "class": device.class_name,
        "profile": device.profile,
    }
