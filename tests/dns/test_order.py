"""The two readings of SRV weights."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from netprov.dns.order import cisco_order, in_order, readings_part, rfc2782_order, rfc2782_shares
from netprov.dns.stub import Target

GUIDE = [Target(10, 60, 5060, "pr1"), Target(10, 20, 5060, "pr2")]


def test_guide_tries_the_lower_weight_first() -> None:
    assert [each.target for each in cisco_order(GUIDE)] == ["pr2", "pr1"]


def test_priority_comes_before_weight_in_both_readings() -> None:
    targets = [Target(20, 0, 1, "late"), Target(10, 90, 1, "early")]
    assert [each.target for each in cisco_order(targets)] == ["early", "late"]
    assert [each.target for each in rfc2782_order(targets, lambda n: n - 1)] == ["early", "late"]


def test_rfc_2782_draws_the_larger_weight_in_proportion() -> None:
    random = Random(1)
    first = Counter(rfc2782_order(GUIDE, random.randrange)[0].target for _ in range(8000))
    assert [Fraction(3, 4), Fraction(1, 4)] == rfc2782_shares(GUIDE)
    assert 0.72 < first["pr1"] / 8000 < 0.78


def test_weight_0_is_drawn_last_unless_the_draw_is_0() -> None:
    targets = [Target(1, 5, 1, "five"), Target(1, 0, 1, "zero")]
    assert rfc2782_order(targets, lambda _: 0)[0].target == "zero"
    assert rfc2782_order(targets, lambda n: min(1, n - 1))[0].target == "five"


def test_readings_part_only_where_weights_of_the_first_priority_differ() -> None:
    assert readings_part(GUIDE)
    assert not readings_part([Target(10, 5, 1, "a"), Target(20, 9, 1, "b")])
    assert not readings_part([])


def test_rfc_2782_gives_weight_zero_a_very_small_chance_not_none() -> None:
    """RFC 2782: targets of weight 0 come first in the list, and are taken when the random number is 0."""
    pair = (Target(1, 10, 1, "heavy"), Target(1, 0, 1, "light"))
    assert [each.target for each in in_order(pair, "rfc2782", lambda n: 0)] == ["light", "heavy"]
    assert [each.target for each in in_order(pair, "rfc2782", lambda n: 1)] == ["heavy", "light"]


@given(
    records=st.lists(
        st.builds(Target, st.integers(0, 3), st.integers(0, 5), st.just(1), st.text("ab", max_size=4))
    ),
    seed=st.integers(0, 999),
)
def test_either_reading_keeps_every_target_and_the_order_of_priorities(
    records: list[Target], seed: int
) -> None:
    for order in ("cisco", "rfc2782"):
        found = in_order(records, order, Random(seed).randrange)
        assert Counter(found) == Counter(records)
        assert [each.priority for each in found] == sorted(each.priority for each in records)
