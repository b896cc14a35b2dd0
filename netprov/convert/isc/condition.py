"""Conditions on clients as dhcpd and Kea write them, turned into an inventory's `match` (dhcp-eval(5); Kea ARM, classes).

Comparisons of vendor class, user class, host name, MAC address and a relay's identifiers, whole or their first octets,
joined by and, or, not. Whatever else is asked cannot be carried over, which is a `ValueError` with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from netprov.convert.isc.typed import unquoted
from netprov.convert.rule import EVERYBODY, NOBODY, Section
from netprov.mac import format_mac, parse_mac_prefix

_TOKEN = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|0x[0-9a-fA-F]*|[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2})+|[\w.-]+\*?|==|~[~=]|!=|[()\[\],=])"""
)
_FIELDS: Mapping[str, str] = {
    "60": "vendor_class",
    "vendor-class-identifier": "vendor_class",
    "12": "host_name",
    "host-name": "host_name",
    "77": "user_class",
    "user-class": "user_class",
    "agent.circuit-id": "circuit_id",
    "relay4.1": "circuit_id",
    "agent.remote-id": "remote_id",
    "relay4.2": "remote_id",
    "hardware": "mac",
    "pkt4.mac": "mac",
}
"""What can be asked, by the name that it has in the source."""

_PATTERNS = frozenset({"vendor_class", "circuit_id", "remote_id", "host_name"})
"""Conditions that take * and ?."""


