"""What operators ask of the ACS over its control socket: who there is, what to make devices do, and what came of it.

    acs.devices  {}                                        {devices: [{key, mac, name, …}, …]} …
    acs.values   {device}                                  {values: [{name, value, type, at}, …]} …
    acs.queue    {call, devices, untyped, lasts, at_once, window}   {first, last}
    acs.connect  {devices}                                 {device, mac, error} as each was asked for a session
    acs.history  {device, first, last, limit}              {id, device, method, state, …} …, newest first
    acs.cancel   {first, last}                             {id, error} …
    acs.wait     {first, last}                             {id, …} as each ends; {} now and then

`call` is a CWMP message, `device` a device's key; transactions are named by their numbers, from `first` to `last`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TypeVar

from netprov.cwmp import codec, rpc
from netprov.cwmp.acs import Acs
from netprov.cwmp.device import Device, behind
from netprov.cwmp.queue import Order
from netprov.cwmp.transaction import Transaction
from netprov.errors import Malformed, ServiceError
from netprov.plan import Plan
from netprov.runtime.cwmp.connection_request import ConnectionRequests
from netprov.runtime.operation import Asker, Fields, Operation, argument
from netprov.state.acs.store import AcsStore
from netprov.state.acs.transaction_record import without_secrets

_Value = TypeVar("_Value")

CHUNK: Final = 100
"""Devices or values that are told at a time."""

LONGEST: Final = 256 << 10
"""Characters of an answer that are told."""

BREATH: Final = 5.0
"""Seconds after which who waits is told that nothing has happened."""


@dataclass(frozen=True, slots=True)
class View:
    """The ACS, and the plan that it serves."""

    acs: Acs
    plan: Plan


class Watchers:
    """Those who wait for transactions to end."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Transaction]] = set()

    def told(self, ended: Iterable[Transaction]) -> None:
        """Tell them what has ended."""
        for each in ended:
            for queue in self._queues:
                queue.put_nowait(each)

    def enter(self) -> asyncio.Queue[Transaction]:
        """Begin to wait."""
        queue: asyncio.Queue[Transaction] = asyncio.Queue()
        self._queues.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[Transaction]) -> None:
        """Wait no more."""
        self._queues.discard(queue)


