"""Frames of a capture file: pcap and pcapng, also within gzip, read one by one within stated limits.

Lengths that a file claims are held against limits before they are believed. A file that breaks off ends there, as those of a
tcpdump that was killed do; what cannot be a capture raises `LabError`.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator, Mapping
from io import BufferedIOBase, BufferedReader
from typing import NoReturn

from netprov.errors import LabError

MOST_OCTETS = 512 << 20
"""Octets of a capture that are read, counted after gzip."""
MOST_PACKETS = 4_000_000
"""Packets that are read: a record may be as short as 16 octets."""
MOST_BLOCK = 1 << 20
"""Octets of one record; tcpdump takes 256 KiB of a packet at the most."""
LATEST = float((1 << 32) - 1)
"""Seconds since 1970 that pcap can write; pcapng can claim any time."""
MAGIC: Mapping[bytes, tuple[str, float]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
}
"""What a pcap file begins with: its order of octets, and the unit of its fractions of a second."""
NG_MAGIC = b"\x0a\x0d\x0d\x0a"
GZIP_MAGIC = b"\x1f\x8b"
_NG_ORDER: Mapping[bytes, str] = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6
_RESOLUTION = 9
_CHUNK = 1 << 18

Frame = tuple[float, int, bytes]
"""Time in seconds, link type, octets."""


def read_frames(path: str) -> Iterator[Frame]:
    """Read a capture file. Raises `LabError`."""
    try:
        with open(path, "rb") as file:
            yield from _Reader(file, path).frames()
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror or error}") from error


class _Reader:
    """Reads one file; what it has read so far is counted."""

    def __init__(self, file: BufferedReader, path: str) -> None:
        zipped = file.peek(2)[:2] == GZIP_MAGIC
        self._file: BufferedIOBase = gzip.GzipFile(fileobj=file) if zipped else file
        self._path = path
        self._octets = 0
        self._packets = 0
        self._buffer, self._place = b"", 0

    def frames(self) -> Iterator[Frame]:
        magic = self._read(4)
        if magic in MAGIC:
            found = self._pcap(*MAGIC[magic])
        elif magic == NG_MAGIC:
            found = self._pcapng()
        else:
            raise LabError(
                f"{self._path} is not a capture file: it is neither pcap nor pcapng; make one with `tcpdump -w FILE`, or save it so in Wireshark"
            )
        for frame in found:
            self._packets += 1
            if self._packets > MOST_PACKETS:
                self._too_much(f"{MOST_PACKETS} packets")
            yield frame

    def _pcap(self, order: str, unit: float) -> Iterator[Frame]:
        head = self._read(20)
        if len(head) < 20:
            raise LabError(f"{self._path} is not a capture file: it ends within its header")
        link = struct.unpack(order + "16xI", head)[0] & 0xFFFF
        record = struct.Struct(order + "IIII").unpack_from
        while self._holds(16):
            seconds, fraction, length, _ = record(self._buffer, self._place)
            if length > MOST_BLOCK:
                self._lie(length)
            if not self._holds(16 + length):
                return
            start = self._place + 16
            self._place = start + length
            yield min(seconds + fraction * unit, LATEST), link, self._buffer[start : self._place]

    def _pcapng(self) -> Iterator[Frame]:
        """Read blocks; the first word of the first is read already."""
        order, first = "<", NG_MAGIC
        interfaces: list[tuple[int, int]] = []
        while len(first) == 4:
            head = self._read(4)
            body = b""
            if first == NG_MAGIC:
                body = self._read(4)
                if body not in _NG_ORDER:
                    raise LabError(f"{self._path} is not a capture file: its section has no byte order")
                order = _NG_ORDER[body]
                interfaces = []
            if len(head) < 4:
                return
            length = struct.unpack(order + "I", head)[0]
            if length < 12 + len(body):
                self._lie(length)
            body += self._block(length - 8 - len(body))
            if len(body) < length - 8:
                return
            kind = 0 if first == NG_MAGIC else struct.unpack(order + "I", first)[0]
            frame = self._ng_block(kind, order, body[:-4], interfaces)
            if frame is not None:
                yield frame
            first = self._read(4)
            self._packets += frame is None  # blocks without a packet cost time, too
            if self._packets > MOST_PACKETS:
                self._too_much(f"{MOST_PACKETS} blocks")

    def _ng_block(
        self, kind: int, order: str, body: bytes, interfaces: list[tuple[int, int]]
    ) -> Frame | None:
        """Return a block's packet; note its interface if it describes one."""
        if kind == _INTERFACE and len(body) >= 8:
            interfaces.append((struct.unpack_from(order + "H", body)[0], _resolution(body, order)))
            if len(interfaces) > 1 << 16:
                self._too_much("65,536 interfaces")
        elif kind == _SIMPLE and len(body) >= 4 and interfaces:
            size = struct.unpack_from(order + "I", body)[0]
            return 0.0, interfaces[0][0], body[4 : 4 + size]
        elif kind in {_ENHANCED, _OLD_PACKET} and len(body) >= 20:
            number, high, low, size = struct.unpack_from(order + "4I", body)
            if kind == _OLD_PACKET:
                number = struct.unpack_from(order + "H", body)[0]
            if number < len(interfaces):
                link, resolution = interfaces[number]
                if size > len(body) - 20:
                    self._lie(size)
                return min((high << 32 | low) / resolution, LATEST), link, body[20 : 20 + size]
        return None

    def _block(self, length: int) -> bytes:
        if length > MOST_BLOCK:
            self._lie(length)
        return self._read(length)

    def _read(self, size: int) -> bytes:
        """Return so many octets; fewer where the file ends."""
        self._holds(size)
        start = self._place
        self._place = min(start + size, len(self._buffer))
        return self._buffer[start : self._place]

    def _holds(self, size: int) -> bool:
        """Say whether so many octets are there, read if need be."""
        while len(self._buffer) - self._place < size:
            try:
                more = self._file.read1(_CHUNK)
            except EOFError:  # gzip that breaks off
                return False
            except (zlib.error, gzip.BadGzipFile) as error:
                raise LabError(f"{self._path} is damaged: {error}") from error
            if not more:
                return False
            self._octets += len(more)
            if self._octets > MOST_OCTETS:
                self._too_much(f"{MOST_OCTETS >> 20} MiB")
            self._buffer = self._buffer[self._place :] + more
            self._place = 0
        return True

    def _lie(self, length: int) -> NoReturn:
        raise LabError(
            f"{self._path} is damaged: after packet {self._packets} it claims a record of {length} octets\n"
            f"    what is before it can be saved: `editcap -r {self._path} good.pcap 1-{self._packets}`"
        )

    def _too_much(self, limit: str) -> NoReturn:
        raise LabError(
            f"{self._path} has more than {limit}\n"
            f"    take a part of it: `tcpdump -r {self._path} -w part.pcap 'ether host MAC'`"
        )


def _resolution(body: bytes, order: str) -> int:
    """Return the units of a second that an interface's times are in (option if_tsresol)."""
    place = 8
    while place + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, place)
        if code == _RESOLUTION and length == 1 and place + 4 < len(body):
            value = body[place + 4]
            return int((2 if value & 128 else 10) ** (value & 127))
        if code == 0:
            break
        place += 4 + length + -length % 4
    return 1_000_000