class _Parser:
    """A parser by descent; `member` gives the condition of another class (Kea's `member('x')`)."""

    def __init__(self, tokens: Sequence[str], member: Callable[..., Section]) -> None:
        self.tokens = list(tokens)
        self.member = member

    def take(self, *wanted: str) -> str:
        if not self.tokens or (wanted and self.tokens[0] not in wanted):
            raise ValueError("write the condition as the class's `match`")
        return self.tokens.pop(0)

    def at(self, *wanted: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in wanted

    def either(self) -> Section:
        parts = [self.both()]
        while self.at("or"):
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else {"any": parts}

    def both(self) -> Section:
        parts = [self.single()]
        while self.at("and"):
            self.take()
            parts.append(self.single())
        if len(parts) == 1:
            return parts[0]
        keys = [key for part in parts for key in part]
        return (
            {key: value for part in parts for key, value in part.items()}
            if len(keys) == len(set(keys))
            else {"all": parts}
        )

    def single(self) -> Section:
        if self.at("not"):
            self.take()
            return {"not": self.single()}
        if self.at("("):
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        if self.at("member"):
            self.take()
            self.take("(")
            name = _text(self.take())
            self.take(")")
            return self.member(name)
        return self.comparison()

    def comparison(self) -> Section:
        if self.tokens and self.tokens[0][:1] in {'"', "'"}:
            return self.constant()
        if self.at("known"):
            return self.member(self.take())
        if self.at("config-option"):
            self.take()
            name = self.take()
            self.take("=")
            return self.member(name, _text(self.take()))
        field, start, length = self.operand()
        if self.at("~=", "~~"):
            return _like(field, self.take(), self.take())
        sign = self.take("=", "==", "!=")
        value = self.take()
        found = _compared(field, start, length, value)
        return {"not": found} if sign == "!=" else found

    def constant(self) -> Section:
        """Read a comparison of two texts: it holds always or never."""
        text = self.take()
        sign = self.take("=", "==", "!=")
        same = _text(text) == _text(self.take())
        return EVERYBODY if same == (sign != "!=") else NOBODY

    def operand(self) -> tuple[str, int, int | None]:
        """Return the field that is asked, the first octet of it, and how many (None: all)."""
        if self.at("substring"):
            self.take()
            self.take("(")
            field, _, _ = self.operand()
            self.take(",")
            first = self.take()
            start = -_number(first[1:]) if first.startswith("-") else _number(first)
            self.take(",")
            length = self.take()
            self.take(")")
            return field, start, None if length == "all" else _number(length)
        if self.at("pick-first-value"):
            return self.first()
        if self.at("binary-to-ascii", "hexstring"):
            return self.converted()
        word = self.take()
        if word in {"option", "relay4"}:
            bracket = self.at("[")
            if bracket:
                self.take()
            name = self.take()
            if bracket:
                self.take("]")
                self.suffix()
            word = f"relay4.{name}" if word == "relay4" else name
        if word not in _FIELDS:
            raise ValueError(f"clients cannot be matched by {word}")
        return _FIELDS[word], 0, None

    def first(self) -> tuple[str, int, int | None]:
        """Read an option with what stands for it where a client does not send it."""
        self.take()
        self.take("(")
        found = self.operand()
        self.take(",")
        if _text(self.take()).strip():
            raise ValueError("clients cannot be matched by what stands for an option")
        self.take(")")
        return found

    def suffix(self) -> None:
        if self.at(".hex", ".text"):
            self.take()
            return
        raise ValueError("clients cannot be matched by whether they send an option")

    def converted(self) -> tuple[str, int, int | None]:
        """Read a conversion to hexadecimal text; the comparison reads such text as octets."""
        word = self.take()
        self.take("(")
        if word == "binary-to-ascii":
            for wanted in ("16", "8"):
                self.take(wanted)
                self.take(",")
            self.take()
            self.take(",")
        found = self.operand()
        if word == "hexstring":
            self.take(",")
            self.take()
        self.take(")")
        return found


def condition(text: str, member: Callable[..., Section]) -> Section:
    """Return the `match` that a condition means. Raises `ValueError` with the reason where there is none."""
    tokens, position = [], 0
    text = re.sub(r"\.(hex|text)\b", r" .\1", text).strip()
    pattern = re.compile(r"\s*(\.(?:hex|text))|" + _TOKEN.pattern)
    while position < len(text):
        found = pattern.match(text, position)
        if found is None:
            raise ValueError("write the condition as the class's `match`")
        tokens.append(found[1] or found[2])
        position = found.end()
    parser = _Parser(tokens, member)
    section = parser.either()
    if parser.tokens:
        raise ValueError("write the condition as the class's `match`")
    return section


def of_value(field: str, value: str) -> Section:
    """Return the condition that a field is exactly a value, as dhcpd's subclasses have it."""
    return _compared(_FIELDS[field], 0, None, value)


def _number(text: str) -> int:
    if not text.isdigit():
        raise ValueError("write the condition as the class's `match`")
    return int(text)


def _text(token: str) -> str:
    return token[1:-1] if token[:1] in {'"', "'"} else token


def _compared(field: str, start: int, length: int | None, token: str) -> Section:
    if field == "mac":
        return {"mac": [_mac(start, length, token)]}
    quoted = token[:1] in {'"', "'"}
    data = _text(token).encode() if quoted else bytes.fromhex(_digits(token))
    if field == "user_class" and length is None and data[:1] == bytes([len(data) - 1]) and len(data) > 1:
        data = data[1:]  # as RFC 3004 writes it, with its length
    ends = start < 0 and length is None and -start == len(data) and field in _PATTERNS
    if start and not ends:
        raise ValueError("only the beginning of it can be matched")
    if length is not None and length < len(data):
        raise ValueError(f"{length} octets are never {len(data)}")
    whole = length is None or length > len(data)
    if not data.isascii() or not data.decode().isprintable():
        if field in {"circuit_id", "remote_id"} and whole:
            return {field: f"0x{data.hex()}"}
        raise ValueError("it is compared with octets that are no text")
    text = data.decode()
    if field in _PATTERNS:
        text = re.sub(r"([*?\[])", r"[\1]", text)
        return {field: f"*{text}" if ends else text if whole else f"{text}*"}
    if not whole:
        raise ValueError("only the whole of it can be matched")
    return {field: text}


def _like(field: str, sign: str, token: str) -> Section:
    """Return the condition that a field is like a regular expression, where a pattern says the same."""
    if field not in _PATTERNS or (field == "host_name") != (sign == "~~"):
        raise ValueError(
            "patterns look at upper and lower case, but for host names"
            if field in _PATTERNS
            else "it takes no patterns"
        )
    text = unquoted(token)
    begins, ends = text.startswith("^"), text.endswith("$") and not text.endswith("\\$")
    pattern, plain = _pattern(text[begins : len(text) - ends])
    if not begins and not ends and plain is not None and field == "vendor_class":
        return {"vendor_class_contains": plain}
    return {field: f"{'' if begins else '*'}{pattern}{'' if ends else '*'}"}


_PIECE = re.compile(r"(\.\*)|(\.)|\[(.[^\]]*)\]|\\(.)|([^.*+?|(){}\[\]^$\\])")


def _pattern(text: str) -> tuple[str, str | None]:
    """Return the pattern that means a regular expression, and the text if it is no more than that. Raises `ValueError`."""
    pattern, plain, at = "", "", 0
    only_text = True
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise ValueError("patterns say less than this regular expression")
        at = found.end()
        if found[1] or found[2]:
            pattern, only_text = pattern + ("*" if found[1] else "?"), False
        elif found[3] and len(found[3]) > 1:
            pattern, only_text = (
                pattern + "[" + ("!" + found[3][1:] if found[3][0] == "^" else found[3]) + "]",
                False,
            )
        else:
            sign = found[3] or found[4] or found[5]
            pattern, plain = pattern + (f"[{sign}]" if sign in "*?[" else sign), plain + sign
    return pattern, plain if only_text else None


def _mac(start: int, length: int | None, token: str) -> str:
    """Return a MAC address, or its first octets; dhcpd's `hardware` begins with the type, 1 for Ethernet."""
    octets = parse_mac_prefix(_text(token)) or bytes.fromhex(_digits(_text(token)))
    if start == 0 and octets[:1] == b"\1" and len(octets) in {4, 7}:
        octets = octets[1:]
    elif start > 1 or not octets or (length is not None and length < len(octets)):
        raise ValueError("only the first octets of a MAC address can be matched")
    return format_mac(octets)


def _digits(token: str) -> str:
    token = token.removeprefix("0x")
    digits = "".join(pair.rjust(2, "0") for pair in re.split("[:. -]", token))
    if not re.fullmatch(r"([0-9a-fA-F]{2})+", digits):
        raise ValueError("write the condition as the class's `match`")
    return digits.lower()
