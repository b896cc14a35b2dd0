"""Hosts with their ports, as text and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.hostport import format_hostport, format_origin, parse_hostport, scheme_of

CASES = (
    ("pr1.example.com", ("pr1.example.com", 443)),
    ("pr1.example.com:5060", ("pr1.example.com", 5060)),
    ("10.20.0.1:80", ("10.20.0.1", 80)),
    ("2001:db8::1", ("2001:db8::1", 443)),
    ("[2001:db8::1]", ("2001:db8::1", 443)),
    ("[2001:db8::1]:8443", ("2001:db8::1", 8443)),
)


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_host_and_port_are_read(text: str, expected: tuple[str, int]) -> None:
    assert expected == parse_hostport(text, 443)


@pytest.mark.parametrize(
    "text", ["h:", "h:0", "h:65536", "h:8o", "h:\u0663", "[2001:db8::1", "[::1]x", "[::1]:"]
)
def test_port_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_hostport(text, 443)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_any_address_comes_back_with_its_port(address: object, port: int) -> None:
    assert parse_hostport(format_hostport(str(address), port), 1) == (str(address), port)


@given(st.text())
def test_any_text_is_read_or_malformed(text: str) -> None:
    try:
        host, port = parse_hostport(text, 69)
    except Malformed:
        return
    assert host in text
    assert 1 <= port <= 65535


def test_own_port_of_a_scheme_is_left_out() -> None:
    assert format_origin("https", "example.com", 443) == "https://example.com"
    assert format_origin("http", "::1", 443) == "http://[::1]:443"
    assert format_origin("tftp", "::1") == "tftp://[::1]"


def test_schemes_are_read_in_any_case_and_no_other() -> None:
    assert [scheme_of(each) for each in ("TFTP", "Http", "https", "gds", "")] == [
        "tftp",
        "http",
        "https",
        None,
        None,
    ]
