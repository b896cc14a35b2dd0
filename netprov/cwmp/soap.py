"""The SOAP 1.1 envelope of CWMP (TR-069 Amendment 6 section 3.4, 3.5), its headers and its one body element.

Read leniently, as deployed devices need it: any prefix for any namespace, a body element in a wrong namespace or in
none, `xsi:type` in any spelling. Written strictly. A document type declaration is refused, and with it every entity
bomb. Deliberately absent: more than one envelope a message (obsolete since Amendment 2), SOAP 1.2, attachments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from netprov.errors import LocalViolation, Malformed
from netprov.xml import XmlLimits, parse_bounded

ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
CWMP_VERSIONS: Final = ("1-0", "1-1", "1-2", "1-3", "1-4")
"""The namespaces that exist; CWMP 1.3 and later still say 1-2, or later, in their envelopes."""

DEFAULT_VERSION: Final = "1-0"

LIMITS: Final = XmlLimits(octets=1 << 20, elements=20_000)
"""Of one envelope: an Inform has some hundred elements, an answer three for each parameter that was asked for."""

_CWMP = re.compile(r"urn:dslforum-org:cwmp-(1-\d)\Z")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry, not even as a reference."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One envelope: the CWMP version of its namespace, its headers, its body element (None: an empty body).

    `id` is the cwmp:ID header ("" if absent), which a response repeats (section 3.4.3 "cwmp:ID"). `foreign` names
    headers that we do not know but must understand. `supported` are the protocol versions that a CPE of Amendment 5 offers
    with its Inform, `use` the one that the ACS takes of them ("" in all other messages), both as `1.4`.
    """

    body: Element | None
    id: str = ""
    version: str = DEFAULT_VERSION
    hold_requests: bool = False
    foreign: tuple[str, ...] = ()
    supported: tuple[str, ...] = ()
    use: str = ""


def decode(data: bytes) -> Envelope:
    """Decode an envelope; raise `Malformed` on anything that is not one."""
    root = parse_bounded(data, LIMITS)
    if name(root) != "Envelope":
        raise Malformed(f"not a SOAP envelope: the document element is {name(root)!r}")
    body = child(root, "Body")
    if body is None:
        raise Malformed("SOAP envelope without a Body")
    method = next(iter(body), None)
    header = child(root, "Header")
    headers = () if header is None else tuple(header)
    known = {name(each): each for each in headers}
    return Envelope(
        body=method,
        id=_content(known.get("ID")),
        version=_version(method, *headers),
        hold_requests=boolean(_content(known.get("HoldRequests"))),
        foreign=tuple(
            name(each) for each in headers if name(each) not in _KNOWN_HEADERS and _must_understand(each)
        ),
        supported=_listed(_content(known.get("SupportedCWMPVersions"))),
        use=_content(known.get("UseCWMPVersion")),
    )


def encode(envelope: Envelope) -> bytes:
    """Encode an envelope; raise `LocalViolation` if a text in it cannot stand in XML.

    Names carry their prefixes literally: `soap`, `soapenc`, `xsd`, `xsi` and `cwmp` are declared here, once.
    """
    root = Element(
        "soap:Envelope",
        {
            "xmlns:soap": ENVELOPE,
            "xmlns:soapenc": ENCODING,
            "xmlns:xsd": XSD,
            "xmlns:xsi": XSI,
            "xmlns:cwmp": f"urn:dslforum-org:cwmp-{envelope.version}",
        },
    )
    header = SubElement(root, "soap:Header")
    if envelope.id:
        SubElement(header, "cwmp:ID", {"soap:mustUnderstand": "1"}).text = envelope.id
    if envelope.hold_requests:
        SubElement(header, "cwmp:HoldRequests", {"soap:mustUnderstand": "1"}).text = "1"
    if envelope.supported:
        offered = SubElement(header, "cwmp:SupportedCWMPVersions", {"soap:mustUnderstand": "0"})
        offered.text = ",".join(envelope.supported)
    if envelope.use:
        SubElement(header, "cwmp:UseCWMPVersion", {"soap:mustUnderstand": "1"}).text = envelope.use
    body = SubElement(root, "soap:Body")
    if envelope.body is not None:
        body.append(envelope.body)
    if any(_ILLEGAL.search(text) for text in _texts(root)):
        raise LocalViolation("a text of this envelope has characters that XML cannot carry")
    # A parser turns a bare carriage return into a line feed (XML 1.0 section 2.11); ElementTree writes it bare.
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document.replace(b"\r", b"&#13;")


def add(parent: Element, tag: str, text: str = "") -> Element:
    """Append a child in no namespace, as RPC arguments are (section 3.5), and return it."""
    element = SubElement(parent, tag)
    element.text = text or None
    return element


def add_array(parent: Element, tag: str, of: str, count: int) -> Element:
    """Append a SOAP array of `count` items of the type `of`."""
    element = SubElement(parent, tag)
    element.set("soapenc:arrayType", f"{of}[{count}]")
    return element


def name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def child(element: Element, wanted: str) -> Element | None:
    """Return the first child of that name, whatever its namespace."""
    return next((each for each in element if name(each) == wanted), None)


def children(element: Element | None, wanted: str = "") -> list[Element]:
    """Return the children of that name, or all; of None, none."""
    return [] if element is None else [each for each in element if not wanted or name(each) == wanted]


def text(element: Element, wanted: str, default: str | None = None) -> str:
    """Return the stripped text of a child; `Malformed` if it is missing without a default."""
    found = child(element, wanted)
    if found is not None:
        return _content(found)
    if default is None:
        raise Malformed(f"{name(element)} without {wanted}")
    return default


def number(element: Element, wanted: str, default: int | None = None) -> int:
    """Return the number that is a child's text; the default stands for an empty or missing one."""
    content = text(element, wanted, None if default is None else "")
    if not content and default is not None:
        return default
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", content):
        raise Malformed(f"{name(element)}: {wanted} is not a number")
    return int(content)


def boolean(content: str) -> bool:
    """Read an xsd:boolean, in any case."""
    return content.strip().lower() in {"1", "true"}


_KNOWN_HEADERS: Final = {
    "ID",
    "HoldRequests",
    "SessionTimeout",
    "NoMoreRequests",
    "SupportedCWMPVersions",
    "UseCWMPVersion",
}
"""The headers of TR-069 section 3.5, with NoMoreRequests of older amendments."""


def _listed(content: str) -> tuple[str, ...]:
    """Return the items of a comma-separated list; of the first hundred characters, which hold twenty versions."""
    return tuple(item for each in content[:100].split(",") if (item := each.strip()))


def _content(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _must_understand(element: Element) -> bool:
    return any(key.endswith("mustUnderstand") and boolean(value) for key, value in element.attrib.items())


def _version(*candidates: Element | None) -> str:
    for element in candidates:
        if element is not None and isinstance(element.tag, str) and element.tag.startswith("{"):
            matched = _CWMP.match(element.tag[1:].partition("}")[0])
            if matched:
                return matched[1] if matched[1] in CWMP_VERSIONS else CWMP_VERSIONS[-1]
    return DEFAULT_VERSION


def _texts(root: Element) -> Iterable[str]:
    for element in root.iter():
        yield element.text or ""
        yield from element.attrib.values()
