"""One URL: what each status means (Cisco's guide, table 2), redirects, challenges, addresses."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest

from netprov.emulator.web import phone_context
from netprov.phone.action import Action, Failed, Fetch, Found, Lease, Response, Result, Trouble
from netprov.phone.fetch.auth import authorization
from netprov.phone.fetch.exchange import Fetched, Refusal, fetch
from netprov.phone.fetch.reach import FetchRequest
from netprov.phone.handset.identity import MODELS
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import parse_url
from netprov.phone.walk import walk
from tests.phone.world import PHONE, Server, World, no_chance

URL = parse_url("http://pr1.example.com/x.xml")
TABLE_2 = {
    **dict.fromkeys((200, 201, 204), "A"),
    **dict.fromkeys((404,), "B"),
    **dict.fromkeys((300, 303, 304, 305, 307, 308), "C"),
    **dict.fromkeys(
        (400, 402, 403, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 429, 451), "C"
    ),
    **dict.fromkeys((500, 501, 502, 503, 504, 505, 507, 511, 599), "C"),
    **dict.fromkeys((401, 407), "C"),
}


def phone() -> Handset:
    handset = Handset(PHONE, no_chance)
    handset.lease = Lease("10.20.0.50", "10.20.0.1", {6: bytes([10, 20, 0, 1])})
    return handset


def ask(answers: list[Result], request: FetchRequest | None = None) -> tuple[Fetched | Refusal, list[Fetch]]:
    """Fetch with these answers in a row, each name having one address."""
    asked: list[Fetch] = []
    left = list(answers)

    def world(action: Action) -> Result:
        if isinstance(action, Fetch):
            asked.append(action)
            return left.pop(0)
        return Found(("10.20.0.11",))

    outcome, _ = walk(phone(), fetch(phone(), URL, request or FetchRequest()), world)
    assert not left
    return outcome, asked


@pytest.mark.parametrize(("status", "category"), TABLE_2.items())
def test_statuses_fall_into_the_guides_categories(status: int, category: str) -> None:
    outcome, asked = ask([Response(status)])
    assert category == ("A" if isinstance(outcome, Fetched) else outcome.category)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("model", "firmware", "newest"),
    [
        ("CP-8832-3PCC", "12.0(7)SR3", ssl.TLSVersion.TLSv1_3),
        ("CP-8851-3PCC", "12.0(7)SR3", ssl.TLSVersion.TLSv1_2),
        ("CP-8832-3PCC", "11.3.1", ssl.TLSVersion.TLSv1_2),
    ],
)
def test_the_model_and_its_load_decide_the_newest_tls(
    model: str, firmware: str, newest: ssl.TLSVersion
) -> None:
    handset = Handset(replace(PHONE, model=MODELS[model], firmware=firmware), no_chance)
    _, steps = walk(
        handset,
        fetch(handset, parse_url("https://10.20.0.1/x"), FetchRequest()),
        lambda _action: Response(200),
    )
    (asked,) = [each.action for each in steps if isinstance(each.action, Fetch)]
    assert phone_context(asked.anchors, tls13=asked.tls13).maximum_version == newest


@pytest.mark.parametrize("status", [301, 302])
def test_redirects_are_followed_at_once(status: int) -> None:
    answers: list[Result] = [
        Response(status, headers=(("Location", "https://pr2.example.com:8443/$MA"),)),
        Response(200, b"x"),
    ]
    outcome, asked = ask(answers)
    assert isinstance(outcome, Fetched)
    assert str(asked[1].url) == "https://pr2.example.com:8443/001234ab45de"
    assert asked[1].verify == "pr2.example.com"


def test_a_redirect_to_nowhere_fails() -> None:
    outcome, _ = ask([Response(302)])
    assert isinstance(outcome, Refusal)
    assert (outcome.category, outcome.error) == ("C", "302 without a Location")


def test_redirects_in_a_circle_end() -> None:
    outcome, asked = ask([Response(302, headers=(("Location", "/x.xml"),))] * 6)
    assert isinstance(outcome, Refusal)
    assert len(asked) == 6


def test_challenges_are_answered_twice_at_most() -> None:
    challenged = Response(401, headers=(("WWW-Authenticate", 'Basic realm="x"'),))
    outcome, asked = ask([challenged] * 3, FetchRequest(user="u", password="p"))
    assert isinstance(outcome, Refusal)
    assert outcome.category == "C"
    assert [each.headers.get("Authorization") for each in asked] == [None, "Basic dTpw", "Basic dTpw"]
    outcome, asked = ask([challenged, Response(200)], FetchRequest(user="u", password="p"))
    assert isinstance(outcome, Fetched)


def test_digest_is_rfc_7616s_example() -> None:
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    without_qop = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    header = authorization(
        without_qop,
        user="Mufasa",
        password="Circle Of Life",
        method="GET",
        path="/dir/index.html",
        draw=no_chance,
    )
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in header
    for algorithm in ("MD5", "SHA-256", "MD5-sess", "SHA-256-sess"):
        header = authorization(
            challenge.format(algorithm),
            user="Mufasa",
            password="Circle of Life",
            method="GET",
            path="/x",
            draw=no_chance,
        )
        assert f"algorithm={algorithm}" in header
        assert "qop=auth, nc=00000001" in header
    for unknown in ("Negotiate", 'Digest algorithm="X", nonce="1"'):
        assert not authorization(unknown, user="u", password="p", method="GET", path="/", draw=no_chance)


@pytest.mark.parametrize(
    ("trouble", "category"),
    [(Trouble.NOT_FOUND, "B"), (Trouble.TRANSFER, "C"), (Trouble.TIMEOUT, "C"), (Trouble.TLS, "C")],
)
def test_troubles_fall_into_the_guides_categories(trouble: Trouble, category: str) -> None:
    outcome, _ = ask([Failed(trouble)])
    assert isinstance(outcome, Refusal)
    assert category == outcome.category


def test_a_name_without_dns_server_fails_at_once() -> None:
    handset = Handset(PHONE, no_chance)
    outcome, steps = walk(handset, fetch(handset, URL), lambda _action: Failed(Trouble.TIMEOUT))
    assert isinstance(outcome, Refusal)
    assert outcome.trouble is Trouble.NO_SERVER
    assert not steps


@pytest.mark.parametrize(
    ("domains", "asked"),
    [
        ("", True),
        ("example.com", True),
        ("other.example, EXAMPLE.com ", True),
        ("pr1.example.com", True),
        ("ample.com", False),
        ("other.example", False),
    ],
)
def test_hosts_outside_the_restricted_domains_are_not_asked(domains: str, asked: bool) -> None:
    handset = phone()
    handset.parameters["Restricted_Access_Domains"] = domains
    world = World(
        names={"pr1.example.com": ("10.20.0.11",)}, servers={"http 10.20.0.11 80": Server({"/x.xml": b"x"})}
    )
    answer, steps = walk(handset, fetch(handset, URL), world)
    assert isinstance(answer, Fetched) == asked
    assert bool(steps) == asked
    assert asked or "Restricted_Access_Domains" in answer.error  # type: ignore[union-attr]


def test_a_redirect_out_of_the_restricted_domains_is_not_followed() -> None:
    handset = phone()
    handset.parameters["Restricted_Access_Domains"] = "example.com"
    moved = Response(302, headers=(("Location", "http://10.20.0.12/x.xml"),))
    world = World(
        names={"pr1.example.com": ("10.20.0.11",)}, servers={"http 10.20.0.11 80": Server({"/x.xml": moved})}
    )
    answer, _ = walk(handset, fetch(handset, URL), world)
    assert isinstance(answer, Refusal)
    assert answer.error == "10.20.0.12 is not in Restricted_Access_Domains"
