"""Through an HTTP proxy: which requests go there, how its challenge is met, and that a server's account is never told to it."""

from __future__ import annotations

import pytest

from netprov.phone.action import Action, Failed, Fetch, Found, Lease, Resolve, Response, Result, Trouble
from netprov.phone.fetch.exchange import Fetched, Refusal, fetch
from netprov.phone.fetch.http import encode_connect, encode_request
from netprov.phone.fetch.reach import FetchRequest
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import parse_url
from netprov.phone.walk import walk
from tests.phone.world import PHONE, no_chance

MANUAL = {"Proxy_Mode": "Manual", "Proxy_Host": "px.example.com"}
ACCOUNT = {"Proxy_Server_Requires_Authentication": "Yes", "Proxy_Username": "u", "Proxy_Password": "p"}
CHALLENGE = Response(407, headers=(("Proxy-Authenticate", 'Basic realm="x"'),))


def ask(
    url: str, parameters: dict[str, str], answers: list[Result], request: FetchRequest | None = None
) -> tuple[Fetched | Refusal, list[Fetch], list[str]]:
    handset = Handset(PHONE, no_chance)
    handset.lease = Lease("10.20.0.50", "10.20.0.1", {6: bytes([10, 20, 0, 1])})
    handset.parameters.update(parameters)
    asked: list[Fetch] = []
    looked: list[str] = []
    left = list(answers)

    def world(action: Action) -> Result:
        if isinstance(action, Fetch):
            asked.append(action)
            return left.pop(0)
        assert isinstance(action, Resolve)
        looked.append(action.name)
        return Found(("10.20.0.2",))

    outcome, _ = walk(handset, fetch(handset, parse_url(url), request or FetchRequest()), world)
    assert not left
    return outcome, asked, looked


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_is_connected_to_and_looks_the_server_up(scheme: str) -> None:
    outcome, (asked,), looked = ask(f"{scheme}://pr1.example.com/x.xml", MANUAL, [Response(200)])
    assert isinstance(outcome, Fetched)
    assert looked == ["px.example.com"]
    assert (asked.address, asked.proxy and (asked.proxy.host, asked.proxy.port)) == (
        "10.20.0.2",
        ("px.example.com", 3128),
    )
    assert asked.verify == ("pr1.example.com" if scheme == "https" else "")


def test_tftp_and_phones_without_a_proxy_go_straight_there() -> None:
    for url, parameters in (
        ("tftp://pr1.example.com/x", MANUAL),
        ("http://pr1.example.com/x", {"Proxy_Mode": "Off"}),
    ):
        _, (asked,), looked = ask(url, parameters, [Response(200)])
        assert asked.proxy is None
        assert looked == ["pr1.example.com"]


def test_challenge_is_met_twice_at_most_and_then_it_is_category_c() -> None:
    outcome, asked, _ = ask("http://pr1.example.com/x", MANUAL | ACCOUNT, [CHALLENGE] * 3)
    assert isinstance(outcome, Refusal)
    assert (outcome.category, outcome.status) == ("C", 407)
    assert "Proxy_Password" in outcome.error
    assert [each.proxy.authorization for each in asked if each.proxy] == ["", "Basic dTpw", "Basic dTpw"]


def test_without_an_account_there_is_one_try_and_the_parameter_is_named() -> None:
    outcome, asked, _ = ask("http://pr1.example.com/x", MANUAL, [CHALLENGE])
    assert isinstance(outcome, Refusal)
    assert len(asked) == 1
    assert "Proxy_Server_Requires_Authentication" in outcome.error


def test_two_accounts_are_told_to_those_they_are_for() -> None:
    """RFC 9110 11.7: a proxy's challenge and a server's are two."""
    server = Response(401, headers=(("WWW-Authenticate", 'Basic realm="y"'),))
    outcome, asked, _ = ask(
        "https://pr1.example.com/x",
        MANUAL | ACCOUNT,
        [CHALLENGE, server, Response(200)],
        FetchRequest(user="me", password="mine"),
    )
    assert isinstance(outcome, Fetched)
    assert [each.headers.get("Authorization") for each in asked] == [None, None, "Basic bWU6bWluZQ=="]
    assert [each.proxy.authorization for each in asked if each.proxy] == ["", "Basic dTpw", "Basic dTpw"]


def test_407_of_a_server_without_a_proxy_is_category_c_at_once() -> None:
    outcome, asked, _ = ask("http://pr1.example.com/x", ACCOUNT, [CHALLENGE])
    assert isinstance(outcome, Refusal)
    assert (outcome.category, len(asked)) == ("C", 1)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"Proxy_Mode": "Manual"}, "Proxy_Host is empty"),
        ({**MANUAL, "Proxy_Port": "0"}, "Proxy_Port"),
        ({**MANUAL, "Proxy_Port": "three"}, "Proxy_Port"),
        ({"Proxy_Mode": "Auto", "Use_Auto_Discovery__WPAD_": "No"}, "PAC_URL is empty"),
        ({"Proxy_Mode": "Sometimes"}, "Auto, Manual or Off"),
    ],
)
def test_parameters_that_name_no_proxy_stop_the_phone_in_words(parameters: dict[str, str], said: str) -> None:
    outcome, asked, _ = ask("http://pr1.example.com/x", parameters, [])
    assert isinstance(outcome, Refusal)
    assert (outcome.category, asked) == ("C", [])
    assert said in outcome.error


