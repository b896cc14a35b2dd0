"""The netascii mode of TFTP: text with line ends of the network (RFC 764), as RFC 1350 section 1 has it.

Phones ask for octets; the tftp command of Debian asks for netascii unless it is told otherwise.
"""

from __future__ import annotations

import re

_TO = {b"\n": b"\r\n", b"\r": b"\r\0"}


def to_netascii(data: bytes) -> bytes:
    """Return text of ours as it goes over the network."""
    return re.sub(b"[\r\n]", lambda found: _TO[found[0]], data)
