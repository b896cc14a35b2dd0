"""What an ACS serves, and to which devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

MODEL: Final = "{product_class}"
"""Stands in a URL for the product class that a device tells."""


@dataclass(frozen=True, slots=True)
class Target:
    """A listed device: `url` is its profile ("" for none, `MODEL` for its product class); `revision` changes with it.

    One that is `certified` is known by its client certificate, and by nothing else.
    """

    mac: str
    url: str
    revision: str
    serial: str = ""
    address: str = ""
    provisioning_code: str = ""
    certified: bool = False


@dataclass(frozen=True, slots=True)
class AcsConfig:
    """What an ACS serves.

    `targets` are the listed devices by MAC address (lower-case pairs joined by colons), `serials` and `addresses` lead
    to their MACs; `inform_interval` is in seconds. An unlisted device gets `bootstrap_url`, or, where that is
    empty, nothing: it is recorded alone.
    """

    targets: Mapping[str, Target] = field(default_factory=dict)
    serials: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    inform_interval: int = 3600
    bootstrap_url: str = ""
    bootstrap_revision: str = "bootstrap"


def configure(
    targets: Iterable[Target], *, inform_interval: int = 3600, bootstrap_url: str = ""
) -> AcsConfig:
    """Return the configuration for these devices."""
    listed = tuple(targets)
    return AcsConfig(
        targets={target.mac: target for target in listed},
        serials={target.serial.lower(): target.mac for target in listed if target.serial},
        addresses={target.address: target.mac for target in listed if target.address},
        inform_interval=inform_interval,
        bootstrap_url=bootstrap_url,
    )
