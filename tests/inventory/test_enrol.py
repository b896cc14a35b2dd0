"""Phones added to CSV files: nothing else of the file changes, whoever else writes, however it is interrupted."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netprov.errors import InventoryError, Place, ServiceError
from netprov.inventory.annex import sheet_among, sheets_of, with_sheet
from netprov.inventory.enrol import Known, add_phone, make_sheet
from netprov.inventory.load import load
from netprov.inventory.sheet import read_sheet

PHONE = {"mac": "00:12:34:ab:45:de", "model": "CP-8851-3PCC", "serial": "FCH2048A1B2", "class": "mpp"}
SITE = "domain: example.com   # ours\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"mac,model,serial,class\n", b"mac,model,serial,class\n{row}\n"),
        (b"mac,model,serial,class", b"mac,model,serial,class\n{row}\n"),
        (
            b'# ours\r\nname;mac;values.Display_Name_1_\r\n# desks\r\nd1;0012.3400.0001;"a;b"\r\n',
            b"# ours\r\nname;mac;values.Display_Name_1_;model;serial;class\r\n# desks\r\n%s\r\n"
            % b'd1;0012.3400.0001;"a;b"\r\n;00:12:34:ab:45:de;;CP-8851-3PCC;FCH2048A1B2;mpp',
        ),
        (
            b"\xef\xbb\xbfserial\tmac\tclass\tmodel\tname\n\n# end",
            b"\xef\xbb\xbfserial\tmac\tclass\tmodel\tname\n\n# end\n%s\n"
            % b"FCH2048A1B2\t00:12:34:ab:45:de\tmpp\tCP-8851-3PCC\t",
        ),
    ],
)
def test_a_phone_is_a_line_at_the_end_and_everything_else_stays(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    file = tmp_path / "phones.csv"
    file.write_bytes(before)
    place = add_phone(file, PHONE)
    row = b"00:12:34:ab:45:de,CP-8851-3PCC,FCH2048A1B2,mpp"
    assert file.read_bytes() == after.replace(b"{row}", row)
    assert place == Place(str(file), len(file.read_text().splitlines()), 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1), max_size=4
    ),
    separator=st.sampled_from(",;\t"),
)
def test_what_a_file_says_of_others_is_the_same_afterwards(
    tmp_path: Path, names: list[str], separator: str
) -> None:
    quoted = ['"' + each.replace('"', '""') + '"' for each in names]
    lines = [f"x{number:02}{separator}00:00:00:00:00:{number:02x}" for number in range(len(quoted))]
    rows = [f"{line}{separator}{cell}" for line, cell in zip(lines, quoted, strict=True)]
    file = tmp_path / "phones.csv"
    header = separator.join(("name", "mac", "profile", "model", "serial", "class"))
    file.write_bytes("\n".join((header, *rows)).encode())
    before = read_sheet(file.read_text(), "x", 0).phones
    add_phone(file, PHONE)
    assert read_sheet(file.read_text(), "x", 0).phones == [*before, PHONE]


@pytest.mark.parametrize(
    ("line", "key", "mac"),
    [
        ("SEP001234AB45DE,", "mac", PHONE["mac"]),
        ("00:12:34:00:00:01,fch2048a1b2", "serial", "00:12:34:00:00:01"),
    ],
)
def test_who_is_in_the_file_already_is_not_written_again(
    tmp_path: Path, line: str, key: str, mac: str
) -> None:
    file = tmp_path / "phones.csv"
    file.write_text(f"mac,serial\n{line}\n")
    known = add_phone(file, PHONE)
    assert known == Known(key, PHONE[key], mac, Place(str(file), 2, 1))
    assert file.read_text() == f"mac,serial\n{line}\n"


def test_what_the_model_does_not_take_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "phones.csv"
    file.write_text("mac\n")
    with pytest.raises(InventoryError, match="is not a MAC address"):
        add_phone(file, {"mac": "00:12"})
    assert file.read_text() == "mac\n"


def test_owner_permissions_and_a_link_stay(tmp_path: Path) -> None:
    file = tmp_path / "real.csv"
    file.write_text("mac\n")
    file.chmod(0o640)
    link = tmp_path / "phones.csv"
    link.symlink_to(file)
    add_phone(link, {"mac": PHONE["mac"]})
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.read_text() == f"mac\n{PHONE['mac']}\n"


def test_a_disk_that_refuses_leaves_the_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "phones.csv"
    file.write_text("mac\n")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ServiceError, match="No space left on device"):
        add_phone(file, {"mac": PHONE["mac"]})
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("phones.csv", "mac\n")]


def test_what_an_interrupted_writer_left_is_swept_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "phones.csv"
    file.write_text("mac\n")
    (tmp_path / ".phones.csv.new-1").write_text("half")
    add_phone(file, {"mac": PHONE["mac"]})
    assert [each.name for each in tmp_path.iterdir()] == ["phones.csv"]


WRITER = """
import sys
from pathlib import Path
from netprov.inventory.enrol import add_phone
for number in range(40):
    add_phone(Path(sys.argv[1]), {"mac": f"00:12:34:00:{int(sys.argv[2]):02x}:{number:02x}"})
