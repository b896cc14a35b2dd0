"""The flat profile: XML that carries a phone's parameters; written from merged layers, and read safely.

Cisco's provisioning guide, "Provisioning Formats": `<flat-profile>`, perhaps inside `<device>`; element names are
the parameters' names; attribute `ua` is na, ro or rw; ASCII; five named entities and numeric references; the last
of two equal names wins; gzip is recognised by its first octets. Nothing here knows which names a phone knows.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from netprov.errors import Malformed

Access = Literal["", "na", "ro", "rw"]
"""Attribute `ua`: what the phone's user may do with the parameter; "" leaves it to the phone (na)."""

MAX_PROFILE = 4 * 1024 * 1024
"""Octets of a profile or report that are read, after decompression; phones' full reports stay below 200 kB."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")
_LABEL = re.compile(r"[ \[\]()/]")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "", "\n": " ", "\t": " "}
)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a profile; a `value` of None keeps what the phone has (`<X ua="rw"/>`)."""

    name: str
    value: str | None
    ua: Access = ""


Layer = Mapping[str, Parameter]
"""Parameters by name, in the order they are to be written."""


def layer(parameters: Iterable[Parameter]) -> Layer:
    """Return parameters as a layer; of two with one name, the last wins at the place of the first."""
    return {parameter.name: parameter for parameter in parameters}


def merge(layers: Iterable[Layer]) -> Layer:
    """Lay the layers over each other: a later one wins, at the place where the name first appears."""
    merged: dict[str, Parameter] = {}
    for each in layers:
        merged.update(each)
    return merged


def name_fault(name: str) -> str:
    """Return why a text cannot name a parameter, or ""."""
    if _NAME.match(name):
        return ""
    return f"{name!r} is not a parameter name: letters, digits and _, as the tag is written in XML (Proxy_1_)"


def xml_name(label: str) -> str:
    """Return the element's name of a label on the phone's web page (guide, "XML Elements"): `Proxy_1_` of `Proxy[1]`."""
    return _LABEL.sub("_", label.strip())


def value_fault(value: str) -> str:
    """Return why a text cannot be a parameter's value, or ""."""
    found = _ILLEGAL.search(value)
    return f"character U+{ord(found[0]):04X} cannot stand in XML" if found else ""


def element(parameter: Parameter) -> str:
    """Format one parameter as an XML element in ASCII; line ends become spaces, as in the phone."""
    ua = f' ua="{parameter.ua}"' if parameter.ua else ""
    if parameter.value is None:
        return f"<{parameter.name}{ua}/>"
    return f"<{parameter.name}{ua}>{_escape(parameter.value)}</{parameter.name}>"


def format_profile(parameters: Layer) -> bytes:
    """Format a profile, one parameter a line."""
    return enclose(map(element, parameters.values()))


def enclose(elements: Iterable[str]) -> bytes:
    """Return a profile of these elements, which are ASCII."""
    return "\n".join(("<flat-profile>", *elements, "</flat-profile>", "")).encode("ascii")


def parse_profile(data: bytes) -> Layer:
    """Parse a flat profile, gzip or plain; raises `Malformed` for anything that a phone would call corrupt."""
    root = parse_xml(data)
    profile = root if root.tag == "flat-profile" else root.find("flat-profile")
    if profile is None or (profile is not root and root.tag != "device"):
        raise Malformed(f"a flat profile begins with <flat-profile>, not <{root.tag}>")
    return layer(parse_parameter(child, child.tag) for child in profile if isinstance(child.tag, str))


def parse_xml(data: bytes) -> Element:
    """Parse XML from a stranger: no document type, no entities of its own, at most `MAX_PROFILE` octets."""
    plain = decompress(data)
    try:
        root: Element = fromstring(plain, forbid_dtd=True)
    except DefusedXmlException:
        raise Malformed("document types and entities are refused") from None
    except ParseError as error:
        raise Malformed(f"not XML: {error}") from None
    except (ValueError, LookupError) as error:
        raise Malformed(f"not XML in a known encoding: {error}") from None
    return root


def decompress(data: bytes, limit: int = MAX_PROFILE) -> bytes:
    """Return the data, decompressed if its first octets say gzip; raises `Malformed` beyond `limit` octets."""
    if not data.startswith(_GZIP):
        if len(data) > limit:
            raise Malformed(f"longer than {limit} octets")
        return data
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise Malformed(f"broken gzip: {error}") from None
    if len(plain) > limit:
        raise Malformed(f"longer than {limit} octets once decompressed")
    if not inflater.eof:
        raise Malformed("broken gzip: it ends early")
    return plain


def compress(data: bytes) -> bytes:
    """Compress as gzip without name or time, so that equal profiles have equal octets."""
    deflater = zlib.compressobj(wbits=31)
    return deflater.compress(data) + deflater.flush()


def _escape(text: str) -> str:
    return text.translate(_SPECIAL).encode("ascii", "xmlcharrefreplace").decode("ascii")


def parse_parameter(child: Element, name: str) -> Parameter:
    """Read the element of a parameter that goes by a name."""
    ua = child.get("ua", "")
    access: Access = ua if ua in {"na", "ro", "rw"} else ""  # type: ignore[assignment]
    # `<X ua="rw"/>` and `<X></X>` are one thing to an XML parser; with `ua` it means "keep" (guide).
    text = child.text
    value = None if text is None and access else " ".join((text or "").split("\n"))
    return Parameter(name, value, access)
