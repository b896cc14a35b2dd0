"""Datagrams in batches: `recvmmsg` and `sendmmsg` through ctypes on Linux, plain calls elsewhere.

One system call moves up to `SLOTS` datagrams, which is most of what a fast UDP server can save. All messages live in
one `mmap`, whose slices are `bytes` made in one step; a reply is written over its query, so its address is in place.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import socket
import struct
import sys
from array import array
from collections.abc import Sequence
from typing import Protocol

SLOTS = 64
SLOT = 4096
"""Octets a datagram may have, in and out; a longer one comes in cut, and can only be a format error then."""

_ADDRESS = 28
_SO_MEMINFO = 55


class Batch(Protocol):
    """Up to `SLOTS` datagrams; number i is at `memory[i * SLOT:]`."""

    memory: mmap.mmap

    def receive(self) -> list[int]:
        """Take in what has arrived, without waiting, and return the length of each; an empty list is none."""

    def source(self, index: int) -> tuple[bytes, int]:
        """Return the packed address and port that a datagram came from."""

    def sources(self, count: int) -> list[bytes]:
        """Return port and address, packed, that the first datagrams came from: two octets and four, or sixteen."""

    def origins(self, count: int) -> Sequence[int | bytes]:
        """Return what tells apart the addresses that the first datagrams came from, whatever is fastest."""

    def send(self, lengths: Sequence[int]) -> None:
        """Send each slot's octets back to its source; a length of 0 sends nothing."""

    def is_overfull(self) -> bool:
        """Say whether so much waits that the kernel drops what comes next, or soon will."""

    def is_backed_up(self) -> bool:
        """Say whether a quarter of the send buffer is used by what has not left yet: the rest has room for two batches."""


def batch(sock: socket.socket) -> Batch:
    """Return the fastest kind of batch that the platform has, for a non-blocking UDP socket."""
    return MmsgBatch(sock) if sys.platform == "linux" and sys.maxsize > 1 << 32 else PlainBatch(sock)


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Msghdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("namelen", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iovlen", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("controllen", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Mmsghdr(ctypes.Structure):
    _fields_ = (("header", _Msghdr), ("length", ctypes.c_uint32))


_LENGTH_AT = _Mmsghdr.length.offset // 4
_STRIDE = ctypes.sizeof(_Mmsghdr) // 4


class MmsgBatch:
    """The Linux way. Two arrays of headers share the slots, so that nothing is reset between receiving and sending."""

    def __init__(self, sock: socket.socket) -> None:
        self.memory = mmap.mmap(-1, SLOTS * SLOT)
        self._addresses = mmap.mmap(-1, SLOTS * _ADDRESS)
        self._sock = sock
        self._descriptor = sock.fileno()
        self._v6 = sock.family == socket.AF_INET6
        size = 28 if self._v6 else 16
        self._numbers = memoryview(self._addresses).cast("I")[1 :: _ADDRESS // 4]
        # The mappings must outlive these pointers: both are attributes, and a mapping never moves.
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        names = ctypes.addressof(ctypes.c_char.from_buffer(self._addresses))
        self._iovecs_in, self._headers_in = _headers(base, names, size)
        self._iovecs_out, self._headers_out = _headers(base, names, size)
        lengths = memoryview(self._headers_in).cast("B").cast("I")
        self._lengths_in = lengths[_LENGTH_AT::_STRIDE]
        self._lengths_out = memoryview(self._iovecs_out).cast("B").cast("Q")[1::2]
        library = ctypes.CDLL(None, use_errno=True)
        self._recvmmsg, self._sendmmsg = library.recvmmsg, library.sendmmsg
        self._recvmmsg.argtypes = (
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_void_p,
        )
        self._sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        self._in = ctypes.addressof(self._headers_in)
        self._out = ctypes.addressof(self._headers_out)

    def is_overfull(self) -> bool:
        """Say whether seven eighths of the receive buffer are used."""
        used, size = struct.unpack("II", self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 8))
        return bool(used * 8 > size * 7)

    def is_backed_up(self) -> bool:
        """Say whether a quarter of the send buffer is used."""
        *_, used, size = struct.unpack("4I", self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 16))
        return bool(used * 4 > size)

    def receive(self) -> list[int]:
        """Take in what has arrived."""
        count = self._recvmmsg(self._descriptor, self._in, SLOTS, socket.MSG_DONTWAIT, None)
        return self._lengths_in[:count].tolist() if count > 0 else []

    def source(self, index: int) -> tuple[bytes, int]:
        """Return the packed address and port that a datagram came from."""
        start = index * _ADDRESS
        port = int.from_bytes(self._addresses[start + 2 : start + 4], "big")
        if self._v6:
            return self._addresses[start + 8 : start + 24], port
        return self._addresses[start + 4 : start + 8], port

    def sources(self, count: int) -> list[bytes]:
        """Return port and address, packed, that the first datagrams came from."""
        raw = self._addresses
        if self._v6:
            return [
                raw[at + 2 : at + 4] + raw[at + 8 : at + 24] for at in range(0, count * _ADDRESS, _ADDRESS)
            ]
        return [raw[at : at + 6] for at in range(2, 2 + count * _ADDRESS, _ADDRESS)]

    def origins(self, count: int) -> Sequence[int | bytes]:
        """Return what tells apart the addresses that the first datagrams came from: an IPv4 address as a number."""
        if not self._v6:
            return self._numbers[:count].tolist()
        raw = self._addresses
        return [raw[at : at + 16] for at in range(8, 8 + count * _ADDRESS, _ADDRESS)]

    def send(self, lengths: Sequence[int]) -> None:
        """Send each slot's octets back to its source, runs of consecutive slots in one call."""
        count = len(lengths)
        self._lengths_out[:count] = memoryview(array("Q", lengths))
        if all(lengths):
            self._send_run(0, count)
            return
        start = 0
        while start < count:
            if not lengths[start]:
                start += 1
                continue
            end = start
            while end < count and lengths[end]:
                end += 1
            self._send_run(start, end)
            start = end

    def _send_run(self, start: int, end: int) -> None:
        while start < end:
            sent = self._sendmmsg(
                self._descriptor,
                self._out + start * ctypes.sizeof(_Mmsghdr),
                end - start,
                socket.MSG_DONTWAIT,
            )
            if sent < 0:
                if ctypes.get_errno() in {errno.EAGAIN, errno.ENOBUFS}:
                    return  # the network is full: UDP may lose these, and clients ask again
                sent = 1  # this one cannot be sent (port 0, no route): go on behind it
            start += sent


