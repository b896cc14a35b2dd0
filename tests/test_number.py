"""Whole numbers in text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp.option.provisioning import ORDER
from netprov.errors import Malformed
from netprov.number import whole
from netprov.phone.fetch.http import ResponseReader
from netprov.phone.source import parse_order


@pytest.mark.parametrize("text", ["", "²", "٣", "+1", "-1", "1_0", " 1", "1" * 19, "9" * 5000])
def test_what_is_no_run_of_digits_is_no_number(text: str) -> None:
    assert whole(text) is None


@given(st.text(alphabet="0123456789²٣ +-_x", max_size=24))
def test_ascii_digits_are_read_and_nothing_else(text: str) -> None:
    assert whole(text) == (int(text) if re.fullmatch("[0-9]{1,18}", text) else None)


def test_a_raised_digit_is_no_option_number() -> None:
    assert parse_order("66,²") == (66,)
    assert parse_order("²") == ORDER


def test_an_answer_with_a_raised_digit_for_its_status_is_not_http() -> None:
    with pytest.raises(Malformed):
        ResponseReader("GET").feed(b"HTTP/1.1 2\xb20 OK\r\n\r\n")
