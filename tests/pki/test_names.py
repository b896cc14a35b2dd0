from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.pki.names import PhoneSubject, covers, matches, within

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("example.com", "example.com", True),
        ("EXAMPLE.com", "example.COM.", True),
        ("pr1.example.com", "example.com", False),
        ("*.example.com", "pr1.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.pr1.example.com", False),
        ("p*.example.com", "pr1.example.com", False),
        ("*.com", "example.com", False),
        ("*", "com", False),
        ("", "", True),
    ],
)
def test_wildcard_stands_for_exactly_one_label(pattern: str, name: str, expected: bool) -> None:
    assert expected == matches(pattern, name)


@given(st.lists(LABEL, min_size=2, max_size=4).map(".".join), LABEL)
def test_wildcard_never_stands_for_the_apex_and_always_for_a_label_below_it(domain: str, label: str) -> None:
    assert not matches(f"*.{domain}", domain)
    assert matches(f"*.{domain}", f"{label}.{domain}")


def test_an_address_matches_only_address_names() -> None:
    assert covers((), (ip_address("10.20.0.1"),), "10.20.0.1")
    assert not covers(("10.20.0.1",), (), "10.20.0.1")
    assert covers((), (ip_address("2001:db8::1"),), "2001:DB8:0::1")


@pytest.mark.parametrize(
    ("name", "domain", "expected"),
    [
        ("example.com", "example.com", True),
        ("pr1.example.com", "example.com", True),
        ("pr1.example.com", ".example.com", True),
        ("badexample.com", "example.com", False),
        ("com", "example.com", False),
    ],
)
def test_constraint_holds_the_domain_and_what_is_below_it(name: str, domain: str, expected: bool) -> None:
    assert expected == within(name, domain)


def test_mac_of_a_phone_is_kept_as_digits_alone() -> None:
    assert PhoneSubject("CP-8841-3PCC", "FCH1", "00:12:34:AB:45:DE").mac == "001234ab45de"
