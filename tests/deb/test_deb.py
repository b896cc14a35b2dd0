"""What the Debian package is made of: scripts that know every unit and user, a manual and completions from --help.

The package itself is built, installed and purged in tests/systemd/test_package.py.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from netprov.cli import EXIT_CODES, VERBS
from tests.lab.conftest import ROOT, needs

DEB = ROOT / "deb"
UNITS = {path.name for path in (ROOT / "systemd").iterdir() if path.is_file()} - {
    "netprov.sysusers",
    "netprov.tmpfiles",
}


def listed(script: str, name: str) -> set[str]:
    """Return the words of a variable of a maintainer script, as it is packed."""
    names = [sys.executable, str(DEB / "names.py")]
    done = subprocess.run(names, input=(DEB / script).read_text(), capture_output=True, text=True, check=True)
    (value,) = re.findall(rf'^{name}="(.*)"$', done.stdout, re.MULTILINE)
    return set(shlex.split(value))


def test_every_unit_is_enabled_stopped_and_forgotten() -> None:
    wanted = {name for name in UNITS if "[Install]" in (ROOT / "systemd" / name).read_text()}
    assert listed("postinst", "UNITS") == wanted
    assert listed("prerm", "UNITS") == UNITS
    assert listed("postrm", "UNITS") == UNITS


def test_purge_removes_every_user_and_group_that_is_made() -> None:
    made = re.findall(r"^([ug]) (\S+)", (ROOT / "systemd" / "netprov.sysusers").read_text(), re.MULTILINE)
    assert listed("postrm", "USERS") == {name for kind, name in made if kind == "u"}
    assert listed("postrm", "SHARED") == {name for kind, name in made if kind == "g"}


@pytest.mark.parametrize("script", ["build", "postinst", "prerm", "postrm"])
def test_scripts_are_ones_that_a_shell_reads(script: str) -> None:
    shell = "bash" if script == "build" else "sh"
    done = subprocess.run([shell, "-n", DEB / script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every page of the manual."""
    folder = tmp_path_factory.mktemp("man1")
    subprocess.run([sys.executable, DEB / "manual.py", folder, "0.1.0"], cwd=ROOT, check=True, timeout=60)
    return folder


def page(path: Path) -> str:
    """Return a page as people read it; `man` has nothing to object to it."""
    done = subprocess.run(
        [needs("man"), "--warnings=all", "--local-file", path],
        capture_output=True, text=True, check=False, timeout=60,
        env={"LC_ALL": "C.UTF-8", "MANWIDTH": "110", "MAN_KEEP_FORMATTING": "", "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_verb_has_a_page_of_the_manual_that_man_reads(manual: Path) -> None:
    assert {path.name for path in manual.iterdir()} == {"netprov.1", *(f"netprov-{verb}.1" for verb in VERBS)}
    overview = page(manual / "netprov.1")
    assert all(f"netprov-{verb}(1)" in overview for verb in VERBS)
    for code, meaning in EXIT_CODES.items():
        assert re.search(rf"^ +{code} +{re.escape(meaning)}", overview, re.MULTILINE)


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("check", "netprov check --explain srv-weights     why, and what to do"),
        ("check", "--strict"),
        ("explain", "netprov explain records 00:12:34:ab:45:de         what did it do?"),
        ("cert", "netprov cert renew"),
        ("leases", "netprov leases release"),
    ],
)
def test_page_says_what_help_says(manual: Path, verb: str, said: str) -> None:
    text = page(manual / f"netprov-{verb}.1")
    assert said in text or said in " ".join(text.split())


def completed(words: str) -> list[str]:
    """Return what bash is offered for the last of some words."""
    done = subprocess.run(
        [sys.executable, "-m", "netprov"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "_NETPROV_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)},
    )  # fmt: skip
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_completion_offers_verbs_subjects_options_and_roles() -> None:
    assert completed("netprov che") == ["check"]
    assert completed("netprov explain rec") == ["records"]
    assert "--strict" in completed("netprov check --st")
    assert completed("netprov serve dh") == ["dhcp"]
