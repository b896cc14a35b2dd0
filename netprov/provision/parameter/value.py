"""What the texts of parameters can be, type by type.

Cisco's provisioning guide, "Configuration Profile Parameters" and "Configurable Schedules": `a,b,c` are delays in a row,
`n+r` adds up to r seconds by chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from netprov.errors import Malformed

CLOCK = re.compile(r"([01]\d|2[0-3])([0-5]\d)\Z|2400\Z")
"""A time of day, HHmm."""

_COLON_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d\Z|24:00\Z")
_DELAY = re.compile(r"\s*(\d{1,9})\s*(?:\+\s*(\d{1,9})\s*)?\Z")
_INTEGER = re.compile(r"-?\d+\Z")
_NUMBER = re.compile(r"\d+(\.\d+)?\Z")
_RANGE = re.compile(r"(\d+)-(\d+)\Z")
_LONGEST = re.compile(r"<=(\d+)\Z")
_SPAN = re.compile(r"(\d+)\s*(s|m|min|h|d|w)\Z")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_delays(text: str) -> tuple[tuple[int, int], ...]:
    """Read a delay list as (fixed, random) pairs, in seconds; an empty one is empty. Raises `Malformed`."""
    if not text.strip():
        return ()
    found = []
    for part in text.split(","):
        matched = _DELAY.match(part)
        if not matched:
            raise Malformed(f"{part.strip()!r} is not a delay: seconds, or seconds+random seconds")
        found.append((int(matched[1]), int(matched[2] or 0)))
    return tuple(found)


def type_fault(kind: str, values: str, text: str) -> str:
    """Return why a text is none of a type, "" if it is one; macros and empty texts are."""
    if not text.strip() or "$" in text:
        return ""
    judge = _JUDGES.get(kind)
    return judge(text.strip(), values) if judge else ""


def meant(kind: str, values: str, text: str) -> str:
    """Return what was probably meant by a text that is none of its type, "" where nobody can tell."""
    span = _SPAN.match(text.strip().lower())
    if kind in {"int", "seconds", "seconds-list"} and span:
        return str(int(span[1]) * _UNITS[span[2]])
    if kind == "bool":
        return {"true": "Yes", "1": "Yes", "on": "Yes", "false": "No", "0": "No", "off": "No"}.get(
            text.strip().lower(), ""
        )
    if kind == "choice":
        alike = [each for each in values.split("|") if _plain(each) == _plain(text)]
        return alike[0] if alike else ""
    return ""


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def _bool(text: str, _values: str) -> str:
    return "" if text.lower() in {"yes", "no"} else "neither Yes nor No"


def _choice(text: str, values: str) -> str:
    if not values or any(text == each or _within(text, each) for each in values.split("|")):
        return ""
    return f"none of its values: {', '.join(values.split('|'))}"


def _within(text: str, values: str) -> bool:
    bounds = _RANGE.match(values)
    return bool(bounds) and text.isdecimal() and int(bounds[1]) <= int(text) <= int(bounds[2])  # type: ignore[index]


def _int(text: str, values: str) -> str:
    if not _INTEGER.match(text):
        return "not a whole number"
    return _outside(text, values)


def _seconds(text: str, values: str) -> str:
    if not _NUMBER.match(text):
        return "not a number of seconds"
    return _outside(text, values)


def _outside(text: str, values: str) -> str:
    if not values or any(_within(text, each) for each in values.split("|")):
        return ""
    return f"outside {values.replace('|', ' and ')}"


def _delays(text: str, _values: str) -> str:
    try:
        parse_delays(text)
    except Malformed:
        return "not a list of delays: seconds, seconds+random seconds, several joined by commas"
    return ""


def _time(text: str, values: str) -> str:
    pattern = CLOCK if values == "HHmm" else _COLON_CLOCK
    return "" if pattern.match(text) else f"not a time of day, {values}"


def _ip(text: str, values: str) -> str:
    try:
        IPv6Address(text) if values == "IPv6" else IPv4Address(text)
    except AddressValueError:
        return f"not an {values} address"
    return ""


def _word(text: str, _values: str) -> str:
    return "it holds a blank" if re.search(r"\s", text) else ""


def _text(text: str, values: str) -> str:
    longest = _LONGEST.match(values)
    if longest and len(text) > int(longest[1]):
        return f"{len(text)} characters, where {longest[1]} fit"
    return ""


_JUDGES: Mapping[str, Callable[[str, str], str]] = {
    "bool": _bool,
    "choice": _choice,
    "int": _int,
    "seconds": _seconds,
    "seconds-list": _delays,
    "time": _time,
    "ip": _ip,
    "host": _word,
    "url": _word,
    "text": _text,
    "password": _text,
}
