"""Say how what is installed differs from what lock files name; take one lock out of another.

    locked.py compare [--path FOLDER] [--beside LOCK]... LOCK...
    locked.py subtract WHOLE PART

compare: 0 exactly the locked is installed, 1 some of it is missing, 2 something else is there, too. Entries of the
locks beside may be installed; pip, setuptools and netprov itself are in no lock. Run it with the Python in question.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

# pip brings what reads a lock's lines; nothing else is there before the lock is installed.
from pip._vendor.packaging.requirements import Requirement

EXACT, MISSING, OTHERS = 0, 1, 2
NOT_LOCKED = {"pip", "setuptools", "netprov"}
"""What a new virtual environment brings, and what is installed from the clone."""


def main() -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True, dest="command")
    compare = commands.add_parser("compare")
    compare.add_argument("--path")
    compare.add_argument("--beside", action="append", default=[])
    compare.add_argument("locks", nargs="+")
    subtract = commands.add_parser("subtract")
    subtract.add_argument("whole")
    subtract.add_argument("part")
    given = parser.parse_args()
    if given.command == "subtract":
        part = set(entries(given.part))
        sys.stdout.write("".join(entry for entry in entries(given.whole) if entry not in part))
        return EXACT
    return report(versions(given.locks), versions(given.beside), installed(given.path))


def entries(lock: str) -> list[str]:
    """Cut a lock into its entries, each with its hashes."""
    return re.findall(r"^[^\s#].*\n(?:[ \t]+.*\n)*", Path(lock).read_text(), re.MULTILINE)


def versions(locks: Iterable[str]) -> dict[str, str]:
    """Read the version of each package that locks name for this machine."""
    found = {}
    for lock in locks:
        for entry in entries(lock):
            requirement = Requirement(entry.partition("\n")[0].rstrip(" \\"))
            if requirement.marker is None or requirement.marker.evaluate():
                found[normal(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return found


def installed(path: str | None) -> dict[str, str]:
    """Read the version of each package in `path`, or else in this Python."""
    there = metadata.distributions(path=[path]) if path else metadata.distributions()
    return {normal(each.metadata["Name"] or str(each)): each.version for each in there}


def normal(name: str) -> str:
    """Write a name as PEP 503 does."""
    return re.sub(r"[-_.]+", "-", name).lower()


def report(locked: dict[str, str], beside: dict[str, str], there: dict[str, str]) -> int:
    missing = [f"{name} {version} is missing" for name, version in locked.items() if name not in there]
    known = beside | locked
    others = [
        f"{name} {version} is in no lock"
        if name not in known
        else f"{name} is {version}, locked is {known[name]}"
        for name, version in there.items()
        if name not in NOT_LOCKED and known.get(name) != version
    ]
    sys.stdout.write("".join(f"{line}\n" for line in others + missing))
    return OTHERS if others else MISSING if missing else EXACT


if __name__ == "__main__":
    sys.exit(main())
