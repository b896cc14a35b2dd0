"""Alias maps: somebody else's XML becomes the phone's parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.phone.fetch.alias import parse_aliased, parse_aliases
from netprov.provision.profile import parse_profile

GUIDE = (
    "/customer-account/SIP-number = /flat-profile/User_ID_1_ ; "
    "/customer-account/SIP-password = /flat-profile/Password_1_ ;"
)
ACCOUNT = b"<customer-account><SIP-number> 17775551234</SIP-number><SIP-password>5128</SIP-password></customer-account>"


@pytest.mark.parametrize(
    ("aliases", "body", "expected"),
    [
        (GUIDE, ACCOUNT, {"User_ID_1_": " 17775551234", "Password_1_": "5128"}),
        (
            "/customer-account = /flat-profile",
            ACCOUNT,
            {"SIP-number": " 17775551234", "SIP-password": "5128"},
        ),
        (
            "/customer-account = /flat-profile; /customer-account/SIP-number = /flat-profile/User_ID_1_",
            ACCOUNT,
            {"User_ID_1_": " 17775551234", "SIP-password": "5128"},
        ),
        (
            "/site/phone/sip = /flat-profile\n",
            b"<site><name>x</name><phone><sip><Proxy_1_>p</Proxy_1_></sip><other>y</other></phone></site>",
            {"Proxy_1_": "p"},
        ),
        ("/elsewhere/x = /flat-profile/Y", ACCOUNT, {}),
        ("/customer-account/SIP-number = /other/User_ID_1_", ACCOUNT, {}),
        (
            "Name = Display_Name_1_",
            b"<device><flat-profile><Name>Ann</Name><Proxy_1_>p</Proxy_1_></flat-profile></device>",
            {"Display_Name_1_": "Ann", "Proxy_1_": "p"},
        ),
    ],
)
def test_elements_get_the_names_of_the_map(aliases: str, body: bytes, expected: dict[str, str]) -> None:
    profile = parse_aliased(body, parse_aliases(aliases))
    assert {name: each.value for name, each in profile.items()} == expected


@pytest.mark.parametrize("text", ["no equals sign", "/a/b = ", " = /flat-profile/X"])
def test_a_row_that_is_no_alias_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="is no alias"):
        parse_aliases(text)


def test_attributes_are_kept_and_other_xml_refused() -> None:
    profile = parse_aliased(b'<a><N ua="rw"/></a>', parse_aliases("/a = /flat-profile"))
    assert (profile["N"].value, profile["N"].ua) == (None, "rw")
    with pytest.raises(Malformed):
        parse_aliased(b"<a>", parse_aliases("/a = /flat-profile"))


def test_depth_has_a_bound() -> None:
    body = b"<a>" * 50_000 + b"x" + b"</a>" * 50_000
    assert parse_aliased(body, parse_aliases("/a/a = /flat-profile")) == {}


@given(st.dictionaries(st.from_regex(r"[A-Z][a-z_]{0,8}", fullmatch=True), st.text("abc <&", max_size=9)))
def test_an_alias_of_the_root_alone_changes_no_name(values: dict[str, str]) -> None:
    inside = "".join(
        f"<{name}>{value.replace('&', '&amp;').replace('<', '&lt;')}</{name}>"
        for name, value in values.items()
    )
    theirs = parse_aliased(f"<theirs>{inside}</theirs>".encode(), parse_aliases("/theirs = /flat-profile"))
    assert theirs == parse_profile(f"<flat-profile>{inside}</flat-profile>".encode())
