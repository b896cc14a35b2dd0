"""PAC files: what their functions say, by the examples of Netscape's page and the addresses of a LAN; what a hostile one can do."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.phone.action import Proxy
from netprov.phone.fetch.pac import MOST_WAYS, Wanted, find_proxies
from netprov.phone.rule.url import parse_url

KNOWN = {"pr1.example.com": "10.20.0.11", "gone.example.com": ""}
URL = parse_url("http://pr1.example.com/8851-3PCC.xml")
PX = Proxy("px.example.com", 3128)


def found(script: str, url: str = str(URL), **known: str) -> tuple[Proxy | None, ...] | Wanted:
    return find_proxies(script, parse_url(url), own="10.20.0.50", known=KNOWN | known)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('isPlainHostName("www")', True),
        ('isPlainHostName("www.netscape.com")', False),
        ('dnsDomainIs("www.netscape.com", ".netscape.com")', True),
        ('dnsDomainIs("www", ".netscape.com")', False),
        ('dnsDomainIs("www.mcom.com", ".netscape.com")', False),
        ('localHostOrDomainIs("www.netscape.com", "www.netscape.com")', True),
        ('localHostOrDomainIs("www", "www.netscape.com")', True),
        ('localHostOrDomainIs("www.mcom.com", "www.netscape.com")', False),
        ('localHostOrDomainIs("home.netscape.com", "www.netscape.com")', False),
        ('isResolvable("pr1.example.com")', True),
        ('isResolvable("gone.example.com")', False),
        ('isInNet("10.20.0.11", "10.20.0.0", "255.255.255.0")', True),
        ('isInNet("pr1.example.com", "10.20.0.0", "255.255.255.0")', True),
        ('isInNet("pr1.example.com", "10.21.0.0", "255.255.0.0")', False),
        ('isInNet("gone.example.com", "0.0.0.0", "0.0.0.0")', False),
        ('isInNet("203.0.113.9", "203.0.113.0", "255.255.255.0")', True),
        ('dnsDomainLevels("www") === 0 && dnsDomainLevels("www.netscape.com") === 2', True),
        ('myIpAddress() === "10.20.0.50"', True),
        ('dnsResolve("PR1.example.com") === "10.20.0.11"', True),
        ('convert_addr("104.16.41.2") === 1745889538', True),
        ('shExpMatch("http://home.netscape.com/people/ari/index.html", "*/ari/*")', True),
        ('shExpMatch("http://home.netscape.com/people/montulli/index.html", "*/ari/*")', False),
        ('shExpMatch("a.b", "a?b") && !shExpMatch("ab", "a.b")', True),
        ('url === "http://pr1.example.com/8851-3PCC.xml" && host === "pr1.example.com"', True),
    ],
)
def test_functions_are_those_of_the_format(expression: str, value: bool) -> None:
    script = f'function FindProxyForURL(url, host) {{ return {expression} ? "PROXY yes:1" : "PROXY no:1"; }}'
    assert found(script) == (Proxy("yes" if value else "no", 1),)


@pytest.mark.parametrize(
    ("answer", "ways"),
    [
        ("DIRECT", (None,)),
        ("PROXY px.example.com:3128", (PX,)),
        ("proxy px.example.com:3128 ; direct", (PX, None)),
        ("SOCKS s:1080; HTTP px.example.com:3128", (PX,)),
        ("PROXY px.example.com", (Proxy("px.example.com", 80),)),
    ],
)
def test_what_is_answered_is_read_in_its_order(answer: str, ways: tuple[Proxy | None, ...]) -> None:
    assert found(f"function FindProxyForURL() {{ return {answer!r}; }}") == ways


def test_https_is_told_without_its_path() -> None:
    script = 'function FindProxyForURL(url) { return url === "https://pr1.example.com/" ? "DIRECT" : url; }'
    assert found(script, "https://pr1.example.com/secret.xml") == (None,)


def test_a_name_that_is_not_known_is_asked_for() -> None:
    script = 'function FindProxyForURL(url, host) { return isResolvable("New.example.com") ? "DIRECT" : "PROXY a:1"; }'
    assert found(script) == Wanted("new.example.com")
    assert find_proxies(script, URL, own="", known={"new.example.com": "10.20.0.12"}) == (None,)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("", "FindProxyForURL"),
        ("function FindProxyForURL( {", "fails"),
        ("function FindProxyForURL() { while (true) {} }", "interrupted"),
        ("while (true) {}", "interrupted"),
        (
            "function FindProxyForURL() { return /(a+)+b/.test('a'.repeat(60)) ? 'DIRECT' : ''; }",
            "interrupted",
        ),
        (
            "function FindProxyForURL() { var a = []; while (true) a.push('x'.repeat(1000)); }",
            "memory|16 MiB",
        ),
        ("function FindProxyForURL() { return FindProxyForURL(); }", "stack"),
        ("function FindProxyForURL() { throw 'x'; }", "fails: x"),
        ("function FindProxyForURL() { return weekdayRange('MON') ? 'DIRECT' : ''; }", "no calendar"),
        ("function FindProxyForURL() { return dnsResolve('a b') ? 'DIRECT' : ''; }", "no name"),
        ("function FindProxyForURL() { return 'SOCKS s:1'; }", "no proxy that the phone can use"),
        ("function FindProxyForURL() { return 'PROXY a:99999'; }", "99999"),
        ("function FindProxyForURL() { return 'PROXY -:1'; }", "is none"),
        ("function FindProxyForURL() {}", "undefined"),
        ("__wanted = {}; throw 1;", "no name"),
        ("Object.defineProperty(globalThis, '__wanted', {get() { throw 1; }}); throw 2;", "fails"),
    ],
)
def test_a_program_that_says_nothing_or_takes_too_much_is_told_why(script: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        found(script)


def test_without_an_engine_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "quickjs", None)
    with pytest.raises(Malformed, match=r"pip install 'netprov\[pac\]'"):
        found("function FindProxyForURL() { return 'DIRECT'; }")


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_whatever_is_answered_is_ways_or_a_reason(answer: str) -> None:
    script = f"function FindProxyForURL() {{ return 'PROXY ' + {json.dumps(answer)} + '; DIRECT'; }}"
    ways: object
    try:
        ways = found(script)
    except Malformed as error:
        ways = str(error)
    assert (len(ways) == MOST_WAYS or ways[-1] is None) if isinstance(ways, tuple) else ways
