"""A cable with faults: a program that joins two interfaces and loses, delays, doubles or reorders frames.

    python -m netprov.lab.wire near far --loss 10 --delay 20 --seed 1

A user-space stand-in for the kernel's netem, which not every kernel has; the same seed gives the same faults
for the same frames. Both interfaces, and those at the other ends, need transmit checksum offload off
(`without_offload`): a frame that is read here has to be complete.
"""

from __future__ import annotations

import argparse
import array
import fcntl
import heapq
import random
import select
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from netprov.errors import LabError

ETH_P_ALL = 0x0003
PACKET_OUTGOING = 4
SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM = 0x17
FRAME = 65536


@dataclass(frozen=True, slots=True)
class Faults:
    """What a cable does to frames, each way: percentages, and a delay in milliseconds, plus or minus jitter."""

    loss: float = 0
    duplicate: float = 0
    delay_ms: float = 0
    jitter_ms: float = 0
    seed: int = 0

    def fates(self, draw: random.Random) -> list[float]:
        """Return the delay in seconds of every copy that one frame arrives in; none is a loss."""
        if draw.uniform(0, 100) < self.loss:
            return []
        copies = 2 if draw.uniform(0, 100) < self.duplicate else 1
        return [
            max(0.0, self.delay_ms + draw.uniform(-self.jitter_ms, self.jitter_ms)) / 1000
            for _ in range(copies)
        ]

    def arguments(self) -> list[str]:
        """Return them as this program's options."""
        return [
            *("--loss", str(self.loss), "--duplicate", str(self.duplicate), "--delay", str(self.delay_ms)),
            *("--jitter", str(self.jitter_ms), "--seed", str(self.seed)),
        ]


def without_offload(interface: str) -> None:
    """Have checksums computed before a frame leaves an interface of this thread's namespace (ethtool -K … tx off)."""
    value = array.array("I", [ETHTOOL_STXCSUM, 0])
    request = struct.pack("16sP", interface.encode(), value.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            fcntl.ioctl(control, SIOCETHTOOL, request)
        except OSError as error:
            raise LabError(f"cannot switch off checksum offload of {interface}: {error}") from error


def join(near: str, far: str, faults: Faults) -> None:
    """Carry frames between two interfaces, for ever."""
    ends = {_attach(near): _attach(far)}
    ends |= {far_end: near_end for near_end, far_end in ends.items()}
    print("ready", flush=True)  # noqa: T201 - the word that the starter waits for
    draw = random.Random(faults.seed)  # noqa: S311 - faults, not secrets
    under_way: list[tuple[float, int, socket.socket, bytes]] = []
    numbers = count()
    while True:
        timeouts = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select(list(ends), [], [], timeouts)
        for end in ready:
            try:
                frame, (_, _, kind, *_) = end.recvfrom(FRAME)
            except OSError:  # said once when an interface goes down; it may come up again
                continue
            if kind != PACKET_OUTGOING:
                now = time.monotonic()
                for delay in faults.fates(draw):
                    heapq.heappush(under_way, (now + delay, next(numbers), ends[end], frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(under_way)
            with suppress(OSError):  # down, or its queue is full: the frame is lost, as on any cable
                end.send(frame)


def _attach(interface: str) -> socket.socket:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    end.bind((interface, 0))
    return end


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Join two interfaces by a cable with faults.")
    parser.add_argument("near")
    parser.add_argument("far")
    for option, unit in (("loss", "percent"), ("duplicate", "percent"), ("delay", "ms"), ("jitter", "ms")):
        parser.add_argument(f"--{option}", type=float, default=0, metavar=unit.upper())
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    join(
        given.near,
        given.far,
        Faults(given.loss, given.duplicate, given.delay, given.jitter, given.seed),
    )


if __name__ == "__main__":
    main()
