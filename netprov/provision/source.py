"""Sources: where values of profiles come from that the inventory does not have, and what an answer must be to be used.

Who asks a source is none of this folder's business: a template that needs an answer which is not there yet raises
`SourceWanted`, whoever serves asks the source, and composes the profile again with the answer, or with the reason why there
is none. Either way nothing is left out: a profile has all its values, or it does not leave.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal, NoReturn

from netprov.errors import NetprovError
from netprov.mac import bare_mac
from netprov.provision.config import Device, JsonUrl, Source, SqlQuery
from netprov.provision.profile import value_fault
from netprov.provision.template.field import phone_fields

MAX_OCTETS = 64 << 10
"""Octets of an answer: a phone's values are some hundred."""
MAX_FIELDS = 500
MAX_TEXT = 4096
"""Characters of one value."""
RETRY_AFTER_S = 30
"""What phones are told, which go by their own Resync_Error_Retry_Delay mostly."""

Value = str | int | float | bool
SourceCause = Literal["source-failed", "source-answer"]


class SourceFailed(NetprovError):
    """A source has no answer that can be used: it fails (`source-failed`), or says what is none (`source-answer`)."""

    def __init__(
        self, source: str, fault: str, remedy: str = "", *, why: SourceCause = "source-failed"
    ) -> None:
        self.source = source
        self.fault = fault
        self.remedy = remedy
        self.why = why
        super().__init__(f"source {source}: {fault}")


class SourceWanted(NetprovError):
    """A template needs the answer of a source that was not asked for this phone yet."""

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(f"source {source} is asked when the phone asks")


class Row:
    """What a source said of one phone: values by name.

    Templates reach these alone: whatever else a template may do with a mapping would put rubbish into a profile.
    """

    __slots__ = ("_source", "_values")
    __iter__ = None

    def __init__(self, source: str, values: Mapping[str, Value]) -> None:
        self._source = source
        self._values = values

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __str__(self) -> str:
        raise TypeError(f"write which value: source.{self._source}.NAME")


class NamedRow(Row):
    """Stands for a row nobody asked for: every value is there, and says its name."""

    __slots__ = ()

    def __init__(self, source: str) -> None:
        super().__init__(source, {})

    def __getitem__(self, name: str) -> Value:
        return f"<source {self._source}.{name}>"


Sourced = Mapping[str, Row | SourceFailed]
"""What came of asking sources for one phone, by the source's name."""


class SourceValues:
    """What templates see as `source`: the answers that there are, and the names of those that may be asked."""

    __slots__ = ("_given", "_known")
    __iter__ = None

    def __init__(self, known: Mapping[str, object], given: Sourced) -> None:
        self._known = known
        self._given = given

    def __getitem__(self, name: str) -> Row:
        if name not in self._known:
            raise KeyError(name)
        found = self._given.get(name)
        if found is None:
            raise SourceWanted(name)
        if isinstance(found, SourceFailed):
            raise found
        return found

    def __str__(self) -> str:
        raise TypeError("write which value: source.SOURCE.NAME")


def values_of(row: Row) -> Mapping[str, Value]:
    """Return the values of a row by name."""
    return row._values  # noqa: SLF001 - templates must not see it


def source_of(row: Row) -> str:
    """Return the name of the source of a row."""
    return row._source  # noqa: SLF001 - as above


def known_of(values: SourceValues) -> Iterator[str]:
    """Yield the names of the sources that there are."""
    yield from values._known  # noqa: SLF001 - as above


def named_rows(known: Mapping[str, object]) -> Sourced:
    """Return a row for each source that says the name of every value: to compare and try templates without asking."""
    return {name: NamedRow(name) for name in known}


def facts_of(device: Device) -> Mapping[str, str]:
    """Return what sources are told of a phone: what templates know of it, and its MAC address as `$MA` has it.

    Nothing that came over the network is among it.
    """
    return {**phone_fields(device), "ma": bare_mac(device.mac)}


def secret_names(source: Source) -> tuple[str, ...]:
    """Return the names of the secrets that asking a source takes."""
    match source.how:
        case SqlQuery(password=password) if password:
            return (password,)
        case JsonUrl(headers=headers):
            return tuple(secret for _, secret in headers)
        case _:
            return ()


def read_row(source: str, said: Mapping[Any, Any]) -> Row:
    """Return what a source said as a row. Raises `SourceFailed` for what no profile could take; nothing is a value left out."""

    def refuse(fault: str, remedy: str) -> NoReturn:
        raise SourceFailed(source, fault, remedy, why="source-answer")

    if len(said) > MAX_FIELDS:
        refuse(f"it gave {len(said)} values", f"let it give at most {MAX_FIELDS}")
    values: dict[str, Value] = {}
    for name, written in said.items():
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= 64:
            refuse("the name of a value is no word", "name each value as templates do: source.NAME.extension")
        value = str(written) if isinstance(written, Decimal) else written
        match value:
            case None:
                continue  # not there: a template that needs it fails, one with `default` does not
            case str():
                if len(value) > MAX_TEXT:
                    refuse(f"value {name} is longer than {MAX_TEXT} characters", "let it give less")
                if fault := value_fault(value):
                    refuse(f"value {name}: {fault}", "correct it there")
            case bool() | int():
                pass
            case float() if math.isfinite(value):
                pass
            case _:
                kind = "an infinite number" if isinstance(value, float) else f"of type {type(value).__name__}"
                refuse(f"value {name} is {kind}", "let it give text or a number (in SQL: CAST(… AS TEXT))")
        values[name] = value
    return Row(source, values)


def read_object(source: str, data: bytes) -> Row:
    """Return the JSON object that a source said as a row. Raises `SourceFailed`."""
    try:
        said = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        fault = f"what it says is not JSON: {error}" if data.strip() else "it said nothing"
        raise SourceFailed(source, fault, _JSON, why="source-answer") from None
    if not isinstance(said, dict):
        raise SourceFailed(source, "what it says is JSON, but no object", _JSON, why="source-answer")
    return read_row(source, said)


_JSON = 'let it say one object with text or numbers: {"extension": "1141"}'


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")
