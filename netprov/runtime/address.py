"""Whether an address or an interface is one of this machine's."""

from __future__ import annotations

import socket


def is_here(address: str) -> bool:
    """Say whether a socket here may have an address: the kernel's own judgement, in whichever namespace this is."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def index_of(interface: str) -> int:
    """Return the index of an interface, 0 if there is none of that name."""
    try:
        return socket.if_nametoindex(interface) if interface else 0
    except OSError:
        return 0
