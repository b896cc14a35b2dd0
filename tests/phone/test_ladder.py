"""The ladder."""

from __future__ import annotations

import pytest

from netprov.errors import Malformed
from netprov.phone.rule.ladder import ladder, rungs


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
