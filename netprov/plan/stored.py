"""A plan as one text, for a process that is to know what another one serves: its inventory with the master files, without places.

It is JSON. What JSON has no way to write stands in an object of one key that no inventory has: mappings whose keys are
numbers (options, their suboptions), and octets.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from pydantic import ValidationError

from netprov.errors import InventoryError, Malformed
from netprov.inventory.model import Inventory
from netprov.plan import Plan, derive

_PAIRS, _OCTETS = "\0pairs", "\0octets"


def store(plan: Plan) -> str:
    """Return a plan as JSON; master files that could not be read are left out."""
    inventory = plan.site.inventory
    written = _plain(inventory.model_dump(by_alias=True, exclude_unset=True))
    fields = {"directory": inventory.directory, "texts": dict(inventory.texts), "inventory": written}
    return json.dumps(fields, default=str)


def restore(text: str) -> Plan:
    """Return the plan of such a text. Raises `Malformed`."""
    try:
        fields = json.loads(text, object_hook=_read)
        directory, texts = fields["directory"], fields["texts"]
        if (
            not isinstance(directory, str)
            or not isinstance(texts, dict)
            or set(map(type, texts.values())) - {str}
        ):
            raise Malformed("no inventory with its master files")
        return derive(Inventory.model_validate(fields["inventory"]).with_texts(directory, texts))
    except ValidationError as error:
        raise Malformed(f"{error.error_count()} values are none of this version's") from error
    except InventoryError as error:
        raise Malformed(f"no plan follows from it: {error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed("no inventory with its master files") from error


def _plain(value: Any) -> Any:
    """Return what JSON can hold."""
    match value:
        case dict() if all(isinstance(key, str) for key in value):
            return {key: _plain(each) for key, each in value.items()}
        case dict():
            return {_PAIRS: [[key, _plain(each)] for key, each in value.items()]}
        case list() | tuple():
            return [_plain(each) for each in value]
        case bytes():
            return {_OCTETS: base64.b64encode(value).decode()}
    return value


def _read(fields: dict[str, Any]) -> Any:
    if _PAIRS in fields:
        return dict(fields[_PAIRS])
    if _OCTETS in fields:
        return base64.b64decode(fields[_OCTETS], validate=True)
    return fields
