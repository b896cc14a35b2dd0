"""Plain scalars of YAML read by the core schema of YAML 1.2 (section 10.3.2).

So `no`, `on`, `1:20`, a date and an unquoted MAC address are text. A number remembers how it was written where
that differs (`0042`, `1.50`), so that a field that wants text gets the operator's own digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Scalar = str | int | float | bool | None

_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NUMBER = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
"""Any of the forms above: most texts that begin with a digit are addresses, and are told apart by one look."""
_NUMBER_STARTS = frozenset("0123456789+-.")
RESOLVED_STARTS = _NUMBER_STARTS | frozenset("~nNtTfF")
"""First characters of every text that `resolve` does not return as it is, beside the empty one."""

_LONGEST_NUMBER = 400
"""Characters; longer digits are text (Python refuses to convert beyond 4300 digits)."""


class WrittenInt(int):
    """A whole number whose digits were not the usual ones; its text is what was written."""

    written: str

    def __str__(self) -> str:
        return self.written


class WrittenFloat(float):
    """A number whose digits were not the usual ones; its text is what was written."""

    written: str

    def __str__(self) -> str:
        return self.written


def resolve(text: str) -> Scalar:
    """Return the value of a plain (unquoted) scalar."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _NUMBER_STARTS or len(text) > _LONGEST_NUMBER or not _NUMBER.match(text):
        return text
    return _number(text)


def tagged(tag: str, text: str) -> Scalar:
    """Return the value of a scalar under an explicit core tag (`!!str`, `!!int` …).

    Raises ValueError if the text is not of that type, KeyError if the tag is not of the core schema.
    """
    convert = _TAGS[tag]
    return convert(text)


def _number(text: str) -> Scalar:
    if _INTEGER.match(text):
        value = int(text)
        return value if str(value) == text else _written_int(value, text)
    if _OCTAL.match(text):
        return _written_int(int(text, 0), text)
    if _HEXADECIMAL.match(text):
        return _written_int(int(text, 0), text)
    if _FLOAT.match(text):
        number = float(text)
        return number if str(number) == text else _written_float(number, text)
    return _written_float(float(text.replace(".", "")), text)


def _written_int(value: int, text: str) -> WrittenInt:
    number = WrittenInt(value)
    number.written = text
    return number


def _written_float(value: float, text: str) -> WrittenFloat:
    number = WrittenFloat(value)
    number.written = text
    return number


def _only(*kinds: type) -> Callable[[str], Scalar]:
    def convert(text: str) -> Scalar:
        value = resolve(text)
        if type(value) not in kinds and not (isinstance(value, kinds) and not isinstance(value, bool)):
            raise ValueError(text)
        return value

    return convert


_TAGS: Mapping[str, Callable[[str], Scalar]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": _only(int),
    "tag:yaml.org,2002:float": _only(float, int),
    "tag:yaml.org,2002:bool": _only(bool),
    "tag:yaml.org,2002:null": _only(type(None)),
    "!": str,
}
