"""Bounds-checked big-endian cursors over bytes: the only way codecs read, the plain way they write.

A read past the end, or a nested field not consumed exactly, raises `Malformed` with the offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from netprov.errors import LocalViolation, Malformed


class Reader:
    """A cursor over received bytes."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self._position = position
        self._end = len(data)

    @property
    def position(self) -> int:
        """Octets from the start of the data."""
        return self._position

    def remaining(self) -> int:
        """Octets left before the end, or before the end of the current restriction."""
        return self._end - self._position

    def take(self, length: int) -> bytes:
        """Read exactly `length` octets."""
        end = self._position + length
        if length < 0 or end > self._end:
            raise Malformed(f"{length} octets wanted at offset {self._position}, {self.remaining()} left")
        chunk = self._data[self._position : end]
        self._position = end
        return chunk

    def rest(self) -> bytes:
        """Read everything that is left."""
        return self.take(self.remaining())

    def u8(self) -> int:
        """Read one octet."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Read an unsigned 16-bit integer."""
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        """Read an unsigned 32-bit integer."""
        return int.from_bytes(self.take(4), "big")

    @contextmanager
    def restrict_to(self, length: int) -> Iterator[None]:
        """Limit reads to the next `length` octets, which the block must consume exactly."""
        if length > self.remaining():
            raise Malformed(f"{length} octets announced at offset {self._position}, {self.remaining()} left")
        outer = self._end
        self._end = self._position + length
        try:
            yield
            if self._position != self._end:
                raise Malformed(f"{self.remaining()} octets left over at offset {self._position}")
        finally:
            self._end = outer


class Writer:
    """An append-only buffer of big-endian fields; a value that does not fit its field is our own bug."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __len__(self) -> int:
        return len(self._buffer)

    def raw(self, data: bytes) -> None:
        """Append octets as they are."""
        self._buffer += data

    def u8(self, value: int) -> None:
        """Append one octet."""
        self._integer(value, 1)

    def u16(self, value: int) -> None:
        """Append an unsigned 16-bit integer."""
        self._integer(value, 2)

    def u32(self, value: int) -> None:
        """Append an unsigned 32-bit integer."""
        self._integer(value, 4)

    def getvalue(self) -> bytes:
        """Return what was written."""
        return bytes(self._buffer)

    def _integer(self, value: int, size: int) -> None:
        try:
            self._buffer += value.to_bytes(size, "big")
        except OverflowError as error:
            raise LocalViolation(f"{value} does not fit in {size} octets") from error
