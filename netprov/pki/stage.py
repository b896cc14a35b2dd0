"""Changes of a certificate store that nobody sees until they are published, file by file renamed, or given up.

What is staged is below a hidden folder of the store, so that a rename is enough and a full disk is met beforehand. Its
maker holds a lock on the folder; one that nobody holds is of a process that was killed, and swept. Processes that are
made ready for one change at the same time take over what another has staged, so that they issue it once.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from netprov.errors import PkiError
from netprov.pki.disk import PRIVATE, STAGED, Disk


class Stage:
    """The files of a store as they will be: read like `Disk`; ended by `publish` or `discard`, once."""

    def __init__(self, live: Disk) -> None:
        self._live = live
        self._staged: Disk | None = None
        self._handle = -1
        self._before: dict[str, bytes | None] = {}
        self._written: set[str] = set()
        self._removed: set[str] = set()

    @property
    def directory(self) -> Path:
        """The store's."""
        return self._live.directory

    def is_ours(self) -> bool:
        """Say whether this process may change the store."""
        return self._live.is_ours()

    def path(self, name: str) -> Path:
        """Return where a file is at the moment."""
        return self._staged.path(name) if self._staged and name in self._written else self._live.path(name)

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if there will be no such file."""
        if self._staged and name in self._written:
            return self._staged.read(name)
        return None if name in self._removed else self._read_live(name)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the files that a folder will have, in order of name."""
        written = {name for name in self._written if name.rpartition("/")[0] == folder}
        return tuple(sorted(({*self._live.names(folder)} | written) - self._removed))

    def write(self, name: str, data: bytes, mode: int = PRIVATE) -> None:
        """Put a file on disk, where only this stage sees it."""
        self._read_live(name)
        self._folder().write(name, data, mode)
        self._written.add(name)
        self._removed.discard(name)

    def remove(self, name: str) -> None:
        """Let a file be gone once this is published."""
        self._written.discard(name)
        if self._read_live(name) is not None:
            self._removed.add(name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store for oneself, with what other processes have staged taken over."""
        with self._live.locked():
            self._adopt()
            yield

    def publish(self) -> bool:
        """Put everything in place; return whether it was, for a store that somebody has changed since stays as it is.

        Raises `PkiError` if the system refuses it, which it did not while it was staged.
        """
        if not self._written and not self._removed:
            return True
        with self._live.locked():
            try:
                current = all(self._is_current(name) for name in self._before)
                if current:
                    for name in sorted(self._written, key=_order):
                        self._live.take(name, self.path(name))
                    for name in self._removed:
                        self._live.remove(name)
                return current
            finally:
                self._end()

    def discard(self) -> None:
        """Leave the store as it is."""
        if self._staged is not None:
            with suppress(PkiError), self._live.locked():
                self._end()  # nobody takes over what is being removed
        self._end()

    def _read_live(self, name: str) -> bytes | None:
        data = self._live.read(name)
        self._before.setdefault(name, data)
        return data

    def _is_current(self, name: str) -> bool:
        """Say whether a file is as it was when this was staged, or already as it will be."""
        now = self._live.read(name)
        if now == self._before[name]:
            return True
        return name in self._written | self._removed and now == self.read(name)

    def _folder(self) -> Disk:
        if self._staged is None:
            try:
                folder = Path(tempfile.mkdtemp(prefix=STAGED, dir=self.directory))
                self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                fcntl.flock(self._handle, fcntl.LOCK_EX)
            except OSError as error:
                raise self._live.refused("write", STAGED, error) from error
            self._staged = Disk(folder)
        return self._staged

    def _adopt(self) -> None:
        for other in self._live.stages():
            if self._staged is not None and other == self._staged.directory:
                continue
            for path in sorted(each for each in other.rglob("*") if each.is_file()):
                name = str(path.relative_to(other))
                if name not in self._written:
                    self._read_live(name)
                    self._folder().link(name, path)
                    self._written.add(name)

    def _end(self) -> None:
        if self._staged is not None:
            shutil.rmtree(self._staged.directory, ignore_errors=True)
            os.close(self._handle)
            self._staged = None
        self._before.clear()
        self._written.clear()
        self._removed.clear()


def _order(name: str) -> tuple[bool, bool, str]:
    """Sort records first, then the CA, then what is below it: what is in use is always known."""
    return not name.startswith("issued/"), "/" in name, name
