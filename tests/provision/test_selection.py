"""Conditions and ranges of static files: cases of RFC 9110 sections 13 and 14, and any Range against a plain reading of it."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.provision.selection import FileState, select

FILE = FileState(1000, 1_700_000_000_500_000_000)
THEN, BEFORE, AFTER = (formatdate(1_700_000_000 + each, usegmt=True) for each in (0, -1, 1))
TAG = FILE.tag


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (200, 0, 1000)),
        ({"range": "bytes=0-9"}, (206, 0, 10)),
        ({"range": "Bytes= 0-9"}, (206, 0, 10)),
        ({"range": "bytes=990-"}, (206, 990, 10)),
        ({"range": "bytes=990-5000"}, (206, 990, 10)),
        ({"range": "bytes=-10"}, (206, 990, 10)),
        ({"range": "bytes=-5000"}, (206, 0, 1000)),
        ({"range": "bytes=-0"}, (416, 0, 0)),
        ({"range": "bytes=1000-"}, (416, 0, 0)),
        ({"range": "bytes=9-0"}, (200, 0, 1000)),
        ({"range": "bytes=-"}, (200, 0, 1000)),
        ({"range": "bytes=a-b"}, (200, 0, 1000)),
        ({"range": "lines=0-9"}, (200, 0, 1000)),
        ({"range": "bytes"}, (200, 0, 1000)),
        ({"range": "bytes =0-9"}, (200, 0, 1000)),
        ({"range": "bytes=0-9,20-29"}, (200, 0, 1000)),
        ({"range": "bytes=9000-,20-29"}, (206, 20, 10)),
        ({"range": "bytes=9000-,9001-"}, (416, 0, 0)),
        ({"range": "bytes=0-9,x"}, (200, 0, 1000)),
        ({"range": "bytes=,0-9, "}, (206, 0, 10)),
        ({"range": f"bytes=990-{'9' * 5000}"}, (206, 990, 10)),
        ({"range": f"bytes={'9' * 5000}-"}, (416, 0, 0)),
        ({"range": f"bytes={'0' * 5000}1-2"}, (206, 1, 2)),
        ({"range": "bytes=0-9", "if-range": TAG}, (206, 0, 10)),
        ({"range": "bytes=0-9", "if-range": '"x"'}, (200, 0, 1000)),
        ({"range": "bytes=0-9", "if-range": f"W/{TAG}"}, (200, 0, 1000)),
        ({"range": "bytes=0-9", "if-range": THEN}, (206, 0, 10)),
        ({"range": "bytes=0-9", "if-range": AFTER}, (200, 0, 1000)),
        ({"range": "bytes=0-9", "if-range": "nonsense"}, (200, 0, 1000)),
        ({"if-none-match": TAG}, (304, 0, 0)),
        ({"if-none-match": f'"x", W/{TAG}'}, (304, 0, 0)),
        ({"if-none-match": "*"}, (304, 0, 0)),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, (200, 0, 1000)),
        ({"if-modified-since": THEN}, (304, 0, 0)),
        ({"if-modified-since": BEFORE}, (200, 0, 1000)),
        ({"if-modified-since": "nonsense"}, (200, 0, 1000)),
        ({"if-match": '"x"'}, (412, 0, 0)),
        ({"if-match": f"W/{TAG}"}, (412, 0, 0)),
        ({"if-match": f'"x", {TAG}', "if-unmodified-since": BEFORE}, (200, 0, 1000)),
        ({"if-unmodified-since": BEFORE}, (412, 0, 0)),
        ({"if-unmodified-since": THEN}, (200, 0, 1000)),
        ({"if-match": '"x"', "range": "bytes=0-9"}, (412, 0, 0)),
    ],
)
def test_conditions_and_ranges(fields: dict[str, str], expected: tuple[int, int, int]) -> None:
    found = select("GET", fields, FILE)
    assert (found.status, found.start, found.length) == expected


def test_a_range_of_head_is_ignored() -> None:
    assert select("HEAD", {"range": "bytes=0-9"}, FILE).status == 200


def test_an_empty_file_has_no_ranges() -> None:
    assert select("GET", {"range": "bytes=0-"}, FileState(0, 0)).status == 416
    assert select("GET", {"range": "bytes=-5"}, FileState(0, 0)).status == 416


@given(st.integers(0, 60), st.one_of(st.none(), st.integers(0, 70)), st.one_of(st.none(), st.integers(0, 70)))
def test_a_range_is_what_slicing_gives(size: int, first: int | None, last: int | None) -> None:
    content = bytes(range(size))
    text = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    found = select("GET", {"range": text}, FileState(size, 0))
    ignored = (first is None and last is None) or (None not in {first, last} and first > last)  # type: ignore[operator]
    if ignored:
        expected = content
    elif first is None:
        assert last is not None
        expected = content[-last:] if last else b""
    else:
        expected = content[first : None if last is None else last + 1]
    assert content[found.start : found.start + found.length] == expected
    assert found.status == (200 if ignored else 206 if expected else 416)


@pytest.mark.fuzz
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_fuzz_whatever_the_fields_hold_something_of_the_file_is_selected(a: str, b: str, c: str) -> None:
    found = select("GET", {"range": a, "if-range": b, "if-modified-since": c, "if-match": c or "*"}, FILE)
    assert 0 <= found.start <= found.start + found.length <= FILE.size
