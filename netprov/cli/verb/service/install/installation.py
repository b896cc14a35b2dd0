"""What `netprov install` has put on a machine, and what it would: files as they are there, users, directories.

A list of checksums, as `sha256sum` writes them, says what was written: a file that is otherwise was changed by somebody, and is
his. Deliberately absent: the program itself, which pip, pipx or the bundle have put where it is.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from netprov.cli.verb.service.install import unit
from netprov.errors import ServiceError

LIST = "usr/local/lib/netprov/installed.sha256"
LINK = "usr/local/bin/netprov"
"""By which shells, sudo and cron find the program."""
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - places that units do not see
"""What ProtectHome= and PrivateTmp= hide from the services: systemd.exec(5)."""
_PACKAGE = ("lib/systemd/system/netprov.target", "usr/lib/systemd/system/netprov.target")

Standing = Literal["new", "old", "same", "changed", "foreign"]
"""new: not there; old: as it was written, and there is a newer one; changed, foreign: somebody else wrote what is there."""


@dataclass(frozen=True, slots=True)
class File:
    """A file, by its path below the root, and how it stands there."""

    path: str
    text: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Installation:
    """A machine at `root`, with a program at `program` there."""

    root: Path
    program: str

    @property
    def live(self) -> bool:
        """Say whether it is the machine that this runs on, with systemd running it: sd_booted(3)."""
        return self.root == Path("/") and Path("/run/systemd/system").is_dir()

    def files(self) -> tuple[File, ...]:
        """Return what belongs there, each with its standing."""
        written = self.written()
        return tuple(
            File(path, text, _standing(_read(self.root / path), text, written.get(path)))
            for path, text in unit.files(self.program).items()
        )

    def written(self) -> Mapping[str, str]:
        """Return the checksum of each file as it was written here, by its path below the root."""
        try:
            lines = (self.root / LIST).read_text().splitlines()
        except OSError:
            return {}
        return {
            path.removeprefix("/"): checksum for checksum, _, path in (each.partition("  ") for each in lines)
        }

    def note(self, written: Mapping[str, str]) -> None:
        """Keep the checksums of what is written; none at all: forget that anything was."""
        path = self.root / LIST
        if written:
            place(path, "".join(f"{checksum}  /{name}\n" for name, checksum in sorted(written.items())))
        else:
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()

    def users(self) -> frozenset[str]:
        """Return which of our users and groups there are."""
        names = {
            line.partition(":")[0]
            for base in ("passwd", "group")
            for line in (_read(self.root / "etc" / base) or "").splitlines()
        }
        return frozenset(names.intersection((*unit.users(), *unit.groups())))

    def inside(self, path: str) -> Path:
        """Return where an absolute path of that machine is from here."""
        return self.root / path.lstrip("/")

    def linked(self) -> bool:
        """Say whether the command is on everybody's path: by a link of ours, or because the program is there itself."""
        link = self.root / LINK
        return self.program == f"/{LINK}" or (link.is_symlink() and str(link.readlink()) == self.program)

    def stale(self) -> bool:
        """Say whether the running systemd knows older files of our units than there are: systemd.unit(5), NeedDaemonReload."""
        return self.live and "yes" in self.run("systemctl", "show", "-P", "NeedDaemonReload", *unit.units())

    def run(self, *command: str) -> str:
        """Run a program of systemd's or of the users' database on that machine, and return what it prints.

        Raises `ServiceError` with what it says if it fails.
        """
        words = [*command[:1], *self._where(command[0]), *command[1:]]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        except FileNotFoundError:
            raise ServiceError(
                f"there is no {command[0]} here", "install systemd and passwd, or run `netprov serve`"
            ) from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise ServiceError(f"`{' '.join(words)}` failed: {said}", "mend that, and do the same again")
        return done.stdout

    def _where(self, program: str) -> Sequence[str]:
        if self.root == Path("/"):
            return ()
        return (f"--prefix={self.root}",) if program in {"userdel", "groupdel"} else (f"--root={self.root}",)


def checksum(text: str) -> str:
    """Return what `sha256sum` prints of a file."""
    return sha256(text.encode()).hexdigest()


def own_program() -> str:
    """Return the path of the program that runs. Raises `ServiceError` where it is in no environment of its own."""
    path = Path(sys.prefix) / "bin" / "netprov"
    if not path.is_file():
        raise ServiceError(f"there is no {path} that services could run", "name the program: --program PATH")
    return str(path)


def refusal(installation: Installation) -> tuple[str, str] | None:
    """Return why services could not run from there, and what to do; None if they can."""
    for packaged in _PACKAGE:
        if (installation.root / packaged).exists():
            return (
                f"the Debian package is installed: it has /{packaged}",
                "it needs no `netprov install`; or remove it first",
            )
    needed = [installation.inside(installation.program)]
    if not needed[0].exists():
        return f"there is no {needed[0]}", "install the program first, or name another: --program PATH"
    if installation.root == Path("/") and installation.program == str(Path(sys.prefix) / "bin" / "netprov"):
        needed.append(Path(sys.executable))
    for path in needed:
        if why := _out_of_reach(path.resolve(), installation.root.resolve()):
            return (
                f"services would not reach {path}: {why}",
                "install netprov where all can read it, in /opt: docs/operations.md shows how, with pip and with pipx",
            )
    return None


def place(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by all. Raises `ServiceError`."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text)
        new.chmod(0o644)
        new.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error


def link(path: Path, target: str) -> None:
    """Make a symbolic link. Raises `ServiceError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    except OSError as error:
        raise _unwritable(path, error) from error


def remove(path: Path) -> None:
    """Remove a file or a whole directory, if it is there. Raises `ServiceError`."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ServiceError:
    return ServiceError(
        f"cannot change {path}: {error.strerror}", "run it as root, on a file system that can be written"
    )


def _out_of_reach(path: Path, root: Path) -> str:
    seen = "/" + os.path.relpath(path, root)
    if hidden := next((each for each in _HIDDEN if seen.startswith(f"{each}/")), ""):
        return f"their units hide {hidden}"
    for above in path.parents:
        if not above.is_relative_to(root) or above == root:
            break
        if not above.stat().st_mode & stat.S_IXOTH:
            return f"only its owner can enter {above}"
    return ""


def _read(path: Path) -> str | None:
    """Return the text of a file, None where there is none; of a unit that is masked, which is a link to /dev/null, nothing."""
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return None


def _standing(there: str | None, text: str, written: str | None) -> Standing:
    if there is None:
        return "new"
    if there == text:
        return "same"
    if written is None:
        return "foreign"
    return "old" if checksum(there) == written else "changed"
