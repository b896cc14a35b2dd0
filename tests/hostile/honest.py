"""Honest phones on one interface: they boot again and again, fetch their profiles, and renew their leases.

python -m tests.hostile.honest INTERFACE SECONDS MAC...      (prints what was done and what failed, as JSON)
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type
from netprov.emulator.dhcp import DhcpLink
from netprov.emulator.failure import REALISTIC
from netprov.emulator.phone import boot
from netprov.mac import parse_mac
from netprov.phone.action import Lease
from netprov.phone.handset.identity import Identity, model_named

AT_ONCE = 8
PATIENT = replace(REALISTIC, waits=0.0)
"""As patient as a phone, but for the pauses that it makes on purpose."""
RENEWALS = 3
"""Times a lease is renewed after each boot."""
TRIES = 6
"""Times a phone sends a renewal before it failed: T1 to T2 are a quarter of an hour or more."""


@dataclass(slots=True)
class Count:
    """What one kind of deed came to; `times` in seconds."""

    times: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def data(self) -> dict[str, Any]:
        """Return it as data: numbers, milliseconds, reasons."""
        times = sorted(self.times) or [0.0]
        at = {
            name: times[min(len(times) - 1, int(len(times) * part))]
            for name, part in (("p50", 0.5), ("p99", 0.99))
        }
        return {
            "done": len(self.times),
            "failed": self.failures.total(),
            **{name: round(1000 * each) for name, each in at.items()},
            "slowest": round(1000 * times[-1]),
            "reasons": dict(self.failures.most_common(10)),
        }


async def renew(mac: str, lease: Lease) -> bool:
    """Renew a lease: a REQUEST from its address to the server that gave it (RFC 2131 4.4.5)."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind((lease.address, 68))
        xid = random.getrandbits(32)
        request = dhcp.encode(
            Message(
                op=dhcp.BOOTREQUEST,
                xid=xid,
                chaddr=parse_mac(mac),
                ciaddr=int.from_bytes(socket.inet_aton(lease.address), "big"),
                options={53: bytes([Type.REQUEST])},
            )
        )
        for number in range(TRIES):
            sock.sendto(request, (lease.server, 67))
            try:
                async with asyncio.timeout(2 + number):
                    reply = dhcp.decode(await loop.sock_recv(sock, 2048))
            except TimeoutError:
                continue
            if reply.xid == xid:
                return reply.type == Type.ACK
    return False


async def live(macs: Sequence[str], interface: str, seconds: float) -> dict[str, Count]:
    """Let phones boot and renew by turns until the time is up."""
    counts = {"boot": Count(), "renew": Count()}
    deadline = time.monotonic() + seconds
    waiting = list(macs)

    async def phone(link: DhcpLink) -> None:
        while time.monotonic() < deadline and waiting:
            mac = waiting.pop(0)
            began = time.monotonic()
            trip = await boot(Identity(mac, model_named("8851")), link, timeouts=PATIENT)
            if trip.outcome.provisioned:
                counts["boot"].times.append(time.monotonic() - began)
            else:
                counts["boot"].failures[str(trip.outcome.reason)] += 1
            lease = trip.handset.lease
            if lease is not None:
                await _renewals(mac, lease, counts["renew"])
                link.drop(lease.address)
            waiting.append(mac)

    async with DhcpLink(interface, draw=random.getrandbits, timeouts=PATIENT.dhcp, many=True) as link:
        await asyncio.gather(*(phone(link) for _ in range(AT_ONCE)))
    return counts


async def _renewals(mac: str, lease: Lease, count: Count) -> None:
    for _ in range(RENEWALS):
        began = time.monotonic()
        if await renew(mac, lease):
            count.times.append(time.monotonic() - began)
        else:
            count.failures["no acknowledgement"] += 1


if __name__ == "__main__":
    place, lasts, *all_of_them = sys.argv[1:]
    done = asyncio.run(live(all_of_them, place, float(lasts)))
    print(json.dumps({name: each.data() for name, each in done.items()}))
