"""The queue between services and records: bounded, fair, and honest about what it shed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netprov.state.fair_queue import STRANGERS, FairQueue


def test_flood_of_a_stranger_takes_no_room_of_a_phone() -> None:
    queue: FairQueue[str] = FairQueue(most=100, each=10)
    for _ in range(50_000):
        queue.put("flood", "10.20.0.250", known=False)
    queue.put("phone", "00:12:34:ab:45:de", known=True)
    assert len(queue) == 11
    assert "phone" in queue.take(2)
    assert queue.shed() == 49_990


def test_flood_from_any_number_of_addresses_is_bounded() -> None:
    queue: FairQueue[int] = FairQueue(most=100_000, each=10)
    for number in range(50_000):
        queue.put(number, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", known=False)
    assert len(queue) <= 10 * STRANGERS


def test_one_of_each_source_is_taken_in_turn_each_in_its_order() -> None:
    queue: FairQueue[str] = FairQueue(most=100, each=10)
    for item in ("a1", "a2", "a3", "b1", "b2", "c1"):
        queue.put(item, item[0], known=True)
    assert queue.take(4) == ["a1", "b1", "c1", "a2"]
    assert queue.take(9) == ["b2", "a3"]
    assert len(queue) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=200), st.integers(1, 20))
def test_what_was_put_is_waiting_taken_or_shed(puts: list[tuple[str, bool]], each: int) -> None:
    queue: FairQueue[int] = FairQueue(most=50, each=each)
    for number, (source, known) in enumerate(puts):
        queue.put(number, source, known=known)
    waiting = len(queue)
    taken = queue.take(len(puts))
    assert len(taken) == waiting
    assert len(set(taken)) + queue.shed() == len(puts)
