"""Labels of phones as a bar-code scanner types them: MAC address, serial number and model, in any order.

A scanner types what a bar code holds: bare, after a printed label (`SN: FCH2048A1B2`), after an ANSI MH10.8.2 data
identifier (23S a MAC address, S a serial number, 1P a product), in an ISO/IEC 15434 envelope, or after the symbology
identifier of ISO/IEC 15424 (`]C1`). Other bar codes on a box (VID, UPC) say nothing of which phone it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from netprov.mac import bare_mac, read_mac
from netprov.phone.handset.identity import MODELS, model_named

Kind = Literal["mac", "serial", "model"]
KINDS: tuple[Kind, ...] = ("mac", "serial", "model")
WORDS: Mapping[Kind, str] = {"mac": "MAC address", "serial": "serial number", "model": "model"}

LONGEST = 1024
"""Characters of one line; the longest label of a box is a quarter of that."""

_ENVELOPE = re.compile(r"\[\)>\x1e?\d{0,2}|[\x1c-\x1f\x04]")
_SEPARATOR = re.compile(r"[\t,;|\n]+")
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_SPACED_MAC = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2} ){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])")
_LABELS: Mapping[str, Kind | None] = {
    r"MAC(?:[ _-]?(?:ADDR(?:ESS)?|ID))?": "mac",
    r"S/?N|SER(?:IAL)?(?:[ _-]?(?:NO\.?|NUMBER|NUM))?": "serial",
    r"PID|P/?N|MODEL(?:[ _-]?(?:NO\.?|NUMBER))?|PROD(?:UCT)?(?:[ _-]?(?:ID|NO\.?|NUMBER))?": "model",
    r"VID|TAN|CLEI|CPN|UPC|EAN|QTY|COO": None,
}
"""What is printed before a bar code's text, and what follows it; None for what says nothing of which phone it is."""
_LABEL = re.compile(
    "|".join(f"(?P<l{number}>(?:{each})\\s*[:#=]+)" for number, each in enumerate(_LABELS)), re.IGNORECASE
)
_IDENTIFIERS: Mapping[str, Kind] = {"23S": "mac", "1P": "model", "S": "serial"}
"""ANSI MH10.8.2 data identifiers, the longest first."""

_CISCO_SERIAL = re.compile(r"[A-Z]{3}[0-9]{4}[0-9A-Z]{4}\Z", re.IGNORECASE)
"""Place, year and week of manufacture, number (Cisco's `Identify product serial numbers`)."""
_ANY_SERIAL = re.compile(r"[0-9A-Z][0-9A-Z-]{2,31}\Z", re.IGNORECASE)
_PRODUCT = re.compile(r"(?P<name>(?:CP|DP)-\d{4}[0-9A-Z-]*?)(?:-K9)?=?\Z", re.IGNORECASE)
_NUMBER = re.compile(r"\d{4}(?:-3PCC)?\Z", re.IGNORECASE)
_SPARE = re.compile(r"-3P[A-Z]{1,2}(?:-[A-Z]{2,3})?\Z")
"""How product names go on that are one phone in other colours, with a plug for a country (CP-6841-3PW-UK)."""


@dataclass(frozen=True, slots=True)
class Label:
    """What was scanned of one phone; "" for what was not. `turned`: in another order than the phone before."""

    mac: str
    serial: str = ""
    model: str = ""
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that was scanned and that no phone comes of: what it is, and what to do."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was scanned."""

    kind: Kind
    value: str


Outcome: TypeAlias = "Label | Unread"


@dataclass(slots=True)
class Labels:
    """Puts items together to phones: one item a line, or one phone a line; an empty line ends a phone."""

    wanted: frozenset[Kind] = frozenset(KINDS)
    """What is scanned of each phone; one that has all of it is complete."""
    _held: dict[Kind, str] = field(default_factory=dict)
    _order: tuple[Kind, ...] = ()

    def receive(self, line: str) -> list[Outcome]:
        """Take one line; return the phones that it completes, and what of it is to be told."""
        if len(line) > LONGEST:
            return [
                Unread(f"a line of more than {LONGEST} characters", "scan one phone, or one bar code, a line")
            ]
        if not line.strip():
            return self.end()
        found: list[Outcome] = []
        items = []
        for each in read_items(line):
            if isinstance(each, Unread):
                found.append(each)
            else:
                items.append(each)
        alone = not self._held
        for item in items:
            found += self._take(item, alone=alone)
        # A line that says who a phone is and something else of it is that phone, whatever else it lacks.
        if alone and "mac" in self._held and len(self._held) > 1:
            found.append(self._complete(alone=True))
        return found

    @property
    def missing(self) -> list[str]:
        """What the phone that is begun lacks, in words; nothing where none is begun."""
        return [
            WORDS[each] for each in KINDS if each in self.wanted and self._held and each not in self._held
        ]

    def end(self) -> list[Outcome]:
        """Return what is to be told of a phone that is not complete, and forget it."""
        if not self._held:
            return []
        lacks = self.missing
        held, self._held = self._held, {}
        shown = ", ".join(f"{WORDS[kind]} {value}" for kind, value in held.items())
        enough = (
            "" if "mac" not in held else f", or say `--items {','.join(held)}` where that is all there is"
        )
        return [
            Unread(f"half a phone: {shown}, without {' and '.join(lacks)}", f"scan this phone again{enough}")
        ]

    def _take(self, item: Item, *, alone: bool) -> list[Outcome]:
        if self._held.get(item.kind) == item.value:
            return []  # a bar code that was read twice
        told = self.end() if item.kind in self._held else []
        self._held[item.kind] = item.value
        return [*told, self._complete(alone=alone)] if self.wanted <= set(self._held) else told

    def _complete(self, *, alone: bool) -> Label:
        """Return the phone that is held; `alone` says that one line said all of it, which leaves no doubt whose each item is."""
        held, self._held = self._held, {}
        order = self._order if alone else tuple(held)
        before, self._order = self._order, order
        return Label(**held, turned=sorted(order) == sorted(before) and order != before)


