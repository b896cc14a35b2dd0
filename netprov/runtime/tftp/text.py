"""Text in netascii, made once: all who ask for the same text meanwhile are sent the same octets."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final
from weakref import WeakValueDictionary

from netprov.state.tree import OpenFile
from netprov.tftp.netascii import to_netascii
from netprov.tftp.transfer import Memory

_KEPT: Final = 16
"""Texts that are kept though nobody is being sent them: of 2 MiB at the most."""


class Texts:
    """What is being sent in netascii, and what was last."""

    def __init__(self) -> None:
        self._made: WeakValueDictionary[Hashable, Memory] = WeakValueDictionary()
        self._kept: dict[Hashable, Memory] = {}

    def of(self, body: bytes) -> Memory:
        """Return a text of ours as it goes over the network."""
        return self._remembered(body) or self._make(body, body)

    def of_file(self, opened: OpenFile) -> Memory:
        """Return a file as it goes over the network; raise `OSError` if it cannot be read."""
        key = (opened.path, opened.size, opened.modified_ns)
        return self._remembered(key) or self._make(key, opened.read(0, opened.size))

    def _remembered(self, key: Hashable) -> Memory | None:
        return self._made.get(key)

    def _make(self, key: Hashable, text: bytes) -> Memory:
        made = self._made[key] = self._kept[key] = Memory(to_netascii(text))
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return made
