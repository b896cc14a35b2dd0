"""What the model objects to, in plain words of the field, with the fix and where it belongs.

pydantic says where a value is wrong and of what kind the fault is; the words are ours.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from netprov.errors import BadValue, Path, Problem
from netprov.inventory.foreign import choice_for, option_for, remedy_for, value_for
from netprov.inventory.model import Inventory
from netprov.inventory.yaml.flow import as_members, flow

LONGEST_SHOWN = 60


def problems(error: ValidationError, data: Any) -> list[Problem]:
    """Return the faults that the model found in `data`, each once."""
    found: dict[Path, Problem] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail["loc"], data)
        if detail["type"] in {"missing", "extra_forbidden"}:
            path = tuple(detail["loc"])
        found.setdefault(path, _problem(detail, path))
    meant = {(path[:-1], _meant(each)) for path, each in found.items() if each.rule == "unknown-key"}
    # A member of a list that names a CSV file was never meant for a phone.
    meant |= {(path[:-1], "mac") for path in found if path[-1:] == ("csv",)}
    inside = {path[:length] for path in found for length in range(len(path))}
    return [
        each
        for path, each in found.items()
        if (each.rule != "missing-key" or (path[:-1], str(path[-1])) not in meant)
        # Of two forms that a value may have, the one that it has is judged: its fault is further in.
        and not (each.rule == "type" and path in inside)
    ]


def _meant(problem: Problem) -> str:
    """Return the key that an unknown one was meant to be, or ""; its absence is then no fault of its own."""
    if not problem.remedy.startswith(("did you mean `", "write `")):
        return ""
    return problem.remedy.split("`")[1].partition(":")[0]


def shown(value: Any) -> str:
    """Return a value as it is named to people, shortened."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case str():
            return repr(value if len(value) <= LONGEST_SHOWN else value[:LONGEST_SHOWN] + "…")
        case _:
            return str(value)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the nearest known word, or ""."""
    return _nearest(word.lower(), tuple(known))


@lru_cache(maxsize=1024)
def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, {each.lower(): each for each in known}, 1, 0.6)
    return next((each for each in known if close and each.lower() == close[0]), "")


def field_at(path: Sequence[str | int]) -> FieldInfo | None:
    """Return the field of the model that a path ends at, or at whose members it ends."""
    annotation: Any = Inventory
    field: FieldInfo | None = None
    for key in path:
        model = _model(annotation)
        if model is not None:
            field = _fields(model).get(str(key))
            annotation = field.annotation if field else None
        else:
            annotation = _member(annotation)
    return field


def model_at(path: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the section of the model that a path ends at, or None."""
    annotation: Any = Inventory
    for key in path:
        model = _model(annotation)
        if model is None:
            annotation = _member(annotation)
        else:
            field = _fields(model).get(str(key))
            annotation = field.annotation if field else None
    return _model(annotation)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _alternatives(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return [each for arg in get_args(annotation) for each in _alternatives(arg)]
    return [annotation]


def _model(annotation: Any) -> type[BaseModel] | None:
    return next(
        (
            each
            for each in _alternatives(annotation)
            if isinstance(each, type) and issubclass(each, BaseModel)
        ),
        None,
    )


def _member(annotation: Any) -> Any:
    for each in _alternatives(annotation):
        match get_origin(each), get_args(each):
            case (origin, (_, value)) if origin in {dict, Mapping} or origin is types.MappingProxyType:
                return value
            case (origin, (value, *_)) if origin in {tuple, list}:
                return value
    return None


def _path(location: Sequence[str | int], data: Any) -> Path:
    """Return the part of pydantic's location that is in the data: not its names of unions and functions."""
    path: list[str | int] = []
    for step in location:
        match data:
            case dict() if step in data or _same_key(step, data) is not None:
                key = step if step in data else _same_key(step, data)
                assert key is not None
                data = data[key]
                path.append(key)
            case list() if isinstance(step, int) and step < len(data):
                data = data[step]
                path.append(step)
    return tuple(path)


def _same_key(step: str | int, data: Mapping[Any, Any]) -> str | int | None:
    return next((key for key in data if str(key) == str(step)), None)


def _problem(detail: ErrorDetails, path: Path) -> Problem:
    kind, name = detail["type"], _name(path)
    if kind == "missing":
        return _missing(path)
    if kind == "extra_forbidden":
        return _unknown(path)
    if detail["loc"][-1:] == ("[key]",):
        error = detail.get("ctx", {}).get("error")
        if isinstance(error, BadValue):
            return Problem("key", f"a key of {_name(path[:-1])}: {error.message}", error.remedy, path)
        wanted = next((words for part, words in _WANTED if part in kind), "such a key")
        owner = _name(path[:-1])
        number = option_for(str(path[-1])) if path[-2:-1] == ("options",) else ""
        remedy = f"options are written by number: `{number}`" if number else _example(path[:-1])
        return Problem("key", f"the key `{path[-1]}` of {owner} is not {wanted}", remedy, path)
    if kind == "value_error" and (detail["input"] is None or isinstance(detail["input"], dict | list)):
        return Problem(
            "type", f"{name} is {shown(detail['input'])}, but one value is wanted", _example(path), path
        )
    if kind == "value_error":
        error = detail.get("ctx", {}).get("error")
        message, remedy = (error.message, error.remedy) if isinstance(error, BadValue) else (str(error), "")
        if isinstance(detail["input"], str) and detail["input"][:1] in _CURLY:
            remedy = f"the quotation marks are those of print: write it in plain ones, '{detail['input'].strip(_CURLY)}'"
        if turned := _turned_host(path, detail["input"]):
            remedy = turned
        if detail["input"] is False or str(detail["input"]).lower() in {"none", "no", "off"}:
            name_, field = str(path[-1]), field_at(path)
            if field is not None and name_ in {"router", "dns", "ntp"}:
                remedy = f"for none, write `{name_}: []`"
        return Problem("value", f"{name}: {message}", remedy or _example(path), path)
    if kind == "literal_error":
        return _choice(path, detail["input"])
    if kind == "too_short":
        return Problem("value", f"{name} is empty", f"give at least one; {_example(path)}".rstrip("; "), path)
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        limit = detail.get("ctx", {}).get(key)
        return Problem(
            "value",
            f"{name} is {shown(detail['input'])}; {word} {limit}",
            _example(path) or f"{word} {limit}",
            path,
        )
    wanted = next((words for part, words in _WANTED if part in kind), "another kind of value")
    if nameless := _nameless(path, detail["input"]):
        return nameless
    message = f"{name} is {shown(detail['input'])}, but {wanted} is wanted"
    section = model_at(path[:-1]) if path and not isinstance(detail["input"], dict) else None
    if section and (other := remedy_for(section.__name__, str(path[-1]))):
        return Problem("type", message, other, path)
    if kind == "string_type" and isinstance(detail["input"], bool):
        return Problem("type", message, f'put text in quotes: "{"Yes" if detail["input"] else "No"}"', path)
    if found := value_for(path, detail["input"]) or _section_example(path, detail["input"]):
        return Problem("type", message, found, path)
    if wanted == "a list" and isinstance(detail["input"], dict):
        return Problem("type", message, as_members(path, detail["input"]), path)
    return Problem("type", message, _example(path) or f"write {wanted}", path)


def _turned_host(path: Path, value: Any) -> str:
    """Return the remedy for a host whose address stands where its name is wanted, "" for anything else."""
    if path[:1] != ("hosts",) or len(path) < 2 or not isinstance(value, str):
        return ""
    try:
        ip_address(str(path[1]))
    except ValueError:
        return ""
    return f"the name comes first: `{value}: {path[1]}`"


def _nameless(path: Path, value: Any) -> Problem | None:
    """Return the fault of a section whose members want a name, and that holds the keys of one member instead."""
    owner = model_at(path) if path else None
    if (
        owner is None
        or isinstance(value, dict)
        or not isinstance(path[-1], str)
        or path[-1] not in _fields(owner)
    ):
        return None
    if path[:-1] != ("networks",):
        return None
    message = f"`{path[-1]}` stands where the name of a network is wanted"
    return Problem(
        "type",
        message,
        "give the network a name: `networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}`",
        path,
    )


def _section_example(path: Path, value: Any) -> str:
    """Return a section as it would say what was given in its place as text, "" where it is no section's."""
    model = model_at(path)
    if model is None or isinstance(value, dict | list):
        return ""
    key = next((each for each in reversed(path) if isinstance(each, str)), "")
    for name in _fields(model):
        if value in _choices((*path, name)):
            return f"for example `{key}: {flow({name: value})}`"
    fields = _fields(model).items()
    shown = {name: field.examples[0] for name, field in fields if field.examples}
    shown = shown or {
        name: field.default for name, field in fields if field.default not in (None, PydanticUndefined)
    }
    needed = [name for name, field in fields if field.is_required()]
    names = [name for name in needed if name in shown] or list(shown)[:1]
    example = flow({name: shown[name] for name in names})
    written = f"{key}: {example}" if path and isinstance(path[-1], str) else example
    return f"for example `{written}`" if names else ""


def _name(path: Path) -> str:
    """Return what a value is called: its key, with the list's name for a list's member."""
    keys = [each for each in path if isinstance(each, str)]
    if not path:
        return "the inventory"
    if isinstance(path[-1], str):
        return f"`{path[-1]}`"
    if keys and path[-2:-1] == (keys[-1],) and keys[-1] == "options":
        return f"option {path[-1]}"
    return f"member {path[-1] + 1} of `{keys[-1]}`" if keys else f"member {path[-1] + 1}"


def _missing(path: Path) -> Problem:
    field = field_at(path)
    where = f" of {_name(path[:-1])}" if len(path) > 1 else ""
    key = str(path[-1])
    example = field.examples[0] if field and field.examples else None
    remedy = f"add `{key}: {flow(example)}`" if example is not None else f"add `{key}:`"
    description = f": {field.description}" if field and field.description else ""
    return Problem("missing-key", f"`{key}`{where} is missing{description.rstrip('.')}", remedy, path)


def _unknown(path: Path) -> Problem:
    model = model_at(path[:-1])
    known = list(_fields(model)) if model else []
    key = str(path[-1])
    if any(each.isspace() and each not in " \t" for each in key):
        written = "".join("_" if each.isspace() else each for each in key)
        return Problem(
            "unknown-key",
            f"`{written}` has blanks in it that are no blanks to YAML (no-break spaces, of a web page or a word processor)",
            "type them again as plain blanks",
            path,
        )
    place = _name(path[:-1]) if len(path) > 1 else "the inventory"
    remedy = remedy_for(model.__name__, key) if model else ""
    joined = _JOINED.fullmatch(key)
    if not remedy and joined and joined[1] in known:
        remedy = f"write `{joined[1]}: {joined[2]}`, with a space after the colon"
    if not remedy and model and (inside := _inside(model, key)):
        remedy = f"it belongs further in, below `{':` or `'.join(inside)}:`: indent it there"
    if not remedy:
        meant = did_you_mean(key, known)
        remedy = f"did you mean `{meant}`?" if meant else f"{place} has: {', '.join(known)}"
        if not meant and model is Inventory:
            remedy += "; values that are only anchored belong under a key that begins with x-"
    return Problem("unknown-key", f"`{key}` is not a key of {place}", remedy, path)


def _inside(model: type[BaseModel], key: str) -> list[str]:
    """Return the sections of a section that have a key which it lacks itself: it was indented too little."""
    return [
        name
        for name, field in _fields(model).items()
        if (inner := _model(field.annotation) or _model(_member(field.annotation))) and key in _fields(inner)
    ]


def _choice(path: Path, value: Any) -> Problem:
    choices = [str(each) for each in _choices(path)]
    meant = choice_for(str(path[-1]), value) or did_you_mean(str(value), choices)
    remedy = f"did you mean `{meant}`?" if meant else f"write one of: {', '.join(choices)}"
    return Problem(
        "value", f"{_name(path)} is {shown(value)}; it can be {' or '.join(choices)}", remedy, path
    )


def _choices(path: Path) -> list[Any]:
    field = field_at(path)
    if field is None:
        return []
    found: list[Any] = []
    pending = _alternatives(field.annotation)
    while pending:
        each = pending.pop(0)
        args = get_args(each)
        if args and all(not isinstance(arg, type) and get_origin(arg) is None for arg in args):
            found += [arg for arg in args if isinstance(arg, str | int)]
        else:
            pending += [inner for arg in args for inner in _alternatives(arg)]
    return found


def _example(path: Path) -> str:
    field = field_at(path)
    if field is None or not field.examples:
        return ""
    key = next((each for each in reversed(path) if isinstance(each, str)), "")
    return f"for example `{key}: {flow(field.examples[0])}`"


_CURLY = "“”‘’„«»"
"""Quotation marks of print, which YAML takes for text."""

_JOINED = re.compile(r"(\w+)(?:\s+|:)(\S.*)")
"""A key and its value without a colon, or without a space after it."""

_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("the least is", "ge"),
    "less_than_equal": ("the most is", "le"),
    "greater_than": ("it must be above", "gt"),
    "less_than": ("it must be below", "lt"),
    "string_too_long": ("the most characters are", "max_length"),
    "string_too_short": ("the fewest characters are", "min_length"),
    "too_long": ("the most members are", "max_length"),
}

_WANTED: Sequence[tuple[str, str]] = (
    ("string", "text"),
    ("int", "a whole number"),
    ("bool", "true or false"),
    ("float", "a number"),
    ("dict", "a mapping of keys and values"),
    ("mapping", "a mapping of keys and values"),
    ("model", "a mapping of keys and values"),
    ("tuple", "a list"),
    ("list", "a list"),
    ("ip_v4_network", "an IPv4 network"),
    ("ip_v4", "an IPv4 address"),
    ("ip_v6", "an IPv6 address"),
    ("ip_any", "an IP address"),
)
