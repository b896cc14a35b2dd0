"""The netascii mode of TFTP: text with line ends of the network (RFC 764), as RFC 1350 section 1 has it.

Phones ask for octets; the tftp command of Debian asks for netascii unless it is told otherwise.
"""

from __future__ import annotations


def to_netascii(data: bytes) -> bytes:
    """Return text of ours as it goes over the network."""
    # In this order: the CR before an LF of ours is part of the line end, and gets no NUL.
    return data.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