"""


def test_several_who_add_to_one_file_lose_nothing_of_each_other(tmp_path: Path) -> None:
    file = tmp_path / "phones.csv"
    make_sheet(file, tmp_path)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(each)]) for each in range(3)]
    assert [each.wait(60) for each in writers] == [0, 0, 0]
    found = [each["mac"] for each in read_sheet(file.read_text(), "x", 0).phones]
    assert len(found) == 120
    assert sorted(found) == sorted(
        {f"00:12:34:00:{each:02x}:{n:02x}" for each in range(3) for n in range(40)}
    )


def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "phones.csv"
    make_sheet(file, tmp_path)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file), "1"])
    while len(file.read_text().splitlines()) < 5 and writer.poll() is None:
        os.sched_yield()
    writer.kill()
    writer.wait()
    sheet = read_sheet(file.read_text(), "x", 0)
    assert sheet.problems == ()
    expected = [f"00:12:34:00:01:{number:02x}" for number in range(len(sheet.phones))]
    assert [each["mac"] for each in sheet.phones] == expected


def written(tmp_path: Path, text: str) -> str:
    (tmp_path / "site.yaml").write_text(text)
    return str(tmp_path / "site.yaml")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (SITE, {"site.yaml"}),
        (SITE.rstrip("\n"), {"site.yaml"}),
        (SITE + "phones:\n  - {mac: 00:12:34:00:00:01}   # the first\n", {"site.yaml", "phones.yaml"}),
    ],
)
def test_an_inventory_comes_to_name_the_file_by_a_line_at_its_end(
    tmp_path: Path, text: str, names: set[str]
) -> None:
    name = written(tmp_path, text)
    before = load(name).inventory
    sheet = tmp_path / "phones.csv"
    make_sheet(sheet, Path(name))
    files = with_sheet(name, str(sheet))
    assert {Path(each).name for each in files} == names
    for each, content in files.items():
        Path(each).write_text(content)
    assert Path(name).read_text().startswith(text)
    assert sheets_of(name) == (str(sheet),)
    add_phone(sheet, {"mac": PHONE["mac"]})
    after = load(name).inventory
    assert [each.mac for each in after.phones] == [*(each.mac for each in before.phones), PHONE["mac"]]
    assert after.model_copy(update={"phones": before.phones, "include": before.include}) == before


@pytest.mark.parametrize(
    "text",
    [
        "{domain: example.com, networks: {v: {interface: lan0, subnet: 10.20.0.0/24}}}\n",
        SITE + "...\n",
        SITE + "phones:\n",
        SITE + "phones: {}\n",
        SITE + "include: others.yaml\nphones: [{mac: 00:12:34:00:00:01}]\n",
    ],
)
def test_where_a_line_at_the_end_would_not_do_it_is_said_what_to_write(tmp_path: Path, text: str) -> None:
    name = written(tmp_path, text)
    with pytest.raises(InventoryError) as caught:
        with_sheet(name, str(tmp_path / "phones.csv"))
    (problem,) = caught.value.problems
    assert problem.rule == "no-phone-list"
    assert "`phones: {csv: phones.csv}`" in problem.remedy


def test_one_of_several_files_has_to_be_chosen(tmp_path: Path) -> None:
    name = written(tmp_path, SITE + "phones: {csv: [a.csv, b.csv]}\n")
    sheets = sheets_of(name)
    assert sheet_among(sheets, str(tmp_path / "b.csv"), name) == str(tmp_path / "b.csv")
    for wanted, words in ((None, "one has to be chosen"), ("c.csv", "c.csv is none of them")):
        with pytest.raises(InventoryError, match=words):
            sheet_among(sheets, wanted, name)


def test_nothing_is_added_below_a_quote_that_is_not_closed(tmp_path: Path) -> None:
    path = tmp_path / "phones.csv"
    text = 'mac,model\n00:12:34:00:00:01,"8851\n'
    path.write_text(text)
    with pytest.raises(InventoryError, match=r"phones\.csv:2:1: error\[csv\]"):
        add_phone(path, {"mac": "00:12:34:00:00:02"})
    assert path.read_text() == text
