"""What an ACS is still to make its devices do: transactions that have not ended, in the order of each device.

Sans-IO. What `changed` returns is to be kept durably before the request that delivers it leaves; a queue that is made of what
was kept goes on where the one before ended, also if that was killed: what was sent then counts as not answered.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from netprov.cwmp import rpc, transaction
from netprov.cwmp.transaction import Transaction
from netprov.errors import ServiceError

PER_DEVICE: Final = 100
IN_ALL: Final = 200_000
"""Transactions that may be under way or wait, of one device and of all."""

REBOOTED: Final = "M Reboot"


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator asks of devices, all alike; `expires_at` in seconds since the epoch."""

    user: str
    expires_at: float
    at_once: int = 0
    window: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """What an operator asked of a device has come to its end."""

    device: str
    name: str
    method: str
    user: str
    state: str
    note: str
    event_kind: ClassVar[str] = "TransactionEnded"

    def __str__(self) -> str:
        note = f": {self.note}" if self.note else ""
        return f"{self.device}: {self.name}, {self.method} for {self.user}: {self.state}{note}"


class Queue:
    """The transactions that have not ended; `minute_of` returns the local minute of the day of a time."""

    def __init__(
        self,
        live: Iterable[Transaction] = (),
        following: int = 1,
        *,
        minute_of: Callable[[float], int] = lambda now: int(now // 60) % 1440,
    ) -> None:
        self._following = following
        self._minute_of = minute_of
        self._live: dict[int, Transaction] = {}
        self._by_device: dict[str, list[int]] = {}
        self._deadlines: list[tuple[float, int]] = []
        self._under_way: Counter[int] = Counter()
        self._changed: dict[int, Transaction] = {}
        self._events: list[TransactionEnded] = []
        self.shut = False
        """Nothing is delivered any more: another process takes over what waits."""
        for each in sorted(live, key=lambda each: each.number):
            self._enter(each)
        for each in tuple(self._live.values()):
            self._move(each, transaction.lose(each, each.moved_at))

    @property
    def live(self) -> Mapping[int, Transaction]:
        """Every transaction that has not ended, by its number."""
        return self._live

    def of(self, device: str) -> tuple[Transaction, ...]:
        """Return the transactions of a device that have not ended, in their order."""
        return tuple(self._live[number] for number in self._by_device.get(device, ()))

    def changed(self) -> tuple[Transaction, ...]:
        """Return and forget what changed since the last call."""
        drained, self._changed = tuple(self._changed.values()), {}
        return drained

    def events(self) -> tuple[TransactionEnded, ...]:
        """Return and forget what ended since the last call."""
        drained, self._events = tuple(self._events), []
        return drained

    def add(self, calls: Sequence[tuple[str, rpc.Rpc]], order: Order, now: float) -> tuple[Transaction, ...]:
        """Queue a call for each device, all or none. Raises `ServiceError` where there are too many."""
        if len(self._live) + len(calls) > IN_ALL:
            raise ServiceError(
                f"{len(self._live)} transactions wait, and {IN_ALL} may",
                "cancel some (`netprov acs cancel`), or wait until they have ended",
            )
        more = Counter(device for device, _ in calls)
        for device, count in more.items():
            if len(self._by_device.get(device, ())) + count > PER_DEVICE:
                raise ServiceError(
                    f"{len(self._by_device[device])} transactions of {device} wait, and {PER_DEVICE} may",
                    "cancel some (`netprov acs cancel`), or wait until they have ended",
                )
        batch = self._following
        added = []
        for device, call in calls:
            entered = Transaction(
                self._following, device, call, order.user, now, order.expires_at, batch, order.at_once,
                order.window, moved_at=now,
            )  # fmt: skip
            self._following += 1
            if isinstance(call, transaction.TOLD_LATER):
                entered = replace(entered, call=replace(call, command_key=entered.name))
            self._enter(entered)
            self._changed[entered.number] = entered
            added.append(entered)
        return tuple(added)

    def withdraw(self, number: int) -> None:
        """Forget a transaction that was added and could not be kept: nobody was told of it."""
        asked = self._live.get(number)
        self._changed.pop(number, None)
        if asked is not None:
            self._leave(asked)

    def deliver(self, device: str, now: float, parameter_key: str = "") -> Transaction | None:
        """Return the device's next call, which is about to be sent, with this ParameterKey where it has one.

        One whose window is shut, or whose batch is at its limit, lets those after it go before.
        """
        self.expire(now)
        if self.shut:
            return None
        minute = self._minute_of(now)
        first = next(
            (each for each in self.of(device) if each.state == "queued" and self._may_go(each, minute)), None
        )
        if first is None:
            return None
        if isinstance(first.call, rpc.SetParameterValues | rpc.AddObject | rpc.DeleteObject):
            first = replace(first, call=replace(first.call, parameter_key=parameter_key))
        return self._move(first, transaction.deliver(first, now))

    def answered(self, number: int, said: rpc.Rpc, now: float) -> None:
        """Take in what the device answered."""
        self._on(number, lambda asked: transaction.answer(asked, said, now))

    def lost(self, number: int, now: float) -> None:
        """Take in that the session ended without an answer."""
        self._on(number, lambda asked: transaction.lose(asked, now))

    def not_kept(self, changes: Iterable[Transaction], now: float) -> None:
        """Take in that changes could not be kept, and that nothing was sent for them: they are to be kept again."""
        for each in changes:
            current = self._live.get(each.number)
            if current is None:
                self._changed.setdefault(each.number, each)
                continue
            if current == each and each.state == "sent":
                current = self._move(each, transaction.undelivered(each, now))
            self._changed[current.number] = current

    def informed(self, device: str, inform: rpc.Inform, now: float) -> None:
        """Take in that a device opened a new session."""
        keys = frozenset(each.command_key for each in inform.events if each.code == REBOOTED)
        for each in self.of(device):
            self._move(each, transaction.informed(each, keys, now))

    def transferred(self, device: str, report: rpc.TransferComplete, now: float) -> bool:
        """Take in how a transfer ended; say whether its CommandKey is one of this queue's, now or once."""
        number = transaction.number_of(report.command_key)
        if number is None:
            return False
        asked = self._live.get(number)
        if asked is not None and asked.device == device:
            self._move(asked, transaction.transferred(asked, report, now))
        return True

    def cancel(self, number: int, now: float) -> Transaction:
        """Cancel a transaction that waits. Raises `ServiceError` for one that has been sent, or has ended."""
        asked = self._live.get(number)
        if asked is None:
            raise ServiceError(
                f"there is no transaction {transaction.NUMBERS}{number} that waits",
                f"it may have ended: `netprov acs history {transaction.NUMBERS}{number}` says so",
            )
        ended = self._move(asked, transaction.cancel(asked, now))
        if ended.state != "cancelled":
            raise ServiceError(
                f"{asked.name} cannot be cancelled: it was sent to the device",
                f"`netprov acs history {asked.name}` tells what comes of it",
            )
        return ended

    def expire(self, now: float) -> None:
        """End what has waited too long."""
        while self._deadlines and self._deadlines[0][0] <= now:
            _, number = heapq.heappop(self._deadlines)
            asked = self._live.get(number)
            if asked is None:
                continue
            if self._move(asked, transaction.expire(asked, now)) == asked:
                heapq.heappush(self._deadlines, (asked.deadline, number))

    def _may_go(self, asked: Transaction, minute: int) -> bool:
        full = asked.at_once and self._under_way[asked.batch] >= asked.at_once
        return not full and asked.may_go(minute)

    def _on(self, number: int, happening: Callable[[Transaction], Transaction]) -> None:
        asked = self._live.get(number)
        if asked is not None:
            self._move(asked, happening(asked))

    def _enter(self, asked: Transaction) -> None:
        self._live[asked.number] = asked
        self._by_device.setdefault(asked.device, []).append(asked.number)
        self._under_way[asked.batch] += asked.under_way
        heapq.heappush(self._deadlines, (asked.deadline, asked.number))

    def _leave(self, asked: Transaction) -> None:
        del self._live[asked.number]
        numbers = self._by_device[asked.device]
        numbers.remove(asked.number)
        if not numbers:
            del self._by_device[asked.device]
        self._count(asked.batch, -int(asked.under_way))

    def _count(self, batch: int, more: int) -> None:
        self._under_way[batch] += more
        if not self._under_way[batch]:
            del self._under_way[batch]

    def _move(self, before: Transaction, after: Transaction) -> Transaction:
        """Put a transaction in its new state."""
        current = self._live[before.number]
        if after == current:
            return after
        self._changed[after.number] = after
        if after.ended:
            self._leave(current)
            self._events.append(
                TransactionEnded(after.device, after.name, after.method, after.user, after.state, after.note)
            )
            return after
        self._count(after.batch, int(after.under_way) - int(current.under_way))
        self._live[after.number] = after
        heapq.heappush(self._deadlines, (after.deadline, after.number))
        return after
