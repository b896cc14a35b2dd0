"""The locks: what runs, what developers add, what builds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.setup.clone import BUILD, DEV, LOCKS, ROOT, RUN
from tests.setup.index import Entry

PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
DIRECT = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
DEVELOPMENT = (*LOCKS[RUN], *LOCKS[DEV])


def unmet(needs: list[str], entries: tuple[Entry, ...]) -> list[str]:
    """Return the requirements that no entry meets: by name, version and every extra."""
    return [need for need in needs if not any(meets(each, Requirement(need)) for each in entries)]


def meets(entry: Entry, need: Requirement) -> bool:
    return (
        entry.name == canonicalize_name(need.name)
        and need.specifier.contains(entry.version, prereleases=True)
        and need.extras <= entry.requirement.extras
    )


def needs_of(entry: Entry) -> Iterator[str]:
    """What the installed release of a package requires on this machine, with the extras it is locked with."""
    for need in entry.needs:
        marker = Requirement(need).marker
        wanted = entry.requirement.extras or {""}
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted):
            yield need


def test_runtime_lock_meets_what_netprov_requires() -> None:
    assert unmet(DIRECT, LOCKS[RUN]) == []


def test_build_lock_meets_the_build_group_and_the_build_system() -> None:
    assert unmet(GROUPS["build"] + PROJECT["build-system"]["requires"], LOCKS[BUILD]) == []


def test_both_locks_together_meet_the_developers_group_and_every_extra() -> None:
    wanted = GROUPS["dev"] + [need for extra in EXTRAS.values() for need in extra]
    assert unmet(wanted, DEVELOPMENT) == []


@pytest.mark.parametrize(
    ("name", "lock", "whole"), [(RUN, LOCKS[RUN], LOCKS[RUN]), (DEV, LOCKS[DEV], DEVELOPMENT)]
)
def test_lock_meets_what_its_packages_require_with_their_extras(
    name: str, lock: tuple[Entry, ...], whole: tuple[Entry, ...]
) -> None:
    needs = [need for entry in lock for need in needs_of(entry)]
    assert len(needs) > 10, f"{name}: hardly any of its packages are installed here, so this says nothing"
    assert unmet(needs, whole) == []


def test_extras_stay_in_the_lock() -> None:
    extras = {entry.name: entry.requirement.extras for entry in LOCKS[DEV]}
    assert extras["coverage"] == {"toml"}
    assert extras["psycopg"] == {"binary", "pool"}


def test_nothing_of_developers_or_builders_runs() -> None:
    tools = {canonicalize_name(Requirement(need).name) for need in GROUPS["dev"] + GROUPS["build"]}
    assert {entry.name for entry in LOCKS[RUN]} & tools == set()


def test_no_package_is_locked_twice() -> None:
    names = [entry.name for entry in DEVELOPMENT if entry.applies]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", [*LOCKS, "tests/setup/pips.lock"])
def test_lock_is_entries_with_hashes_and_names_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    entry = r"[a-z0-9-]+(\[[a-z, ]+\])?==[^ ]+( ; [^\n\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(f"({entry})+", text)
