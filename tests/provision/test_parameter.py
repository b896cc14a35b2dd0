"""The catalogue of parameters: names, values, and which phones know them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.provision.parameter.catalogue import (
    RENAMED,
    example_name,
    find_parameter,
    known_parameters,
    similar,
)
from netprov.provision.parameter.value import meant, type_fault
from netprov.provision.profile import name_fault


def test_the_table_is_whole_and_every_name_can_stand_in_a_profile() -> None:
    known = known_parameters()
    assert len(known) == 836
    assert not [each.name for each in known if name_fault(example_name(each))]
    assert all(find_parameter(example_name(each)) is each for each in known)


def test_parameters_that_the_guides_chapter_prints_are_known() -> None:
    chapter = (
        "Primary_DNS Back_Light_Timer Peer_Firmware_Sharing Profile_Authentication_Type Proxy_1_ Display_Name_1_ "
        "User_ID_1_ Profile_Rule Upgrade_Enable Upgrade_Error_Retry_Delay Upgrade_Rule Webex_Onboard_Enable"
    )
    assert not [name for name in chapter.split() if find_parameter(name) is None]
    values = {"Back_Light_Timer": "Always On", "Profile_Authentication_Type": "Basic Http Authentication "}
    assert not [name for name, text in values.items() if find_parameter(name).fault(text)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name",
    [
        "Proxy_16_",
        "Enable_802.1X_Authentication",
        "G722.2_Enable_3_",
        "SCA_Barge-In-Enable",
        "Unit_1_Key_28_",
        "Ring12",
        "PSK_1",
        "GPP_SA",
    ],
)
def test_names_with_numbers_hyphens_and_dots_are_found(name: str) -> None:
    assert find_parameter(name) is not None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Porxy_1_", "Proxy_1_"),
        ("Proxy_1", "Proxy_1_"),
        ("proxy_3_", "Proxy_3_"),
        ("Admin_Passwd", "Admin_Password"),
        ("Report_to_Server", "Report_To_Server"),
        ("Netmask", "NetMask"),
        ("Proxy_17_", ""),
        ("Zzz", ""),
    ],
)
def test_unknown_names_have_the_one_that_was_meant(wrong: str, right: str) -> None:
    assert find_parameter(wrong) is None
    assert similar(wrong) == right


def test_old_names_are_unknown_and_lead_to_known_ones() -> None:
    assert not [old for old, new in RENAMED.items() if find_parameter(old) or not find_parameter(new)]


@given(st.text(max_size=40))
def test_any_name_is_found_or_not(name: str) -> None:
    found = find_parameter(name)
    near = similar(name)
    assert found is None or re.sub(r"\d", "", example_name(found)) == re.sub(r"\d", "", name)
    assert not near or find_parameter(near)


@pytest.mark.parametrize(
    ("kind", "values", "good", "bad", "better"),
    [
        ("bool", "", "Yes", "true", "Yes"),
        ("bool", "", "no", "off", "No"),
        ("int", "0-65535", "5060", "70000", ""),
        ("int", "128-149|151-158", "151", "150", ""),
        ("int", "", "-3", "3.5", ""),
        ("seconds", "0-3600", "60", "5m", "300"),
        ("seconds-list", "", "60,120+30", "1h", "3600"),
        ("choice", "DHCP|Static IP", "Static IP", "static_ip", "Static IP"),
        ("choice", "No Ring|1-14", "14", "15", ""),
        ("choice", "1-16|Disabled", "Disabled", "17", ""),
        ("ip", "IPv4", "10.20.0.1", "10.20.0.300", ""),
        ("ip", "IPv6", "2001:db8::1", "10.20.0.1", ""),
        ("time", "HHmm", "0130", "1:30", ""),
        ("time", "HH:mm", "07:00", "0700", ""),
        ("host", "", "pr1.example.com:5061", "pr1 example", ""),
        ("text", "<=5", "abcde", "abcdef", ""),
    ],
)
def test_values_of_each_type(kind: str, values: str, good: str, bad: str, better: str) -> None:
    assert not type_fault(kind, values, good)
    assert type_fault(kind, values, bad)
    assert meant(kind, values, bad) == better


def test_macros_and_empty_values_are_of_every_type() -> None:
    assert not [each for each in known_parameters() if each.fault("$A") or each.fault("")]


def test_a_phone_lacks_only_what_is_known_of_others() -> None:
    port = find_parameter("Disable_Side_USB_Port")
    assert port is not None
    assert port.lacked_by("7800", "CP-7841-3PCC")
    assert port.lacked_by("8800", "CP-8841-3PCC")
    assert not port.lacked_by("8800", "CP-8851-3PCC")
    assert not port.lacked_by("", "CP-8899-3PCC")
    tr069 = find_parameter("Enable_TR-069")
    assert tr069 is not None
    assert not tr069.lacked_by("9800", "DP-9861")
    once_seen = find_parameter("Serviceability_Map")
    assert once_seen is not None
    assert not once_seen.lacked_by("8800", "CP-8851-3PCC")


def test_releases_compare_with_firmware_in_any_form() -> None:
    tls = find_parameter("TLS_Client_Min_Version")
    assert tls is not None
    assert [tls.newer_than(each) for each in ("11.3.1", "12.0(2)", "sip88xx.12-0-7MPP0301-1", "", "?")] == [
        True,
        False,
        False,
        False,
        False,
    ]
