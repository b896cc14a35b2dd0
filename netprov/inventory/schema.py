"""The JSON Schema of the inventory and its reference in Markdown, both made from the model.

pydantic's schema, without the titles it makes up, with an example on every field, and with `phones: {csv: …}`, which
the loader takes before the model sees it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from netprov.inventory.model import Inventory
from netprov.inventory.yaml.flow import flow

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class KnownName:
    """A parameter that editors offer under `values:`: what it is, and texts that it takes."""

    name: str
    description: str
    values: tuple[str, ...] = ()


def schema(parameters: Iterable[KnownName] = ()) -> Schema:
    """Return the JSON Schema of an inventory; editors offer these `parameters` by name."""
    whole = Inventory.model_json_schema(by_alias=True)
    definitions: Schema = whole["$defs"]
    for section in (whole, *definitions.values()):
        for field in section.get("properties", {}).values():
            field.pop("title", None)
            field.pop("propertyNames", None)
            if "patternProperties" in field:
                (field["additionalProperties"],) = field.pop("patternProperties").values()
            if "$ref" in field:
                field.setdefault("description", definitions[field["$ref"].rpartition("/")[2]]["description"])
                field.pop("default", None)
            if "examples" not in field:
                field["examples"] = _examples(field, definitions)
    for section in (whole, definitions["Domain"]):
        hosts = section["properties"]["hosts"]
        hosts["additionalProperties"] = {"anyOf": [*_addresses(), hosts["additionalProperties"]]}
    phones = whole["properties"]["phones"]
    listed = {key: phones.pop(key) for key in ("type", "items")}
    phones["anyOf"] = [listed, _csv()]
    value = definitions["Profile"]["properties"]["values"]["additionalProperties"]
    definitions["Value"] = {"description": "A parameter's value: text, or what a Parameter says.", **value}
    definitions["Values"] = _values(parameters)
    for name in ("Provisioning", "PhoneClass", "Profile", "Phone"):
        values = definitions[name]["properties"]["values"]
        del values["additionalProperties"], values["type"]
        values["$ref"] = "#/$defs/Values"
    whole["patternProperties"] = {
        "^x-": {"description": "A place for anchored values; it says nothing itself."}
    }
    return {"$schema": DIALECT, **whole, "title": "netprov inventory"}


def _values(parameters: Iterable[KnownName]) -> Schema:
    """Return parameters by name; those that nobody knows are allowed too, for newer phones."""
    known: Schema = {}
    for each in parameters:
        known[each.name] = {"$ref": "#/$defs/Value", "description": each.description}
        if each.values:
            known[each.name]["examples"] = list(each.values)
    return {
        "description": "Parameters by their XML names; editors offer the ones that multiplatform phones know.",
        "type": "object",
        "properties": known,
        "additionalProperties": {"$ref": "#/$defs/Value"},
    }


def schema_text(parameters: Iterable[KnownName] = ()) -> str:
    """Return the schema as it is published."""
    return json.dumps(schema(parameters), indent=2, ensure_ascii=False) + "\n"


def _addresses() -> list[Schema]:
    address = {"type": "string", "examples": ["10.20.0.11"]}
    return [address, {"type": "array", "items": address}]


def _csv() -> Schema:
    texts = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    field = {**texts, "description": "CSV files with one phone a line.", "examples": ["phones.csv"]}
    return {
        "type": "object",
        "properties": {"csv": field},
        "required": ["csv"],
        "additionalProperties": False,
    }


def _examples(field: Schema, definitions: Schema, depth: int = 0) -> list[Any]:
    """Return examples that follow from a field's type: its choices, its type's own, or its members'."""
    if "examples" in field:
        return list(field["examples"])
    if "enum" in field:
        return list(field["enum"])
    if "const" in field:
        return [field["const"]]
    if field.get("type") == "boolean":
        return [not field.get("default", False)]
    if field.get("default") not in (None, {}, [], ""):
        return (
            [field["default"]]
            if not isinstance(field["default"], dict)
            else _of_type(field, definitions, depth)
        )
    return _of_type(field, definitions, depth)


def _of_type(field: Schema, definitions: Schema, depth: int) -> list[Any]:
    if "$ref" in field:
        return _of_section(definitions[field["$ref"].rpartition("/")[2]], definitions, depth + 1)
    for choice in field.get("anyOf", ()):
        if choice.get("type") != "null" and (found := _examples(choice, definitions, depth)):
            return found
    if field.get("type") == "array":
        inner = _examples(field["items"], definitions, depth)
        return [inner[:1]] if inner else []
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict):
        inner = _examples(field["additionalProperties"], definitions, depth)
        return [{"name": inner[0]}] if inner else []
    if field.get("type") in {"integer", "number"} and "minimum" in field:
        return [field["minimum"]]
    return []


def _of_section(section: Schema, definitions: Schema, depth: int) -> list[Any]:
    """Return one section as an example: its required keys, or else its first."""
    if depth > 2:
        return []
    keys = section.get("required") or list(section["properties"])[:1]
    example = {}
    for key in keys:
        if found := _examples(section["properties"][key], definitions, depth):
            example[key] = found[0]
    return [example] if example else []


def reference() -> str:
    """Return docs/inventory.md's reference of every key, in Markdown."""
    whole = schema()
    parts = list(_section("The inventory", whole))
    for name, section in whole["$defs"].items():
        parts += _section(name, section)
    return "\n".join(parts)


def _section(name: str, section: Schema) -> Iterator[str]:
    yield f"### {name}\n"
    if section.get("description"):
        yield f"{section['description']}\n"
    required = section.get("required", [])
    for key, field in section.get("properties", {}).items():
        kind = _kind(field)
        default = "required" if key in required else _default(field)
        example = f" For example `{key}: {flow(field['examples'][0])}`." if field["examples"] else ""
        yield f"- `{key}` ({kind}; {default}): {field['description']}{example}"
    yield ""


def _kind(field: Schema) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        kinds = [_kind(each) for each in field["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field:
        return " or ".join(f"`{each}`" for each in field["enum"])
    match field.get("type"):
        case "array":
            return f"list of {_kind(field['items'])}"
        case "object" if isinstance(field.get("additionalProperties"), Mapping):
            return f"mapping to {_kind(field['additionalProperties'])}"
        case "object":
            return "mapping"
        case "string":
            return "text"
        case "integer":
            return "whole number"
        case "boolean":
            return "true or false"
        case "number":
            return "number"
    return f"`{field['const']}`" if "const" in field else "any value"


def _default(field: Schema) -> str:
    default = field.get("default")
    if default in (None, [], {}, "") or isinstance(default, dict):
        return "optional"
    return f"default `{flow(default)}`"
