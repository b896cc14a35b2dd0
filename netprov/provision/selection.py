"""Which part of a static file is sent, by the request's conditions and ranges (RFC 9110 sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime

_SPEC = re.compile(r"(\d*)-(\d*)", re.ASCII)
_FAR = 10**18
"""Octets that no file has; where a range says more, it is as good as this."""
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it is now: octets, and nanoseconds since 1970 of its last change."""

    size: int
    modified_ns: int

    @property
    def tag(self) -> str:
        """Its ETag, a strong one: another content has another."""
        return f'"{self.modified_ns:x}-{self.size:x}"'

    @property
    def modified(self) -> int:
        """When it was changed last, in whole seconds, as HTTP tells it."""
        return self.modified_ns // 1_000_000_000


@dataclass(frozen=True, slots=True)
class Selection:
    """What is answered: a status, octets from `start` on, header fields."""

    status: int
    start: int
    length: int
    fields: tuple[tuple[str, str], ...]


def select(method: str, fields: Mapping[str, str], file: FileState) -> Selection:
    """Return what of a file answers a GET or HEAD; `fields` by lower-case name.

    Several ranges that the file has are answered with the whole of it (section 14.2 leaves that to the server):
    firmware that was cut off is resumed with one.
    """
    validators = (
        ("ETag", file.tag),
        ("Last-Modified", formatdate(file.modified, usegmt=True)),
        ("Accept-Ranges", "bytes"),
    )
    if not _precondition(fields, file):
        return Selection(412, 0, 0, validators)
    if _is_unchanged(fields, file):
        return Selection(304, 0, 0, validators)
    whole = Selection(200, 0, file.size, validators)
    asked = fields.get("range")
    if method != "GET" or asked is None or not _same_as_before(fields.get("if-range"), file):
        return whole
    found = _range(asked, file.size)
    if found is None:
        return whole
    start, end = found
    if start >= end:
        return Selection(416, 0, 0, (*validators, ("Content-Range", f"bytes */{file.size}")))
    place = ("Content-Range", f"bytes {start}-{end - 1}/{file.size}")
    return Selection(206, start, end - start, (*validators, place))


def _precondition(fields: Mapping[str, str], file: FileState) -> bool:
    """Judge If-Match, or else If-Unmodified-Since (section 13.2.2, steps 1 and 2)."""
    if (match := fields.get("if-match")) is not None:
        return match.strip() == "*" or file.tag in _TAG.findall(match)
    since = _date(fields.get("if-unmodified-since"))
    return since is None or file.modified <= since


def _is_unchanged(fields: Mapping[str, str], file: FileState) -> bool:
    """Judge If-None-Match, which compares weakly, or else If-Modified-Since (steps 3 and 4)."""
    if (match := fields.get("if-none-match")) is not None:
        return match.strip() == "*" or file.tag in {tag.removeprefix("W/") for tag in _TAG.findall(match)}
    since = _date(fields.get("if-modified-since"))
    return since is not None and file.modified <= since


def _same_as_before(if_range: str | None, file: FileState) -> bool:
    """Judge If-Range (section 13.1.5): strongly, and of dates only the very one."""
    if if_range is None:
        return True
    if '"' in if_range:
        return if_range.strip() == file.tag
    return _date(if_range) == file.modified


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Return where a range begins and ends, the end beyond it; begin and end are equal if none can be satisfied.

    None for what is to be ignored: other units, several ranges, and what is no range (sections 14.1.1, 14.2).
    """
    unit, _, listed = text.partition("=")
    specs = [
        spec for each in listed.split(",") if (spec := each.strip(" \t"))
    ]  # RFC 9110 5.6.1.2: empty ones count not
    found = [_place(spec, size) for spec in specs]
    if unit.lower() != "bytes" or not found or None in found:
        return None
    places = [place for place in found if place is not None and place[0] < place[1]]
    return None if len(places) > 1 else places[0] if places else (size, size)


def _place(spec: str, size: int) -> tuple[int, int] | None:
    """Return where one range begins and ends; begin is not before the end where the file lacks it. None for no range."""
    found = _SPEC.fullmatch(spec)
    if found is None or spec == "-":
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - _octets(last)), size
    if last and _octets(last) < _octets(first):
        return None
    return _octets(first), min(_octets(last) + 1, size) if last else size


def _octets(digits: str) -> int:
    digits = digits.lstrip("0")
    return _FAR if len(digits) > 18 else int(digits or "0")


def _date(text: str | None) -> int | None:
    """Return an HTTP date in seconds since 1970; None for none and for what is not one, which is ignored."""
    if text is None:
        return None
    try:
        found = parsedate_to_datetime(text)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
