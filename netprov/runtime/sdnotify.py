"""Tell systemd how the service is: ready, reloading, stopping, alive (sd_notify(3), Type=notify)."""

from __future__ import annotations

import os
import socket
import time


def notify(*assignments: str) -> None:
    """Send `READY=1` and the like to the service manager; do nothing where there is none."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.sendto("\n".join(assignments).encode(), address)
        except OSError:
            # A manager that went away is no reason to stop serving phones.
            return


def reloading() -> None:
    """Announce a reload; Type=notify-reload wants the monotonic time of its start beside it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def watchdog_interval() -> float | None:
    """Return a sixth of WatchdogSec= in seconds, or None.

    That is the pause between self-checks, and what one may take: so two fail before the manager acts on it.
    """
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 6_000_000 if microseconds.isdigit() and int(microseconds) else None
