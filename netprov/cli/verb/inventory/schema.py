"""`netprov schema`: the JSON Schema of the inventory, by which editors complete and explain it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from netprov.inventory.schema import KnownName, reference, schema_text
from netprov.provision.parameter.catalogue import Kind, KnownParameter, example_name, known_parameters

KINDS: Mapping[Kind, str] = {
    "bool": "Yes or No",
    "choice": "One of its texts",
    "int": "A whole number",
    "seconds": "A number of seconds",
    "seconds-list": "Seconds, `n+r` with a random part, several joined by commas",
    "time": "A time of day",
    "ip": "An address",
    "host": "A host",
    "url": "A URL",
    "rule": "A rule of the phone: `netprov rule`",
    "text": "Text",
    "password": "A password or key: `{{ secret('NAME') }}`",
}
"""What editors say of a parameter, by its type."""


@click.command()
@click.option("--markdown", is_flag=True, help="Print the reference of every key, as in docs/inventory.md.")
def command(*, markdown: bool) -> None:
    """Print the JSON Schema of the inventory; a copy is config/netprov.schema.json.

    \b
      netprov schema > netprov.schema.json

    Editors with a YAML language server complete and explain an inventory that begins with:

    \b
      # yaml-language-server: $schema=netprov.schema.json
    """
    click.echo(page() if markdown else published(), nl=False)


def published() -> str:
    """Return config/netprov.schema.json: the model's schema, with the names of parameters."""
    return schema_text(_names())


def _names() -> Iterator[KnownName]:
    for parameter in known_parameters():
        values = ("Yes", "No") if parameter.kind == "bool" else _values(parameter)
        ranges = f", {parameter.values.replace('|', ' or ')}" if parameter.values and not values else ""
        since = f"; new or changed in {parameter.since}" if parameter.since else ""
        whose = f"; of {parameter.series.replace('|', ', ')}" if parameter.series else ""
        yield KnownName(example_name(parameter), f"{KINDS[parameter.kind]}{ranges}{whose}{since}.", values)


def _values(parameter: KnownParameter) -> tuple[str, ...]:
    return tuple(parameter.values.split("|")) if parameter.kind == "choice" and parameter.values else ()


def page() -> str:
    """Return docs/inventory.md."""
    return f"{_INTRODUCTION}\n{reference()}"


_INTRODUCTION = """\
# The inventory

One YAML file says what a staging LAN is; everything that is served follows from it. Two lines are complete:

    domain: example.com
    networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}

config/staging.yaml is Cisco's own example with all its parts. Verbs read the file that `-f` names, else the one in
`$NETPROV_FILE`, else `netprov.yaml` in this directory, else `/etc/netprov/netprov.yaml`.

## How it is read

- YAML 1.2 with the core schema: `no`, `on`, `1:20`, dates and unquoted MAC addresses are text. Where text is wanted, a
  number is taken digit by digit: `serial: 007` is `007`.
- Anchors, aliases and merges (`<<: *defaults`) work, and top-level keys that begin with `x-` are places for anchored values;
  aliases that expand to more than a million values are refused.
- A value may stand where a list is meant: `dns: 10.20.0.1`.
- Time spans are seconds, or `90s`, `30m`, `1h`, `2d`, `1w`.
- Duplicate and unknown keys, a second document, tabs, control characters, other encodings than UTF-8, files over
  64 MiB and more than 40 levels of nesting are errors. All problems come at once, each with file, line and column.
- `include: [phones.yaml, rooms/*.yaml]` adds the sections of other files, named relative to the including one: mappings
  are joined key by key, lists one after the other, and what two files both say is an error.
- `phones: {csv: phones.csv}` reads phones from CSV, one a line below a header. Columns are a phone's keys, beside
  `values.NAME` and `options.NUMBER`; the separator is a comma, a semicolon or a tab; empty cells are left out, and so
  are lines that begin with `#`.
- Editors with a YAML language server complete and explain the file if it begins with
  `# yaml-language-server: $schema=netprov.schema.json`; `netprov schema` prints that file.

## From another server

`netprov import FILE` drafts an inventory from dnsmasq.conf, ISC dhcpd.conf, kea-dhcp4.conf, a CSV list of phones or an
Ansible inventory (INI or YAML). What it keeps, and what it lists instead: [import.md](import.md).

## Every key

Made by `netprov schema --markdown`, this page included.
"""
