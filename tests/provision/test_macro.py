"""Macros of rules and paths, both ways."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.provision.macro import (
    NAMES,
    PathPattern,
    device_macros,
    expand,
    names_in,
    series_name,
    unknown_in,
)

PHONE = device_macros(
    "00:12:34:ab:45:de",
    model="CP-8851-3PCC",
    serial="FCH1234ABCD",
    firmware="sip88xx.11-3-1MPP-678",
    address="10.20.0.50",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$MA", "001234ab45de"),
        ("$MAU", "001234AB45DE"),
        ("$MAC", "00:12:34:ab:45:de"),
        ("$SN", "FCH1234ABCD"),
        ("/$PSN.xml", "/8851-3PCC.xml"),
        ("/Cisco/$PN/$MA.cfg", "/Cisco/CP-8851-3PCC/001234ab45de.cfg"),
        ("$(PN)_x", "CP-8851-3PCC_x"),
        ("$(MA:0:6)/$(MA:6)", "001234/ab45de"),
        ("$(MA:10:9)", "de"),
        ("$(MA:40)", ""),
        ("$$MA", "$MA"),
        ("$$$MA", "$001234ab45de"),
        ("$MACHINE", "00:12:34:ab:45:deHINE"),
        ("$MAUX", "001234AB45DEX"),
        ("$PSN$PN", "8851-3PCCCP-8851-3PCC"),
        ("$(MAUX)", "$(MAUX)"),
        ("$ZEBRA $ $( $(", "$ZEBRA $ $( $("),
        ("$UID1", "$UID1"),
        ("$A", "$A"),
        ("$ma", "$ma"),
        ("$(MA:\u0663)", "$(MA:\u0663)"),
    ],
)
def test_macro_expands(text: str, expected: str) -> None:
    assert expected == expand(text, PHONE)


def test_a_longer_name_that_has_no_value_is_not_read_as_a_shorter_one() -> None:
    assert expand("$PSN", {"P": "x", "PN": "y"}) == "$PSN"


def test_expansion_is_a_single_pass() -> None:
    assert expand("$A", {"A": "$MA", "MA": "no"}) == "$MA"


@pytest.mark.parametrize(
    ("model", "expected"),
    [("CP-8851-3PCC", "8851-3PCC"), ("DP-9841", "9841"), ("8851-3PCC", "8851-3PCC"), ("", "")],
)
def test_series_name_is_the_model_without_its_prefix(model: str, expected: str) -> None:
    assert expected == series_name(model)


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("/$PSN.xml", "/8851-3pcc.xml", {"PSN": "8851-3pcc"}),
        ("/$PSN.xml", "/cp-8851-3pcc.xml", None),
        ("/$PSN.xml", "/index.xml", None),
        (
            "/Cisco/$PN/$MA.cfg",
            "/cisco/cp-8851-3pcc/001234ab45de.cfg",
            {"PN": "cp-8851-3pcc", "MA": "001234ab45de"},
        ),
        ("/Cisco/$MA.cfg", "/cisco/001234ab45de.cfg", {"MA": "001234ab45de"}),
        ("/Cisco/$MA.cfg", "/cisco/001234ab45de.cfg2", None),
        ("/Cisco/$MA.cfg", "/cisco/x/001234ab45de.cfg", None),
        ("/c/$MAU.xml", "/c/001234ab45de.xml", {"MAU": "001234ab45de"}),
        ("/$MAC", "/00:12:34:ab:45:de", {"MAC": "00:12:34:ab:45:de"}),
        ("/$SWVER/$MA", "/anything/001234ab45de", {"MA": "001234ab45de"}),
        ("/$MA/$MA", "/001234ab45de/001234ab45de", {"MA": "001234ab45de"}),
        ("/$MA/$MA", "/001234ab45de/001234ab45df", None),
        ("/a.b/$$", "/a.b/$", {}),
    ],
)
def test_path_is_read_back(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert expected == PathPattern(template).match(path)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("/$PSN.xml", ()),
        ("$UPGCOND $$HOST $(MA:0:2) $UID3 $A-$P", ()),
        ("/$MAfoo", ()),
        ("/$ma.cfg", ("$ma",)),
        ("/$(ma:0:2).cfg", ("$(ma:0:2)",)),
        ("http://$HOST/$ZEBRA $ZEBRA", ("$HOST", "$ZEBRA")),
        ("$UID17", ()),
    ],
)
def test_what_looks_like_a_macro_and_is_none_is_found(text: str, unknown: tuple[str, ...]) -> None:
    assert unknown == unknown_in(text)


def test_names_in_a_text_are_found() -> None:
    assert names_in("$$MA /$PSN/$(MAU:1)/$ZEBRA") == {"PSN", "MAU"}


GUIDE = (
    "MA", "MAU", "MAC", "SN", "PN", "PSN", "SWVER", "HWVER", "IP", "EXTIP", "CCERT", "PRVST", "UPGST", "UPGERR",
    "PRVTMR", "UPGTMR", "REGTMR1", "REGTMR2", "UPGCOND", "SCHEME", "SERV", "SERVIP", "PORT", "PATH", "ERR", "EMS", "MUID", "MPWD",
    "UID1", "UID2", "UID3", "UID4", "UID5", "UID6", "UID7", "UID8", "UID9", "UID10", "UID11", "UID12", "UID13", "UID14",
    "UID15", "UID16", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L",
    "M", "N", "O", "P", "SA", "SB", "SC", "SD",
)  # fmt: skip
"""The names of the guide's table "Macro Expansion Variables" once more, so that one that is lost here is missed."""

