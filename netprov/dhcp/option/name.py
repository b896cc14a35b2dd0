"""Domain names inside options: uncompressed labels out, RFC 1035 compression in (RFC 3397, RFC 1035 4.1.4)."""

from __future__ import annotations

from collections.abc import Sequence

from netprov.errors import BadValue, Malformed

_POINTER = 0xC0


def encode_list(names: Sequence[str]) -> bytes:
    """Encode a search list; a name's tail that was written before becomes a pointer (RFC 3397 section 2)."""
    out = bytearray()
    written: dict[tuple[str, ...], int] = {}
    for name in names:
        labels = tuple(name.rstrip(".").split("."))
        if not all(1 <= len(label.encode()) <= 63 for label in labels) or len(name) > 253:
            raise BadValue(
                f"{name!r} is not a DNS name", "write labels of 1 to 63 octets, 253 in all, as in example.com"
            )
        for start in range(len(labels)):
            tail = tuple(label.lower() for label in labels[start:])
            if tail in written:
                out += (_POINTER << 8 | written[tail]).to_bytes(2, "big")
                break
            if len(out) < 0x4000:
                written[tail] = len(out)
            label = labels[start].encode()
            out += bytes([len(label)]) + label
        else:
            out.append(0)
    return bytes(out)


def decode_list(data: bytes) -> tuple[str, ...]:
    """Decode a search list; a pointer must lead backwards."""
    names, position = [], 0
    while position < len(data):
        name, position = _decode(data, position)
        names.append(name)
    if not names:
        raise Malformed("no name")
    return tuple(names)


def _decode(data: bytes, position: int) -> tuple[str, int]:
    """Return the name at `position`, and where the next one starts."""
    labels: list[str] = []
    following: int | None = None
    start = position
    total = 0
    while True:
        if position >= len(data):
            raise Malformed(f"name at offset {start} does not end")
        length = data[position]
        if not length:
            return ".".join(labels), following if following is not None else position + 1
        if length & _POINTER == _POINTER:
            if position + 1 >= len(data):
                raise Malformed(f"pointer at offset {position} is cut off")
            target = (length & 0x3F) << 8 | data[position + 1]
            if target >= start:
                raise Malformed(f"pointer at offset {position} leads forward")
            following = following if following is not None else position + 2
            position = start = target
            continue
        if length & _POINTER:
            raise Malformed(f"label type {length >> 6} at offset {position}")
        label = data[position + 1 : position + 1 + length]
        total += length + 1
        if len(label) != length or total > 254:
            raise Malformed(f"name at offset {start} is too long or cut off")
        labels.append(label.decode("ascii", "backslashreplace"))
        position += length + 1
