"""How a transaction reads: what is asked, where it stands, what the device answered."""

from __future__ import annotations

import time
from collections.abc import Iterator

from netprov.cwmp.transaction import NUMBERS
from netprov.runtime.operation import Fields


def when(moment: float) -> str:
    """Return a time for people, "" for never."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)) if moment else ""


def name_of(asked: Fields) -> str:
    """Return what a transaction is called."""
    return f"{NUMBERS}{asked['id']}"


def summary(arguments: Fields) -> str:
    """Return the arguments of a call in a line."""
    parts = []
    for name, value in arguments.items():
        if name in {"command_key", "parameter_key"} or value in ("", 0, [], ()):
            continue
        parts.append(_item(value))
    return " ".join(parts)


def _item(value: object) -> str:
    match value:
        case {"name": name, "value": text}:
            return f"{name}={text}"
        case {"name": name, **rest}:
            return " ".join((str(name), *(f"{key}={each}" for key, each in rest.items() if each is not None)))
        case list() | tuple():
            return " ".join(map(_item, value))
    return str(value)


def answer_lines(asked: Fields) -> Iterator[str]:
    """Yield what a device answered, a line for each parameter."""
    for name, value in asked["answer"].items():
        match value:
            case [] | "" | None:
                continue
            case list() if name == "names":
                yield from (f"{each[0]} {'writable' if each[1] else 'read-only'}" for each in value)
            case list():
                yield from map(_item, value)
            case _ if name == "number":
                yield f"instance {value}"
            case _:
                continue


def row(asked: Fields) -> tuple[str, ...]:
    """Return a transaction as a row of a table with these `HEADS`."""
    return (
        name_of(asked),
        asked["mac"] or asked["device"],
        asked["method"],
        summary(asked["arguments"]),
        asked["state"],
        asked["user"],
        when(asked["moved_at"]),
        asked["note"],
    )


HEADS = ("asked", "device", "method", "what", "state", "by", "since", "note")
