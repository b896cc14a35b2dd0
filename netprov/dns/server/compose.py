"""The message under construction: sections in order, names compressed, record sets kept whole.

RFC 1035 4.1.4, RFC 2181 9 (truncation by whole RRsets), RFC 2782 and RFC 3597 4 (what is never compressed).
"""

from __future__ import annotations

import struct

from netprov.dns.iana.rrtype import CNAME, MX, NS, OPT, PTR, SOA, TYPES
from netprov.dns.zone.zone import RRset

_HEAD = struct.Struct(">HHIH").pack
_HEADER = struct.Struct(">2sHHHHH").pack_into
_LAYOUT = {NS: (0, 1), CNAME: (0, 1), PTR: (0, 1), MX: (2, 1), SOA: (0, 2), TYPES["MINFO"]: (0, 2)}
"""Octets before the first name, and number of names, in data that may be compressed."""


class Composer:
    """A growing message of at most `limit` octets; `counts` are those of answer, authority, additional."""

    __slots__ = ("_class", "_names", "_questions", "buffer", "counts", "limit")

    def __init__(self, question: bytes, qname: bytes, limit: int) -> None:
        """Begin with the question, if there is one; its last two octets are the class of all that follows."""
        self.buffer = bytearray(12)
        self.buffer += question
        self.limit = limit
        self.counts = [0, 0, 0]
        self._questions = 1 if question else 0
        self._class = int.from_bytes(question[-2:], "big")
        self._names: dict[bytes, int] = {}
        position = 0
        while length := qname[position]:
            self._names[qname[position:]] = 12 + position
            position += 1 + length

    def add(self, section: int, name: bytes, rrset: RRset, ttl: int | None = None) -> bool:
        """Append a whole record set; if it does not fit, leave it out and return False.

        `name` is in lower case. `ttl` replaces the set's own.
        """
        buffer = self.buffer
        mark = len(buffer)
        type_ = rrset.type
        layout = _LAYOUT.get(type_)
        ttl = rrset.ttl if ttl is None else ttl
        for data in rrset.rdatas:
            self._name(name)
            if layout is None:
                buffer += _HEAD(type_, self._class, ttl, len(data))
                buffer += data
            else:
                buffer += _HEAD(type_, self._class, ttl, 0)
                start = len(buffer)
                self._compressed(data, layout)
                buffer[start - 2 : start] = (len(buffer) - start).to_bytes(2, "big")
            if len(buffer) > self.limit:
                del buffer[mark:]
                self._names = {name: at for name, at in self._names.items() if at < mark}
                return False
        self.counts[section] += len(rrset.rdatas)
        return True

    def add_opt(self, size: int, ttl: int, options: bytes) -> None:
        """Append the OPT pseudo-record, for which the limit has been kept free."""
        self.buffer += b"\x00" + _HEAD(OPT, size, ttl, len(options)) + options
        self.counts[2] += 1

    def finish(self, id_: bytes, flags: int) -> bytes:
        """Write the header and return the message."""
        answers, authorities, additionals = self.counts
        _HEADER(self.buffer, 0, id_, flags, self._questions, answers, authorities, additionals)
        return bytes(self.buffer)

    def _name(self, name: bytes) -> None:
        names, buffer = self._names, self.buffer
        position = 0
        while length := name[position]:
            suffix = name[position:].lower()
            known = names.get(suffix)
            if known is not None:
                buffer += (0xC000 | known).to_bytes(2, "big")
                return
            if len(buffer) < 0x4000:
                names[suffix] = len(buffer)
            buffer += name[position : position + 1 + length]
            position += 1 + length
        buffer.append(0)

    def _compressed(self, data: bytes, layout: tuple[int, int]) -> None:
        position, names = layout
        self.buffer += data[:position]
        for _ in range(names):
            end = position
            while data[end]:
                end += 1 + data[end]
            self._name(data[position : end + 1])
            position = end + 1
        self.buffer += data[position:]
