"""Which MAC address is behind an IP address: the kernel's neighbour table, for networks we are on ourselves."""

from __future__ import annotations

_TABLE = "/proc/thread-self/net/arp"
_COMPLETE = 0x2


def neighbour(address: str) -> str:
    """Return the MAC address of a neighbour, with colons, or "" if the kernel does not know it."""
    try:
        with open(_TABLE, encoding="ascii") as table:
            next(table)
            for line in table:
                if line.startswith(address + " "):
                    fields = line.split()
                    known = int(fields[2], 16) & _COMPLETE
                    return fields[3] if known and fields[3] != "00:00:00:00:00:00" else ""
    except (OSError, ValueError, IndexError, StopIteration):
        return ""
    return ""
