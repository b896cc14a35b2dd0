"""Strangers: who was seen on the LAN, by the device records and the leases, and is not listed."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from netprov.dhcp.lease import Lease
from netprov.dhcp.message import dotted
from netprov.mac import format_mac
from netprov.state.clock import LeaseClock
from netprov.state.device import DeviceRecord, count_history, load_devices
from netprov.state.lease import LeaseReader


@dataclass(frozen=True, slots=True)
class Stranger:
    """One of them; times are seconds since 1970. What it says of itself (model, vendor class, host name) is a claim."""

    mac: str
    address: str
    model: str
    """By its User-Agent."""
    vendor_class: str
    host_name: str
    relay: bytes
    """Option 82 of its lease: the relay's word, not its own."""
    first: float
    last: float
    events: int
    """What is on record of it."""


def load_strangers(state: Path, listed: Collection[str]) -> tuple[Stranger, ...]:
    """Return who was seen and is not listed, who was seen last first. Raises `ServiceError`."""
    records = {each.mac: each for each in load_devices(state) if each.mac and each.mac not in listed}
    reader = LeaseReader(state)
    # Of several leases of one client, the newest.
    leases = {format_mac(each.mac): each for each in sorted(reader.leases(), key=lambda each: each.started)}
    to_wall = time.time() - LeaseClock(reader.anchor()).now() if leases else 0.0
    counts = count_history(state)
    macs = records.keys() | {mac for mac in leases if mac and mac not in listed}
    found = [_stranger(mac, records.get(mac), leases.get(mac), to_wall, counts.get(mac, 0)) for mac in macs]
    return tuple(sorted(found, key=lambda each: (-each.last, each.mac)))


def _stranger(
    mac: str, record: DeviceRecord | None, lease: Lease | None, to_wall: float, events: int
) -> Stranger:
    seen = [record.first, record.last] if record else []
    seen += [lease.started + to_wall] if lease else []
    return Stranger(
        mac,
        (record.address if record else "") or (dotted(lease.address) if lease else ""),
        record.model if record else "",
        lease.vendor_class if lease else "",
        lease.hostname if lease else "",
        lease.relay if lease else b"",
        min(seen),
        max(seen),
        events,
    )
