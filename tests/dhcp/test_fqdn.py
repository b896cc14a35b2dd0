"""Option 81, answered and obeyed (RFC 4702); dnspython reads the names."""

from __future__ import annotations

from dataclasses import replace

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp.config import PhoneConfig
from netprov.dhcp.message import Type
from netprov.dhcp.option.fqdn import answer
from tests.dhcp.link import CONFIG, MAC, STRANGER, Lan, ip, request, setting

PHONE = {60: b"CP-8851-3PCC"}
S, O, E, N = 1, 2, 4, 8  # noqa: E741 - the RFC's letters
WIRE = b"\x04desk\x07example\x03com\x00"


@pytest.mark.parametrize(
    ("asked", "flags", "name"),
    [
        (bytes((S | E, 0, 0)) + WIRE, S | E, WIRE),
        (bytes((E, 0, 0)) + WIRE, S | O | E, WIRE),
        (bytes((E | N, 0, 0)) + WIRE, N | E, WIRE),
        (bytes((S | E, 0, 0)) + b"\x04desk", S | E, WIRE),
        (bytes((S | E, 0, 0)) + b"\x04desk\x05other\x03org\x00", S | E, WIRE),
        (bytes((S, 0, 0)) + b"desk", S, b"desk.example.com"),
        (bytes((0, 0, 0)) + b"desk.example.com", S | O, b"desk.example.com"),
        (bytes((S, 0, 0)), N | O, b""),
        (bytes((S | E, 0, 0)) + b"\x03b_c", N | O | E, b"\x03b_c"),
    ],
)
def test_the_answer_says_what_is_published_and_by_whom(asked: bytes, flags: int, name: bytes) -> None:
    offer = Lan().ask(request(Type.DISCOVER, STRANGER, PHONE | {81: asked}))
    assert (offer.options[81][:3], offer.options[81][3:]) == (bytes((flags, 255, 255)), name)


def test_a_client_that_sends_none_is_sent_none() -> None:
    lan = Lan()
    assert 81 not in lan.ask(request(Type.DISCOVER, STRANGER, PHONE | {55: bytes([81, 1])})).options
    assert 81 not in lan.ask(request(Type.DISCOVER, STRANGER, PHONE | {81: b"\x01\x00"})).options


def test_a_client_that_wants_no_updates_leaves_no_name_for_dns() -> None:
    for flags, kept in ((N | E, ""), (S | E, "desk")):
        lan = Lan()
        lan.acquire(STRANGER, options=PHONE | {12: b"desk", 81: bytes((flags, 0, 0)) + WIRE})
        assert [lease.hostname for lease in lan.server.leases()] == [kept]


def test_a_phones_own_name_of_the_inventory_is_what_it_is_told() -> None:
    phone = PhoneConfig(MAC, ("phones", 0), address=ip("10.20.0.50"), settings={12: setting(12, b"lobby")})
    lan = Lan(replace(CONFIG, phones={MAC: phone}))
    offer = lan.ask(request(Type.DISCOVER, MAC, {81: bytes((S | E, 0, 0)) + WIRE}))
    assert dns.name.from_wire(offer.options[81], 3)[0].to_text() == "lobby.example.com."


@given(st.binary(max_size=80), st.sampled_from(["", "desk", "a" * 63]), st.sampled_from(["", "example.com"]))
def test_any_option_81_gets_a_sound_answer(asked: bytes, label: str, domain: str) -> None:
    told = answer(asked, label, domain)
    if len(asked) < 3:
        assert told == b""
        return
    assert (told[0] & S != 0) != (told[0] & N != 0)
    assert (told[0] & O != 0) == (told[0] & S != asked[0] & S)
    if label and domain and asked[0] & E:
        assert dns.name.from_wire(told, 3)[0].to_text() == f"{label}.{domain}."
