"""Keeps room in a socket's send buffer for the answers that leave at once.

Whoever asks in the names of hosts that there are not, fills it with answers that wait for ARP: then nothing leaves, for
anybody. So what must wait has some quarter of it; more of that is dropped and counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from netprov.runtime.net.mmsg import SLOTS, Batch
from netprov.runtime.net.reach import Reach


class Outbox:
    """Sends the answers of one batch of datagrams."""

    def __init__(self, batch: Batch, clock: Callable[[], float] = time.monotonic) -> None:
        self._batch = batch
        self._reach = Reach(clock)
        self._unseen = 0
        self.held_back = 0
        """Answers dropped so far, since they would have waited where no room was left to wait."""

    def send(self, lengths: Sequence[int]) -> None:
        """Send each slot's octets back to its source; a length of 0 sends nothing."""
        # One look for so many answers: asking the kernel each time is a fortieth of what a lone question costs.
        self._unseen += len(lengths)
        if self._unseen >= SLOTS:
            if self._batch.is_backed_up():
                lengths = self._sorted_out(lengths)
            else:
                self._unseen = 0
        self._batch.send(lengths)

    def close(self) -> None:
        """Close what it asks the kernel by; the batch's socket stays open."""
        self._reach.close()

    def _sorted_out(self, lengths: Sequence[int]) -> Sequence[int]:
        """Leave out what would wait."""
        at_once = self._reach.at_once
        kept = [
            length if length and at_once(origin) else 0
            for length, origin in zip(lengths, self._batch.origins(len(lengths)), strict=True)
        ]
        self.held_back += kept.count(0) - list(lengths).count(0)
        return kept
