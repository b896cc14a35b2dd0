"""Option values: one case list walked both ways, and what an operator reads when a value is wrong."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp.option import table as options
from netprov.errors import BadValue, Malformed

A, B = IPv4Address("10.20.0.1"), IPv4Address("10.20.0.2")

CASES: list[tuple[str, int, Any, str, Any]] = [
    ("time offset west", 2, -3600, "fffff1f0", -3600),
    ("one router", 3, "10.20.0.1", "0a140001", (A,)),
    ("dns servers", 6, ["10.20.0.1", "10.20.0.2"], "0a1400010a140002", (A, B)),
    ("host name", 12, "desk-1", "6465736b2d31", "desk-1"),
    ("domain", 15, "example.com", "6578616d706c652e636f6d", "example.com"),
    ("ntp", 42, ["10.20.0.1"], "0a140001", (A,)),
    (
        "acs by name",
        43,
        {"acs_url": "https://a/", "provisioning_code": "X1"},
        "010a68747470733a2f2f612f02025831",
        {1: b"https://a/", 2: b"X1"},
    ),
    (
        "acs retry",
        43,
        {"retry_wait": 5, "retry_multiplier": "2000"},
        "0301350404" + b"2000".hex(),
        {3: b"5", 4: b"2000"},
    ),
    ("43 by number", 43, {9: {"raw": "0xff00"}}, "0902ff00", {9: b"\xff\x00"}),
    ("43 as plain URL", 43, "https://a/$PSN.xml", b"https://a/$PSN.xml".hex(), "https://a/$PSN.xml"),
    ("43 raw", 43, {"raw": "0x0101"}, "0101", b"\x01\x01"),
    ("60 to a client", 60, "dslforum.org", b"dslforum.org".hex(), "dslforum.org"),
    ("66 as address stays text", 66, "10.20.0.1", b"10.20.0.1".hex(), "10.20.0.1"),
    ("66 with macro", 66, "http://h/$PSN.xml", b"http://h/$PSN.xml".hex(), "http://h/$PSN.xml"),
    ("user class", 77, ["a", "bc"], "0161026263", ("a", "bc")),
    ("posix zone", 100, "CET-1CEST", b"CET-1CEST".hex(), "CET-1CEST"),
    ("tz name", 101, "Europe/Berlin", b"Europe/Berlin".hex(), "Europe/Berlin"),
    (
        "search list of RFC 3397",
        119,
        ["eng.apple.com", "marketing.apple.com"],
        "03656e67056170706c6503636f6d00096d61726b6574696e67c004",
        ("eng.apple.com", "marketing.apple.com"),
    ),
    (
        "routes of RFC 3442",
        121,
        [{"to": "10.0.0.0/8", "via": "10.20.0.1"}, {"to": "0.0.0.0/0", "via": "10.20.0.2"}],
        "080a0a140001000a140002",
        ((IPv4Network("10.0.0.0/8"), A), (IPv4Network("0.0.0.0/0"), B)),
    ),
    (
        "vendor classes",
        124,
        {3561: "dslforum.org"},
        "00000de90d0c" + b"dslforum.org".hex(),
        {3561: (b"dslforum.org",)},
    ),
    (
        "gateway and acs in 125",
        125,
        {"gateway_oui": "001122", "acs_url": "http://a"},
        "00000de912" + "0406" + b"001122".hex() + "0b08" + b"http://a".hex(),
        {3561: {4: b"001122", 11: b"http://a"}},
    ),
    ("125 of another enterprise", 125, {9: {1: "x"}}, "0000000903010178", {9: {1: b"x"}}),
    ("tftp servers", 150, ["10.20.0.1", "10.20.0.2"], "0a1400010a140002", (A, B)),
    ("provisioning server", 159, "10.20.0.1;10.20.0.2", b"10.20.0.1;10.20.0.2".hex(), "10.20.0.1;10.20.0.2"),
    ("provisioning url", 160, "https://h/$PSN.xml", b"https://h/$PSN.xml".hex(), "https://h/$PSN.xml"),
    ("unknown as text", 224, {"raw": "abc"}, "616263", b"abc"),
    ("unknown as hex", 224, {"raw": "0x0102"}, "0102", b"\x01\x02"),
]


@pytest.mark.parametrize(
    ("code", "written", "octets", "value"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_value_is_encoded_and_decoded(code: int, written: object, octets: str, value: object) -> None:
    assert octets == options.encode(code, written).hex()
    assert value == options.decode(code, bytes.fromhex(octets))


WRONG: list[tuple[int, Any, str]] = [
    (2, "east", "option 2 (Time Offset): 'east' is not a whole number"),
    (3, "10.20.0", "'10.20.0' is not an IPv4 address"),
    (6, [], "at least one IPv4 address"),
    (12, "", "at least one character"),
    (43, {"url": "x"}, "'url' is not a sub-option: write acs_url"),
    (43, {1: "x" * 256}, "sub-option 1 is 256 octets long"),
    (51, 3600, "cannot be set: it is the network's: write `lease:`"),
    (53, 1, "cannot be set"),
    (66, "a\0", "without NUL"),
    (119, ["-" * 64], "is not a DNS name"),
    (121, [{"to": "10.0.0.1/8", "via": "10.0.0.1"}], "is not a network"),
    (121, ["10.0.0.0/8"], "is not a route"),
    (121, [], "at least one route"),
    (124, {}, "is not a vendor class"),
    (124, {3561: {"acs": "x"}}, "is not a vendor class"),
    (124, {3561: None}, "is not a vendor class"),
    (124, {3561: "x" * 256}, "a vendor class of 256 octets; 255 is the most"),
    (124, {1 << 32: "x"}, "4294967296 is not an enterprise number"),
    (125, "x", "is not vendor information"),
    (125, {-1: {1: "x"}}, "-1 is not an enterprise number"),
    (150, "tftp.example.com", "is not an IPv4 address"),
    (224, "abc", "no known type: write {raw: 'text'}"),
    (224, {"raw": "0x1"}, "pairs of hexadecimal digits"),
    (300, {"raw": "a"}, "not an option number"),
]


@pytest.mark.parametrize(("code", "written", "words"), WRONG)
def test_wrong_value_is_refused_with_words(code: int, written: object, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        options.encode(code, written)
    assert words in str(caught.value)


READABLE = [code for code in options.OPTIONS if code not in options.NOT_SETTABLE]


@pytest.mark.parametrize("code", READABLE)
@pytest.mark.parametrize("wrong", [True, [], {}, 1.5, "", "\0", {"raw": "0x1"}, {"x": 1}, -1 << 40])
def test_the_remedy_for_a_wrong_value_is_more_than_the_fault_again(code: int, wrong: object) -> None:
    remedy = repeated = "taken"
    try:
        options.encode(code, wrong)
    except BadValue as error:
        remedy, repeated = error.remedy, error.message
    assert remedy
    assert remedy == "taken" or remedy not in repeated


@pytest.mark.parametrize("code", READABLE)
def test_the_example_in_the_remedy_is_taken_when_it_is_followed(code: int) -> None:
    example = options.OPTIONS[code].example
    assert options.encode(code, yaml.safe_load(example))


@pytest.mark.fuzz
@given(code=st.sampled_from([*options.OPTIONS, 200]), data=st.binary(max_size=64))
def test_fuzz_arbitrary_octets_are_a_value_or_malformed(code: int, data: bytes) -> None:
    assert isinstance(options.show(code, data), str)
    try:
        value = options.decode(code, data)
    except Malformed:
        return
    assert value == options.decode(code, data)
    assert code in options.OPTIONS or value == data


WRITTEN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=300)
    | st.just("10.20.0.1")
    | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["raw", "acs_url", "to", "via"]) | st.integers() | st.just(3561),
            inner,
            max_size=3,
        )
    ),
    max_leaves=4,
)


@pytest.mark.fuzz
@given(code=st.integers(-1, 256) | st.sampled_from(READABLE), written=WRITTEN)
def test_fuzz_whatever_is_written_is_octets_that_can_be_read_or_a_value_error(
    code: int, written: object
) -> None:
    try:
        data = options.encode(code, written)
    except ValueError:
        return
    assert isinstance(options.show(code, data), str)
    if not (isinstance(written, dict) and set(written) == {"raw"}):
        options.decode(code, data)


def test_trailing_nul_is_not_part_of_text() -> None:
    assert (
        options.decode(60, b"Cisco Systems, Inc. IP Phone CP-7941G\0")
        == "Cisco Systems, Inc. IP Phone CP-7941G"
    )


def test_option_43_is_shown_by_its_sub_options() -> None:
    assert options.show(43, bytes.fromhex("0103613a2f")) == '1 acs_url = "a:/"'


def test_125_of_several_blocks_of_one_enterprise_is_joined() -> None:
    data = bytes.fromhex("00000de903010161" + "00000de903010162")
    assert options.decode(125, data) == {3561: {1: b"ab"}}


def test_user_class_without_lengths_is_text() -> None:
    assert options.decode(77, b"MSFT 5.0") == ("MSFT 5.0",)
