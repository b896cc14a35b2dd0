"""Leases as other DHCP servers keep them: ISC dhcpd's lease file, Kea's memfile CSV; and as plain CSV.

`dhcpd.leases(5)`; Kea 2.2 "lfc" columns for DHCPv4. Times in the files are wall time, in UTC.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from netprov.dhcp.lease import Lease, LeaseState
from netprov.dhcp.message import dotted
from netprov.mac import format_mac
from netprov.text import visible

_KEA_HEAD = (
    "address", "hwaddr", "client_id", "valid_lifetime", "expire", "subnet_id", "fqdn_fwd", "fqdn_rev", "hostname",
    "state", "user_context",
)  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_KEA_STATES = {LeaseState.BOUND: 0, LeaseState.DECLINED: 1, LeaseState.RELEASED: 2, LeaseState.EXPIRED: 2}
_ISC_STATES = {
    LeaseState.BOUND: "active",
    LeaseState.RELEASED: "released",
    LeaseState.EXPIRED: "expired",
    LeaseState.DECLINED: "abandoned",
}


def format_csv(leases: Iterable[Lease], *, to_wall: float) -> str:
    """Write one line a lease; `to_wall` is added to lease time to get wall time."""
    head = (
        "address",
        "mac",
        "state",
        "starts",
        "expires",
        "hostname",
        "network",
        "vendor_class",
        "client",
        "relay",
    )
    rows = [
        (
            dotted(lease.address),
            format_mac(lease.mac),
            lease.state.name.lower(),
            _iso(lease.started + to_wall),
            _iso(lease.expires + to_wall),
            _cell(lease.hostname),
            _cell(lease.network),
            _cell(lease.vendor_class),
            lease.key.hex(),
            lease.relay.hex(),
        )
        for lease in leases
    ]
    return _csv(head, rows)


def format_kea(leases: Iterable[Lease], networks: Sequence[str], *, to_wall: float) -> str:
    """Write Kea's memfile; subnets are numbered from 1 in the order of `networks`."""
    rows = []
    for lease in leases:
        lifetime = max(0, round(lease.expires - lease.started)) if lease.state is LeaseState.BOUND else 0
        by_mac = lease.key == b"\x01" + lease.mac
        subnet = networks.index(lease.network) + 1 if lease.network in networks else 0
        rows.append(
            (
                dotted(lease.address),
                "" if lease.state is LeaseState.DECLINED else format_mac(lease.mac),
                "" if by_mac else lease.key.hex(":"),
                str(lifetime),
                str(int(lease.expires + to_wall)),
                str(subnet),
                "0",
                "0",
                _UNSAFE.sub(_kea_escape, lease.hostname.lower()),
                str(_KEA_STATES[lease.state]),
                "",
            )
        )
    return _csv(_KEA_HEAD, rows)


def format_isc(leases: Iterable[Lease], *, to_wall: float) -> str:
    """Write ISC dhcpd's lease file."""
    return "authoring-byte-order little-endian;\n\n" + "\n".join(_isc(lease, to_wall) for lease in leases)


def _isc(lease: Lease, to_wall: float) -> str:
    starts, ends = lease.started + to_wall, lease.expires + to_wall
    lines = [
        f"lease {dotted(lease.address)} {{",
        f"  starts {_dhcpd_time(starts)};",
        f"  ends {_dhcpd_time(ends)};",
        f"  cltt {_dhcpd_time(starts)};",
        f"  binding state {_ISC_STATES[lease.state]};",
        "  next binding state free;",
    ]
    if lease.mac and lease.state is not LeaseState.DECLINED:
        lines.append(f"  hardware ethernet {format_mac(lease.mac)};")
        if lease.key != b"\x01" + lease.mac:
            lines.append(f"  uid {lease.key.hex(':')};")
    if lease.hostname:
        lines.append(f'  client-hostname "{_isc_text(lease.hostname)}";')
    return "\n".join([*lines, "}", ""])


def _isc_text(text: str) -> str:
    """Return text as dhcpd writes it between quotes: what is no plain character is its octet in octal."""
    return "".join(
        chr(octet) if 0x20 <= octet < 0x7F and octet not in b'"\\' else f"\\{octet:03o}"
        for octet in text.encode("utf-8", "replace")
    )


def _kea_escape(found: re.Match[str]) -> str:
    """Return characters as Kea writes them where they would divide fields or lines (CSVRow::escapeCharacters)."""
    return "".join(f"&#x{octet:02x}" for octet in found[0].encode("utf-8", "replace"))


def _cell(text: str) -> str:
    """Return what a client said as a cell that no spreadsheet takes for a formula, and no terminal for a command."""
    shown = visible(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()


def _iso(wall: float) -> str:
    return datetime.fromtimestamp(int(wall), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dhcpd_time(wall: float) -> str:
    """Write a time as dhcpd does: day of the week from Sunday 0, date, time."""
    return datetime.fromtimestamp(int(wall), UTC).strftime("%w %Y/%m/%d %H:%M:%S")
