"""Phones added to a CSV file of the inventory, in which nothing else changes.

Whoever reads the file, and whatever is interrupted, finds it without the phone or with all of it: it is written anew beside
itself, brought to the disk and put in its place. Who adds to files of one directory does so one after the other.
"""

from __future__ import annotations

import csv
import fcntl
import glob
import io
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from netprov.errors import InventoryError, Place, Problem, ServiceError
from netprov.inventory.model import Phone
from netprov.inventory.sheet import COLUMNS, Listed, header_line, read_sheet, separator_of
from netprov.inventory.words import problems
from netprov.inventory.yaml.mark import split, value_position
from netprov.inventory.yaml.source import decode
from netprov.mac import read_mac

HEADER = ("mac", "model", "serial", "class")
"""The columns of a file that is made for scanned phones."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Known:
    """A phone that is in the file already: what it has in common with the one to add, and where it is."""

    key: str
    value: str
    mac: str
    place: Place


def make_sheet(path: Path, like: Path) -> None:
    """Make a CSV file without phones, readable by whom another file is; one that is there stays. Raises `ServiceError`."""
    with _locked(path):
        if not path.exists():
            _replace(path, (",".join(HEADER) + "\n").encode(), like)


def add_phone(path: Path, phone: Mapping[str, str]) -> Place | Known:
    """Add a phone to a CSV file, and return where it stands; or which one there has its MAC address or serial number.

    Raises `InventoryError` for a file or a phone that no inventory takes, `ServiceError` if it cannot be written.
    """
    _judge(phone, path)
    with _locked(path):
        data = _content(path)
        text = decode(data, str(path))
        listed = read_sheet(text, str(path), 0)
        if listed.problems:
            raise InventoryError(listed.problems)
        found = _known(listed, phone, str(path))
        if found is not None:
            return found
        added = _added(text, phone, str(path))
        _replace(path, (_BOM if data.startswith(_BOM) else b"") + added.encode(), path)
        return Place(str(path), len(added.splitlines()), 1)


def _judge(phone: Mapping[str, str], path: Path) -> None:
    """Let the model judge a phone before it is written. Raises `InventoryError`."""
    try:
        Phone.model_validate(dict(phone))
    except ValidationError as error:
        place = Place(str(path))
        raise InventoryError([each.at(place) for each in problems(error, dict(phone))]) from error


def _known(listed: Listed, phone: Mapping[str, str], name: str) -> Known | None:
    for each, mark in zip(listed.phones, listed.marks, strict=True):
        mac = read_mac(each.get("mac", ""))
        for key, value in (("mac", mac), ("serial", each.get("serial", "").upper())):
            if value and value == phone.get(key, ""):
                return Known(key, value, mac, Place(name, split(value_position(mark))[1], 1))
    return None


def _added(text: str, phone: Mapping[str, str], name: str) -> str:
    """Return a file's text with a line for a phone, and with the columns that it lacks for that."""
    lines = text.splitlines(keepends=True)
    header = header_line(lines)
    assert header is not None
    line = lines[header].rstrip("\r\n")
    ending = lines[header][len(line) :]
    separator = separator_of(line)
    if line.count('"') % 2:
        place = Place(name, header + 1, 1)
        message = "the header goes over more than one line, and no phone can be added below it"
        raise InventoryError([Problem("csv", message, "write the header on one line", place=place)])
    columns = [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
    missing = [key for key in COLUMNS if phone.get(key) and key not in columns]
    lines[header] = separator.join((line, *missing)) + ending
    if not lines[-1].endswith(("\n", "\r")):
        lines[-1] += ending or "\n"
    row = io.StringIO()
    cells = [phone.get(column, "") for column in (*columns, *missing)]
    csv.writer(row, delimiter=separator, lineterminator=ending or "\n").writerow(cells)
    return "".join(lines) + row.getvalue()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _refused("read", path, error) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the directory of a file; a lock of the file itself would go with it when it is replaced."""
    folder = Path(os.path.realpath(path)).parent
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _refused("open", folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace_file(path: Path, text: str, like: Path) -> None:
    """Put a text in the place of a file, whole or not at all, for whom another file is. Raises `ServiceError`."""
    with _locked(path):
        _replace(path, text.encode(), like)


def _replace(path: Path, data: bytes, like: Path) -> None:
    """Write a file anew, with owner and permissions of another; a link stays one."""
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f".{target.name}.new-{os.getpid()}")
    try:
        for left in target.parent.glob(f".{glob.escape(target.name)}.new-*"):
            left.unlink()  # of somebody who was interrupted: who writes now holds the lock
        kept = like.stat()
        handle = os.open(
            unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            with suppress(
                PermissionError
            ):  # another's file that this user may write: the group at least, if it may
                os.fchown(handle, -1, kept.st_gid)
                os.fchown(handle, kept.st_uid, -1)
            os.fchmod(handle, stat.S_IMODE(kept.st_mode))
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(unfinished, target)
        _sync(target.parent)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise _refused("write", path, error) from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refused(what: str, path: Path, error: OSError) -> ServiceError:
    remedy = "run it as a user who may write there, or mend what the system says; nothing was changed"
    return ServiceError(f"cannot {what} {path}: {error.strerror or error}", remedy)
