"""Finds and opens files of static trees: never outside their directory, never a directory, nothing that could block."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from netprov.provision.answer import TreeFile

_READ_AHEAD = 16384


@dataclass(slots=True)
class OpenFile:
    """An open regular file, a source for TFTP. Close it once."""

    path: str
    fd: int
    size: int
    modified_ns: int = 0
    _at: int = 0
    _ahead: bytes = b""

    def read(self, offset: int, length: int) -> bytes:
        """Read at an offset; a little is read ahead, for those who come for small pieces."""
        start = offset - self._at
        if not 0 <= start <= len(self._ahead) - length:
            self._ahead = os.pread(self.fd, max(length, _READ_AHEAD), offset)
            self._at, start = offset, 0
        return self._ahead[start : start + length]

    def close(self) -> None:
        """Close."""
        os.close(self.fd)


def open_file(wanted: TreeFile) -> OpenFile | None:
    """Open a file for reading; None if it is not there, not regular, not readable or leads out of its tree.

    Symbolic links are followed as long as they stay inside: operators link the newest firmware.
    """
    root = os.path.realpath(wanted.directory)
    path = os.path.realpath(os.path.join(root, wanted.path))
    if not _is_below(path, root) or any(_is_below(path, os.path.realpath(each)) for each in wanted.barred):
        return None
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        return None
    return OpenFile(path, fd, status.st_size, status.st_mtime_ns)


def _is_below(path: str, directory: str) -> bool:
    return os.path.commonpath((directory, path)) == directory
