"""`netprov acs`: who the ACS knows, what to make phones do by TR-069, and what came of it."""

from __future__ import annotations

import click

from netprov.cli.verb.service.acs import call, device, history


@click.group()
def command() -> None:
    """Drive phones by TR-069: ask, set, load files, restart; the ACS does it in each phone's next session.

    \b
    Examples:
      netprov acs list --not-current                        phones that have not got their profile, and why
      netprov acs get -d desk1 Device.DeviceInfo. --wait    ask a phone, and wait for its answer
      netprov acs set --class cpe Device.ManagementServer.PeriodicInformInterval:unsignedInt=600
      netprov acs reboot -d desk1 --expires 1h              not if it has not Informed within the hour
      netprov acs history -d desk1                          who asked what of it, and what came of it
    """


for each in (*device.COMMANDS, *call.COMMANDS, *history.COMMANDS):
    command.add_command(each)
