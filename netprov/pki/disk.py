"""The files of a certificate store: private, replaced whole or not at all, changed by one process at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netprov.errors import PkiError

PRIVATE, PUBLIC, SHARED = 0o600, 0o644, 0o640
STAGED = ".staged-"
"""How the folders begin in which changes wait to be published (netprov.pki.stage)."""
_UNFINISHED = ".new-"


@dataclass(frozen=True, slots=True)
class Disk:
    """A directory; names are relative to it. Every refusal by the system becomes a `PkiError`."""

    directory: Path

    def path(self, name: str) -> Path:
        """Return the absolute path of a name."""
        return self.directory / name

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if there is no such file."""
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self.refused("read", name, error) from error

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the files of a folder in order of name, () if there is no such folder."""
        try:
            found = sorted(os.listdir(self.path(folder)))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self.refused("read", folder, error) from error
        return tuple(f"{folder}/{name}" for name in found if not name.startswith(_UNFINISHED))

    def write(self, name: str, data: bytes, mode: int = PRIVATE) -> None:
        """Replace a file: whoever reads it, and whatever is interrupted, finds the old content or the new.

        A private file is never readable by others, not even while it is written; in a directory that its operator has
        prepared for it (`is_shared`), by that directory's group.
        """
        target = self.path(name)
        unfinished = target.with_name(f"{_UNFINISHED}{os.getpid()}-{target.name}")
        try:
            self._folder(target.parent)
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
            try:
                _belong(handle, target if target.exists() else target.parent)
                os.fchmod(handle, mode)
                self._open_to_sharers(handle, target)
                view = memoryview(data)
                while view:
                    view = view[os.write(handle, view) :]
                os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(unfinished, target)
            self._sync(target.parent)
        except OSError as error:
            raise self.refused("write", name, error) from error

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        try:
            os.unlink(self.path(name))
            self._sync(self.path(name).parent)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self.refused("remove", name, error) from error

    def take(self, name: str, source: Path) -> None:
        """Put a file that is on disk already in the place of another, as `write` does."""
        target = self.path(name)
        try:
            self._folder(target.parent)
            handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                self._open_to_sharers(handle, target)
            finally:
                os.close(handle)
            os.replace(source, target)
            self._sync(target.parent)
        except OSError as error:
            raise self.refused("write", name, error) from error

    def link(self, name: str, source: Path) -> None:
        """Let a file be there under a name of ours, too."""
        try:
            self._folder(self.path(name).parent)
            os.link(source, self.path(name))
        except OSError as error:
            raise self.refused("write", name, error) from error

    def stages(self) -> tuple[Path, ...]:
        """Return the folders in which changes wait; for who holds the lock."""
        return tuple(sorted(self.directory.glob(f"{STAGED}*")))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store for oneself; leftovers of an interrupted writer are swept first."""
        try:
            self._folder(self.directory)
            handle = os.open(self.path(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
            _belong(handle, self.directory)
        except OSError as error:
            raise self.refused("open", ".lock", error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._sweep()
            yield
        finally:
            os.close(handle)

    def _open_to_sharers(self, handle: int, target: Path) -> None:
        """Let the group of a directory that is prepared for it read what is private there."""
        if is_shared(target.parent) and stat.S_IMODE(os.fstat(handle).st_mode) == PRIVATE:
            group = target.parent.stat().st_gid
            if os.fstat(handle).st_gid != group:  # what was made here has it; a unit may not change it
                os.fchown(handle, -1, group)
            os.fchmod(handle, SHARED)

    def is_ours(self) -> bool:
        """Say whether this process may change the store; one that is not there yet is its who can make it."""
        folder = self.directory
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return os.access(folder, os.W_OK | os.X_OK)

    def _folder(self, folder: Path) -> None:
        """Make a folder that others may enter, for the CA's certificate is public, but not list or change."""
        if not folder.is_dir():
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            _belong(folder, folder.parent)
            self._sync(folder.parent)

    def _sweep(self) -> None:
        for stage in self.stages():
            handle = os.open(stage, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # somebody is at it
            else:
                shutil.rmtree(stage, ignore_errors=True)
            finally:
                os.close(handle)
        for folder, _, names in os.walk(self.directory):
            for name in names:
                if name.startswith(_UNFINISHED):
                    os.unlink(os.path.join(folder, name))

    def _sync(self, folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def refused(self, verb: str, name: str, error: OSError) -> PkiError:
        """Return the error for what the system would not do, with the remedy."""
        return PkiError(
            f"cannot {verb} {self.path(name)}: {error.strerror}",
            "run as the user that owns the state directory, or name another with `--state` or `server.state`",
        )


def _belong(what: int | Path, like: Path) -> None:
    """Let what root makes belong to whom its directory does, or what it replaces: who runs the services must read it."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(what, owner.st_uid, owner.st_gid)


def is_shared(folder: Path) -> bool:
    """Say whether what is private in a directory is its group's too: that is what the set-group-ID bit says here."""
    try:
        return bool(folder.stat().st_mode & stat.S_ISGID)
    except OSError:
        return False


def random_serial(draw: Callable[[int], bytes] = os.urandom) -> int:
    """Draw a serial number: positive, 16 octets, most of them random (RFC 5280 4.1.2.2; CA/B forum asks 64 bits)."""
    return int.from_bytes(draw(16), "big") >> 1 | 1 << 126
