"""`netprov explain`: why a phone gets what it gets, one subcommand a subject."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

SUBJECTS: Mapping[str, str] = {
    "dhcp": "What DHCP would answer a client, and which line of the inventory says so.",
}
"""Each subcommand and its line of help; its module is `netprov.cli.explain_<subject>`."""


class Subjects(click.Group):
    """A group that imports a subcommand only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the subjects."""
        return list(SUBJECTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one subcommand."""
        if cmd_name not in SUBJECTS:
            return None
        command = importlib.import_module(f"netprov.cli.explain_{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Subjects)
def command() -> None:
    """Say why a phone gets what it gets.

    \b
    Examples:
      netprov explain dhcp 00:12:34:ab:45:de
    """
