"""Domain names: absolute and uncompressed as on the wire, and as text in a master file.

RFC 1035 3.1, 4.1.4 and 5.1; RFC 4343 (only ASCII letters lose their case). A name is `bytes` throughout the core:
`b"\\x07example\\x03com\\x00"`. Internationalised names come in as their A-labels (RFC 5891), which are plain text.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from netprov.errors import Malformed

ROOT = b"\x00"
MAX_NAME = 255
MAX_LABEL = 63
WILDCARD = b"\x01*"

_LENGTH = [bytes([length]) for length in range(MAX_LABEL + 1)]
_PLAIN = re.compile(rb"[A-Za-z0-9_*/-]+")
_OCTETS = [bytes([len(str(octet))]) + str(octet).encode() for octet in range(256)]
"""The labels of octets in reverse names, so that those of ten thousand phones are made quickly."""
_IN_ADDR = b"\x07in-addr\x04arpa\x00"
_ESCAPE = re.compile(r"\\(\d{3})|\\(.)|(\.)|([^\\.]+)|(\\)", re.DOTALL)


def parse_name(text: str, origin: bytes | None = None) -> bytes:
    """Parse a name as master files write it (RFC 1035 5.1): escapes, `@`, relative to `origin` without a final dot.

    Without an origin every name is taken as absolute. Raises ValueError.
    """
    if text == "@" and origin is not None:
        return origin
    if text == ".":
        return ROOT
    labels, absolute = _labels(text) if "\\" in text else _plain_labels(text)
    wire = b"".join([_LENGTH[len(label)] + label for label in labels])
    wire += ROOT if absolute or origin is None else origin
    if len(wire) > MAX_NAME:
        raise ValueError(f"{text!r} is longer than 255 octets")
    return wire


def _plain_labels(text: str) -> tuple[list[bytes], bool]:
    """Split a name without escapes, which is nearly every one."""
    labels = text.encode().split(b".")
    absolute = not labels[-1]
    if absolute:
        labels.pop()
    for label in labels:
        if not 0 < len(label) <= MAX_LABEL:
            _checked(label, text)
    return labels, absolute


def _labels(text: str) -> tuple[list[bytes], bool]:
    labels: list[bytes] = []
    label = bytearray()
    absolute = False
    for decimal, escaped, dot, plain, stray in _ESCAPE.findall(text):
        absolute = bool(dot)
        if dot:
            labels.append(_checked(label, text))
            label = bytearray()
        elif decimal:
            if int(decimal) > 255:
                raise ValueError(f"{text!r}: \\{decimal} is more than an octet")
            label.append(int(decimal))
        elif stray:
            raise ValueError(f"{text!r} ends in a backslash")
        else:
            label += (escaped or plain).encode()
    if not absolute:
        labels.append(_checked(label, text))
    return labels, absolute


def _checked(label: bytes | bytearray, text: str) -> bytes:
    if not label:
        raise ValueError(f"{text!r} has an empty label")
    if len(label) > MAX_LABEL:
        raise ValueError(f"{text!r} has a label of more than 63 octets")
    return bytes(label)


def format_name(name: bytes) -> str:
    """Format a name with its final dot; other octets than letters, digits, `-_*/` are escaped as `\\DDD` or `\\.`."""
    return "".join(f"{_format_label(label)}." for label in labels(name)) or "."


def format_host(name: bytes) -> str:
    """Format a name without its final dot, as URLs and certificates write it."""
    return format_name(name).removesuffix(".") or "."  # a dot before it may be a label's own


def _format_label(label: bytes) -> str:
    if _PLAIN.fullmatch(label):
        return label.decode()
    return "".join(
        chr(octet) if _PLAIN.fullmatch(bytes([octet])) else f"\\{octet:03}" if octet != 0x2E else "\\."
        for octet in label
    )


def labels(name: bytes) -> list[bytes]:
    """Return the labels of a name, leftmost first, without the root."""
    found = []
    position = 0
    while length := name[position]:
        found.append(name[position + 1 : position + 1 + length])
        position += 1 + length
    return found


def parent(name: bytes) -> bytes:
    """Return the name without its leftmost label; the root has no parent and is returned as it is."""
    return name[1 + name[0] :] if name[0] else name


def ancestors(name: bytes) -> list[bytes]:
    """Return the name, its parent and so on up to the root."""
    found = [name]
    while name[0]:
        name = name[1 + name[0] :]
        found.append(name)
    return found


def is_below(name: bytes, ancestor: bytes) -> bool:
    """Return whether a name is the ancestor itself or below it; both in one case."""
    if not name.endswith(ancestor):
        return False
    # Octets at the end that look like the ancestor may begin inside a label.
    position, wanted = 0, len(name) - len(ancestor)
    while position < wanted:
        position += 1 + name[position]
    return position == wanted


def sort_key(name: bytes) -> list[bytes]:
    """Return the key of the canonical order (RFC 4034 6.1): by labels, rightmost first."""
    return [label.lower() for label in reversed(labels(name))]


def read_name(message: bytes, position: int) -> tuple[bytes, int]:
    """Read a possibly compressed name (RFC 1035 4.1.4) and return it with the position behind it.

    A pointer may only point backwards, before every octet of this name read so far. Raises `Malformed`.
    """
    parts: list[bytes] = []
    total, after, limit = 1, -1, position
    try:
        while length := message[position]:
            if length >= 0xC0:
                if after < 0:
                    after = position + 2
                position = (length & 0x3F) << 8 | message[position + 1]
                if position >= limit:
                    raise Malformed(f"compression pointer at {after - 2} does not point backwards")
                limit = position
                continue
            if length > MAX_LABEL:
                raise Malformed(f"label type {length >> 6} at offset {position}")
            end = position + 1 + length
            total += 1 + length
            if total > MAX_NAME:
                raise Malformed("name of more than 255 octets")
            parts.append(message[position:end])
            position = end
    except IndexError:
        raise Malformed("name runs past the end of the message") from None
    parts.append(ROOT)
    return b"".join(parts), (position + 1 if after < 0 else after)


def reverse_name(address: IPv4Address | IPv6Address) -> bytes:
    """Return the name that asks for an address's host name (RFC 1035 3.5, RFC 3596 2.5)."""
    if address.version == 4:
        return b"".join([_OCTETS[octet] for octet in reversed(address.packed)]) + _IN_ADDR
    return parse_name(address.reverse_pointer)


def reverse_zones(network: IPv4Network | IPv6Network) -> list[bytes]:
    """Return the origins of the reverse zones that cover a network, on octet or nibble boundaries.

    A network smaller than its boundary takes the zone of the boundary around it.
    """
    step = 8 if network.version == 4 else 4
    boundary = -(-network.prefixlen // step) * step
    if boundary == network.max_prefixlen:
        boundary -= step
    if boundary <= network.prefixlen:
        covering = [network.supernet(new_prefix=boundary)]
    else:
        covering = list(network.subnets(new_prefix=boundary))
    origins = []
    for each in covering:
        pointer = each.network_address.reverse_pointer
        skipped = (each.max_prefixlen - boundary) // step
        origins.append(parse_name(pointer.split(".", skipped)[-1]))
    return origins
