"""A fresh clone sets itself up with exactly the locked packages, whatever is newer in the index, with any pip."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.setup.clone import BUILD, DEV, LOCKS, ROOT, RUN, Clone, locked, python_that_bundles
from tests.setup.index import Entry, Index, read_lock

pytestmark = pytest.mark.timeout(300)

PIPS = [entry.version for entry in read_lock(ROOT / "tests/setup/pips.lock")]
CLICK = Entry("click==8.5.1")
DEFUSEDXML = Entry("defusedxml==0.7.1")
HATCHLING = Entry("hatchling==1.33.0")
SMALL = {RUN: (CLICK, DEFUSEDXML), DEV: (), BUILD: (HATCHLING,)}
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "netprov"
version = "1"
dependencies = ["click"]
"""


def pip_wheel(version: str) -> Path:
    """Return the release of pip that `make test` fetched, or skip."""
    if version == "23.0.1" and sys.version_info >= (3, 12):
        pytest.skip("pip 23.0.1 does not run on Python 3.12 and newer")
    wheel = ROOT / f".setup/pips/pip-{version}-py3-none-any.whl"
    if not wheel.exists():
        pytest.skip(f"pip {version} is not here: `make .setup/pips/.all` fetches it")
    return wheel


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return Index(tmp_path_factory.mktemp("index"), {each for lock in LOCKS.values() for each in lock})


@pytest.fixture
def small(tmp_path: Path) -> Clone:
    """A clone with a handful of packages and an index of its own, to spoil."""
    for folder in ("index", "bin", "clone"):
        (tmp_path / folder).mkdir()
    stubs = Index(tmp_path / "index", (CLICK, DEFUSEDXML, HATCHLING, Entry("click==8.6"), Entry("tqdm==4")))
    python = python_that_bundles(pip_wheel(PIPS[-1]), tmp_path / "bin")
    clone = Clone.make(tmp_path / "clone", stubs, python, SMALL)
    (clone.folder / "pyproject.toml").write_text(PROJECT)
    return clone


def wait_for_a_reader(pipe: Path) -> None:
    """Return as soon as somebody reads the pipe; he waits for what never comes."""
    deadline = time.monotonic() + 60
    while True:
        try:
            os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@pytest.mark.parametrize("pip", PIPS)
def test_exactly_the_locked_packages_are_installed_beside_newer_ones(
    pip: str, index: Index, tmp_path: Path
) -> None:
    python = python_that_bundles(pip_wheel(pip), tmp_path)
    clone = Clone.make(tmp_path / "clone", index, python, LOCKS)
    status, said = clone.make_target(".venv/.run")
    assert (0, locked(*LOCKS[RUN])) == (status, clone.installed()), said
    assert f"pip-{pip}.dist-info" in os.listdir(clone.site)
    status, said = clone.make_target(".venv/.dev")
    assert (0, locked(*LOCKS[RUN], *LOCKS[DEV])) == (status, clone.installed()), said


def test_setup_says_each_long_step(small: Clone) -> None:
    status, said = small.make_target(".venv/.run")
    assert status == 0, said
    first, *steps = said.splitlines()
    assert first.startswith("Setting up .venv with Python 3.")
    assert steps == [
        "  installing what requirements.lock names (2) ...",
        "  installing what requirements-build.lock names (1) ...",
        "  installing netprov itself ...",
        "  checking that .venv is what the locks say ...",
    ]


def test_what_is_set_up_needs_no_index(small: Clone) -> None:
    assert small.make_target(".venv/.run")[0] == 0
    small.index.folder.rename(small.index.folder.with_name("gone"))
    small.grow_old()
    status, said = small.make_target(".venv/.run")
    assert (status, said) == (0, "  checking that .venv is what the locks say ...\n")


def test_netprov_is_installed_again_without_an_index_when_its_requirements_change(small: Clone) -> None:
    assert small.make_target(".venv/.run")[0] == 0
    small.index.folder.rename(small.index.folder.with_name("gone"))
    (small.folder / "pyproject.toml").write_text(PROJECT.replace('"click"', '"click", "defusedxml>=1"'))
    small.grow_old()
    status, said = small.make_target(".venv/.run")
    assert status != 0
    assert "netprov 1 has requirement defusedxml>=1, but you have defusedxml 0.7.1." in said


