"""What a phone has written down: kept when its power goes, and between runs of the emulator where somebody asks.

A dump is plain data of texts, to be kept as JSON; what it holds of secrets is as secret as the phone's own flash.
"""

from __future__ import annotations

from collections.abc import Mapping

from netprov.errors import Malformed
from netprov.phone.handset.customization import Customization
from netprov.phone.handset.memory import Handset

FORM = 1
"""Of a dump; another one is refused."""


def dump(handset: Handset) -> dict[str, object]:
    """Return what is written down."""
    return {
        "form": FORM,
        "mac": handset.identity.mac,
        "software": handset.software,
        "parameters": dict(handset.parameters),
        "customization": str(handset.customization),
        "custom_roots": list(handset.custom_roots),
        "loaded_ca": handset.loaded_ca,
        "upgrade_done": handset.upgrade_done,
    }


def restore(handset: Handset, data: object) -> None:
    """Take a dump over. Raises `Malformed`."""
    match data:
        case {
            "form": 1,
            "mac": handset.identity.mac,
            "software": str(software),
            "parameters": dict(parameters),
            "customization": str(customization),
            "custom_roots": list(roots),
            "loaded_ca": str(loaded_ca),
            "upgrade_done": str(upgrade_done),
        } if customization in list(Customization) and _texts(parameters) and all(map(_text, roots)):
            handset.software = software
            handset.parameters = dict(parameters)
            handset.customization = Customization(customization)
            handset.custom_roots = tuple(roots)
            handset.loaded_ca, handset.upgrade_done = loaded_ca, upgrade_done
        case _:
            raise Malformed(f"not what the phone {handset.identity.mac} has written down")


def _texts(values: Mapping[object, object]) -> bool:
    return all(isinstance(name, str) and isinstance(value, str) for name, value in values.items())


def _text(value: object) -> bool:
    return isinstance(value, str)
