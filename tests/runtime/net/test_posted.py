"""What a phone posted last: by the records of any role, and before they are written."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from netprov.provision.event import Posted
from netprov.provision.report import MAX_POSTED_FIELDS
from netprov.provision.standing import Fact
from netprov.runtime.net.posted import KEPT, PostedBefore
from netprov.state.device import FILE
from netprov.state.device_file import DeviceFile, Noted, RecordLimits

MAC = "00:12:34:ab:45:de"


def posted(room: str, mac: str = MAC, *, proven: bool = True) -> Posted:
    return Posted("10.20.0.50", mac, "/a.cfg", f"room={room}", {"room": room}, proven)


def record(state: Path, room: str, now: float) -> None:
    """Write it as a role does, which may be another process."""
    file = DeviceFile(state, RecordLimits(), pytest.fail)
    file.open()
    with closing(file):
        file.write([Noted(now, "http", posted(room), Fact("10.20.0.50", MAC, proven=True))])


def test_the_newest_counts_wherever_it_is_known_from(tmp_path: Path) -> None:
    before = PostedBefore(tmp_path)
    assert before.of(MAC) == ()
    before.note(posted("Lobby"), 1000.0)
    assert before.of(MAC) == (("room", "Lobby"),)
    record(tmp_path, "Attic", 1001.0)
    assert before.of(MAC) == (("room", "Attic"),)
    assert PostedBefore(tmp_path).of(MAC) == (("room", "Attic"),)
    before.note(posted("Hall"), 1002.0)
    assert before.of(MAC) == (("room", "Hall"),)


def test_what_somebody_posts_in_a_phones_name_is_not_the_phones(tmp_path: Path) -> None:
    before = PostedBefore(tmp_path)
    before.note(posted("Lobby", proven=False), 1000.0)
    before.note(posted("Lobby", ""), 1000.0)
    assert (before.of(MAC), before.of("")) == ((), ())


def test_so_many_phones_are_remembered_and_the_oldest_goes(tmp_path: Path) -> None:
    before = PostedBefore(tmp_path)
    macs = [f"00:12:34:00:{number >> 8:02x}:{number & 255:02x}" for number in range(KEPT + 1)]
    for mac in macs:
        before.note(posted("Lobby", mac), 1000.0)
    assert [mac for mac in macs if not before.of(mac)] == macs[:1]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[1, 2]", ()),
        ("7", ()),
        ("{", ()),
        (json.dumps({"a": "\x1b[31m", "b": "\u202e", "room": "Lobby"}), (("room", "Lobby"),)),
        (json.dumps({"n": 7}), (("n", "7"),)),
    ],
)
def test_records_are_believed_no_more_than_the_network(
    tmp_path: Path, written: str, expected: tuple[tuple[str, str], ...]
) -> None:
    record(tmp_path, "Attic", 1000.0)
    with closing(sqlite3.connect(tmp_path / FILE)) as database, database:
        database.execute("UPDATE report SET fields = ?", (written,))
    assert PostedBefore(tmp_path).of(MAC) == expected


def test_fields_in_a_record_are_so_many_at_most(tmp_path: Path) -> None:
    record(tmp_path, "Attic", 1000.0)
    many = json.dumps({f"f{number}": "x" for number in range(MAX_POSTED_FIELDS + 50)})
    with closing(sqlite3.connect(tmp_path / FILE)) as database, database:
        database.execute("UPDATE report SET fields = ?", (many,))
    assert len(PostedBefore(tmp_path).of(MAC)) == MAX_POSTED_FIELDS


def test_records_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    record(tmp_path, "Attic", 1000.0)
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    assert PostedBefore(tmp_path).of(MAC) == ()
