"""What an operator asks of a device comes to exactly one end: a model with devices that vanish, repeat, fault and reboot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from netprov.cwmp import rpc, transaction
from netprov.cwmp.queue import PER_DEVICE, Order, Queue
from netprov.cwmp.transaction import AT_MOST_ONCE, ENDS, TRIES, Transaction, number_of
from netprov.errors import ServiceError
from netprov.state.acs import transaction_record

GET = rpc.GetParameterValues(("Device.",))
CALLS = (
    GET,
    rpc.SetParameterValues((rpc.ParameterValue("Device.X", "1"),)),
    rpc.Reboot(),
    rpc.FactoryReset(),
    rpc.AddObject("Device.Line."),
    rpc.Download("", rpc.FIRMWARE, "http://a.example/f"),
)
RESPONSES: dict[type[rpc.Rpc], rpc.Rpc] = {
    rpc.GetParameterValues: rpc.GetParameterValuesResponse(()),
    rpc.SetParameterValues: rpc.SetParameterValuesResponse(),
    rpc.Reboot: rpc.RebootResponse(),
    rpc.FactoryReset: rpc.FactoryResetResponse(),
    rpc.AddObject: rpc.AddObjectResponse(2),
    rpc.Download: rpc.DownloadResponse(1),
}
ORDER = Order("alice", 10_000.0)
DEVICES = ("a", "b")
INFORM = rpc.Inform(rpc.DeviceId("C", "001234", "P", "a"), (rpc.EventCode("2 PERIODIC"),))


def rebooted(key: str) -> rpc.Inform:
    return replace(INFORM, events=(rpc.EventCode("1 BOOT"), rpc.EventCode("M Reboot", key)))


class Life(RuleBasedStateMachine):
    """An ACS that keeps what changed before it sends, dies and is made again of what was kept; devices that do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.queue = Queue()
        self.kept: dict[int, Transaction] = {}
        self.ended: dict[int, Transaction] = {}
        self.open: dict[str, int] = {}
        self.delivered: dict[int, int] = {}
        self.order: dict[str, list[int]] = {device: [] for device in DEVICES}

    def keep(self) -> None:
        for each in self.queue.changed():
            assert each.number not in self.ended, "what has ended changes no more"
            self.kept[each.number] = each
            if each.ended:
                self.ended[each.number] = each

    @rule(device=st.sampled_from(DEVICES), call=st.sampled_from(CALLS), lasts=st.sampled_from([50.0, 1e9]))
    def ask(self, device: str, call: rpc.Rpc, lasts: float) -> None:
        self.queue.add([(device, call)], Order("alice", self.now + lasts), self.now)
        self.keep()

    @rule(device=st.sampled_from(DEVICES))
    def deliver(self, device: str) -> None:
        if device in self.open:
            return
        sent = self.queue.deliver(device, self.now)
        self.keep()
        if sent is not None:
            waiting = [
                each.number for each in self.kept.values() if each.device == device and each.state == "queued"
            ]
            assert all(sent.number < number for number in waiting), "in the order of the device"
            assert self.kept[sent.number].state == "sent", "kept before it leaves"
            self.open[device] = sent.number
            self.delivered[sent.number] = self.delivered.get(sent.number, 0) + 1

    @precondition(lambda self: self.open)
    @rule(data=st.data(), fault=st.booleans(), again=st.booleans())
    def answer(self, data: st.DataObject, *, fault: bool, again: bool) -> None:
        device = data.draw(st.sampled_from(sorted(self.open)))
        number = self.open.pop(device)
        said = rpc.Fault(9002) if fault else RESPONSES[type(self.kept[number].call)]
        for _ in range(2 if again else 1):
            self.queue.answered(number, said, self.now)
        self.keep()
        expected = "failed" if fault else "accepted" if isinstance(said, rpc.DownloadResponse) else "done"
        assert self.kept[number].state == expected or number in self.ended

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from(sorted(self.open)))
        self.queue.lost(self.open.pop(device), self.now)
        self.keep()

    @rule(device=st.sampled_from(DEVICES), number=st.integers(1, 12), did=st.booleans())
    def inform(self, device: str, number: int, *, did: bool) -> None:
        if device in self.open:
            self.queue.lost(self.open.pop(device), self.now)
        self.queue.informed(device, rebooted(f"t-{number}") if did else INFORM, self.now)
        self.keep()

    @rule(device=st.sampled_from(DEVICES), number=st.integers(1, 12), code=st.sampled_from([0, 9010]))
    def transfer(self, device: str, number: int, code: int) -> None:
        before = self.kept.get(number)
        assert self.queue.transferred(device, rpc.TransferComplete(f"t-{number}", code), self.now)
        self.keep()
        if before and before.device != device:
            assert self.kept[number] == before, "another device's report is none"

    @rule(number=st.integers(1, 12))
    def cancel(self, number: int) -> None:
        before = self.kept.get(number)
        if before is not None and before.state == "queued":
            assert self.queue.cancel(number, self.now).state == "cancelled"
        else:
            with pytest.raises(ServiceError):
                self.queue.cancel(number, self.now)
        self.keep()

    @rule(seconds=st.sampled_from([1.0, 60.0, 4000.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.queue.expire(self.now)
        self.keep()

    @rule()
    def killed(self) -> None:
        """Everything in memory is gone; what was kept is read again."""
        stored = [transaction_record.encode(each) for each in self.kept.values()]
        read = [transaction_record.decode(each) for each in stored]
        self.queue = Queue([each for each in read if not each.ended], max(self.kept, default=0) + 1)
        self.open.clear()
        self.keep()

    @rule(device=st.sampled_from(DEVICES))
    def disk_is_full(self, device: str) -> None:
        """What was to be sent could not be kept, and did not leave."""
        if device in self.open:
            return
        self.queue.deliver(device, self.now)
        self.queue.not_kept(self.queue.changed(), self.now)
        self.keep()

    @invariant()
    def nothing_is_lost(self) -> None:
        live = {number for number, each in self.kept.items() if not each.ended}
        assert live == set(self.queue.live)
        assert all(self.queue.live[number] == self.kept[number] for number in live)

    @invariant()
    def nothing_is_done_twice_that_may_not(self) -> None:
        for number, times in self.delivered.items():
            assert times <= (1 if isinstance(self.kept[number].call, AT_MOST_ONCE) else TRIES)

    @invariant()
    def what_is_under_way_is_counted(self) -> None:
        under_way = [each.batch for each in self.queue.live.values() if each.under_way]
        assert {batch: under_way.count(batch) for batch in under_way} == dict(+self.queue._under_way)

    def teardown(self) -> None:
        """In the end everything has ended."""
        self.queue.expire(1e12)
        self.keep()
        assert not self.queue.live
        assert set(self.ended) == set(self.kept)
        assert {each.state for each in self.ended.values()} <= ENDS


TestLife = Life.TestCase


def sent(call: rpc.Rpc) -> tuple[Queue, Transaction]:
    queue = Queue()
    queue.add([("a", call)], ORDER, 0)
    found = queue.deliver("a", 1)
    assert found is not None
    queue.changed()
    return queue, found


def only(queue: Queue) -> Transaction:
    [changed] = queue.changed()
    return changed


def test_reboot_without_an_answer_is_done_if_the_device_tells_of_it() -> None:
    queue, asked = sent(rpc.Reboot())
    queue.lost(asked.number, 2)
    assert queue.changed() == ()
    queue.informed("a", rebooted("t-1"), 3)
    assert only(queue).state == "done"


def test_reboot_without_an_answer_is_unknown_if_the_device_does_not_tell_of_it() -> None:
    queue, asked = sent(rpc.Reboot())
    queue.lost(asked.number, 2)
    queue.informed("a", rebooted("t-2"), 3)
    assert only(queue).state == "unknown"


def test_download_without_an_answer_is_done_by_its_report() -> None:
    queue, asked = sent(CALLS[-1])
    queue.lost(asked.number, 2)
    queue.transferred("a", rpc.TransferComplete("t-1", 9018, "corrupt"), 3)
    assert (asked.call, "failed", "9018 corrupt") == ((ended := only(queue)).call, ended.state, ended.note)
    assert isinstance(asked.call, rpc.Download)
    assert asked.call.command_key == "t-1"


def test_report_of_a_transfer_that_no_operator_asked_for_is_not_the_queues() -> None:
    assert not Queue().transferred("a", rpc.TransferComplete("9033db6bfeece005"), 0)
    assert [number_of(key) for key in ("t-17", "t-", "t-x", "17", "t-²")] == [17, None, None, None, None]


def test_batch_keeps_to_its_limit_and_goes_on_as_it_ends() -> None:
    queue = Queue()
    download = CALLS[-1]
    queue.add([(device, download) for device in "abc"], Order("alice", 1e9, at_once=2), 0)
    assert [bool(queue.deliver(device, 1)) for device in "abc"] == [True, True, False]
    queue.answered(1, rpc.DownloadResponse(1), 2)
    assert queue.deliver("c", 2) is None
    queue.transferred("a", rpc.TransferComplete("t-1"), 3)
    assert queue.deliver("c", 3) is not None


@pytest.mark.parametrize(
    ("window", "open_at"),
    [(None, {0, 300, 1400}), ((1320, 300), {0, 1400}), ((299, 301), {300}), ((0, 1), {0})],
)
def test_call_goes_in_its_window_also_past_midnight(
    window: tuple[int, int] | None, open_at: set[int]
) -> None:
    asked = Transaction(1, "a", GET, "", 0, 1, window=window)
    assert {minute for minute in (0, 300, 1400) if asked.may_go(minute)} == open_at


def test_what_waits_for_its_window_holds_up_nothing_else() -> None:
    queue = Queue(minute_of=lambda _now: 600)
    queue.add([("a", CALLS[-1])], Order("alice", 1e9, window=(1320, 300)), 0)
    queue.add([("a", GET)], ORDER, 0)
    found = queue.deliver("a", 1)
    assert found is not None
    assert found.method == "GetParameterValues"


def test_a_device_has_room_for_so_many_and_the_rest_is_refused_whole() -> None:
    queue = Queue()
    queue.add([("a", GET)] * PER_DEVICE, ORDER, 0)
    with pytest.raises(ServiceError, match="cancel some"):
        queue.add([("b", GET), ("a", GET)], ORDER, 0)
    assert len(queue.live) == PER_DEVICE


def test_queue_that_is_shut_delivers_nothing() -> None:
    queue = Queue()
    queue.add([("a", GET)], ORDER, 0)
    queue.shut = True
    assert queue.deliver("a", 1) is None
    assert queue.live[1].state == "queued"


def test_each_call_of_a_phone_is_either_repeatable_or_not() -> None:
    assert {each.__name__ for each in transaction.AT_MOST_ONCE} == {
        *("Reboot", "FactoryReset", "AddObject", "DeleteObject", "Download")
    }