def test_developers_packages_need_nothing_of_the_index_that_runs_already(small: Clone) -> None:
    assert small.make_target(".venv/.run")[0] == 0
    small.index.file(CLICK).unlink()
    small.write_lock(DEV, (Entry("tqdm==4"),))
    small.grow_old()
    status, said = small.make_target(".venv/.dev")
    assert (status, small.installed()) == (0, {"click": "8.5.1", "defusedxml": "0.7.1", "tqdm": "4"}), said


def test_killed_setup_is_repaired_by_the_next_run(small: Clone) -> None:
    wheel = small.index.file(DEFUSEDXML)
    octets = wheel.read_bytes()
    wheel.unlink()
    os.mkfifo(wheel)
    process = small.start(".venv/.run")
    try:
        wait_for_a_reader(wheel)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    wheel.unlink()
    wheel.write_bytes(octets)
    status, said = small.make_target(".venv/.run")
    assert (0, locked(CLICK, DEFUSEDXML)) == (status, small.installed()), said
    assert "anew: the last set-up did not end" in said


def test_half_unpacked_package_of_an_unfinished_setup_is_replaced(small: Clone) -> None:
    assert small.make_target(".venv/.run")[0] == 0
    module = small.site / "stub_click.py"
    module.unlink()
    (small.folder / ".venv/.unfinished").touch()
    small.grow_old()
    assert small.make_target(".venv/.run")[0] == 0
    assert module.exists()


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ((Entry("click==8.6"), DEFUSEDXML), "click is 8.5.1, locked is 8.6"),
        ((CLICK,), "defusedxml 0.7.1 is in no lock"),
    ],
)
def test_changed_lock_is_followed(small: Clone, entries: tuple[Entry, ...], why: str) -> None:
    assert small.make_target(".venv/.run")[0] == 0
    small.write_lock(RUN, entries)
    small.grow_old()
    status, said = small.make_target(".venv/.run")
    assert (0, locked(*entries)) == (status, small.installed()), said
    assert f"anew: {why} ..." in said


def test_lock_that_cannot_be_followed_leaves_the_environment_that_worked(small: Clone) -> None:
    assert small.make_target(".venv/.run")[0] == 0
    small.write_lock(RUN, (Entry("click==8.6"), DEFUSEDXML))
    small.index.folder.rename(small.index.folder.with_name("gone"))
    small.grow_old()
    status, said = small.make_target(".venv/.run")
    assert status != 0
    assert "What was there before is there again" in said
    assert small.installed() == locked(CLICK, DEFUSEDXML)
    ran = subprocess.run(
        [small.folder / ".venv/bin/python", "-c", "import stub_click"], check=False, capture_output=True
    )
    assert ran.returncode == 0


def test_package_that_is_not_the_locked_one_is_refused_with_its_reason(small: Clone) -> None:
    small.index.file(CLICK).write_bytes(b"not what was locked")
    status, said = small.make_target(".venv/.run")
    assert status != 0
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in said
    assert "all that was said is in .setup/pip.log" in said
    assert len(said.splitlines()) < 30


def test_missing_package_is_named_without_what_pip_says_of_every_place(small: Clone) -> None:
    (small.index.folder / "simple/click/index.html").unlink()
    status, said = small.make_target(".venv/.run")
    assert status != 0
    assert "ERROR: No matching distribution found for click==8.5.1" in said
    assert "WARNING: Location" not in said
    assert len(said.splitlines()) < 15


def test_lock_that_lacks_a_requirement_is_found(small: Clone) -> None:
    (small.folder / "pyproject.toml").write_text(PROJECT.replace('"click"', '"click", "tqdm"'))
    status, said = small.make_target(".venv/.run")
    assert status != 0
    assert "netprov 1 requires tqdm, which is not installed." in said


def test_folder_that_is_no_virtual_environment_is_left_alone(small: Clone) -> None:
    kept = small.folder / ".venv" / "letters"
    kept.mkdir(parents=True)
    status, said = small.make_target(".venv/.run")
    assert status != 0
    assert kept.exists()
    assert ".venv is no virtual environment, so it is left alone" in said
