"""XML of others: no document types, no entities, and bounds that hold while it is parsed, not after.

The parser stops at the first element, level or attribute too many, so that a small file that is large once it is decompressed
costs no more than what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from netprov.errors import Malformed


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """Octets of a document, elements in it, levels of them, attributes of each."""

    octets: int
    elements: int
    depth: int = 64
    attributes: int = 64


def parse_bounded(data: bytes, limits: XmlLimits) -> Element:
    """Parse a document; raises `Malformed` for what is none, or is too much."""
    if len(data) > limits.octets:
        raise Malformed(f"longer than {limits.octets} octets")
    parser = DefusedXMLParser(target=_Bounded(limits), forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException:
        raise Malformed("document types and entities are refused") from None
    except ParseError as error:
        raise Malformed(f"not XML: {error}") from None
    except (ValueError, LookupError) as error:
        raise Malformed(f"not XML in a known encoding: {error}") from None
    return root


class _Bounded(TreeBuilder):
    def __init__(self, limits: XmlLimits) -> None:
        super().__init__()
        self._limits = limits
        self._elements = 0
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        """Begin an element, if there may be one more."""
        self._elements += 1
        self._depth += 1
        if self._elements > self._limits.elements:
            raise Malformed(f"more than {self._limits.elements} elements")
        if self._depth > self._limits.depth:
            raise Malformed("nested too deeply")
        if len(attrs) > self._limits.attributes:
            raise Malformed(f"an element with more than {self._limits.attributes} attributes")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        """End an element."""
        self._depth -= 1
        return super().end(tag)
