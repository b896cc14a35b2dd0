"""Why a socket cannot be bound, and what to do: one answer for every role (bind(2))."""

from __future__ import annotations

import errno
import os
from typing import Literal

from netprov.errors import ServiceError


def bind_refused(shown: str, protocol: Literal["udp", "tcp"], port: int, error: OSError) -> ServiceError:
    """Return the error for a socket; `shown` is what people call it, `https 10.20.0.11:5060`."""
    match error.errno:
        case errno.EADDRINUSE:
            remedy = f"see what holds it: `ss -ln{protocol[0]}p sport = :{port}`, and stop it or move one of the two"
            return ServiceError(f"{shown} is taken by another program", remedy)
        case errno.EACCES | errno.EPERM:
            remedy = "run as root, or with the capability CAP_NET_BIND_SERVICE as the units in systemd/ do"
            return ServiceError(f"{shown} may not be bound by this user", remedy)
        case errno.EADDRNOTAVAIL:
            remedy = "add the address to an interface (`ip address add`), or name another"
            return ServiceError(f"{shown} is not an address of this machine", remedy)
        case _:
            return ServiceError(f"{shown} cannot be bound: {os.strerror(error.errno or 0)}")
