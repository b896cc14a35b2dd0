"""Cookies of one session, as RFC 6265 has a client keep them and TR-069 section 3.4.2 asks for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.cookie import Jar

URL = "https://acs.example.com:7547/cwmp/in"
DATE = ("Date", "Fri, 27 Nov 2026 03:00:00 GMT")


def sent(*set_cookies: str, url: str = URL, later: str = URL, now: float = 0.0, date: bool = True) -> str:
    """Return the Cookie header of a request after an answer that set these."""
    jar = Jar()
    headers = [("Set-Cookie", each) for each in set_cookies]
    jar.take(url, [DATE, *headers] if date else headers, 0)
    return jar.header(later, now)


def test_several_cookies_go_back_without_their_attributes() -> None:
    assert sent("a=1; Path=/; HttpOnly", "b=2", 'c="x y"; SameSite=Lax', "nothing", "=5") == (
        'b=2; c="x y"; a=1'
    )


def test_cookie_of_the_same_name_replaces_the_one_before() -> None:
    assert sent("a=1", "a=2") == "a=2"
    assert sent("a=1; Path=/", "a=2; Path=/cwmp") == "a=2; a=1"


@pytest.mark.parametrize("path", ["/", "/cwmp", "/cwmp/", "/cwmp/in", "", "no-slash"])
def test_cookie_goes_to_paths_below_its_own(path: str) -> None:
    assert sent(f"a=1; Path={path}") == "a=1"


@pytest.mark.parametrize("path", ["/cwm", "/cwmp/i", "/other", "/cwmp/in/deeper"])
def test_cookie_of_another_path_stays_at_home(path: str) -> None:
    assert sent(f"a=1; Path={path}") == ""


def test_cookie_without_a_path_is_for_the_directory_of_the_request() -> None:
    assert sent("a=1", later="https://acs.example.com:7547/cwmp/out") == "a=1"
    assert sent("a=1", later="https://acs.example.com:7547/") == ""


@pytest.mark.parametrize(
    ("domain", "host", "goes"),
    [
        ("", "acs.example.com", True),
        ("", "www.acs.example.com", False),
        ("acs.example.com", "www.acs.example.com", True),
        (".EXAMPLE.com", "pr2.example.com", True),
        ("example.com", "badexample.com", False),
        ("pr2.example.com", "pr2.example.com", False),
        ("other.com", "other.com", False),
    ],
)
def test_cookie_goes_to_its_host_or_domain_alone(domain: str, host: str, *, goes: bool) -> None:
    field = f"a=1; Path=/; Domain={domain}" if domain else "a=1; Path=/"
    assert sent(field, later=f"https://{host}/") == ("a=1" if goes else "")


def test_address_is_below_no_domain() -> None:
    assert sent("a=1; Domain=0.0.1", url="http://10.0.0.1/", later="http://10.0.0.1/") == ""
    assert sent("a=1", url="http://10.0.0.1/", later="http://10.0.0.1/x") == "a=1"


def test_secure_cookie_is_not_sent_in_the_clear() -> None:
    assert sent("a=1; Path=/; Secure") == "a=1"
    assert sent("a=1; Path=/; Secure", later="http://acs.example.com/") == ""


@pytest.mark.parametrize(
    ("attribute", "seconds"),
    [
        ("Max-Age=60", 60),
        ("Expires=Fri, 27 Nov 2026 03:01:00 GMT", 60),
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),
    ],
)
def test_cookie_is_sent_until_it_expires(attribute: str, seconds: float) -> None:
    assert [sent(f"a=1; {attribute}", now=now) for now in (0, seconds - 1, seconds)] == ["a=1", "a=1", ""]


@pytest.mark.parametrize("attribute", ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_cookie_that_has_expired_deletes_the_one_before(attribute: str) -> None:
    assert sent("a=1", f"a=; {attribute}") == ""


@pytest.mark.parametrize("attribute", ["Max-Age=soon", "Expires=never", "Expires=", "Max-Age="])
def test_attribute_that_cannot_be_read_is_passed_over(attribute: str) -> None:
    assert sent(f"a=1; {attribute}") == "a=1"


def test_without_a_date_an_expiry_is_none() -> None:
    assert sent("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", date=False) == "a=1"


def test_cookies_are_few_and_short() -> None:
    assert sent(*(f"n{number}=1" for number in range(40))).count("=") == 16
    assert sent(f"a={'x' * 5000}") == ""


@pytest.mark.fuzz
@given(st.text(max_size=200), st.sampled_from([URL, "http://[::1]/", "http://10.0.0.1"]))
def test_whatever_is_set_nothing_is_raised(field: str, url: str) -> None:
    jar = Jar()
    jar.take(url, [DATE, ("set-cookie", field), ("Set-Cookie", f"a=1;{field}")], 0)
    assert "\x00" not in jar.header("https://never.example/", 0)
