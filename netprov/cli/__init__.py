"""The `netprov` command: one small module per verb, loaded when it is called."""

from __future__ import annotations

import errno
import importlib
import keyword
import os
import sys
from collections.abc import Mapping

import click

from netprov.cli.colour import with_option
from netprov.cli.say import say
from netprov.cli.word import no_such
from netprov.errors import InventoryError, NetprovError

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "inventory": {
        "init": "Write a first inventory for this machine, from its interfaces and a few answers.",
        "check": "Find every reason a phone would not provision, before it is plugged in.",
        "import": "Draft an inventory from dnsmasq, dhcpd, Kea, CSV or Ansible.",
        "schema": "Print the JSON Schema of the inventory, for editors.",
        "render": "Write what would be served as files: zones, each phone's DHCP options.",
        "plan": "Say what would change, and for whom, if the inventory were loaded.",
        "export": "Write the configuration of Kea, NSD, Knot or BIND from the inventory.",
        "compare": "Ask two servers the same, as every phone, and say where they differ.",
    },
    "service": {
        "serve": "Serve a staging LAN: DHCP, DNS, profiles; all roles or some.",
        "reload": "Let running services take the inventory as it is now: all of them or none.",
        "status": "Show on one screen what runs here: roles, pools, certificates, phones.",
        "watch": "Watch what happens, as it happens: each phone and where it stands, and what is told.",
        "log": "Show and set the log level of running services, each role for itself.",
        "drain": "Let running services take nothing new in, and end when what is under way is over.",
        "doctor": "Ask running services as phones would, and say what would stop each.",
        "phones": "Show what the servers know of each phone, and where it stands.",
        "acs": "Drive phones by TR-069: ask, set, load files, restart; see what came of it.",
        "leases": "List, show, release and export leases.",
        "cert": "Certificates: a local CA, or your own; show, issue, renew, revoke, import, export.",
        "state": "Back up what a server keeps, restore it, give it to a second server.",
        "install": "Make this machine run the services: units, users, directories.",
        "uninstall": "Take that back; state and inventory stay unless they are purged.",
    },
    "answer": {
        "explain": "Say what a phone gets, and which line of the inventory says so.",
        "query": "Ask what DNS says, and how phones and others read it.",
        "files": "List what a phone will ask for, over what, and what it gets.",
        "profile": "Show, encrypt and decrypt profiles.",
        "rule": "Say what a profile, upgrade or report rule means to a phone.",
        "decode": "Say what the octets of a DHCP option mean, and what is odd about them.",
    },
    "lab": {
        "demo": "Watch phones provision themselves on a virtual LAN.",
        "phone": "Boot emulated phones on a network, and show where each stops.",
        "handset": "Look at an emulated phone that lives, and press its keys.",
        "cloud": "Stand in for remote customization and activation codes in a lab.",
    },
}
"""Each verb and its line in `netprov --help`, by what it is about: by the folder of its module, `netprov.cli.verb.<folder>.<verb>`
(`import_` for the reserved word), which holds `command`; that returns its exit code (None is 0)."""

TITLES: Mapping[str, str] = {
    "inventory": "The inventory",
    "service": "The services",
    "answer": "What phones are told",
    "lab": "Without a phone",
}

EXIT_CODES: Mapping[int, str] = {
    0: "Fine.",
    1: "Findings: a check, comparison or examination found something.",
    2: "Usage, or an inventory that is wrong.",
    3: "Something failed at run time; the message says what and why.",
    4: "Unknown: there is no phone, lease or record of what was asked for.",
    130: "Interrupted.",
}

VERBS: Mapping[str, str] = {verb: folder for folder, verbs in SECTIONS.items() for verb in verbs}
"""Each verb, and its folder."""


class Verbs(click.Group):
    """A click group that imports a verb only when it runs, so that `netprov --help` is instant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an option of a verb's that stands before the verb, and say where it belongs."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            text = f"{error.option_name} is no option of `{ctx.command_path}` itself: a verb's options stand behind the verb"
            raise click.UsageError(text, ctx) from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order of the table, which is the order of use."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in VERBS:
            raise no_such(ctx, cmd_name, VERBS)
        name = cmd_name.replace("-", "_") + ("_" if keyword.iskeyword(cmd_name) else "")
        command = importlib.import_module(f"netprov.cli.verb.{VERBS[cmd_name]}.{name}").command
        assert isinstance(command, click.Command)
        return with_option(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without importing any."""
        widest = max(map(len, VERBS))
        for folder, verbs in SECTIONS.items():
            with formatter.section(TITLES[folder]):
                formatter.write_dl([(verb.ljust(widest), line) for verb, line in verbs.items()])


_UNSAID = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE})
"""How standard output fails: a full disk, a terminal that has gone, a reader that has heard enough."""


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="netprov", message="%(prog)s %(version)s")
def group() -> None:
    """Provision Cisco multiplatform (MPP) phones on a staging LAN from one YAML file."""


with_option(group)


def main() -> None:
    """Run the command, and turn errors into text and exit codes."""
    try:
        code = group(prog_name="netprov", standalone_mode=False)
        if sys.stdout is not None:  # it may be closed
            sys.stdout.flush()
        sys.exit(code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except InventoryError as error:
        say(str(error), err=True)
        sys.exit(2)
    except NetprovError as error:
        say(f"netprov: {error}", err=True)
        sys.exit(3)
    except OSError as error:
        if error.errno not in _UNSAID or error.filename is not None:
            raise
        sys.exit(_unsaid(error))


def _unsaid(error: OSError) -> int:
    """Tell that standard output takes nothing more, and return the exit code; a reader that has gone is no fault."""
    # What waits to be written would fail once more at the end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if error.errno == errno.EPIPE:
        return 1
    say(f"netprov: what it says cannot be written: {error.strerror}", err=True)
    say("    make room, or send it elsewhere; what was to be done may be done", err=True)
    return 3
