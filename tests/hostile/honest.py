"""Honest phones on one interface: they boot, renew their leases and fetch their profiles anew, again and again.

python -m tests.hostile.honest INTERFACE SECONDS MAC...      (prints what was done and what failed, as JSON)
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type
from netprov.emulator.dhcp import DhcpLink
from netprov.emulator.failure import REALISTIC
from netprov.emulator.phone import boot
from netprov.mac import bare_mac, parse_mac
from netprov.phone.action import Action, AskDhcp, Failed, Fetch, Lease, Resolve
from netprov.phone.handset.identity import Identity, model_named

AT_ONCE = 8
PATIENT = replace(REALISTIC, waits=0.0)
"""As patient as a phone, but for the pauses that it makes on purpose."""
RENEWALS = 3
"""Times a lease is renewed, and the profile fetched anew, after each boot."""
FETCHES = 3
"""Times a phone connects for its profile before it failed."""
TRIES = 6
"""Times a phone sends a renewal before it failed: T1 to T2 are a quarter of an hour or more."""


@dataclass(slots=True)
class Count:
    """What one kind of deed came to; `times` in seconds."""

    times: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def note(self, began: float, failure: str, ended: float | None = None) -> None:
        """Take note of one deed, "" for a good one."""
        if failure:
            self.failures[failure] += 1
        else:
            self.times.append((time.monotonic() if ended is None else ended) - began)

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


async def fetch(mac: str, lease: Lease) -> str:
    """Fetch the profile by HTTP, as often as a phone tries; return why it failed, "" if it did not."""
    failure = ""
    for _ in range(FETCHES):
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(
                    lease.server, 80, local_addr=(lease.address, 0)
                )
                writer.write(
                    f"GET /{bare_mac(mac)}.cfg HTTP/1.1\r\nHost: {lease.server}\r\nConnection: close\r\n\r\n".encode()
                )
                reply = await reader.read()
                writer.close()
        except (TimeoutError, OSError) as error:
            failure = type(error).__name__
            continue
        if reply.startswith(b"HTTP/1.1 200 ") and b"</flat-profile>" in reply:
            return ""
        failure = reply[:40].decode("ascii", "replace") or "closed without an answer"
    return failure


async def live(macs: Sequence[str], interface: str, seconds: float) -> dict[str, Count]:
    """Let phones boot and renew by turns until the time is up."""
    counts = {"boot": Count(), "renew": Count(), "fetch": Count()}
    steps: dict[str, Count] = defaultdict(Count)
    deadline = time.monotonic() + seconds
    waiting = list(macs)

    async def phone(link: DhcpLink) -> None:
        while time.monotonic() < deadline and waiting:
            mac = waiting.pop(0)
            began = time.monotonic()
            trip = await boot(Identity(mac, model_named("8851")), link, timeouts=PATIENT)
            counts["boot"].note(began, "" if trip.outcome.provisioned else str(trip.outcome.reason))
            for step in trip.steps:
                failure = str(step.result.trouble) if isinstance(step.result, Failed) else ""
                steps[f"  {_kind(step.action)}"].note(step.started, failure, step.started + step.seconds)
            lease = trip.handset.lease
            if lease is not None:
                for _ in range(RENEWALS):
                    began = time.monotonic()
                    counts["renew"].note(began, "" if await renew(mac, lease) else "no acknowledgement")
                    began = time.monotonic()
                    counts["fetch"].note(began, await fetch(mac, lease))
                link.drop(lease.address)
            waiting.append(mac)

    async with DhcpLink(interface, draw=random.getrandbits, timeouts=PATIENT.dhcp, many=True) as link:
        await asyncio.gather(*(phone(link) for _ in range(AT_ONCE)))
    return counts | steps


def _kind(action: Action) -> str:
    """Return what a step of a boot is called in the figures."""
    match action:
        case Fetch():
            return f"fetch by {action.url.scheme}"
        case Resolve():
            return "resolve a name"
        case AskDhcp():
            return "get a lease"
        case _:
            return "anything else"


if __name__ == "__main__":
    place, lasts, *all_of_them = sys.argv[1:]
    done = asyncio.run(live(all_of_them, place, float(lasts)))
    print(json.dumps({name: each.data() for name, each in done.items()}))
