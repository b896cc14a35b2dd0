"""Passwords of phones: Digest as RFC 2617 computes it, Basic where allowed, nonces that age."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.cwmp.auth import REALM, Credentials, Gate
from netprov.phone.fetch.auth import authorization

SECRET = b"secret"
PHONES = Credentials("admin", "pass:word")


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def digest(gate: Gate, password: str = "pass:word", **changed: str | None) -> str:
    """Compute the header by hand, as RFC 2617 section 3.2.2 says; without qop as RFC 2069 does."""
    challenge = gate.challenges(1000)[0]
    nonce = changed.get("nonce") or challenge.partition('nonce="')[2].partition('"')[0]
    count = changed.get("nc") or "00000001"
    first, second = md5(f"{changed.get('username', 'admin')}:{REALM}:{password}"), md5("POST:/")
    middle = nonce if changed.get("qop", "auth") is None else f"{nonce}:{count}:abc:auth"
    fields: dict[str, str | None] = {
        "username": "admin",
        "nonce": nonce,
        "uri": "/",
        "nc": count,
        "cnonce": "abc",
        "qop": "auth",
        "response": md5(f"{first}:{middle}:{second}"),
    }
    given = {**fields, **changed}
    return "Digest " + ", ".join(f'{key}="{value}"' for key, value in given.items() if value is not None)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_right_password_is_admitted() -> None:
    gate = Gate(PHONES, SECRET)
    assert gate.judge(digest(gate), "POST", 1000) == "good"


def test_the_form_without_qop_is_admitted() -> None:
    gate = Gate(PHONES, SECRET)
    assert gate.judge(digest(gate, qop=None, nc=None, cnonce=None), "POST", 1000) == "good"


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [({"username": "other"}, "user"), ({"uri": "/x"}, "password"), ({"response": "0" * 32}, "password"),
     ({"nonce": "3e8-1-" + "0" * 32}, "stale"), ({"nonce": "x"}, "stale"),
     ({"qop": "auth-int"}, "other"), ({"algorithm": "SHA-256"}, "other"), ({"nc": "2"}, "stale")],
)  # fmt: skip
def test_what_is_wrong_with_a_digest_is_told_apart(changed: dict[str, str | None], verdict: str) -> None:
    gate = Gate(PHONES, SECRET)
    assert gate.judge(digest(gate, "pass:word", **changed), "POST", 1000) == verdict


def test_wrong_password_or_method_is_not_admitted() -> None:
    gate = Gate(PHONES, SECRET)
    assert gate.judge(digest(gate, password="x"), "POST", 1000) == "password"
    assert gate.judge(digest(gate), "GET", 1000) == "password"


def test_a_count_is_good_once_and_only_rises() -> None:
    gate = Gate(PHONES, SECRET)
    first = digest(gate)
    nonce = first.partition('nonce="')[2].partition('"')[0]
    later = digest(gate, nonce=nonce, nc="00000003")
    between = digest(gate, nonce=nonce, nc="00000002")
    assert [gate.judge(each, "POST", 1000) for each in (first, first, later, between, digest(gate))] == [
        "good", "stale", "good", "stale", "good"]  # fmt: skip


def test_old_nonce_is_refused_and_called_stale() -> None:
    gate = Gate(PHONES, SECRET)
    assert gate.judge(digest(gate), "POST", 1300) == "good"
    assert gate.judge(digest(gate), "POST", 1301) == "stale"
    assert "stale=true" in gate.challenges(1301, stale=True)[0]
    assert "stale" not in gate.challenges(1301)[0]


def test_nonce_of_another_run_is_refused() -> None:
    assert Gate(PHONES, b"other").judge(digest(Gate(PHONES, SECRET)), "POST", 1000) == "stale"


def test_basic_is_admitted_only_where_it_is_allowed() -> None:
    open_gate = Gate(Credentials("admin", "pass:word", basic=True), SECRET)
    assert open_gate.judge(basic("admin:pass:word"), "POST", 0) == "good"
    assert open_gate.judge(basic("admin:other"), "POST", 0) == "password"
    assert open_gate.judge(basic("root:pass:word"), "POST", 0) == "user"
    assert open_gate.judge("Basic %", "POST", 0) == "other"
    assert Gate(PHONES, SECRET).judge(basic("admin:pass:word"), "POST", 0) == "scheme"
    assert Gate(PHONES, SECRET).judge("", "POST", 0) == "none"


@pytest.mark.fuzz
@given(st.text(max_size=100), st.sampled_from(["", "Digest ", "Basic ", 'Digest nonce="']))
def test_whatever_a_header_holds_it_is_judged(text: str, prefix: str) -> None:
    gate = Gate(Credentials("admin", "pass:word", basic=True), SECRET)
    assert gate.judge(prefix + text, "POST", 1000) != "good"


@pytest.mark.parametrize("user", ['a"b', "a\\b", 'x\\"', "LAN\\phone", "a, nc=1"])
def test_user_whose_name_has_quotes_is_admitted_as_clients_write_it(user: str) -> None:
    """The hash is of the name itself, the header has it quoted (RFC 7616 section 3.4): so do curl and our phone."""
    gate = Gate(Credentials(user, "pass:word"), SECRET)
    header = authorization(
        gate.challenges(1000)[0], user=user, password="pass:word", method="POST", path="/", draw=lambda _: 7
    )
    assert gate.judge(header, "POST", 1000) == "good"
