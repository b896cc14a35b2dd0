"""Alias maps: profiles in somebody else's XML, whose elements are given the phone's names (`[--alias a]`).

Cisco's provisioning guide, "Parameter Name Aliases": a map in GPP_A to GPP_P is a row of `/their/path = /flat-profile/Name ;`.
An alias of a branch takes along what is below it; the longest that fits counts; what ends outside <flat-profile> is ignored.
A side without a leading slash is a name inside <flat-profile>.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from netprov.errors import Malformed
from netprov.provision.profile import Layer, layer, parse_parameter, parse_xml

ROOT = "flat-profile"
DEEPEST = 16
"""Elements inside each other that are looked into."""

Path = tuple[str, ...]


def parse_aliases(text: str) -> Mapping[Path, Path]:
    """Read a map: rows between semicolons or line ends. Raises `Malformed`."""
    found = {}
    for row in re.split(r"[;\n]", text):
        if not row.strip():
            continue
        theirs, separator, ours = row.partition("=")
        if not separator or not theirs.strip() or not ours.strip():
            raise Malformed(f"{row.strip()!r} is no alias: write /their/path = /flat-profile/Name")
        found[_path(theirs)] = _path(ours)
    return found


def parse_aliased(data: bytes, aliases: Mapping[Path, Path]) -> Layer:
    """Parse a profile whose elements are named by a map. Raises `Malformed` for what is no XML."""
    root = parse_xml(data)
    if root.tag == "device" and (inner := root.find(ROOT)) is not None:
        root = inner
    return layer(
        parse_parameter(leaf, name) for path, leaf in _leaves(root) if (name := _named(path, aliases))
    )


def _path(text: str) -> Path:
    parts = tuple(part for part in text.strip().split("/") if part)
    return parts if text.strip().startswith("/") else (ROOT, *parts)


def _leaves(root: Element) -> Iterator[tuple[Path, Element]]:
    """Yield the elements without children, in order, with the names on the way to them."""
    waiting: list[tuple[Path, Element]] = [((root.tag,), root)]
    while waiting:
        path, element = waiting.pop()
        children = [child for child in element if isinstance(child.tag, str)]
        if not children:
            yield path, element
        elif len(path) < DEEPEST:
            waiting += [((*path, child.tag), child) for child in reversed(children)]


def _named(path: Path, aliases: Mapping[Path, Path]) -> str:
    """Return the parameter that a path stands for, "" for none."""
    for length in range(len(path), 0, -1):
        if path[:length] in aliases:
            path = (*aliases[path[:length]], *path[length:])
            break
    return path[1] if len(path) == 2 and path[0] == ROOT else ""
