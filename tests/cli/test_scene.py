"""What `netprov watch` shows: never more than the screen, nothing that a terminal obeys, and each phone where it stands."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from netprov.cli.scene import KEPT_PHONES, Scene
from netprov.runtime.recent import Told

MAC = "00:12:34:ab:45:de"


def told(mac: str = MAC, stands: str = "", text: str = "x", time: float = 1.0, address: str = "") -> Told:
    return Told(time, "http", "Asked", mac, address, stands, refusal=False, text=text)


@given(
    st.lists(
        st.builds(told, st.sampled_from(["", MAC, "\x1b[2J", "00:11"]), st.text(), st.text()), max_size=40
    ),
    st.integers(1, 200),
    st.integers(1, 60),
)
def test_screen_is_never_larger_than_the_terminal_and_shows_no_controls(
    events: list[Told], width: int, height: int
) -> None:
    scene = Scene("example.com")
    for each in events:
        scene.take(each)
    lines = scene.lines(["dns"], width=width, height=height, now=5.0)
    assert len(lines) <= height
    assert all(line.isprintable() for line in lines)
    assert all(len(line) <= width for line in lines if line.isascii())


def test_wide_characters_take_two_columns() -> None:
    scene = Scene("example.com")
    scene.take(told(stands="漢" * 100, text="漢" * 100))
    lines = scene.lines([], width=60, height=24, now=5.0)
    columns = [sum(2 if unicodedata.east_asian_width(each) == "W" else 1 for each in line) for line in lines]
    assert max(columns) <= 60
    assert sum("漢" in line for line in lines) == 3


def test_phone_stands_where_its_last_stage_left_it_and_since_then() -> None:
    scene = Scene("example.com", {MAC: "desk1"})
    scene.take(told(stands="has an address", time=10, address="10.20.0.50"))
    scene.take(told(time=20))
    scene.take(told(stands="provisioned over https", time=30))
    scene.take(told(stands="provisioned over https", time=40))
    row = scene.rows[MAC]
    assert (row.name, row.address, row.stands, row.since) == (
        "desk1",
        "10.20.0.50",
        "provisioned over https",
        30,
    )
    assert "1 provisioned" in scene.lines([], width=80, height=24, now=50)[1]


def test_strangers_beyond_the_bound_push_out_who_was_heard_of_longest_ago() -> None:
    scene = Scene("example.com")
    for number in range(KEPT_PHONES + 5):
        scene.take(told(f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"))
    assert len(scene.rows) == KEPT_PHONES
    assert "02:00:00:00:00:04" not in scene.rows
