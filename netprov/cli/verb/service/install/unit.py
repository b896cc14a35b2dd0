"""What systemd is given for netprov: units, users, groups, directories.

`systemd/` is the one source: the Debian package's scripts get their lists from here by deb/names.py, and so do
`netprov install` and `netprov uninstall`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from netprov.errors import ServiceError

PROGRAM = "/opt/netprov/bin/netprov"
"""The program as the files of `systemd/` call it."""
STATE, CONFIGURATION = "/var/lib/netprov", "/etc/netprov"
KEPT = (STATE, CONFIGURATION, "/var/lib/systemd/timers/stamp-netprov-cert.timer")
"""What is left when netprov is removed, and goes when it is purged."""
_UNITS = "etc/systemd/system"
_PLACES: Mapping[str, str] = {
    "netprov.sysusers": "etc/sysusers.d/netprov.conf",
    "netprov.tmpfiles": "etc/tmpfiles.d/netprov.conf",
}
_SUFFIXES = {".service", ".timer", ".path", ".target"}


@cache
def sources() -> Mapping[str, str]:
    """Return every file of `systemd/`, by its path in there. Raises `ServiceError` if they did not come with netprov."""
    import netprov

    package = Path(netprov.__file__).parent
    for folder in (package / "units", package.parent / "systemd"):
        if (folder / "netprov.target").is_file():
            paths = sorted(path for path in folder.rglob("*") if path.is_file())
            return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}
    raise ServiceError(
        f"the units are not beside {package}", "install the wheel that `make wheel` builds: it has them"
    )


def files(program: str) -> Mapping[str, str]:
    """Return what an administrator's machine gets, by path below its root, for a program that is at `program` there."""
    return {
        _PLACES.get(name, f"{_UNITS}/{name}"): text.replace(PROGRAM, program)
        for name, text in sources().items()
    }


def units() -> tuple[str, ...]:
    """Return the name of every unit."""
    return tuple(name for name in sources() if Path(name).suffix in _SUFFIXES)


def enabled() -> tuple[str, ...]:
    """Return the units that are enabled where netprov is installed: those with an [Install] section."""
    return tuple(name for name in units() if "\n[Install]\n" in sources()[name])


def users() -> tuple[str, ...]:
    """Return every user, each with a group of its own or netprov's: sysusers.d(5)."""
    return _made("u")


def groups() -> tuple[str, ...]:
    """Return every group that users share; the first group of them all is the last to go."""
    return tuple(reversed(_made("g")))


def directories() -> tuple[str, ...]:
    """Return every directory that tmpfiles.d(5) makes."""
    return tuple(re.findall(r"(?m)^d (\S+)", sources()["netprov.tmpfiles"]))


def _made(kind: str) -> tuple[str, ...]:
    return tuple(re.findall(rf"(?m)^{kind} (\S+)", sources()["netprov.sysusers"]))
