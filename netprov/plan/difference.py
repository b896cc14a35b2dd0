"""What is different between two plans, in the operator's words, a section of the inventory each."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from netprov.plan import Plan

MOST = 5
"""Names that are listed; of more, the number."""


def differences(old: Plan, new: Plan) -> tuple[str, ...]:
    """Return a phrase for every section that differs: `phones: +00:12:34:ab:45:de`, `srv`."""
    before, after = old.site.inventory, new.site.inventory
    found = []
    for name in type(after).model_fields:
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            found.append(_section(name, one, other))
    if before.texts != after.texts:
        found.append("master files")
    return tuple(found)


def fingerprint(plan: Plan) -> str:
    """Return what tells the inventory of a plan from every other."""
    inventory = plan.site.inventory
    hashed = blake2b(inventory.model_dump_json().encode(), digest_size=16)
    for name, text in sorted(inventory.texts.items()):
        hashed.update(f"{name}\0{text}\0".encode())
    return hashed.hexdigest()


def _section(name: str, old: object, new: object) -> str:
    if name == "phones":
        old, new = _by_mac(old), _by_mac(new)
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return f"{name}: {old} is now {new}" if isinstance(new, str) else name
    added = [key for key in new if key not in old]
    gone = [key for key in old if key not in new]
    changed = [key for key in new if key in old and old[key] != new[key]]
    parts = [f"{sign}{_listed(keys)}" for sign, keys in (("+", added), ("-", gone), ("~", changed)) if keys]
    return f"{name}: {' '.join(parts)}" if parts else f"{name}: another order"


def _listed(keys: list[str]) -> str:
    return f"{len(keys)}" if len(keys) > MOST else ",".join(map(str, keys))


def _by_mac(phones: object) -> dict[str, object]:
    assert isinstance(phones, tuple)
    return {each.mac: each for each in phones}
