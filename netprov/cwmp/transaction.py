"""One call that an operator has an ACS make of a device, from when it is asked until it has ended.

Pure: each function takes a transaction and returns it as it is after something happened. It ends in exactly one of `ENDS`,
and what has ended stays as it is.

What a device may do twice without harm (Get…, Set…) is delivered at least once: a call without an answer is made again in a
later session, `TRIES` times. What it may not (`AT_MOST_ONCE`) is made once, and ends as `unknown` if nothing tells what came
of it. A Download and a Reboot are told of later, by their CommandKey (TR-069 Amendment 6 sections 3.7.1.5, A.3.3.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from netprov.cwmp import rpc
from netprov.cwmp.device import TEXT
from netprov.number import whole

State = Literal["queued", "sent", "accepted", "done", "failed", "expired", "cancelled", "unknown"]

ENDS: Final[frozenset[State]] = frozenset({"done", "failed", "expired", "cancelled", "unknown"})

AT_MOST_ONCE: Final = (rpc.Reboot, rpc.FactoryReset, rpc.AddObject, rpc.DeleteObject, rpc.Download)
"""A second delivery would restart a device, make an object, or load a file once more."""

TOLD_LATER: Final = (rpc.Reboot, rpc.Download)
"""What a device names by its CommandKey in a later session."""

TRIES: Final = 5
"""How often a call that may be repeated is made before it is given up."""

EVIDENCE: Final = 3600.0
"""Seconds that a device has, after a Download's delay, to tell how a transfer ended, or that it rebooted."""

NUMBERS: Final = "t-"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A call to a device; times are in seconds since the epoch.

    `batch` is the number of the first of those that were asked together, of which at most `at_once` (0: any number) are
    under way at a time. `window` is when a call may be made: minutes of the day, from and until. `note` says how it ended.
    """

    number: int
    device: str
    call: rpc.Rpc
    user: str
    asked_at: float
    expires_at: float
    batch: int = 0
    at_once: int = 0
    window: tuple[int, int] | None = None
    state: State = "queued"
    moved_at: float = 0
    tries: int = 0
    note: str = ""
    answer: rpc.Rpc | None = None

    @property
    def name(self) -> str:
        """Return what it is called, also on the wire, as CommandKey: `t-17`."""
        return f"{NUMBERS}{self.number}"

    @property
    def method(self) -> str:
        """Return the name of the method that is called."""
        return rpc.method_of(self.call)

    @property
    def ended(self) -> bool:
        """Say whether nothing will change any more."""
        return self.state in ENDS

    @property
    def under_way(self) -> bool:
        """Say whether the device was called, and what came of it is not known yet."""
        return self.state in {"sent", "accepted"}

    @property
    def deadline(self) -> float:
        """Return when it ends by itself."""
        if self.state == "queued":
            return self.expires_at
        delay = self.call.delay if isinstance(self.call, rpc.Download) else 0
        return self.moved_at + delay + EVIDENCE

    def may_go(self, minute: int) -> bool:
        """Say whether its window is open at a minute of the day; one that ends before it begins spans midnight."""
        if self.window is None:
            return True
        begin, end = self.window
        return begin <= minute < end if begin <= end else minute >= begin or minute < end


def number_of(key: str) -> int | None:
    """Return the number of the transaction that a CommandKey names, None for any other key."""
    return whole(key.removeprefix(NUMBERS)) if key.startswith(NUMBERS) else None


def deliver(asked: Transaction, now: float) -> Transaction:
    """It is about to be sent."""
    return replace(asked, state="sent", moved_at=now, tries=asked.tries + 1)


def undelivered(asked: Transaction, now: float) -> Transaction:
    """It was not sent after all."""
    return replace(asked, state="queued", moved_at=now, tries=asked.tries - 1)


def answer(asked: Transaction, said: rpc.Rpc, now: float) -> Transaction:
    """The device answered, with a response or a fault."""
    if asked.state != "sent":
        return asked
    if isinstance(said, rpc.Fault):
        parts = "".join(f"; {each.name}: {rpc.Fault(each.code, each.text)}" for each in said.parameters)
        return _end(asked, "failed", now, f"{said}{parts}")
    if isinstance(said, rpc.DownloadResponse) and said.status:
        return replace(asked, state="accepted", moved_at=now)
    later = getattr(said, "status", 0) == 1
    note = "it takes effect when the device restarts" if later else ""
    return replace(_end(asked, "done", now, note), answer=said)


def lose(asked: Transaction, now: float) -> Transaction:
    """The session ended without an answer, or the ACS itself did."""
    if asked.state != "sent" or isinstance(asked.call, TOLD_LATER):
        return asked
    if isinstance(asked.call, AT_MOST_ONCE):
        return _end(asked, "unknown", now, "it was sent, and not answered")
    if asked.tries >= TRIES:
        return _end(asked, "unknown", now, f"it was sent {asked.tries} times, and not answered")
    return replace(asked, state="queued", moved_at=now)


def transferred(asked: Transaction, report: rpc.TransferComplete, now: float) -> Transaction:
    """The device told how the transfer with this transaction's CommandKey ended."""
    if not asked.under_way or not isinstance(asked.call, rpc.Download):
        return asked
    if report.fault_code:
        return _end(asked, "failed", now, str(rpc.Fault(report.fault_code, report.fault_text)))
    return _end(asked, "done", now)


def informed(asked: Transaction, keys: frozenset[str], now: float) -> Transaction:
    """The device opened a new session, in which it names the CommandKeys of the Reboots that it has done."""
    if asked.state != "sent" or not isinstance(asked.call, rpc.Reboot):
        return asked
    if asked.name in keys:
        return _end(asked, "done", now)
    return _end(
        asked, "unknown", now, "it was sent and not answered, and the device does not tell that it rebooted"
    )


def cancel(asked: Transaction, now: float) -> Transaction:
    """The operator wants it no more; what was sent cannot be called back."""
    if asked.state != "queued":
        return asked
    return _end(asked, "cancelled", now, _sent_before(asked))


def expire(asked: Transaction, now: float) -> Transaction:
    """Its deadline may have come."""
    if asked.ended or now < asked.deadline:
        return asked
    if asked.state == "queued":
        return _end(asked, "expired", now, _sent_before(asked))
    said = (
        "was accepted, and no TransferComplete came"
        if asked.state == "accepted"
        else "was sent, and not answered"
    )
    return _end(asked, "unknown", now, f"it {said}")


def _sent_before(asked: Transaction) -> str:
    return f"it was sent {asked.tries} times before, and not answered" if asked.tries else ""


def _end(asked: Transaction, state: State, now: float, note: str = "") -> Transaction:
    return replace(asked, state=state, moved_at=now, note=note[:TEXT])
