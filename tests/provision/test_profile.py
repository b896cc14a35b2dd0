"""The flat profile: merged, written, read."""

from __future__ import annotations

import gzip
import zlib
from xml.parsers.expat import ExpatError, ParserCreate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.provision.profile import (
    MAX_PROFILE,
    Parameter,
    compress,
    decompress,
    format_profile,
    layer,
    merge,
    name_fault,
    parse_profile,
    value_fault,
)

GUIDE = b"""<flat-profile>
<!-- System Configuration -->
<Primary_DNS ua="rw">10.89.68.150</Primary_DNS>
<Back_Light_Timer ua="rw">Always On</Back_Light_Timer>
<Peer_Firmware_Sharing ua="na">Yes</Peer_Firmware_Sharing>
<Profile_Authentication_Type ua="na">Basic Http Authentication </Profile_Authentication_Type>
<Proxy_1_ ua="na">example.com</Proxy_1_>
<Display_Name_1_ ua="na">4081001141</Display_Name_1_>
<User_ID_1_ ua="na">4081001141</User_ID_1_>
</flat-profile>
"""


def test_the_guides_sample_is_read_and_written_again() -> None:
    without_comment = GUIDE.replace(b"<!-- System Configuration -->\n", b"")
    assert without_comment == format_profile(parse_profile(GUIDE))


def test_a_profile_inside_device_is_read() -> None:
    text = b'<?xml version="1.0" encoding="UTF-8"?>\n<device>\n' + GUIDE + b"</device>"
    assert parse_profile(GUIDE) == parse_profile(text)


def test_later_layers_win_at_the_place_of_the_first() -> None:
    site = layer([Parameter("A", "site"), Parameter("B", "site")])
    phone = layer([Parameter("C", "phone"), Parameter("A", "phone", "rw")])
    assert list(merge([site, phone]).values()) == [
        Parameter("A", "phone", "rw"),
        Parameter("B", "site"),
        Parameter("C", "phone"),
    ]


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (Parameter("A", "x"), b"<A>x</A>"),
        (Parameter("A", "<&>\"'"), b"<A>&lt;&amp;&gt;&quot;&apos;</A>"),
        (Parameter("A", "caf\u00e9 \U0001f4de"), b"<A>caf&#233; &#128222;</A>"),
        (Parameter("A", "two\r\nlines"), b"<A>two lines</A>"),
        (Parameter("A", None, "rw"), b'<A ua="rw"/>'),
        (Parameter("A", "", "na"), b'<A ua="na"></A>'),
    ],
)
def test_parameter_is_written_in_ascii(parameter: Parameter, expected: bytes) -> None:
    assert b"<flat-profile>\n" + expected + b"\n</flat-profile>\n" == format_profile(layer([parameter]))


BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<flat-profile><A>&b;</A></flat-profile>"""
EXTERNAL = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><flat-profile><A>&a;</A></flat-profile>'


CORRUPT = {
    "empty": b"",
    "an HTML page": b"<html><body>It works</body></html>",
    "an element left open": b"<flat-profile><A></flat-profile>",
    "another root": b"<x><flat-profile/></x>",
    "no profile in the device": b"<device/>",
    "entities that multiply": BOMB,
    "a file as an entity": EXTERNAL,
    "an unknown encoding": b'<?xml version="1.0" encoding="klingon"?><flat-profile/>',
    "gzip that ends early": gzip.compress(b"<flat-profile/>")[:-6],
    "gzip that is none": b"\x1f\x8bnonsense",
    "gzip of too much": gzip.compress(b" " * (MAX_PROFILE + 1)),
    "too much": b" " * (MAX_PROFILE + 1),
}


@pytest.mark.parametrize("data", CORRUPT.values(), ids=CORRUPT)
def test_corrupt_profile_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_profile(data)


def test_a_compressed_profile_is_read() -> None:
    assert parse_profile(GUIDE) == parse_profile(compress(GUIDE))
    assert gzip.decompress(compress(GUIDE)) == GUIDE
    assert compress(GUIDE) == compress(GUIDE)


def test_plain_data_is_left_as_it_is() -> None:
    assert decompress(b"plain") == b"plain"


@pytest.mark.parametrize(("name", "good"), [("Proxy_1_", True), ("1st", False), ("A B", False), ("", False)])
def test_parameter_names(name: str, good: bool) -> None:
    assert good == (not name_fault(name))


def test_control_characters_cannot_stand_in_a_profile() -> None:
    assert value_fault("a\x00b") == "character U+0000 cannot stand in XML"
    assert not value_fault("a\tb\n")


TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=40
)
PARAMETERS = st.builds(
    Parameter,
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True),
    TEXTS,
    st.sampled_from(["na", "ro", "rw"]),
)


@given(st.lists(PARAMETERS, max_size=8).map(layer))
def test_what_is_written_is_read_back(parameters: dict[str, Parameter]) -> None:
    read = parse_profile(format_profile(parameters))
    assert [(p.name, p.value or "", p.ua) for p in parameters.values()] == [
        (p.name, p.value or "", p.ua) for p in read.values()
    ]


class Outline:
    """What expat reports of a document: each parameter at the depth of a profile's children, None for no profile."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.profiles = 0
        self.parameters: dict[str, list[str]] = {}
        self.texts: list[str] | None = None

    @property
    def inside(self) -> bool:
        """Whether the element is a child of the first profile."""
        outer = self.path[:-1]
        return self.profiles == 1 and outer in (["flat-profile"], ["device", "flat-profile"])

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = f"{'{' if '}' in name else ''}{name}"  # as ElementTree writes a name in a namespace
        self.path.append(name)
        self.texts = None
        if self.path in (["flat-profile"], ["device", "flat-profile"]):
            self.profiles += 1
        elif self.inside:
            self.texts = ["", attributes.get("ua", "")]
            self.parameters[name] = self.texts

    def end(self, _: str) -> None:
        self.path.pop()
        self.texts = None

    def text(self, data: str) -> None:
        if self.texts is not None:
            self.texts[0] += data.replace("\n", " ")

    def doctype(self, *_: object) -> None:
        raise ExpatError


