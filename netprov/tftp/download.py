"""The client's end of a read: from the request to the last acknowledgement (RFC 1350, 2347, 2348, 2349, 7440).

Used by the emulated phone and by `netprov doctor`; writing is deliberately absent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from netprov.errors import Malformed, RemoteViolation
from netprov.machine import Datagram, Endpoint
from netprov.tftp.packet import (
    BLOCK_SIZES,
    DEFAULT_BLOCK_SIZE,
    WINDOW_SIZES,
    Ack,
    Data,
    Error,
    ErrorCode,
    Opcode,
    OptionAck,
    TftpRequest,
    decode,
    encode,
)
from netprov.tftp.transfer import Failed, Finished, RetransmissionTimer, TransferLimits, number

_STRANGER = encode(Error(ErrorCode.UNKNOWN_TRANSFER_ID, "unknown transfer ID"))


class Download:
    """Fetches one file from one server.

    `options` are sent as they are, `{"blksize": "1428", "tsize": "0"}`; a server that ignores them is fine. The
    content is in `content()` once `outcome` is `Finished`, unless it was handed to `sink` block by block.
    """

    def __init__(
        self,
        filename: str,
        server: Endpoint,
        now: float,
        *,
        options: Mapping[str, str] | None = None,
        mode: str = "octet",
        limits: TransferLimits | None = None,
        max_octets: int = 1 << 30,
        sink: Callable[[bytes], None] | None = None,
    ) -> None:
        self._server = server
        self._peer: Endpoint | None = None
        self._request = TftpRequest(Opcode.RRQ, filename, mode, dict(options or {}))
        self._limits = limits or TransferLimits()
        self._max_octets = max_octets
        self._chunks: list[bytes] = []
        self._sink = sink or self._chunks.append
        self._block_size = DEFAULT_BLOCK_SIZE
        self._window = 1
        self._received = 0  # blocks, without rolling over
        self._acked = 0
        self._octets = 0
        self._asked_again_at = -1
        self._started = now
        self._timer = RetransmissionTimer(self._limits)
        self._out: list[Datagram] = []
        self._last_packet = b""
        self._retransmissions = 0
        self._reported = False
        self.outcome: Finished | Failed | None = None
        self.announced: int | None = None
        self._send(encode(self._request), now)

    def content(self) -> bytes:
        """Return what arrived."""
        return b"".join(self._chunks)

    @property
    def finished(self) -> bool:
        """Whether the file is complete or given up; a complete one still answers repeated blocks until `timer()` ends."""
        return self.outcome is not None

    @property
    def answered(self) -> bool:
        """Whether the server has sent anything that belongs to this transfer."""
        return self._peer is not None

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> None:
        """Take in one datagram."""
        if not self._is_peer(source):
            if source.address != self._server.address or self._peer is not None:
                self._out.append(Datagram(_STRANGER, source))
            return
        try:
            packet = decode(datagram)
            self._take(packet, source, now)
        except Malformed:
            return  # a damaged packet is lost; the server will send it again
        except RemoteViolation as violation:
            self._out.append(Datagram(encode(Error(ErrorCode.OPTION_REFUSED, str(violation))), source))
            self._fail(str(violation))

    def handle_timer(self, now: float) -> None:
        """Send the last request or acknowledgement again, or give up."""
        deadline = self._timer.deadline
        if deadline is None or now < deadline:
            return
        if self.outcome:
            self._timer.stop()
            return
        if not self._timer.expired(now):
            self._fail("no answer" if self._peer is None else f"no answer after block {self._received}")
            return
        self._retransmissions += 1
        if self._received > self._acked:
            # The rest of a window was lost: go on from what came (RFC 7440 section 4), not from its beginning.
            self._acknowledge(now)
        else:
            self._send(self._last_packet, now)

    def timer(self) -> float | None:
        """Return when to stop waiting."""
        return self._timer.deadline

    def events(self) -> Sequence[Finished | Failed]:
        """Return how it ended, once."""
        if self.outcome is None or self._reported:
            return ()
        self._reported = True
        return (self.outcome,)

    def datagrams_to_send(self) -> Sequence[Datagram]:
        """Return and forget what is to be sent."""
        out, self._out = self._out, []
        return out

    def _is_peer(self, source: Endpoint) -> bool:
        """Check the source; the first answer from the server's address decides its port, the TID (RFC 1350 section 4)."""
        if self._peer is None:
            return source.address == self._server.address
        return (source.address, source.port) == (self._peer.address, self._peer.port)

    def _take(self, packet: object, source: Endpoint, now: float) -> None:
        match packet:
            case Error(code, message):
                if self.outcome is None:
                    self._fail(message or "refused without a message", code)
            case OptionAck(options) if self._received == 0 and self.outcome is None:
                self._peer = source
                self._agree(options)
                self._timer.progress()
                self._send(encode(Ack(0)), now)
            case Data(block, payload):
                self._peer = source
                self._block(block, payload, now)

    def _agree(self, options: Mapping[str, str]) -> None:
        """Take in an OACK; what was not asked for, or is larger than asked for, is refused (RFC 2347, 2348, 7440)."""
        for name, text in options.items():
            wanted = self._request.options.get(name)
            if wanted is None:
                raise RemoteViolation(f"option {name} was not asked for")
            if name == "blksize":
                size = number(text, BLOCK_SIZES)
                if size is None or size > int(wanted):
                    raise RemoteViolation(f"block size {text} is not acceptable")
                self._block_size = size
            elif name == "windowsize":
                window = number(text, WINDOW_SIZES)
                if window is None or window > int(wanted):
                    raise RemoteViolation(f"window size {text} is not acceptable")
                self._window = window
            elif name == "tsize":
                self.announced = number(text, range(1 << 31))
                if (self.announced or 0) > self._max_octets:
                    raise RemoteViolation(f"{self.announced} octets are too many")

    def _block(self, block: int, payload: bytes, now: float) -> None:
        ahead = (block - self._received) & 0xFFFF
        if ahead != 1 or self.outcome:
            # The newest block again: our acknowledgement was lost. A block after a gap: say once what came last,
            # which starts the window anew (RFC 7440 section 4). Older blocks mean nothing.
            gap = 1 < ahead < 0x8000 and not self.outcome
            if ahead == 0 or (gap and self._asked_again_at != self._received):
                self._asked_again_at = self._received if gap else self._asked_again_at
                self._acknowledge(now)
            return
        if len(payload) > self._block_size:
            raise RemoteViolation(f"a block of {len(payload)} octets, {self._block_size} agreed")
        self._octets += len(payload)
        if self._octets > self._max_octets:
            raise RemoteViolation(f"more than {self._max_octets} octets")
        self._received += 1
        self._sink(payload)
        self._timer.progress()
        last = len(payload) < self._block_size
        if last or self._received - self._acked >= self._window:
            self._acknowledge(now)
        else:
            self._timer.start(now)
        if last:
            # The timer stays set: a lost last acknowledgement is repeated on request (RFC 1350 section 6).
            self.outcome = Finished(
                self._request.filename,
                self._server.address,
                self._octets,
                now - self._started,
                self._retransmissions,
            )

    def _acknowledge(self, now: float) -> None:
        self._acked = self._received
        self._send(encode(Ack(self._received & 0xFFFF)), now)

    def _send(self, packet: bytes, now: float) -> None:
        self._last_packet = packet
        self._out.append(Datagram(packet, self._peer or self._server))
        self._timer.start(now)

    def _fail(self, reason: str, code: int | None = None) -> None:
        self._timer.stop()
        self.outcome = Failed(self._request.filename, self._server.address, reason, code)
