"""What goes over a control socket: one JSON object a line, each way.

A client asks `status` or `inventory`, or `load`, `prepare` and `commit` on the same connection, with `abort` after each of the
first two; between them it may ask for what is `prepared`. A connection that ends with a change loaded or prepared has aborted it.
With `call` it asks for an operation by its name; each reply but the last says that there is `more`. What the client says
meanwhile ends the operation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar, get_args

from netprov.errors import Malformed

VERSION = 3
"""Of this protocol: a peer of another one is refused in words."""

LONGEST = 1 << 20
"""Octets of a line: an inventory's problems can be many."""

LONGEST_INVENTORY = 256 << 20
"""Octets of the line that holds an inventory: 100,000 phones with their master files take some 50 MB."""

Verb = Literal["status", "inventory", "load", "prepare", "prepared", "commit", "abort", "call"]
VERBS: tuple[Verb, ...] = get_args(Verb)

_Value = TypeVar("_Value")


class OtherVersion(Malformed):
    """The other end speaks another version of this protocol."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; `reason` says why it aborts or what has it loaded, `releases` what all processes let go for what is to be prepared.

    `operation` is what it calls, with its `arguments`.
    """

    verb: Verb
    reason: str = ""
    releases: tuple[str, ...] = ()
    operation: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """What one role serves at, and what it waits for."""

    name: str
    listening: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a process answers: `error` is empty if it did as it was asked.

    `fingerprint` tells inventories apart, so that all processes commit the same one; `differences` are in words;
    `releases` are the TCP ports that are let go for what was loaded, `10.20.0.1:80` each. `inventory` is what is served,
    or prepared, as `plan.stored` writes it. `answer` is what an operation says; `more` if it says something else after it.
    """

    process: int
    error: str = ""
    roles: tuple[RoleStatus, ...] = ()
    fingerprint: str = ""
    differences: tuple[str, ...] = ()
    inventory: str = ""
    releases: tuple[str, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)
    more: bool = False


def encode(message: Request | Reply) -> bytes:
    """Return a message as a line."""
    return json.dumps({"version": VERSION, **asdict(message)}).encode() + b"\n"


def decode_request(line: bytes) -> Request:
    """Read a request. Raises `Malformed`."""
    fields = _fields(line)
    reason = fields.get("reason", "")
    for verb in VERBS:
        if fields.get("verb") == verb and isinstance(reason, str):
            return Request(
                verb,
                reason,
                _texts(fields, "releases"),
                _typed(fields, "operation", str),
                _typed(fields, "arguments", dict),
            )
    raise Malformed("no such request")


def decode_reply(line: bytes) -> Reply:
    """Read a reply. Raises `Malformed`."""
    fields = _fields(line)
    return Reply(
        _typed(fields, "process", int),
        _typed(fields, "error", str),
        tuple(
            RoleStatus(_typed(each, "name", str), _texts(each, "listening"), _texts(each, "waiting"))
            for each in _typed(fields, "roles", list)
        ),
        _typed(fields, "fingerprint", str),
        _texts(fields, "differences"),
        _typed(fields, "inventory", str),
        _texts(fields, "releases"),
        _typed(fields, "answer", dict),
        _typed(fields, "more", bool),
    )


def _typed(fields: object, name: str, kind: type[_Value]) -> _Value:
    """Return one field of an object; nothing is converted: `true` is no number, and 7 no text."""
    value = fields.get(name) if isinstance(fields, dict) else None
    if type(value) is not kind:
        raise Malformed(f"not a message of netprov's: {name} is missing or of another type")
    return value


def _texts(fields: object, name: str) -> tuple[str, ...]:
    values = _typed(fields, name, list)
    if not all(isinstance(value, str) for value in values):
        raise Malformed(f"not a message of netprov's: {name} holds something else than texts")
    return tuple(values)


def _fields(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(fields, dict):
        raise Malformed("not an object")
    version = fields.get("version")
    if type(version) is not int or version != VERSION:
        raise OtherVersion(
            f"version {version} of the control protocol; this is {VERSION}: restart what is older"
        )
    return fields
