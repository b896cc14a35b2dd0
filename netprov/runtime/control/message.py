"""What goes over a control socket: one JSON object a line, each way.

A client asks `status`, or `prepare` and then `commit` or `abort` on the same connection. A connection that ends with a
change prepared has aborted it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from netprov.errors import Malformed

VERSION = 1
"""Of this protocol: a peer of another one is refused in words."""

LONGEST = 1 << 20
"""Octets of a line: an inventory's problems can be many."""

Verb = Literal["status", "prepare", "commit", "abort"]
VERBS: tuple[Verb, ...] = get_args(Verb)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; `reason` says why it aborts."""

    verb: Verb
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """What one role serves at, and what it waits for."""

    name: str
    listening: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a process answers: `error` is empty if it did as it was asked.

    `fingerprint` tells inventories apart, so that all processes commit the same one; `differences` are in words.
    """

    process: int
    error: str = ""
    roles: tuple[RoleStatus, ...] = ()
    fingerprint: str = ""
    differences: tuple[str, ...] = ()


def encode(message: Request | Reply) -> bytes:
    """Return a message as a line."""
    return json.dumps({"version": VERSION, **asdict(message)}).encode() + b"\n"


def decode_request(line: bytes) -> Request:
    """Read a request. Raises `Malformed`."""
    fields = _fields(line)
    reason = fields.get("reason", "")
    for verb in VERBS:
        if fields.get("verb") == verb and isinstance(reason, str):
            return Request(verb, reason)
    raise Malformed("no such request")


def decode_reply(line: bytes) -> Reply:
    """Read a reply. Raises `Malformed`."""
    fields = _fields(line)
    try:
        return Reply(
            int(fields["process"]),
            str(fields["error"]),
            tuple(
                RoleStatus(
                    str(each["name"]), tuple(map(str, each["listening"])), tuple(map(str, each["waiting"]))
                )
                for each in fields["roles"]
            ),
            str(fields["fingerprint"]),
            tuple(map(str, fields["differences"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("not a reply of netprov's") from error


def _fields(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(fields, dict):
        raise Malformed("not an object")
    if fields.get("version") != VERSION:
        raise Malformed(
            f"version {fields.get('version')} of the control protocol; this is {VERSION}: restart what is older"
        )
    return fields
