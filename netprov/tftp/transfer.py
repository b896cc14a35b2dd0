"""What both ends of a transfer share: its source, its limits, its clock, and how it ended (RFC 1350, 2347-2349, 7440)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from netprov.number import whole
from netprov.tftp.packet import BLOCK_SIZES, DEFAULT_BLOCK_SIZE, TIMEOUTS, WINDOW_SIZES, TftpRequest


class Source(Protocol):
    """What is sent: octets that can be read at any offset."""

    @property
    def size(self) -> int:
        """Octets in all."""

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` octets from `offset`, fewer only at the end; raises `OSError` if they cannot be read."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Memory:
    """A source that is all in memory."""

    content: bytes

    @property
    def size(self) -> int:
        """Octets in all."""
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        """Slice."""
        return self.content[offset : offset + length]


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """How far one end goes; times in seconds.

    `max_block` keeps a DATA packet below the usual MTU of a LAN with jumbo frames excluded by nobody: a client that
    asks for more gets less (RFC 2348). The first wait is `first_timeout`; later ones follow the measured round trip,
    never below `min_timeout`, doubled on every loss up to `max_timeout`; so much `silence` without an answer ends the
    transfer. Not a number of tries: on a LAN six of them are over in half a second, and a phone that writes to its flash
    is away for longer.

    A peer that has acknowledged nothing may be nobody: whoever forged its address has us send to it. It is waited for
    `unproven` seconds, and is sent the first packet, and again only as far as all of it is at most `amplification` times
    the octets that came from it. A peer that has acknowledged something gets its unanswered packets again, up to `resent`
    octets between two of its answers, once in any case.
    """

    max_block: int = 65464
    max_window: int = 64
    first_timeout: float = 1.0
    min_timeout: float = 0.01
    max_timeout: float = 4.0
    silence: float = 20.0
    unproven: float = 5.0
    amplification: int = 3
    resent: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Terms:
    """What was negotiated; `accepted` is what the OACK says, empty for a plain RFC 1350 transfer."""

    block_size: int = DEFAULT_BLOCK_SIZE
    window: int = 1
    timeout: int | None = None
    accepted: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A transfer came to its end: every block sent is acknowledged, or every block arrived."""

    filename: str
    peer: str
    octets: int
    seconds: float
    retransmissions: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A transfer ended early: the peer's error with its code, or our own reason with code None."""

    filename: str
    peer: str
    reason: str
    code: int | None = None


def negotiate(request: TftpRequest, size: int, limits: TransferLimits) -> Terms:
    """Answer a read request's options; unknown or impossible ones are left out of the OACK (RFC 2347)."""
    options = request.options
    accepted: dict[str, str] = {}
    block_size, window, timeout = DEFAULT_BLOCK_SIZE, 1, None
    if (wanted := number(options.get("blksize"), BLOCK_SIZES, clamp=True)) is not None:
        block_size = min(wanted, limits.max_block)
        accepted["blksize"] = str(block_size)
    if (wanted := number(options.get("timeout"), TIMEOUTS)) is not None:
        timeout = wanted
        accepted["timeout"] = str(timeout)
    if "tsize" in options and request.mode == "octet":
        accepted["tsize"] = str(size)
    if (wanted := number(options.get("windowsize"), WINDOW_SIZES)) is not None:
        window = min(wanted, limits.max_window)
        accepted["windowsize"] = str(window)
    return Terms(block_size, window, timeout, accepted or None)


def number(text: str | None, allowed: range, *, clamp: bool = False) -> int | None:
    """Return an option's decimal value if it is allowed; with `clamp`, one too large counts as the largest."""
    value = whole(text or "")
    if value is None:
        return None
    if clamp:
        value = min(value, allowed[-1])
    return value if value in allowed else None


class RetransmissionTimer:
    """When to send again: the round trip as RFC 6298 measures it, doubled on every loss.

    Deviation: a timeout negotiated by RFC 2349 is the longest wait, not the only one: on a LAN that loses packets,
    waiting whole seconds for each makes a firmware image take hours, and a block sent early does no harm because
    duplicate acknowledgements are ignored.
    """

    __slots__ = ("_ceiling", "_limits", "_since", "_smoothed", "_variation", "_wait", "deadline", "tries")

    def __init__(self, limits: TransferLimits) -> None:
        self._limits = limits
        self._ceiling = limits.max_timeout
        self._smoothed = 0.0
        self._variation = 0.0
        self._wait = limits.first_timeout
        self._since = 0.0
        self.tries = 0
        self.deadline: float | None = None

    def ceiling(self, timeout: int | None) -> None:
        """Take a negotiated timeout (RFC 2349) as the longest wait."""
        if timeout is not None:
            self._ceiling = float(timeout)

    def start(self, now: float) -> None:
        """Begin to wait for an answer to what has just been sent."""
        if not self.tries:
            self._since = now
        self.deadline = now + self._wait

    def measured(self, sample: float) -> None:
        """Take in a round trip of a packet that was sent once (Karn's rule), in seconds; waiting begins anew."""
        if self._smoothed:
            self._variation += (abs(self._smoothed - sample) - self._variation) / 4
            self._smoothed += (sample - self._smoothed) / 8
        else:
            self._smoothed, self._variation = sample or 1e-6, sample / 2
        self.progress()

    def progress(self) -> None:
        """Note that the peer answered: losses are forgotten."""
        self.tries = 0
        if self._smoothed:
            self._wait = max(self._limits.min_timeout, self._smoothed + 4 * self._variation)

    def expired(self, now: float) -> bool:
        """Count a loss; return whether the peer may be asked once more."""
        self.tries += 1
        self._wait = min(self._wait * 2, self._ceiling)
        return now - self._since < self._limits.silence

    def stop(self) -> None:
        """Wait no longer."""
        self.deadline = None
