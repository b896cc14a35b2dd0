"""The ladder, and the order of SRV targets in both readings."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.phone.action import SrvRecord
from netprov.phone.ladder import in_order, ladder, rungs

TARGETS = (
    SrvRecord(10, 60, 5060, "pr1.example.com"),
    SrvRecord(10, 20, 5060, "pr2.example.com"),
    SrvRecord(5, 90, 5060, "pr3.example.com"),
)


def test_url_is_tried_as_it_is_then_with_each_path() -> None:
    assert [str(each) for each in rungs("http://h:8080/dir/", "/P.xml", "/Cisco/P/m.cfg")] == [
        "http://h:8080/dir/",
        "http://h:8080/dir/P.xml",
        "http://h:8080/dir/Cisco/P/m.cfg",
    ]


def test_bare_host_is_tried_by_tftp_http_https_two_paths_each() -> None:
    found = [str(each) for each in rungs("10.20.0.1", "/a", "/b")]
    assert found == [
        f"{scheme}://10.20.0.1{path}" for scheme in ("tftp", "http", "https") for path in ("/a", "/b")
    ]


def test_whole_ladder_of_a_value_comes_before_the_next_value() -> None:
    found = ladder(("10.20.0.1", "10.20.0.2"), "/a", "/b")
    assert [each.host for each in found] == ["10.20.0.1"] * 6 + ["10.20.0.2"] * 6


@pytest.mark.parametrize("value", ["", "a b", "http://", "gopher://h/", "host/path"])
def test_value_that_is_neither_url_nor_host_is_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        rungs(value, "/a", "/b")


def test_guide_takes_the_lower_weight_first() -> None:
    """Provisioning guide, "Use DNS SRV for HTTP Provisioning"."""
    assert [each.target[:3] for each in in_order(TARGETS, "cisco", lambda n: 0)] == ["pr3", "pr2", "pr1"]


def test_rfc_2782_takes_targets_in_proportion_to_their_weights() -> None:
    """RFC 2782, "Weight": 60 of 80 first tries for the heavier; the lower priority always before."""
    draw = Random(1)
    firsts = Counter(in_order(TARGETS, "rfc2782", draw.randrange)[1].target for _ in range(8000))
    assert 0.72 < firsts["pr1.example.com"] / 8000 < 0.78


def test_rfc_2782_gives_weight_zero_a_very_small_chance_not_none() -> None:
    """RFC 2782: targets of weight 0 come first in the list, and are taken when the random number is 0."""
    pair = (SrvRecord(1, 10, 1, "heavy"), SrvRecord(1, 0, 1, "light"))
    assert [each.target for each in in_order(pair, "rfc2782", lambda n: 0)] == ["light", "heavy"]
    assert [each.target for each in in_order(pair, "rfc2782", lambda n: 1)] == ["heavy", "light"]


@given(
    records=st.lists(
        st.builds(SrvRecord, st.integers(0, 3), st.integers(0, 5), st.just(1), st.text("ab", max_size=4))
    ),
    seed=st.integers(0, 999),
)
def test_either_reading_keeps_every_target_and_the_order_of_priorities(
    records: list[SrvRecord], seed: int
) -> None:
    for order in ("cisco", "rfc2782"):
        found = in_order(records, order, Random(seed).randrange)
        assert Counter(found) == Counter(records)
        assert [each.priority for each in found] == sorted(each.priority for each in records)
