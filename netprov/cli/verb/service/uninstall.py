"""`netprov uninstall`: take back what `netprov install` did; state and configuration stay unless they are purged."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.cli.say import say

if TYPE_CHECKING:
    from netprov.cli.verb.service.install.installation import Installation


@click.command
@click.option("--apply", is_flag=True, help="Do it. Without this, say what would be done.")
@click.option("--root", metavar="DIR", default="/", help="Another machine's tree: an image, a chroot.")
@click.option("--program", metavar="PATH", help="The program that services ran. Default: this one.")
@click.option(
    "--purge", is_flag=True, help="Also what netprov keeps: the inventory, the CA's key, leases, users."
)
def command(*, apply: bool, root: str, program: str | None, purge: bool) -> int:
    """Stop netprov's services and remove their units; the inventory, the CA, leases and users stay unless --purge.

    Says what it would remove; `--apply` does it. A file that somebody has changed is kept, and said, unless --purge. The program
    itself stays: who installed it removes it (`rm -r /opt/netprov`, `pipx uninstall netprov`).

    \b
      netprov uninstall                     what it would do
      netprov uninstall --apply
      netprov uninstall --purge --apply     nothing is left: not the CA's key
    """
    from netprov.cli.verb.service.install.installation import Installation, own_program

    here = Installation(Path(root), program or own_program())
    removal = _removal(here, purge=purge)
    for line in removal.lines():
        say(line)
    if not removal.anything:
        say("nothing to do: nothing of it is here")
    elif apply:
        _apply(here, removal)
        say("done")
    else:
        say("nothing was changed: `--apply` does it")
    return 0


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes: units, files by their path below the root, kept things, users and groups; and which files stay."""

    units: Sequence[str]
    files: Sequence[str]
    kept: Sequence[str]
    purged: Sequence[str]
    users: Sequence[str]
    groups: Sequence[str]

    @property
    def anything(self) -> bool:
        """Say whether there is anything to remove."""
        return bool(self.files or self.purged or self.users or self.groups)

    def lines(self) -> tuple[str, ...]:
        """Return it for people, a line each."""
        return (
            *((f"stop     {' '.join(self.units)}",) if self.units else ()),
            *(f"remove   /{path}" for path in self.files),
            *(f"keep     /{path}: it is not as netprov installed it" for path in self.kept),
            *(f"purge    {path}" for path in self.purged),
            *(
                (f"users    {' '.join((*self.users, *self.groups))}: removed",)
                if self.users or self.groups
                else ()
            ),
        )


def _removal(here: Installation, *, purge: bool) -> Removal:
    from netprov.cli.verb.service.install import unit
    from netprov.cli.verb.service.install.installation import LINK, checksum

    ours = unit.files(here.program)
    written = here.written()
    files: list[str] = []
    kept: list[str] = []
    for path in sorted({*ours, *written}):
        there = here.root / path
        if not there.is_file():
            continue
        found = checksum(there.read_text(errors="replace"))
        known = {written.get(path), checksum(ours[path]) if path in ours else None}
        (files if purge or found in known else kept).append(path)
    units = tuple(name for name in unit.units() if f"etc/systemd/system/{name}" in files)
    if (here.root / LINK).is_symlink() and here.linked():
        files.append(LINK)
    there_are = here.users() if purge else frozenset()
    return Removal(
        units,
        files,
        kept,
        tuple(path for path in unit.KEPT if purge and here.inside(path).exists()),
        tuple(name for name in unit.users() if name in there_are),
        tuple(name for name in unit.groups() if name in there_are),
    )


def _apply(here: Installation, removal: Removal) -> None:
    from netprov.cli.verb.service.install.installation import remove

    if removal.units:
        here.run("systemctl", "disable", *(("--now",) if here.live else ()), *removal.units)
    written = {path: checksum for path, checksum in here.written().items() if path not in removal.files}
    for path in removal.files:
        remove(here.root / path)
        with suppress(OSError):
            # A directory of drop-ins, unless somebody has put one of his there.
            if path.count("/") > 3:
                (here.root / path).parent.rmdir()
    here.note(written)
    if here.live:
        here.run("systemctl", "daemon-reload")
    for path in removal.purged:
        remove(here.inside(path))
    for name in removal.users:
        here.run("userdel", name)
    for name in removal.groups:
        here.run("groupdel", name)