def read_items(line: str) -> Iterator[Item | Unread]:
    """Yield what a line says, item by item."""
    for part in _SEPARATOR.split(_ENVELOPE.sub("\n", line.replace('"', " "))):
        text = _SPACED_MAC.sub(lambda found: found[0].replace(" ", ""), part.strip())
        at = 0
        for label in [*_LABEL.finditer(text), None]:
            if label is not None and label.start() and text[label.start() - 1].isalnum():
                continue
            if at == 0:
                yield from _bare_items(text[: label.start() if label else None])
            if label is None:
                break
            at = label.end()
            kind = _kind_of(label)
            value, _, rest = text[at:].lstrip().partition(" ")
            if kind is not None:
                yield _labelled(kind, value)
            following = _LABEL.search(rest)
            yield from _bare_items(rest[: following.start() if following else None])


def _kind_of(label: re.Match[str]) -> Kind | None:
    number = next(int(name[1:]) for name, text in label.groupdict().items() if text)
    return list(_LABELS.values())[number]


def _bare_items(text: str) -> Iterator[Item | Unread]:
    for word in text.split():
        yield _item(_SYMBOLOGY.sub("", word, count=1) if _SYMBOLOGY.match(word) else word)


def _item(word: str) -> Item | Unread:
    """Tell what a text without a label is, by its form."""
    mac, trouble = _mac(word)
    if mac or trouble is not None:
        return trouble or Item("mac", mac)
    if _CISCO_SERIAL.match(word):
        return Item("serial", word.upper())
    if model := model_of(word):
        return Item("model", model)
    for identifier, kind in _IDENTIFIERS.items():
        rest = word[len(identifier) :]
        known = {"mac": _mac(rest)[0], "serial": _CISCO_SERIAL.match(rest), "model": model_of(rest)}
        if word.upper().startswith(identifier) and known[kind]:
            return _labelled(kind, rest)
    return Unread(
        f"{word!r} is no MAC address, serial number or model",
        "scan the bar codes of MAC, SN and PID; a serial number of another form is taken after `SN:`",
    )


def _labelled(kind: Kind, value: str) -> Item | Unread:
    """Read a text of which its label says what it is."""
    value = value.strip()
    read = {
        "mac": read_mac(value),
        "serial": value.upper() if _ANY_SERIAL.match(value) else "",
        "model": model_of(value),
    }[kind]
    if not read:
        return Unread(f"{value!r} is no {WORDS[kind]}", "scan it again, or type it")
    return Item(kind, read)


def _mac(word: str) -> tuple[str, Unread | None]:
    """Return the MAC address that a text is, or why what looks like one is none."""
    mac = read_mac(word)
    if word.isdecimal() and word.isascii() and mac and _is_product_code(word):
        return "", Unread(
            f"{word} is the product's code (UPC): its last digit is the check digit of the others",
            "scan the bar code beside `MAC`; if this is the MAC address, type it with colons",
        )
    if mac and int(mac[1], 16) & 1:
        return "", Unread(f"{mac} is a group address, and no phone's", "scan the bar code beside `MAC`")
    return mac, None


def _is_product_code(digits: str) -> bool:
    """Say whether twelve digits are a UPC: the weighted sum of all is a multiple of ten (GS1 General Specifications 7.9)."""
    return sum(int(each) * (1 if index % 2 else 3) for index, each in enumerate(digits)) % 10 == 0


def model_of(text: str) -> str:
    """Return the product name that a text is (`CP-8851-3PCC-K9=`, `8851`), "" if it is none."""
    if _NUMBER.match(text):
        name = model_named(text).name
        return name if name in MODELS else ""
    found = _PRODUCT.match(text)
    if not found or bare_mac(text):
        return ""
    name = found["name"].upper()
    usual = _SPARE.sub("-3PCC", name)
    return usual if usual in MODELS else name
