"""`netprov state`: back up a server's state, restore it, give it to a second server."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from netprov.cli.site import inventory_option
from netprov.cli.verb.service.cert.desk import password, write_private
from netprov.cli.word import Words
from netprov.errors import ServiceError
from netprov.runtime.control.client import statuses
from netprov.state import archive

_password_option = click.option(
    "--password-file",
    metavar="FILE",
    help="The file's password; else $NETPROV_PASSWORD, else it is asked for.",
)
_state_option = click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")


@click.group(cls=Words, no_args_is_help=True)
def command() -> None:
    """Back up what a server keeps, restore it, or give it to a second server.

    Servers of one inventory need one CA and one set of secrets, or phones cannot trust or decrypt after a failover. Both
    verbs are also the backup: one encrypted file with CA, chains, secrets and serials of zones; leases and device records
    if asked for.

    \b
    Examples:
      netprov state export site.netprov                   on the first server
      netprov state import site.netprov                   on the second one, before it is started
      netprov state export --records backup.netprov       with leases and device records
    """


@command.command("export")
@click.argument("out", metavar="FILE")
@inventory_option
@_state_option
@_password_option
@click.option("--records", is_flag=True, help="With leases and device records.")
def export(out: str, *, file: str | None, state: str | None, password_file: str | None, records: bool) -> int:
    """Write CA, chains, secrets and serials into one encrypted FILE; services may run meanwhile."""
    held = archive.gather(_directory(file, state), records=records, now=time.time())
    data = archive.encrypt(held, _password(password_file, new=True))
    write_private(out, data)
    click.echo(f"{out}: {len(held.files)} files, encrypted; keep the password elsewhere")
    return 0


@command.command("import")
@click.argument("given", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@inventory_option
@_state_option
@_password_option
@click.option("--replace", is_flag=True, help="Also if another CA is there, which is given up.")
def import_(
    given: str, *, file: str | None, state: str | None, password_file: str | None, replace: bool
) -> int:
    """Take CA, chains, secrets and serials from FILE; running services take them over within seconds."""
    data = Path(given).read_bytes()
    archive.recognise(data)  # before a password is asked for in vain
    held = archive.decrypt(data, _password(password_file, new=False))
    directory = _directory(file, state)
    if held.with_records and any(statuses(directory)):
        raise ServiceError(
            f"services run with {directory}, and {given} holds leases or records, which they write",
            "stop them first: `systemctl stop netprov.target`",
        )
    directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    names = archive.restore(held, directory, replace=replace)
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(held.made))
    click.echo(f"{directory}: {len(names)} files as of {made}")
    return 0


def _password(file: str | None, *, new: bool) -> str:
    given = password(file).decode()
    if not given and not terminal():
        raise click.UsageError(
            "there is no terminal to ask for the file's password: give it by --password-file FILE or in $NETPROV_PASSWORD"
        )
    return given or str(click.prompt("Password", hide_input=True, confirmation_prompt=new))


def terminal() -> bool:
    """Tell whether somebody can be asked: on standard input, or on the terminal that started this."""
    if sys.stdin.isatty():
        return True
    try:
        with Path("/dev/tty").open("rb"):
            return True
    except OSError:
        return False


def _directory(file: str | None, state: str | None) -> Path:
    if state:
        return Path(state)
    from netprov.cli.site import open_document

    return Path(open_document(file).inventory.server.state)
