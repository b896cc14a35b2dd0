"""The virtual LAN on which `netprov demo` tries an inventory: further phones, and what is to go wrong."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from netprov.errors import BadValue
from netprov.inventory.model.scalar import Names, Record

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|)\Z")


def _milliseconds(value: Any) -> float:
    matched = _SPAN.match(str(value).strip().lower())
    if not matched or isinstance(value, bool):
        raise BadValue(f"{value!r} is not a time span", "write 20ms, 1.5s or a number of milliseconds")
    return float(matched[1]) * (1000 if matched[2] == "s" else 1)


Milliseconds = Annotated[
    float,
    BeforeValidator(_milliseconds),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|)$"}],
            "examples": ["20ms"],
        }
    ),
]
"""A time span in milliseconds; written 20ms, 1.5s or a plain number of milliseconds."""

Percent = Annotated[float, Field(ge=0, le=100)]


class Cable(Record):
    """What the cable of every phone does to frames, each way."""

    loss: Percent = Field(default=0, description="Percentage of frames lost.")
    duplicate: Percent = Field(default=0, description="Percentage of frames that arrive twice.")
    delay: Milliseconds = Field(default=0, description="How long a frame is under way.")
    jitter: Milliseconds = Field(default=0, description="Up to how much more or less; reorders frames.")
    seed: int = Field(default=1, description="The same seed gives the same faults.")


class Outage(Record):
    """The server dies (kill -9) while phones boot, and is started again."""

    after: Milliseconds = Field(default=500, description="When, counted from the phones' power-up.")
    lasts: Milliseconds = Field(default=2000, description="How long it is away.")


class Lab(Record):
    """How `netprov demo` builds this LAN; `netprov serve` ignores it."""

    phones: int = Field(default=0, ge=0, le=1000, description="Phones to boot beside the listed ones.")
    model: str = Field(default="CP-8851-3PCC", description="Their model.")
    network: str | None = Field(
        default=None, description="Their network; default: the first.", examples=["voice"]
    )
    cable: Cable | None = Field(default=None, description="Faults of every phone's cable. Default: none.")
    down: Names = Field(
        default=(), description="Names under `hosts:` that do not answer: no machine has their addresses."
    )
    outage: Outage | None = Field(default=None, description="A crash of the server. Default: none.")
    expect: int | None = Field(
        default=None, ge=0, description="How many phones will be provisioned. Default: all."
    )
