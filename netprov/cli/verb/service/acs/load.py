"""Which of the devices that are to load a firmware are of another family than it is made for; by the load's name alone.

Of a file that is not named as a load is, and of a model that the catalogue does not know, nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

from netprov.cwmp import rpc
from netprov.phone.handset.identity import model_named
from netprov.provision.firmware import load_family
from netprov.runtime.operation import Fields


def foreign(call: rpc.Rpc, devices: Sequence[Fields]) -> tuple[Fields, ...]:
    """Return the devices whose model cannot run the firmware that a call has them load."""
    if not isinstance(call, rpc.Download) or call.file_type != rpc.FIRMWARE:
        return ()
    family = load_family(load_of(call))
    return tuple(each for each in devices if family and _family(each["model"]) not in {"", family})


def load_of(call: rpc.Download) -> str:
    """Return the name of the file that a call has devices load."""
    return call.url.partition("?")[0].rpartition("/")[2]


def _family(model: str) -> str:
    known = model_named(model)
    return known.family if known.series else ""
