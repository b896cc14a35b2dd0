"""Versions of software as the names of loads carry them, in the order that they compare.

Cisco's guide, "Conditional Expressions": a software version is compared number by number.
"""

from __future__ import annotations

import re

from netprov.errors import Malformed

_LOAD = re.compile(r"(?P<family>[A-Za-z]+[0-9A-Za-z_]*)\.(\d+)-(\d+)-(\d+)MPP(\d*)(?:-(\d+))?\Z")


def load_version(software: str) -> tuple[int, ...]:
    """Return major, minor, micro, release and build of a load's name, in the order that they compare.

    Raises `Malformed` for any other form, as the guide says ("a format parsing error results").
    """
    matched = _LOAD.match(software.removesuffix(".loads"))
    if not matched:
        raise Malformed(f"{software!r} is not a software version like sip88xx.11-3-1MPP-110")
    return tuple(int(number or 0) for number in matched.groups()[1:])


def short_version(software: str) -> str:
    """Return `11.3.1` of `sip88xx.11-3-1MPP-398`, or the text itself where it has another form."""
    try:
        major, minor, micro, *_ = load_version(software)
    except Malformed:
        return software
    return f"{major}.{minor}.{micro}"