PAC = Response(200, b'function FindProxyForURL() { return "PROXY px.example.com:3128; DIRECT"; }')
BY_URL = {
    "Proxy_Mode": "Auto",
    "Use_Auto_Discovery__WPAD_": "No",
    "PAC_URL": "http://pac.example.com/proxy.pac",
}
BY_WPAD = {"Proxy_Mode": "Auto"}


def test_a_pac_file_names_the_proxy_and_is_fetched_straight_and_once() -> None:
    handset, asked = auto(BY_URL)
    answers: list[Result] = [PAC, Response(200), Response(200)]
    for _ in range(2):
        assert isinstance(walked(handset, asked, answers), Fetched)
    assert [(str(each.url), each.proxy and each.proxy.host) for each in asked] == [
        ("http://pac.example.com/proxy.pac", None),
        ("http://pr1.example.com/x", "px.example.com"),
        ("http://pr1.example.com/x", "px.example.com"),
    ]
    handset.power_off()
    assert handset.pac is None


def test_a_proxy_of_a_pac_file_that_is_down_gives_way_to_the_next() -> None:
    handset, asked = auto(BY_URL)
    assert isinstance(walked(handset, asked, [PAC, Failed(Trouble.REFUSED), Response(200)]), Fetched)
    assert [each.proxy is None for each in asked] == [True, False, True]
    refused, asked = auto(BY_URL)
    outcome = walked(refused, asked, [PAC, Failed(Trouble.UNTRUSTED)])
    assert isinstance(outcome, Refusal)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("options", "pac"),
    [
        ({252: b"http://10.20.0.9/from-dhcp.dat\n", 15: b"example.com"}, "http://10.20.0.9/from-dhcp.dat"),
        ({15: b"example.com"}, "http://wpad.example.com/wpad.dat"),
    ],
)
def test_wpad_asks_dhcp_before_dns(options: dict[int, bytes], pac: str) -> None:
    handset, asked = auto(BY_WPAD, options)
    assert 252 in handset.requested
    assert isinstance(walked(handset, asked, [PAC, Response(200)]), Fetched)
    assert str(asked[0].url) == pac


def test_where_wpad_finds_nothing_the_phone_goes_straight() -> None:
    handset, asked = auto(BY_WPAD, {15: b"example.com"})
    assert isinstance(walked(handset, asked, [Response(404), Response(200)]), Fetched)
    assert asked[-1].proxy is None
    alone, asked = auto(BY_WPAD)
    assert isinstance(walked(alone, asked, [Response(200)]), Fetched)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(404), "no PAC file from http://pac.example.com/proxy.pac: HTTP 404"),
        (Failed(Trouble.TIMEOUT), "no answer"),
        (Response(200, b"x" * (1 << 21)), "larger"),
        (Response(200, b"\xff"), "the PAC file fails"),
    ],
)
def test_a_pac_file_that_is_named_and_cannot_be_had_is_category_c(answer: Result, reason: str) -> None:
    handset, asked = auto(BY_URL)
    outcome = walked(handset, asked, [answer])
    assert isinstance(outcome, Refusal)
    assert outcome.category == "C"
    assert reason in outcome.error


def test_names_that_a_pac_file_wants_are_looked_up_so_many_and_no_more() -> None:
    one = Response(
        200, b'function FindProxyForURL(u, h) { return isResolvable(h) ? "DIRECT" : "PROXY a:1"; }'
    )
    handset, asked = auto(BY_URL)
    assert isinstance(walked(handset, asked, [one, Response(200)]), Fetched)
    endless = b"function FindProxyForURL() { for (var i = 0; ; i++) dnsResolve('n' + i + '.example.com'); }"
    handset, asked = auto(BY_URL)
    outcome = walked(handset, asked, [Response(200, endless)])
    assert isinstance(outcome, Refusal)
    assert "more than 16 names" in outcome.error


def auto(parameters: dict[str, str], options: dict[int, bytes] | None = None) -> tuple[Handset, list[Fetch]]:
    handset = Handset(PHONE, no_chance)
    handset.lease = Lease("10.20.0.50", "10.20.0.1", {6: bytes([10, 20, 0, 1]), **(options or {})})
    handset.parameters.update(parameters)
    return handset, []


def walked(handset: Handset, asked: list[Fetch], answers: list[Result]) -> Fetched | Refusal:
    def world(action: Action) -> Result:
        if isinstance(action, Fetch):
            asked.append(action)
            return answers.pop(0)
        return Found(("10.20.0.2",))

    return walk(handset, fetch(handset, parse_url("http://pr1.example.com/x")), world)[0]


def test_proxy_that_is_down_is_category_c() -> None:
    outcome, _, _ = ask("http://pr1.example.com/x", MANUAL, [Failed(Trouble.REFUSED)])
    assert isinstance(outcome, Refusal)
    assert outcome.category == "C"


def test_requests_have_the_forms_of_rfc_9112() -> None:
    url = parse_url("https://pr1.example.com:5060/x.xml")
    assert encode_connect(url, "Basic dTpw") == (
        b"CONNECT pr1.example.com:5060 HTTP/1.1\r\nHost: pr1.example.com:5060\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
    )
    plain = parse_url("http://pr1.example.com/x.xml")
    assert encode_request("GET", plain, {}, b"", to_proxy=True).startswith(
        b"GET http://pr1.example.com/x.xml HTTP/1.1\r\nHost: pr1.example.com\r\n"
    ) or encode_request("GET", plain, {}, b"", to_proxy=True).startswith(
        b"GET http://pr1.example.com:80/x.xml HTTP/1.1\r\n"
    )
