"""Where in the state directory things are that several modules speak of; light, for whoever only looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from netprov.errors import ServiceError

LEASES: Final = "leases"
ACS: Final = "acs"
RECORDS: Final = "records"
DNS: Final = "dns"
"""Directories of what has one writer each; device records are written by every role."""

PKI: Final = "pki"
"""Directory of the certificate store."""

KEYS: Final = "keys"
"""Directory of what is on record of keys that were given."""

SECRETS: Final = "secrets"
"""File of the secrets, where the inventory names no other."""

FOLDERS = (LEASES, ACS, RECORDS, DNS, PKI, KEYS)
"""Every directory of the state but that of the control sockets."""


def make_room(path: Path) -> Path:
    """Return a file's path with its directory made, if the one above is there; whoever opens it says what is wrong."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o750, exist_ok=True)
    return path


FORMER: Mapping[str, str] = {
    "leases.db": f"{LEASES}/leases.db",
    "devices.sqlite": f"{RECORDS}/devices.sqlite",
    "acs.sqlite3": f"{ACS}/acs.sqlite3",
    "dns-serials.json": f"{DNS}/dns-serials.json",
}
"""Where files were before each writer had a directory of its own, and where they are."""


def settle(state: Path) -> None:
    """Move what an earlier version left in the state directory to where it is now; nobody serves from it yet.

    Raises `ServiceError` for what this user may not move: leases that were overlooked would be given to others.
    """
    for former, name in FORMER.items():
        if not (state / former).exists() or (state / name).exists():
            continue
        try:
            make_room(state / name)
            for beside in ("-wal", "-shm"):  # before the file itself: what is interrupted is taken up again
                with suppress(FileNotFoundError):
                    (state / f"{former}{beside}").rename(state / f"{name}{beside}")
            (state / former).rename(state / name)
        except OSError as error:
            raise ServiceError(
                f"{state / former} is of an earlier netprov, and cannot be moved to {state / name}: {error.strerror}",
                f"stop all services, and as root: mv {state / former}* {(state / name).parent}/ && "
                "systemd-tmpfiles --create netprov.conf",
            ) from error
