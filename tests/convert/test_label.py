"""Labels of phones, as scanners of several settings type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.convert.label import Item, Label, Labels, Unread, model_of, read_items
from netprov.mac import read_mac

MAC, SERIAL, MODEL = "00:12:34:ab:45:de", "FCH2048A1B2", "CP-8851-3PCC"
WHOLE = Label(MAC, SERIAL, MODEL)


@pytest.mark.parametrize(
    ("typed", "item"),
    [
        *((text, Item("mac", MAC)) for text in ("001234AB45DE", "SEP001234AB45DE", "0012.34ab.45de")),
        *((text, Item("mac", MAC)) for text in ("00-12-34-AB-45-DE", "00 12 34 AB 45 DE", "001234-ab45de")),
        *((text, Item("mac", MAC)) for text in ("MAC: 001234AB45DE", "MAC ADDRESS: 00 12 34 AB 45 DE")),
        *((text, Item("mac", MAC)) for text in ("mac=0012.34AB.45DE", "23S001234AB45DE", "]C1001234AB45DE")),
        *((text, Item("serial", SERIAL)) for text in ("FCH2048A1B2", "fch2048a1b2", "SN:FCH2048A1B2")),
        *((text, Item("serial", SERIAL)) for text in ("S/N: FCH2048A1B2", "SFCH2048A1B2")),
        ("Serial No: X-17", Item("serial", "X-17")),
        *((text, Item("model", MODEL)) for text in ("CP-8851-3PCC", "CP-8851-3PCC-K9=", "cp-8851-3pcc-k9")),
        *((text, Item("model", MODEL)) for text in ("PID: CP-8851-3PCC-K9", "1PCP-8851-3PCC-K9=", "8851")),
        ("CP-6841-3PW-UK-K9=", Item("model", "CP-6841-3PCC")),
        ("DP-9861", Item("model", "DP-9861")),
        ("CP-8999-3PCC", Item("model", "CP-8999-3PCC")),
    ],
)
def test_an_item_is_known_by_its_form_or_its_label(typed: str, item: Item) -> None:
    assert list(read_items(typed)) == [item]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("036000291452", "product's code"),  # the UPC that GS1's own page explains the check digit by
        ("01:00:5e:00:00:01", "group address"),
        ("hello", "'hello' is no MAC address, serial number or model"),
        ("MAC: 0012345", "'0012345' is no MAC address"),
        ("\x1b[31m", r"'\x1b[31m' is no"),
    ],
)
def test_what_is_none_of_them_is_told_with_a_remedy(typed: str, reason: str) -> None:
    (unread,) = read_items(typed)
    assert isinstance(unread, Unread)
    assert reason in unread.reason
    assert unread.remedy


def test_other_bar_codes_of_a_box_say_nothing() -> None:
    assert list(read_items("VID: V01\tTAN: 74-1234-01")) == []


@pytest.mark.parametrize(
    "line",
    [
        "001234AB45DE FCH2048A1B2 CP-8851-3PCC",
        "CP-8851-3PCC-K9=,SN:FCH2048A1B2,MAC:001234AB45DE",
        "PID: CP-8851-3PCC-K9 VID: V01 SN: FCH2048A1B2 MAC: 00 12 34 AB 45 DE",
        "[)>\x1e06\x1d1PCP-8851-3PCC-K9\x1dSFCH2048A1B2\x1d23S001234AB45DE\x1e\x04",
        '"FCH2048A1B2";"00:12:34:AB:45:DE";"8851"',
    ],
)
def test_one_phone_a_line_is_read_in_any_order(line: str) -> None:
    assert Labels().receive(line) == [WHOLE]


def test_one_item_a_line_is_put_together_when_the_last_has_come() -> None:
    labels = Labels()
    assert [labels.receive(each) for each in (SERIAL, MAC, MODEL)] == [[], [], [WHOLE]]
    assert labels.end() == []


def test_a_bar_code_that_is_read_twice_is_one() -> None:
    labels = Labels()
    assert [labels.receive(each) for each in (MAC, MAC, SERIAL, MODEL)] == [[], [], [], [WHOLE]]


def test_a_phone_that_begins_before_the_last_is_complete_leaves_half_a_phone_that_is_told() -> None:
    labels = Labels()
    labels.receive(SERIAL)
    labels.receive(MODEL)
    (half,) = labels.receive("FCH2048A1B3")
    assert isinstance(half, Unread)
    assert half.reason == f"half a phone: serial number {SERIAL}, model {MODEL}, without MAC address"
    assert labels.receive(MAC) == []
    (end,) = labels.end()
    assert isinstance(end, Unread)
    assert "--items serial,mac" in end.remedy
    assert labels.end() == []


def test_an_empty_line_ends_a_phone() -> None:
    labels = Labels()
    labels.receive(MAC)
    assert [type(each) for each in labels.receive("\n")] == [Unread]


def test_what_is_scanned_of_each_may_be_the_mac_address_alone() -> None:
    labels = Labels(frozenset({"mac"}))
    assert labels.receive("001234AB45DE") == [Label(MAC)]


def test_a_phone_in_another_order_than_the_one_before_is_marked() -> None:
    """A MAC address that was missed puts each on the next phone: then the order is another."""
    labels = Labels()
    lines = [MAC, SERIAL, MODEL, "FCH2048A1B3", MODEL, "001234AB45DF"]
    found = [each for line in lines for each in labels.receive(line)]
    assert found == [WHOLE, Label("00:12:34:ab:45:df", "FCH2048A1B3", MODEL, turned=True)]


def test_a_line_without_end_is_not_kept() -> None:
    (unread,) = Labels().receive("0" * 5000)
    assert isinstance(unread, Unread)


@given(
    st.lists(
        st.sampled_from((MAC, SERIAL, MODEL, ""))
        | st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
        max_size=12,
    )
)
def test_whatever_a_scanner_types_is_a_phone_or_told(lines: list[str]) -> None:
    labels = Labels()
    found = [each for line in lines for each in labels.receive(line)] + labels.end()
    assert [each for each in found if isinstance(each, Label) and read_mac(each.mac) != each.mac] == []
    assert [each for each in found if isinstance(each, Unread) and not (each.reason and each.remedy)] == []
    assert bool(found) or not any(map(str.strip, lines)) or all(not list(read_items(each)) for each in lines)
    assert labels.end() == []


def test_enterprise_product_names_stay_what_they_are() -> None:
    assert model_of("CP-8851-K9") == "CP-8851"
