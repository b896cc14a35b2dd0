"""`netprov install`: units, users and directories for a machine that has netprov, but not by the Debian package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.cli.say import say
from netprov.errors import ServiceError

if TYPE_CHECKING:
    from netprov.cli.verb.service.install.installation import Installation

NEXT = "Next: netprov init, netprov check, then systemctl start netprov.target"


@click.command
@click.option("--apply", is_flag=True, help="Do it. Without this, say what would be done.")
@click.option("--root", metavar="DIR", default="/", help="Another machine's tree: an image, a chroot.")
@click.option(
    "--program",
    metavar="PATH",
    help="The program that services run, as that machine sees it. Default: this one.",
)
def command(*, apply: bool, root: str, program: str | None) -> int:
    """Make this machine run netprov's services: what the Debian package does, for those who do not have it.

    Says which files, users, directories and units it would add; `--apply` does it. A file that somebody has changed is kept,
    and said. What is there already is left as it is, so it can be run again, and after each upgrade. Services are
    started by `systemctl start netprov.target`, once there is an inventory; those that run are restarted if their units
    change. `netprov uninstall` takes it back.

    \b
      netprov install                       what it would do
      netprov install --apply
      netprov install --root /mnt/image --program /opt/netprov/bin/netprov --apply
    """
    from netprov.cli.verb.service.install.installation import Installation, own_program, refusal

    here = Installation(Path(root), program or own_program())
    if not here.root.is_dir():
        raise ServiceError(f"there is no directory {root}", "name the root of a tree")
    if why := refusal(here):
        raise ServiceError(*why)
    lines = _todo(here)
    for line in (*lines, *_kept(here)):
        say(line)
    if not lines:
        say("nothing to do: all of it is there")
    elif apply:
        _apply(here)
        say(f"done. {NEXT}")
    else:
        say("nothing was changed: `--apply` does it")
    return 0


def _todo(here: Installation) -> tuple[str, ...]:
    """Return what is to be done, a line each."""
    from netprov.cli.verb.service.install import unit
    from netprov.cli.verb.service.install.installation import LINK

    files = here.files()
    names = [name for name in (*unit.users(), *unit.groups()) if name not in here.users()]
    missing = [each for each in unit.directories() if not here.inside(each).is_dir()]
    enable = _enabled_now(here)
    return (
        *(f"write    /{each.path}" for each in files if each.standing == "new"),
        *(f"renew    /{each.path}" for each in files if each.standing == "old"),
        *(() if here.linked() or _link_taken(here) else (f"link     /{LINK} -> {here.program}",)),
        *((f"users    {' '.join(names)}",) if names else ()),
        *((f"make     {' '.join(missing)}",) if missing else ()),
        *((f"enable   {' '.join(enable)}",) if enable else ()),
        *(("restart  the services that run",) if _stale(here) else ()),
    )


def _kept(here: Installation) -> tuple[str, ...]:
    from netprov.cli.verb.service.install.installation import LINK

    lines = [
        f"keep     /{each.path}: it is not as netprov installed it. `systemctl edit` changes a unit beside it;"
        " to have ours, remove the file and run this again"
        for each in here.files()
        if each.standing in {"changed", "foreign"}
    ]
    if _link_taken(here):
        lines.append(f"keep     /{LINK}: it is another program's")
    return tuple(lines)


def _apply(here: Installation) -> None:
    from netprov.cli.verb.service.install import unit
    from netprov.cli.verb.service.install.installation import LINK, checksum, link, place

    files, enable, written, stale = here.files(), _enabled_now(here), dict(here.written()), _stale(here)
    ours = [each for each in files if each.standing in {"new", "old", "same"}]
    for each in ours:
        # A unit is on the list when it has been enabled: what is broken off before that is done again.
        if Path(each.path).name not in enable:
            written[each.path] = checksum(each.text)
    here.note(written)
    for each in ours:
        if each.standing != "same":
            place(here.root / each.path, each.text)
    if not here.linked() and not _link_taken(here):
        link(here.root / LINK, here.program)
    here.run("systemd-sysusers", "netprov.conf")
    here.run("systemd-tmpfiles", "--create", "netprov.conf")
    if here.live:
        here.run("systemctl", "daemon-reload")
    if enable:
        here.run("systemctl", "enable", *enable)
    here.note(written | {each.path: checksum(each.text) for each in ours})
    if stale:
        here.run("systemctl", "try-restart", *unit.enabled())


def _stale(here: Installation) -> bool:
    return here.live and (any(each.standing == "old" for each in here.files()) or here.stale())


def _enabled_now(here: Installation) -> tuple[str, ...]:
    """Return the units that are enabled: those that are new here. One that was there and is disabled, is so on purpose."""
    from netprov.cli.verb.service.install import unit

    written = here.written()
    new = {
        Path(each.path).name
        for each in here.files()
        if each.standing in {"new", "same"} and each.path not in written
    }
    return tuple(name for name in unit.enabled() if name in new)


def _link_taken(here: Installation) -> bool:
    from netprov.cli.verb.service.install.installation import LINK

    there = here.root / LINK
    return not here.linked() and (there.exists() or there.is_symlink())
