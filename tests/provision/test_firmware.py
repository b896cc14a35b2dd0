"""Versions of firmware, in every form that they are written in."""

from __future__ import annotations

import pytest

from netprov.errors import Malformed
from netprov.provision.firmware import (
    firmware_version,
    format_load,
    load_family,
    load_version,
    short_version,
)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("11.3.1", (11, 3, 1, 0, 0)),
        ("11.3", (11, 3, 0, 0, 0)),
        ("12.0(7)SR3", (12, 0, 7, 300, 0)),
        ("12.0.7SR3", (12, 0, 7, 300, 0)),
        ("11.2(3)MSR1", (11, 2, 3, 100, 0)),
        ("sip88xx.11-2-3MSR1-1.loads", (11, 2, 3, 100, 1)),
        ("sip88xx.12-0-7MPP0301-55", (12, 0, 7, 301, 55)),
        ("of its own kind", None),
        ("", None),
    ],
)
def test_firmware_is_read_in_each_of_its_forms(text: str, version: tuple[int, ...] | None) -> None:
    assert version == firmware_version(text)


def test_maintenance_release_comes_after_the_release_that_it_maintains() -> None:
    ordered = [
        "sip88xx.11-2-3MPP-256",
        "sip88xx.11-2-3MSR1-1",
        "sip88xx.11-2-4MPP-1",
        "sip88xx.11-3-1MPP-110",
    ]
    assert ordered == sorted([ordered[2], ordered[0], ordered[3], ordered[1]], key=load_version)


def test_load_of_a_maintenance_release_has_a_family_and_a_version_for_people() -> None:
    assert load_family("sip88xx.11-2-3MSR1-1.loads") == "sip88xx"
    assert short_version("sip88xx.11-2-3MSR1-1") == "11.2.3"


@pytest.mark.parametrize(
    ("firmware", "load"),
    [
        ("11.3.1", "sip88xx.11-3-1MPP"),
        ("11.2(3)MSR1", "sip88xx.11-2-3MSR1"),
        ("11.2(3)MSR1-1", "sip88xx.11-2-3MSR1-1"),
        ("12.0(7)SR3", "sip88xx.12-0-7MPP0301"),
        ("sip88xx.11-2-3MSR1-1.loads", "sip88xx.11-2-3MSR1-1"),
    ],
)
def test_loads_are_named_after_their_firmware(firmware: str, load: str) -> None:
    assert load == format_load("sip88xx", firmware)


@pytest.mark.parametrize("text", ["11.3", "sip88xx", "sip88xx.11-3MPP", "sip88xx.11-2-3XSR1-1"])
def test_other_texts_are_no_load(text: str) -> None:
    with pytest.raises(Malformed):
        load_version(text)
    assert not load_family(text)
