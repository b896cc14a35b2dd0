"""Passwords of phones: Digest as RFC 2617 computes it, Basic where allowed, nonces that age."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.cwmp.auth import REALM, Credentials, Gate

SECRET = b"secret"
PHONES = Credentials("admin", "pass:word")


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def digest(gate: Gate, *, password: str = "pass:word", **changed: str) -> str:
    """Compute the header by hand, as RFC 2617 section 3.2.2 says."""
    challenge = gate.challenges("", 1000)[0]
    nonce = challenge.partition('nonce="')[2].partition('"')[0]
    fields = {
        "username": "admin",
        "nonce": nonce,
        "uri": "/",
        "nc": "00000001",
        "cnonce": "abc",
        "qop": "auth",
    }
    first, second = md5(f"admin:{REALM}:{password}"), md5("POST:/")
    fields["response"] = md5(f"{first}:{nonce}:00000001:abc:auth:{second}")
    return "Digest " + ", ".join(f'{key}="{value}"' for key, value in {**fields, **changed}.items())


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_right_password_is_admitted() -> None:
    gate = Gate(PHONES, SECRET)
    assert gate.admits(digest(gate), "POST", 1000)


@pytest.mark.parametrize(
    "changed",
    [{"username": "other"}, {"uri": "/x"}, {"response": "0" * 32}, {"nonce": "1000-" + "0" * 32}, {"nonce": ""},
     {"nonce": "x"}, {"qop": ""}, {"algorithm": "SHA-256"}, {"nc": "2"}],
)  # fmt: skip
def test_digest_with_a_wrong_field_is_not_admitted(changed: dict[str, str]) -> None:
    gate = Gate(PHONES, SECRET)
    assert not gate.admits(digest(gate, **changed), "POST", 1000)


def test_wrong_password_or_method_is_not_admitted() -> None:
    gate = Gate(PHONES, SECRET)
    assert not gate.admits(digest(gate, password="x"), "POST", 1000)
    assert not gate.admits(digest(gate), "GET", 1000)


def test_old_nonce_is_refused_and_called_stale() -> None:
    gate = Gate(PHONES, SECRET)
    header = digest(gate)
    assert gate.admits(header, "POST", 1300)
    assert not gate.admits(header, "POST", 1301)
    assert "stale=true" in gate.challenges(header, 1301)[0]
    assert "stale" not in gate.challenges("", 1301)[0]


def test_nonce_of_another_run_is_refused() -> None:
    assert not Gate(PHONES, b"other").admits(digest(Gate(PHONES, SECRET)), "POST", 1000)


def test_basic_is_admitted_only_where_it_is_allowed() -> None:
    open_gate = Gate(Credentials("admin", "pass:word", basic=True), SECRET)
    assert open_gate.admits(basic("admin:pass:word"), "POST", 0)
    assert not open_gate.admits(basic("admin:other"), "POST", 0)
    assert not open_gate.admits("Basic !!", "POST", 0)
    assert len(open_gate.challenges("", 0)) == 2
    closed = Gate(PHONES, SECRET)
    assert not closed.admits(basic("admin:pass:word"), "POST", 0)
    assert len(closed.challenges("", 0)) == 1


@given(st.text(max_size=100), st.sampled_from(["", "Digest ", "Basic ", 'Digest nonce="']))
def test_fuzz_whatever_is_in_the_header_it_is_not_admitted(text: str, prefix: str) -> None:
    gate = Gate(Credentials("admin", "pass:word", basic=True), SECRET)
    assert not gate.admits(prefix + text, "POST", 1000)
    assert gate.challenges(prefix + text, 1000)
