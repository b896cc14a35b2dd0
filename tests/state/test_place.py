"""What an earlier version left in the state directory is taken along, or said; nothing is overlooked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.state.archive import Archive, restore
from netprov.state.place import FORMER, make_room, settle


def test_files_of_an_earlier_version_move_with_what_is_in_their_logs(tmp_path: Path) -> None:
    old = tmp_path / "leases.db"
    with closing(sqlite3.connect(old, isolation_level=None)) as database:
        database.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7);")
        (tmp_path / "dns-serials.json").write_text("{}")
        for each in ("", "-wal", "-shm"):  # as a killed server leaves them
            (tmp_path / f"kept{each}").write_bytes((tmp_path / f"leases.db{each}").read_bytes())
    for each in ("", "-wal", "-shm"):
        (tmp_path / f"kept{each}").rename(tmp_path / f"leases.db{each}")
    settle(tmp_path)
    settle(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"leases", "dns"}
    with closing(sqlite3.connect(tmp_path / FORMER["leases.db"])) as database:
        assert database.execute("SELECT x FROM t").fetchall() == [(7,)]


def test_file_that_is_there_already_is_not_replaced(tmp_path: Path) -> None:
    make_room(tmp_path / FORMER["leases.db"]).write_text("new")
    (tmp_path / "leases.db").write_text("old")
    settle(tmp_path)
    assert (tmp_path / FORMER["leases.db"]).read_text() == "new"


def test_leases_that_cannot_be_moved_are_not_overlooked(tmp_path: Path) -> None:
    (tmp_path / "leases.db").write_text("old")
    (tmp_path / "leases").write_text("no directory")
    with pytest.raises(ServiceError, match="of an earlier netprov") as raised:
        settle(tmp_path)
    assert "systemd-tmpfiles --create" in raised.value.remedy


def test_backup_of_an_earlier_version_is_restored_to_where_files_are_now(tmp_path: Path) -> None:
    restore(Archive(1.0, {"dns-serials.json": b"{}", "secrets": b"site s\n"}), tmp_path, replace=False)
    assert (tmp_path / "dns" / "dns-serials.json").read_bytes() == b"{}"
