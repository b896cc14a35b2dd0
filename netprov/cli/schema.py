"""`netprov schema`: the JSON Schema of the inventory, by which editors complete and explain it."""

from __future__ import annotations

import json

import click

from netprov.inventory.model import Inventory


@click.command()
def command() -> None:
    """Print the JSON Schema of the inventory (a copy is config/netprov.schema.json).

    \b
      netprov schema > netprov.schema.json

    Editors with a YAML language server complete and explain an inventory that begins with:

    \b
      # yaml-language-server: $schema=netprov.schema.json
    """
    click.echo(schema_text())


def schema_text() -> str:
    """Return the schema as text."""
    schema = Inventory.model_json_schema(by_alias=True)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "netprov inventory",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False)
