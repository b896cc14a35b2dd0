"""Macros of rules and paths, both ways."""

from __future__ import annotations

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


@pytest.mark.fuzz
@given(st.text(alphabet="$(){}:MAUCPSN019 x", max_size=40))
def test_fuzz_any_text_expands_without_error(text: str) -> None:
    expand(text, PHONE)
    PathPattern(text).match(text.lower())


@given(st.sampled_from(["/$PSN.xml", "/Cisco/$PN/$MA.cfg", "/Cisco/$MA.cfg", "/x/$MAU-$SN.xml"]))
def test_reading_back_undoes_expansion(template: str) -> None:
    found = PathPattern(template).match(expand(template, PHONE).lower())
    assert found is not None
    assert all(PHONE[name].lower() == value for name, value in found.items())


def test_every_name_is_upper_case() -> None:
    assert all(name.isupper() for name in NAMES)
