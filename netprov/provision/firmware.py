"""Versions of firmware as people, User-Agents and the names of loads write them, in the order that they compare.

Cisco's guide, "Conditional Expressions": a software version is compared number by number.
"""

from __future__ import annotations

import re

from netprov.errors import Malformed

_LOAD = re.compile(
    r"(?P<family>[A-Za-z]+[0-9A-Za-z_]*)\.(\d{1,9})-(\d{1,9})-(\d{1,9})(MPP|MSR)(\d{0,9})(?:-(\d{1,9}))?\Z",
    re.ASCII,
)
_DOTTED = re.compile(
    r"(\d{1,9})\.(\d{1,9})(?:[.(](\d{1,9})\)?)?(?:\.\d+)*(?:(M?SR)(\d{1,9}))?(?:-(\d{1,9}))?\Z",
    re.IGNORECASE | re.ASCII,
)

RELEASE = 100
"""What one service release counts in a load's name: 12.0(7)SR3 is 12-0-7MPP0301, 11.2(3)MSR1 is 11-2-3MSR1."""


def load_version(software: str) -> tuple[int, ...]:
    """Return major, minor, micro, release and build of a load's name, in the order that they compare.

    Raises `Malformed` for any other form, as the guide says ("a format parsing error results").
    """
    matched = _LOAD.match(software.removesuffix(".loads"))
    if not matched:
        raise Malformed(f"{software!r} is not a software version like sip88xx.11-3-1MPP-110")
    _, major, minor, micro, kind, release, build = matched.groups()
    released = int(release or 0) * (RELEASE if kind == "MSR" else 1)
    return int(major), int(minor), int(micro), released, int(build or 0)


def load_family(software: str) -> str:
    """Return `sip88xx` of `sip88xx.11-3-1MPP-398`, "" for what is not a load's name."""
    matched = _LOAD.match(software.removesuffix(".loads"))
    return matched["family"] if matched else ""


def firmware_version(text: str) -> tuple[int, ...] | None:
    """Return the version of a firmware written as `11.3.1`, `12.0(7)SR3`, `11.2(3)MSR1` or as a load's name; else None."""
    try:
        return load_version(text)
    except Malformed:
        dotted = _DOTTED.match(text)
    if not dotted:
        return None
    major, minor, micro, _, release, build = dotted.groups()
    return int(major), int(minor), int(micro or 0), int(release or 0) * RELEASE, int(build or 0)


def format_load(family: str, firmware: str) -> str:
    """Return the load's name for a firmware in any of these forms; what is none of them stays as it is."""
    dotted = _DOTTED.match(firmware)
    if not dotted:
        return firmware.removesuffix(".loads")
    major, minor, micro, kind, release, build = dotted.groups()
    if kind and kind.upper() == "MSR":
        suffix = f"MSR{release}"
    else:
        suffix = f"MPP{int(release):02}01" if release else "MPP"
    return f"{family}.{major}-{minor}-{micro or 0}{suffix}{f'-{build}' if build else ''}"


def short_version(software: str) -> str:
    """Return `11.3.1` of `sip88xx.11-3-1MPP-398`, or the text itself where it has another form."""
    try:
        major, minor, micro, *_ = load_version(software)
    except Malformed:
        return software
    return f"{major}.{minor}.{micro}"
