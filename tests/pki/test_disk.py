from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from netprov.errors import PkiError
from netprov.pki.disk import PUBLIC, Disk, random_serial


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "pki")


def test_a_file_is_written_with_its_mode_whatever_the_umask(disk: Disk) -> None:
    before = os.umask(0)
    try:
        disk.write("a/key.pem", b"secret")
        disk.write("ca.pem", b"public", PUBLIC)
    finally:
        os.umask(before)
    assert stat.S_IMODE(disk.path("a/key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(disk.path("ca.pem").stat().st_mode) == 0o644
    assert disk.read("a/key.pem") == b"secret"
    assert disk.names("a") == ("a/key.pem",)


def test_what_is_not_there_is_none(disk: Disk) -> None:
    assert disk.read("nothing") is None
    assert disk.names("nothing") == ()
    disk.remove("nothing")


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_leftover(
    disk: Disk, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.write("key.pem", b"old")

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(f"netprov.pki.disk.os.{call}", full)
        with pytest.raises(PkiError, match=r"cannot write .*key.pem: No space left on device\n"):
            disk.write("key.pem", b"new")
    assert disk.read("key.pem") == b"old"
    with disk.locked():
        assert sorted(os.listdir(disk.directory)) == [".lock", "key.pem"]


def test_a_short_write_is_continued(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr("netprov.pki.disk.os.write", lambda handle, data: real(handle, data[:3]))
    disk.write("key.pem", b"0123456789")
    assert disk.read("key.pem") == b"0123456789"


def test_a_link_in_the_way_of_a_new_file_is_not_followed(disk: Disk, tmp_path: Path) -> None:
    disk.write("key.pem", b"old")
    (tmp_path / "victim").write_text("untouched")
    disk.path(f".new-{os.getpid()}-key.pem").symlink_to(tmp_path / "victim")
    with pytest.raises(PkiError):
        disk.write("key.pem", b"new")
    assert (tmp_path / "victim").read_text() == "untouched"


def test_one_holder_at_a_time(disk: Disk) -> None:
    order: list[str] = []
    entered, leave = threading.Event(), threading.Event()

    def first() -> None:
        with disk.locked():
            order.append("first")
            entered.set()
            leave.wait(10)
            order.append("first leaves")

    def second() -> None:
        with disk.locked():
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert entered.wait(10)
    threads[1].start()
    leave.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "first leaves", "second"]


def test_what_cannot_be_read_or_removed_says_so(disk: Disk) -> None:
    disk.write("folder/key.pem", b"x")
    with pytest.raises(PkiError, match="cannot read"):
        disk.read("folder")
    with pytest.raises(PkiError, match="cannot read"):
        disk.names("folder/key.pem")
    with pytest.raises(PkiError, match="cannot remove"):
        disk.remove("folder")


def test_serial_numbers_are_positive_and_fit_twenty_octets() -> None:
    assert random_serial(bytes) == 1 << 126
    assert random_serial(lambda count: b"\xff" * count) == (1 << 127) - 1
    assert len({random_serial() for _ in range(100)}) == 100
