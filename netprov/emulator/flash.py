"""What emulated phones have written down, kept in a directory: one private file a phone, replaced whole."""

from __future__ import annotations

import json
from pathlib import Path

from netprov.errors import Malformed, PkiError, ServiceError
from netprov.phone.acs.client import keep, recall
from netprov.phone.handset.flash import dump, restore
from netprov.phone.handset.memory import Handset
from netprov.pki.disk import Disk

ANOTHER = "name a directory of your own that can be written to: --keep DIR"


class Flash:
    """The flash of one phone."""

    def __init__(self, directory: Path, handset: Handset) -> None:
        self._disk = Disk(directory)
        self._name = f"{handset.identity.ma}.json"
        self._handset = handset
        self._written: dict[str, object] = {}

    def load(self) -> None:
        """Take over what was written, if anything was. Raises `ServiceError`."""
        try:
            data = self._disk.read(self._name)
        except PkiError as error:
            raise ServiceError(error.message, ANOTHER) from error
        if data is None:
            return
        try:
            written = json.loads(data)
            restore(self._handset, written)
            recall(self._handset, written.get("acs"))
        except (ValueError, RecursionError, Malformed) as error:
            raise ServiceError(
                f"{self._disk.path(self._name)} cannot be read: {error}", "remove it: the phone is new then"
            ) from error

    def save(self) -> None:
        """Write what has changed."""
        now = {**dump(self._handset), "acs": keep(self._handset)}
        if now != self._written:
            try:
                self._disk.write(self._name, json.dumps(now, indent=1).encode())
            except PkiError as error:
                raise ServiceError(error.message, ANOTHER) from error
            self._written = now
