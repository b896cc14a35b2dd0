"""A clone with stub locks that sets itself up from a local index, with the pip that its Python bundles."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.setup.index import Entry, Index, read_lock

ROOT = Path(__file__).parents[2]
RUN, DEV, BUILD = "requirements.lock", "requirements-dev.lock", "requirements-build.lock"
LOCKS: Mapping[str, tuple[Entry, ...]] = {name: read_lock(ROOT / name) for name in (RUN, DEV, BUILD)}

# As a release of Python does, but with a pip of our choice; ensurepip would plant the one that it was built with.
BUNDLES = """#!/bin/sh
case "$1 $2" in
"-m venv") '{python}' -m venv --without-pip "$3" && exec '{python}' -m zipfile -e '{pip}' "$3/{site}" ;;
*) exec '{python}' "$@" ;;
esac
"""


def python_that_bundles(pip: Path, folder: Path) -> Path:
    """Make a Python whose virtual environments come with this pip."""
    site = os.path.relpath(sysconfig.get_path("purelib"), sys.prefix)
    python = folder / "python3"
    python.write_text(BUNDLES.format(python=sys._base_executable, pip=pip, site=site))  # type: ignore[attr-defined]
    python.chmod(0o755)
    return python


@dataclass(frozen=True, slots=True)
class Clone:
    """A fresh clone, as far as set-up reads it."""

    folder: Path
    index: Index
    python: Path

    @classmethod
    def make(cls, folder: Path, index: Index, python: Path, locks: Mapping[str, tuple[Entry, ...]]) -> Clone:
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copy(ROOT / "pyproject.toml", folder)
        clone = cls(folder, index, python)
        for name, entries in locks.items():
            clone.write_lock(name, entries)
        return clone

    def write_lock(self, name: str, entries: tuple[Entry, ...]) -> None:
        (self.folder / name).write_text(self.index.lock(entries))

    def start(self, target: str) -> subprocess.Popen[str]:
        """Start make in a process group of its own; its errors stand in what it says."""
        return subprocess.Popen(
            ["make", f"PYTHON={self.python}", target],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make_target(self, target: str) -> tuple[int, str]:
        """Run make to its end; return its status and what it said."""
        process = self.start(target)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said

    def grow_old(self) -> None:
        """Let everything be newer than the last set-up, whatever the clock's grain."""
        for stamp in ("run", "dev"):
            if (file := self.folder / ".venv" / f".{stamp}").exists():
                os.utime(file, (0, 0))

    def environment(self) -> dict[str, str]:
        """Ours without pip's settings; a limit of versions that no lock knows must have no say."""
        limits = self.folder / "limits.txt"
        limits.write_text("click<1\n")
        mine = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PIP_", "MAKE", "MFLAGS"))
        }
        return mine | {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.index.url,
            "PIP_CONSTRAINT": str(limits),
            "PIP_NO_CACHE_DIR": "1",
        }

    @property
    def site(self) -> Path:
        (site,) = (self.folder / ".venv" / "lib").glob("python*/site-packages")
        return site

    def installed(self) -> dict[str, str]:
        """Return the version of each package of the virtual environment but pip and netprov itself."""
        there = metadata.distributions(path=[str(self.site)])
        versions = {canonicalize_name(each.metadata["Name"]): each.version for each in there}
        return {name: version for name, version in versions.items() if name not in {"pip", "netprov"}}


def locked(*entries: Entry) -> dict[str, str]:
    """Return what is to be installed of these entries on this machine."""
    return {each.name: each.version for each in entries if each.applies}