NAME = "|".join(sorted(GUIDE, key=len, reverse=True))
MODEL = re.compile(
    rf"\$\$|\$\((?P<a>{NAME})(?::(?P<start>[0-9]{{1,4}})(?::(?P<length>[0-9]{{1,4}}))?)?\)|\$(?P<b>{NAME})"
)
"""Every macro, in one expression: the longest name comes first."""


def expanded(text: str, values: dict[str, str]) -> str:
    """Expand by the expression above, and nothing else."""

    def value(macro: re.Match[str]) -> str:
        found = "$" if macro[0] == "$$" else values.get(macro["a"] or macro["b"])
        if found is None:
            return macro[0]
        found = found[int(macro["start"] or 0) :]
        return found[: int(macro["length"])] if macro["length"] else found

    return MODEL.sub(value, text)


PIECES = st.sampled_from(
    [
        "$",
        "$(",
        "(",
        ")",
        ":",
        ":0",
        ":1:2",
        "0",
        "9",
        "17",
        "00001",
        "$(MA:\u0663)",
        "x",
        "/",
        " ",
        "$$",
        *GUIDE,
        "ma",
    ]
)
TEXTS = st.text(alphabet="$(){}:MAUCPSN019 x", max_size=40) | st.lists(PIECES, max_size=12).map("".join)
VALUES = st.dictionaries(st.sampled_from(GUIDE), st.text("$()MAx1:", max_size=8), max_size=12)


@pytest.mark.fuzz
@given(TEXTS, VALUES)
def test_fuzz_any_text_expands_as_the_model_does(text: str, values: dict[str, str]) -> None:
    assert expanded(text, values) == expand(text, values)
    assert expanded(text, PHONE) == expand(text, PHONE)
    assert {macro["a"] or macro["b"] for macro in MODEL.finditer(text)} - {None} == names_in(text)


@pytest.mark.fuzz
@given(TEXTS)
def test_fuzz_a_path_is_read_by_the_template_that_it_came_from(text: str) -> None:
    found = PathPattern(text).match(expanded(text, PHONE).lower())
    assert found is not None
    assert set(found) <= names_in(text)


@given(st.sampled_from(["/$PSN.xml", "/Cisco/$PN/$MA.cfg", "/Cisco/$MA.cfg", "/x/$MAU-$SN.xml"]))
def test_reading_back_undoes_expansion(template: str) -> None:
    found = PathPattern(template).match(expand(template, PHONE).lower())
    assert found is not None
    assert all(PHONE[name].lower() == value for name, value in found.items())


def test_every_name_is_upper_case() -> None:
    assert all(name.isupper() for name in NAMES)
