"""What others change beside the inventory: certificates, secrets, revocation lists, addresses, interfaces, the clock.

Looked at once a second, and as soon as the kernel tells of an address or a link (rtnetlink(7)). Files are compared by what
stat(2) says, which also sees a network's file system and a bind mount, where inotify(7) is silent; a look costs some tens
of system calls, whatever happens meanwhile. Static trees are read at every request, and leases are followed by DNS.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from netprov.plan import Plan
from netprov.runtime.address import index_of, is_here
from netprov.state.place import PKI, SECRETS

EVERY_S = 1.0
"""Seconds between looks, if the kernel tells nothing."""

STEP_S = 10.0
"""Seconds by which the wall clock moves at once if it was set."""

SETTLE_S = 0.1
"""Seconds from the kernel's word to the look: addresses come several at once."""

_RTMGRP_LINK, _RTMGRP_IPV4_IFADDR, _RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100


class Watch:
    """Tells which sources have changed since it was asked before; `ahead` is how far the wall clock is ahead of another."""

    def __init__(self, state: Path, *, ahead: Callable[[], float] | None = None) -> None:
        self._state = state
        self._seen: Mapping[str, object] = {}
        self._clock = _WallClock(ahead or _ahead)

    def changed(self, plan: Plan) -> tuple[str, ...]:
        """Return the names of the sources that are not as they were; all are at the first call."""
        now = {name: look() for name, look in _sources(plan, self._state).items()}
        now["clock"] = self._clock.steps()
        changed = tuple(name for name, print_ in now.items() if self._seen.get(name, print_) != print_)
        self._seen = now
        return changed


class _WallClock:
    """Counts how often the wall clock was set, not merely slewed: certificates begin and end by it."""

    def __init__(self, ahead: Callable[[], float]) -> None:
        self._ahead = ahead
        self._last = ahead()
        self._steps = 0

    def steps(self) -> int:
        last, self._last = self._last, self._ahead()
        self._steps += abs(self._last - last) > STEP_S
        return self._steps


def _ahead() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


class LinkEvents:
    """Hears from the kernel that addresses or interfaces have changed; where it may not, only time passes."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._sock: socket.socket | None = None
        with suppress(OSError):  # RestrictAddressFamilies= of an older unit, say
            sock = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
            )
            sock.bind((0, _RTMGRP_LINK | _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV6_IFADDR))
            asyncio.get_running_loop().add_reader(sock, self._hear)
            self._sock = sock

    async def wait(self) -> None:
        """Return when it is time for a look."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), EVERY_S)
            await asyncio.sleep(SETTLE_S)
        self._told.clear()

    def close(self) -> None:
        """Hear no more."""
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()

    def _hear(self) -> None:
        assert self._sock is not None
        self._told.set()  # what it says does not matter; nor does what was lost
        with suppress(OSError):
            for _ in range(64):
                self._sock.recv(8192)


def _sources(plan: Plan, state: Path) -> Mapping[str, Callable[[], object]]:
    """Return every source, with what tells whether it has changed."""
    folders = (state / PKI, state / PKI / "servers", state / PKI / "imported")
    place = plan.provision.secrets
    credentials = Path(os.environ.get("CREDENTIALS_DIRECTORY", ""))
    secrets = (
        Path(place.file)
        if place.file
        else credentials / place.credential
        if place.credential
        else state / SECRETS
    )
    keys = [
        Path(k.file) if k.file else credentials / k.credential
        for k in plan.dns.kept_keys
        if not k.environment
    ]
    return {
        "certificates": lambda: (_prints(map(Path, plan.pki.clients.roots)), *map(_folder, folders)),
        "secrets": lambda: _prints([secrets]),
        "keys of zone transfers": lambda: _prints(keys),
        "addresses": lambda: tuple(map(is_here, sorted(_addresses(plan)))),
        "interfaces": lambda: tuple(index_of(each.interface) for each in plan.dhcp.networks),
    }


def _addresses(plan: Plan) -> set[str]:
    """Return every address that a role of ours may serve at."""
    return {
        *map(str, plan.dns.listen),
        *(each.address for each in plan.provision.listeners),
        *plan.provision.syslog,
        *(address for each in plan.cwmp.listeners for address in each.addresses),
        *(str(network.address) for network in plan.site.networks),
        *([plan.metrics.address] if plan.metrics.address else []),
    }


def _folder(path: Path) -> object:
    """Return what tells whether a file of a folder was replaced, added or removed."""
    try:
        names = sorted(os.listdir(path))
    except OSError:
        # A unit may be kept out of it, and out of what it needs not read; but ca.pem is for all.
        names = ["ca.pem", "crl.pem"]
    return _prints(path / name for name in names if name.endswith(".pem"))


def _prints(paths: Iterable[Path]) -> object:
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append((path, 0, 0, 0))
        else:
            found.append((path, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(found)