class Desk:
    """The operations of the ACS; `keep` keeps what changed, and says whether it could."""

    def __init__(
        self,
        view: Callable[[], View],
        keep: Callable[[], Awaitable[bool]],
        store: Callable[[], AcsStore],
        watchers: Watchers,
    ) -> None:
        self._view = view
        self._keep = keep
        self._store = store
        self._watchers = watchers
        self._requests = ConnectionRequests()

    def operations(self) -> Mapping[str, Operation]:
        """Return them by their names."""
        return {
            "acs.devices": self._devices,
            "acs.values": self._values,
            "acs.queue": self._queue,
            "acs.connect": self._connect,
            "acs.history": self._history,
            "acs.cancel": self._cancel,
            "acs.wait": self._wait,
        }

    async def _devices(self, _asker: Asker, _arguments: Fields) -> AsyncGenerator[Fields, None]:
        for chunk in _chunks(tuple(_told_devices(self._view()))):
            yield {"devices": chunk}

    async def _values(self, _asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        found = await asyncio.to_thread(self._store().values, argument(arguments, "device", str))
        for chunk in _chunks(found):
            yield {"values": [{**asdict(each.value), "at": each.at} for each in chunk]}

    async def _queue(self, asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        queue, now = self._view().acs.queue, time.time()
        call = codec.decode(argument(arguments, "call", str).encode()).rpc
        devices = _texts(arguments, "devices")
        unknown = [each for each in devices if each not in self._view().acs.devices]
        if unknown:
            raise ServiceError(
                f"the ACS knows no device {unknown[0]}", "`netprov acs list` shows those that it knows"
            )
        calls = [
            (device, await self._typed(device, call, _texts(arguments, "untyped"))) for device in devices
        ]
        order = Order(
            asker.user,
            now + argument(arguments, "lasts", int),
            argument(arguments, "at_once", int),
            _window(arguments),
        )
        added = queue.add(calls, order, now)
        if not added:
            raise ServiceError("no device is named", "name one: `netprov acs list` shows them")
        if not await self._keep():
            for each in added:
                queue.withdraw(each.number)
            raise ServiceError(
                "the ACS's records cannot be written: nothing is asked of any device", "see its log"
            )
        yield {"first": added[0].number, "last": added[-1].number}

    async def _connect(self, _asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        """Ask devices for sessions; one that is known no more is passed over."""
        known = self._view().acs.devices
        devices = [known[key] for key in dict.fromkeys(_texts(arguments, "devices")) if key in known]
        for begin in range(0, len(devices), CHUNK):
            asking = [asyncio.create_task(self._asked(each)) for each in devices[begin : begin + CHUNK]]
            try:
                for each in asyncio.as_completed(asking):
                    yield await each
            finally:
                for task in asking:
                    task.cancel()

    async def _asked(self, device: Device) -> Fields:
        asked = await self._requests.ask(device)
        if asked.account_refused:
            self._view().acs.account_void(device.key, device.request_password)
            await self._keep()
        return {"device": device.key, "mac": device.mac, "error": asked.error}

    async def _typed(self, device: str, call: rpc.Rpc, untyped: tuple[str, ...]) -> rpc.Rpc:
        """Give the values without a type the one that the device reported. Raises `ServiceError`."""
        if not untyped or not isinstance(call, rpc.SetParameterValues):
            return call
        found = await asyncio.to_thread(self._store().values, device)
        types = {each.value.name: each.value.type for each in found}
        missing = next((name for name in untyped if name not in types), None)
        if missing is not None:
            raise ServiceError(
                f"{device} has not reported of what type {missing} is",
                f"say it (`{missing}:string=VALUE`; also boolean, int, unsignedInt, dateTime), or ask for it first: "
                f"`netprov acs get -d {device} {missing}`",
            )
        values = (
            replace(each, type=types.get(each.name, each.type) if each.name in untyped else each.type)
            for each in call.parameters
        )
        return replace(call, parameters=tuple(values))

    async def _history(self, _asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        await self._settle()
        device, first, last = (argument(arguments, "device", str), *_range(arguments))
        limit = argument(arguments, "limit", int)
        found = await asyncio.to_thread(
            lambda: self._store().asked(first, last) if last else self._store().history(device, limit)
        )
        for each in found:
            yield _told(each, self._view())

    async def _cancel(self, _asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        first, last = _range(arguments)
        errors: dict[int, str] = {}
        for number in range(first, min(last, first + len(self._view().acs.queue.live)) + 1):
            try:
                self._view().acs.queue.cancel(number, time.time())
                errors[number] = ""
            except ServiceError as error:
                errors[number] = str(error)
        await self._settle()
        for number, why in errors.items():
            yield {"id": number, "error": why}

    async def _wait(self, _asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        first, last = _range(arguments)
        queue = self._watchers.enter()
        try:
            found = await asyncio.to_thread(self._store().asked, first, last)
            waiting = {each.number for each in found if not each.ended}
            for each in found:
                if each.ended:
                    yield _told(each, self._view())
            while waiting:
                try:
                    ended = await asyncio.wait_for(queue.get(), BREATH)
                except TimeoutError:
                    await self._settle()
                    yield {}
                    continue
                if ended.number in waiting:
                    waiting.discard(ended.number)
                    yield _told(ended, self._view())
        finally:
            self._watchers.leave(queue)

    async def _settle(self) -> None:
        """End what is overdue, and keep that."""
        self._view().acs.queue.expire(time.time())
        await self._keep()


def _told_devices(view: View) -> Iterator[Fields]:
    """Yield every device, and the listed phones that were never heard of; those have no key."""
    listed = {phone.declared.mac: phone for phone in view.plan.site.phones}
    heard = set()
    for device in view.acs.devices.values():
        heard.add(device.mac)
        phone = listed.get(device.mac)
        yield {
            "key": device.key,
            "mac": device.mac,
            "name": (phone.declared.name or "") if phone else "",
            "class": (phone.class_name or "") if phone else "",
            "model": device.product_class,
            "firmware": device.software,
            "address": device.address,
            "informed_at": device.informed_at,
            "behind": behind(device, view.acs.config),
            "fault": device.fault,
            "waiting": len(view.acs.queue.of(device.key)),
        }
    for mac in view.acs.config.targets:
        if mac not in heard and (phone := listed.get(mac)):
            yield {
                **dict.fromkeys(("key", "firmware", "address", "fault"), ""),
                "mac": mac,
                "name": phone.declared.name or "",
                "class": phone.class_name or "",
                "model": phone.declared.model or "",
                "informed_at": 0,
                "behind": "it has never Informed",
                "waiting": 0,
            }


def _told(asked: Transaction, view: View) -> Fields:
    """Return what is told of a transaction: no password, and no answer that is too long for a line."""
    known = view.acs.devices.get(asked.device)
    answer = asdict(without_secrets(asked.answer)) if asked.answer else {}
    long = len(json.dumps(answer)) > LONGEST
    return {
        "id": asked.number,
        "device": asked.device,
        "mac": known.mac if known else "",
        "method": asked.method,
        "arguments": asdict(without_secrets(asked.call)),
        "user": asked.user,
        "asked_at": asked.asked_at,
        "expires_at": asked.expires_at,
        "state": asked.state,
        "moved_at": asked.moved_at,
        "tries": asked.tries,
        "note": "the answer is too long to be told here" if long else asked.note,
        "answer": {} if long else answer,
    }


def _chunks(values: tuple[_Value, ...]) -> Iterator[tuple[_Value, ...]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


def _range(arguments: Fields) -> tuple[int, int]:
    return argument(arguments, "first", int), argument(arguments, "last", int)


def _texts(arguments: Fields, name: str) -> tuple[str, ...]:
    values: list[Any] = argument(arguments, name, list)
    if not all(isinstance(value, str) for value in values):
        raise Malformed(f"the argument {name} holds something else than texts")
    return tuple(values)


def _window(arguments: Fields) -> tuple[int, int] | None:
    match argument(arguments, "window", list):
        case []:
            return None
        case [int(begin), int(end)] if 0 <= begin < 1440 and 0 <= end < 1440:
            return begin, end
    raise Malformed("the argument window is not two minutes of a day")
