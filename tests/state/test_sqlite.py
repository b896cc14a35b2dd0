"""Every database of the state directory is opened in one way: private, of a known version, with a remedy for each trouble."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.state.sqlite import Database

KIND = Database(
    "the file", "Restore it.", ("CREATE TABLE t (x);", "ALTER TABLE t ADD COLUMN y;"), busy_s=0.05
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def test_the_files_beside_it_are_as_private_as_the_file(path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(KIND.open(path)) as database:
            database.execute("INSERT INTO t VALUES (1, 2)")
            found = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert found == dict.fromkeys(("x.db", "x.db-wal", "x.db-shm"), 0o600)


def test_a_file_of_earlier_days_that_others_can_read_is_made_private(path: Path) -> None:
    path.touch(mode=0o644)
    KIND.open(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_older_version_is_brought_up_to_date_and_a_newer_one_refused(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA user_version = 1;")
    with closing(KIND.open(path)) as database:
        assert database.execute("SELECT x, y FROM t").fetchall() == [(1, None)]
        database.execute("PRAGMA user_version = 3")
    with pytest.raises(ServiceError, match="of version 3, newer than this netprov") as raised:
        KIND.open(path)
    assert "Run the newer netprov" in raised.value.remedy


def test_what_is_no_database_is_said_with_its_remedy(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(ServiceError, match="cannot be used") as raised:
        KIND.open(path)
    assert raised.value.remedy == "Restore it."


def test_a_file_that_another_holds_is_said_with_its_remedy(path: Path) -> None:
    KIND.open(path).close()
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as rival,
        closing(KIND.open(path)) as database,
    ):
        rival.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as raised:
            database.execute("INSERT INTO t VALUES (1, 2)")
        assert "Another program holds it" in KIND.problem(path, raised.value).remedy


def test_a_directory_that_is_not_there_is_said_with_its_remedy(path: Path) -> None:
    with pytest.raises(ServiceError) as raised:
        KIND.open(path.parent / "missing" / "x.db")
    assert "Let the user that serves write" in raised.value.remedy


def test_a_reader_cannot_write_and_takes_odd_names(tmp_path: Path) -> None:
    path = tmp_path / "x?mode=rwc#.db"
    KIND.open(path).close()
    with (
        closing(KIND.read(path)) as database,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        database.execute("INSERT INTO t VALUES (1, 2)")


def test_file_that_several_roles_write_is_their_groups_where_the_directory_is_prepared(
    tmp_path: Path,
) -> None:
    kind = Database("the file", "Restore it.", ("CREATE TABLE t (x);",), shared=True)
    modes = {}
    for mode in (0o700, 0o2770):
        folder = tmp_path / f"{mode:o}"
        folder.mkdir()
        folder.chmod(mode)
        before = os.umask(0o077)
        try:
            with closing(kind.open(folder / "x.db")) as database:
                database.execute("INSERT INTO t VALUES (1)")
                modes[mode] = {each.stat().st_mode & 0o777 for each in folder.iterdir()}
        finally:
            os.umask(before)
    assert modes == {0o700: {0o600}, 0o2770: {0o660}}
