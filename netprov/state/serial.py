"""Serial numbers that rise exactly when a zone's content changes, kept across restarts.

RFC 1982 (serial arithmetic), RFC 1035 3.3.13. The plan is deterministic and cannot know what was served before, so
the state directory remembers each zone's last serial with a digest of its content.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from netprov.dns.iana.rrtype import SOA
from netprov.dns.message.name import format_name
from netprov.dns.message.rdata import canonical
from netprov.dns.zone.zone import Zone
from netprov.errors import ServiceError
from netprov.state.place import DNS, make_room

FILE = f"{DNS}/dns-serials.json"
HALF = 1 << 31


class Serials:
    """The serials of all zones, in one file of the state directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._held: dict[str, tuple[int, str]] = {}
        self._next: dict[str, tuple[int, str]] | None = None
        try:
            held = json.loads(self._path.read_text())
            self._held = {str(name): (int(serial), str(digest)) for name, (serial, digest) in held.items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, AttributeError) as error:
            message = f"the serial numbers of the zones cannot be read from {self._path}: {error}"
            raise ServiceError(message, "remove the file if secondaries may load the zones anew") from error

    def stage(self, zones: Iterable[Zone]) -> tuple[Zone, ...]:
        """Return the zones under the serials that they will be served with, which are on disk, but not in use yet.

        To be published or discarded before the next are staged. Raises `ServiceError` with everything as before.
        """
        numbered = []
        held = dict(self._held)
        for zone in zones:
            name, digest = format_name(zone.origin), _digest(zone)
            serial = next_serial(zone.serial, held.get(name), digest)
            held[name] = (serial, digest)
            numbered.append(zone if serial == zone.serial else zone.with_serial(serial))
        if held != self._held:
            self._store(held)
            self._next = held
        return tuple(numbered)

    def publish(self) -> None:
        """Put the staged serials in place. Raises `ServiceError` if the system refuses it; they are in use all the same."""
        if self._next is not None:
            self._held, self._next = self._next, None
            try:
                self._staged.replace(self._path)
            except OSError as error:
                raise self._refused(error) from error

    def discard(self) -> None:
        """Forget the staged serials."""
        if self._next is not None:
            self._next = None
            self._staged.unlink(missing_ok=True)

    @property
    def _staged(self) -> Path:
        return self._path.with_suffix(".new")

    def _store(self, held: Mapping[str, tuple[int, str]]) -> None:
        try:
            make_room(self._path)
            with self._staged.open("w") as file:
                json.dump(held, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._staged.unlink(missing_ok=True)  # what is written of it takes room on a full disk
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> ServiceError:
        return ServiceError(f"cannot write {self._path}: {error.strerror}", "check the disk")


def next_serial(declared: int, held: tuple[int, str] | None, digest: str) -> int:
    """Return the serial to serve under: the last one while content is the same, else above it and above `declared`."""
    if held is None:
        return declared
    last, known = held
    if is_greater(declared, last):
        return declared
    if known == digest:
        return last
    return (last + 1) % (1 << 32) or 1


def is_greater(one: int, other: int) -> bool:
    """Say whether a serial is the greater one, as RFC 1982 3.2 compares them."""
    return one != other and (one - other) % (1 << 32) < HALF


def _digest(zone: Zone) -> str:
    """Digest all records but the serial, with what tells no two records apart left out: case of names, order in a set."""
    hashed = hashlib.blake2b(digest_size=16)
    for name in sorted(zone.nodes):
        for rrset in zone.nodes[name]:
            hashed.update(b"%b %d %d " % (name, rrset.type, rrset.ttl))
            for data in sorted([canonical(rrset.type, data) for data in rrset.rdatas]):
                held = data[:-20] + data[-16:] if rrset.type == SOA else data
                hashed.update(b"%d " % len(held) + held)
    return hashed.hexdigest()
