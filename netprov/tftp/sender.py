"""The server's end of a read: one machine a transfer, from the request to the last acknowledgement.

RFC 1350 with OACK (2347), window (7440) and block numbers that start again at 0 after 65535, as firmware images
need it. A duplicate acknowledgement never causes a duplicate block (RFC 1123 section 4.2.3.1), a stranger gets
error 5 and disturbs nobody (RFC 1350 section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from netprov.errors import Malformed
from netprov.machine import Datagram, Endpoint
from netprov.tftp.packet import Error, ErrorCode, OptionAck, TftpRequest, decode, encode
from netprov.tftp.transfer import (
    Failed,
    Finished,
    RetransmissionTimer,
    Source,
    Terms,
    TransferLimits,
    negotiate,
)

_STRANGER = encode(Error(ErrorCode.UNKNOWN_TRANSFER_ID, "unknown transfer ID"))
_ACK = b"\x00\x04"
_DATA = b"\x00\x03"
_SAMPLING = 0x7
"""The round trip is measured once in eight blocks; what follows a loss is measured always."""


class Sender:
    """Sends one file to one peer; `finished` once it wants neither datagrams nor time."""

    __slots__ = (
        "_acked",
        "_ahead",
        "_ahead_block",
        "_asked",
        "_block_size",
        "_expected",
        "_heard",
        "_last",
        "_limits",
        "_next",
        "_oack",
        "_out",
        "_peer",
        "_request",
        "_resent",
        "_resent_at",
        "_sent_at",
        "_source",
        "_started",
        "_terms",
        "_timer",
        "_window_size",
        "outcome",
        "proven",
        "retransmissions",
    )

    def __init__(
        self,
        request: TftpRequest,
        source: Source,
        *,
        peer: Endpoint,
        now: float,
        limits: TransferLimits,
        heard: int,
    ) -> None:
        """`heard` are the octets of the request as it came."""
        self._limits = limits
        self._heard = heard
        self._asked = now
        self._resent = 0  # octets sent before the first acknowledgement, or again since the last
        self.proven = False
        """Whether the peer has acknowledged anything: until then it may be somebody whose address was forged."""
        self._request = request
        self._source = source
        self._peer = (peer.address, peer.port)
        self._terms: Terms = negotiate(request, source.size, limits)
        self._block_size = self._terms.block_size
        self._window_size = self._terms.window
        self._last = source.size // self._terms.block_size + 1  # short, perhaps empty: it ends the file
        self._acked = 0  # blocks counted from 1 without rolling over
        self._next = 1
        self._ahead, self._ahead_block = b"", 0
        self._expected: bytes | None = None  # the acknowledgement on which the block ahead is due
        self._sent_at: float | None = now  # of the newest block, None if it was sent more than once
        self._resent_at = -1  # the block after which a window was sent again for a duplicate acknowledgement
        self._started = now
        self._timer = RetransmissionTimer(limits)
        self._timer.ceiling(self._terms.timeout)
        self._timer.start(now)
        self._out: list[Datagram] = []
        self.outcome: Finished | Failed | None = None
        self.retransmissions = 0
        accepted = self._terms.accepted
        self._oack = encode(OptionAck(accepted)) if accepted else b""

    @property
    def finished(self) -> bool:
        """Whether the transfer has ended, well or not."""
        return self.outcome is not None

    def begin(self, now: float) -> Sequence[bytes]:
        """Return the first packets for the peer."""
        packets = (self._oack,) if self._oack else self._window(now)
        self._resent = sum(map(len, packets))
        return packets

    def repeated(self, now: float) -> Sequence[bytes]:
        """Return the first packet for a peer that sent its request again, as a new request would get it; once a wait."""
        if self.proven or self.outcome or now - self._asked < self._limits.first_timeout:
            return ()
        self._asked, self._resent = now, 0
        return self._first_again(now)

    def advance(self, packet: bytes, now: float) -> Sequence[bytes]:
        """Take in a packet of the peer; return the packets to send to it: the short way for a pump."""
        if packet == self._expected:
            return self._due(now)
        if packet[:2] != _ACK or len(packet) < 4 or self.outcome:
            return self._other(packet)
        block = packet[2] << 8 | packet[3]
        gained = (block - self._acked) & 0xFFFF
        if not gained:
            return self._repeated(now)
        if gained >= self._next - self._acked:
            return ()  # of a block not sent yet, or from long ago
        self._oack = b""
        self.proven = True
        self._resent = 0
        self._acked += gained
        if self._acked == self._last:
            self._finish(now)
            return ()
        timer = self._timer
        if self._sent_at is None or self._acked != self._next - 1:
            timer.progress()
        elif timer.tries or not self._acked & _SAMPLING:
            timer.measured(now - self._sent_at)
        return self._window(now)

    def look_ahead(self) -> None:
        """Make the next packet of a lock-step transfer while the peer reads the one before: a pump's, once that is sent."""
        block = self._next
        if self._window_size == 1 and self._acked < block <= self._last and self._ahead_block != block:
            with suppress(OSError):  # it is met again when the packet is due
                self._ahead, self._ahead_block = self._packet(block), block
                # Before the first block is acknowledged much is different, and after a loss the round trip is not measured.
                if self._acked and self._sent_at is not None:
                    self._expected = _ACK + (block - 1 & 0xFFFF).to_bytes(2, "big")

    def _due(self, now: float) -> Sequence[bytes]:
        """Return the block that was made ahead: what `advance` would, for the one acknowledgement that nearly all are."""
        self._expected = None
        block = self._ahead_block
        self._acked = block - 1
        self._next = block + 1
        self._resent = 0
        timer = self._timer
        if (timer.tries or not self._acked & _SAMPLING) and self._sent_at is not None:
            timer.measured(now - self._sent_at)
        elif timer.tries:
            timer.progress()
        self._sent_at = now
        timer.start(now)
        return (self._ahead,)

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> None:
        """Take in a datagram from anyone."""
        if (source.address, source.port) != self._peer:
            self._out.append(Datagram(_STRANGER, source))
            return
        self._send(self.advance(datagram, now))

    def expire(self, now: float) -> Sequence[bytes]:
        """Return what to send again now that the wait is over; ends the transfer after too many waits."""
        if self.outcome:
            return ()
        waited = self._timer.expired(now)
        if not waited or (not self.proven and now - self._started >= self._limits.unproven):
            self._fail(f"no answer after {self._timer.tries} tries at block {self._acked}")
            return ()
        if not self.proven:
            return self._first_again(now)
        return self._again(now)

    def handle_timer(self, now: float) -> None:
        """Send again what was not acknowledged in time."""
        deadline = self._timer.deadline
        if deadline is not None and now >= deadline:
            self._send(self.expire(now))

    def timer(self) -> float | None:
        """Return when the wait for an acknowledgement ends."""
        return self._timer.deadline

    def events(self) -> Sequence[Finished | Failed]:
        """Return how the transfer ended, once it has."""
        return () if self.outcome is None else (self.outcome,)

    def datagrams_to_send(self) -> Sequence[Datagram]:
        """Return and forget what is to be sent."""
        out, self._out = self._out, []
        return out

    def _send(self, packets: Sequence[bytes]) -> None:
        peer = Endpoint(*self._peer)
        self._out += [Datagram(packet, peer) for packet in packets]

    def _window(self, now: float) -> Sequence[bytes]:
        """Return the blocks after the last acknowledged one, as many as the window holds."""
        first = self._acked + 1
        end = min(self._acked + self._window_size, self._last) + 1
        try:
            if end - first == 1:  # lock-step, as nearly all clients go
                packets: Sequence[bytes] = (self._data(first),)
            else:
                packets = [self._data(block) for block in range(first, end)]
        except OSError as error:
            self._fail(f"cannot read on: {error.strerror}")
            return (encode(Error(ErrorCode.NOT_DEFINED, "cannot read the file")),)
        self._next = end
        self._sent_at = now
        self._timer.start(now)
        return packets

    def _data(self, block: int) -> bytes:
        return self._ahead if block == self._ahead_block else self._packet(block)

    def _packet(self, block: int) -> bytes:
        size = self._block_size
        return _DATA + (block & 0xFFFF).to_bytes(2, "big") + self._source.read((block - 1) * size, size)

    def _again(self, now: float) -> Sequence[bytes]:
        """Return the window again, or nothing where too much was sent again since the peer's last answer."""
        size = min(self._window_size, self._last - self._acked) * self._block_size
        if self._resent and self._resent + size > self._limits.resent:
            self._timer.start(now)
            return ()
        self._resent += size
        self.retransmissions += 1
        packets = self._window(now)
        self._sent_at = None
        return packets

    def _first_again(self, now: float) -> Sequence[bytes]:
        """Return the first packet again, if the peer, who may know nothing of all this, is not sent too much by it."""
        self._timer.start(now)
        size = len(self._oack) or min(self._block_size, self._source.size) + 4
        if self._resent and self._resent + size > self._heard * self._limits.amplification:
            return ()
        self._resent += size
        self.retransmissions += 1
        packets = (self._oack,) if self._oack else self._window(now)
        self._sent_at = None
        return packets

    def _repeated(self, now: float) -> Sequence[bytes]:
        """Handle an acknowledgement of what was acknowledged already.

        It is the answer to the OACK; or, in a window of several blocks, says that its first was lost (RFC 7440
        section 4), for which the window is sent again once. Otherwise it is a duplicate and ignored.
        """
        if self._oack and self._acked == 0:
            self._oack = b""
            self.proven = True
            self._resent = 0
            if self._sent_at is not None:
                self._timer.measured(now - self._sent_at)
            return self._window(now)
        if self._terms.window > 1 and self._resent_at != self._acked:
            self._resent_at = self._acked
            self._resent = 0
            return self._again(now)
        return ()

    def _other(self, packet: bytes) -> Sequence[bytes]:
        """Handle whatever is not an acknowledgement."""
        if self.outcome:
            return ()
        try:
            decoded = decode(packet)
        except Malformed:
            return ()
        if isinstance(decoded, Error):
            # Some clients ask for nothing but the size, and take leave with an error before the first block.
            self._fail(decoded.message or "the client ended the transfer", decoded.code)
            return ()
        return ()

    def _finish(self, now: float) -> None:
        self._expected = None
        self._timer.stop()
        self.outcome = Finished(
            self._request.filename,
            self._peer[0],
            self._source.size,
            now - self._started,
            self.retransmissions,
        )

    def _fail(self, reason: str, code: int | None = None) -> None:
        self._expected = None
        self._timer.stop()
        self.outcome = Failed(self._request.filename, self._peer[0], reason, code)