def outline(data: bytes) -> dict[str, tuple[str | None, str]] | None:
    """Return value and access of each parameter by expat's own events; None for what is no profile."""
    found, parser = Outline(), ParserCreate(namespace_separator="}")
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = found.text, found.doctype
    try:
        parser.Parse(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, True)
    except (ExpatError, ValueError, LookupError, EOFError, zlib.error, OSError):
        return None
    if not found.profiles:
        return None
    accesses = {name: ua if ua in {"na", "ro", "rw"} else "" for name, (_, ua) in found.parameters.items()}
    return {
        name: (None if accesses[name] and not value else value, accesses[name])
        for name, (value, _) in found.parameters.items()
    }


LEAVES = st.sampled_from(
    [
        b"", b"x", b" ", b"\n", b"\r\n", b"&amp;", b"&#10;", b"&#13;", b"&#233;", "\u00e9".encode(), b"&lost;", b"&#0;", b"<",
        b"<!-- c -->", b"<?p i?>", b"<![CDATA[<&]]>", b"]]>", b'<B ua="rw"/>', b"<A/>", b"<A>2</A>", b"<flat-profile/>",
    ]
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda name, ua, parts: b"<%b%b>%b</%b>" % (name, ua, b"".join(parts), name),
        st.sampled_from([b"A", b"B", b"Proxy_1_", b"device", b"flat-profile"]),
        st.sampled_from([b"", b"", b' ua="na"', b" ua='rw'", b' ua="no"', b' xmlns="urn:x"', b' ua="na" ua="na"']),
        st.lists(inner, max_size=4),
    ),
    max_leaves=8,
)  # fmt: skip
DOCUMENTS = st.builds(
    lambda head, wrap, parts: head + wrap % b"".join(parts),
    st.sampled_from(
        [b"", b"", b'<?xml version="1.0" encoding="latin-1"?>', b"<!DOCTYPE a>", b"\xef\xbb\xbf", b" "]
    ),
    st.sampled_from(
        [b"<flat-profile>%b</flat-profile>"] * 3
        + [b"<device><flat-profile>%b</flat-profile></device>", b"<device>%b</device>", b"%b"]
    ),
    st.lists(TREES, max_size=5),
)
DAMAGE = st.tuples(st.integers(0, 80), st.integers(0, 3), st.binary(max_size=2))


@pytest.mark.fuzz
@given(
    st.binary(max_size=200) | DOCUMENTS | DOCUMENTS | DOCUMENTS.map(compress), st.none() | st.none() | DAMAGE
)
def test_fuzz_arbitrary_octets_are_the_profile_that_expat_reads_or_malformed(
    data: bytes, damage: tuple[int, int, bytes] | None
) -> None:
    if damage:
        at, gone, put = damage
        # No longer than it was: what follows a whole gzip file is read over here and refused by Python's gzip.
        data = (data[:at] + put + data[at + gone :])[: len(data)]
    expected = outline(data)
    try:
        found = parse_profile(data)
    except Malformed:
        assert expected is None
        return
    assert {name: (each.value, each.ua) for name, each in found.items()} == expected
    assert list(found) == list(expected)
