"""Parameters of challenges and credentials, also of senders who mean harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.auth_param import parse_parameters, quote


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ('realm="a b", qop=auth', {"realm": "a b", "qop": "auth"}),
        ('Realm = "x",NC=00000001', {"realm": "x", "nc": "00000001"}),
        ('opaque="", stale=true', {"opaque": "", "stale": "true"}),
        (r'username="a\"b", uri="/x?y=z"', {"username": 'a"b', "uri": "/x?y=z"}),
        (r'a="\\", b="LAN\user", c="\\\""', {"a": "\\", "b": r"LAN\user", "c": '\\"'}),
        ('junk, =x, a=, b="open', {}),
    ],
)
def test_parameters_are_what_they_say(text: str, expected: dict[str, str]) -> None:
    assert parse_parameters(text) == expected


@given(st.text(alphabet='a"\\ ,=', max_size=20))
def test_what_is_quoted_is_read_back(text: str) -> None:
    assert parse_parameters(f"x={quote(text)}, y=1") == {"x": text, "y": "1"}


@pytest.mark.parametrize("piece", ["a", " ", "a ", "a=", 'a="', 'a="\\', '\\"', "a=b,", '"', "=", "a  = "])
def test_a_million_octets_of_anything_are_read_in_one_pass(piece: str) -> None:
    """Where time grew with the square of the length, this would take hours."""
    for begin in ("", "a", 'a="'):
        found = parse_parameters(begin + piece * (1_000_000 // len(piece)))
        assert all(set(name) <= {"a", "b"} for name in found)
