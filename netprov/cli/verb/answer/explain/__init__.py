"""`netprov explain`: why a phone gets what it gets, or why it does not, one subcommand a subject."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

from netprov.cli.colour import with_option
from netprov.cli.word import no_such
from netprov.mac import read_mac

SUBJECTS: Mapping[str, str] = {
    "phone": "What a phone will do on the LAN of the inventory, and what it will get.",
    "records": "What phones did, by what the running servers noted.",
    "capture": "What phones did, by the packets that tcpdump or Wireshark wrote.",
    "dhcp": "What DHCP would answer a client, and which line of the inventory says so.",
}
"""Each subcommand and its line of help; its module stands beside this one."""


class Subjects(click.Group):
    """A group that imports a subcommand only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the subjects."""
        return list(SUBJECTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand."""
        if cmd_name not in SUBJECTS:
            hint = f"did you mean `{ctx.command_path} phone {cmd_name}`?" if read_mac(cmd_name) else ""
            raise no_such(ctx, cmd_name, SUBJECTS, hint=hint)
        command = importlib.import_module(
            f"netprov.cli.verb.answer.explain.{cmd_name.replace('-', '_')}"
        ).command
        assert isinstance(command, click.Command)
        return with_option(command)


@click.group(cls=Subjects)
def command() -> None:
    """Say why a phone gets what it gets, or why it does not.

    \b
    Examples:
      netprov explain phone 00:12:34:ab:45:de           what will it do?
      netprov explain records 00:12:34:ab:45:de         what did it do?
      netprov explain capture phones.pcap               what do the packets say?
      netprov explain dhcp 00:12:34:ab:45:de            which line gives which option?
    """