def _headers(base: int, names: int, size: int) -> tuple[ctypes.Array[_Iovec], ctypes.Array[_Mmsghdr]]:
    iovecs = (_Iovec * SLOTS)()
    headers = (_Mmsghdr * SLOTS)()
    for index in range(SLOTS):
        iovecs[index].base = base + index * SLOT
        iovecs[index].length = SLOT
        header = headers[index].header
        header.name = names + index * _ADDRESS
        header.namelen = size
        header.iov = ctypes.addressof(iovecs) + index * ctypes.sizeof(_Iovec)
        header.iovlen = 1
    return iovecs, headers


class PlainBatch:
    """The portable way: one call a datagram."""

    def __init__(self, sock: socket.socket) -> None:
        self.memory = mmap.mmap(-1, SLOTS * SLOT)
        self._sock = sock
        self._sources: list[tuple[str, int]] = []

    def receive(self) -> list[int]:
        """Take in what has arrived."""
        self._sources.clear()
        lengths: list[int] = []
        view = memoryview(self.memory)
        while len(lengths) < SLOTS:
            start = len(lengths) * SLOT
            try:
                length, source = self._sock.recvfrom_into(view[start : start + SLOT])
            except OSError:
                break
            lengths.append(length)
            self._sources.append(source)
        return lengths

    def source(self, index: int) -> tuple[bytes, int]:
        """Return the packed address and port that a datagram came from."""
        host, port = self._sources[index][:2]
        return socket.inet_pton(self._sock.family, host.partition("%")[0]), port

    def sources(self, count: int) -> list[bytes]:
        """Return port and address, packed, that the first datagrams came from."""
        return [port.to_bytes(2, "big") + address for address, port in map(self.source, range(count))]

    def origins(self, count: int) -> Sequence[int | bytes]:
        """Return what tells apart the addresses that the first datagrams came from."""
        return [self.source(index)[0] for index in range(count)]

    def is_overfull(self) -> bool:
        """Say nothing of it: there is no way to know."""
        return False

    def is_backed_up(self) -> bool:
        """Say nothing of it either."""
        return False

    def send(self, lengths: Sequence[int]) -> None:
        """Send each slot's octets back to its source."""
        for index, length in enumerate(lengths):
            if length:
                try:
                    self._sock.sendto(self.memory[index * SLOT : index * SLOT + length], self._sources[index])
                except OSError:
                    continue
