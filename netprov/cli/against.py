"""What a changed inventory is compared with: the one that is served, a state of the git repository, another file."""

from __future__ import annotations

import io
import subprocess
import tempfile
import zipfile
from pathlib import Path

from netprov.cli.site import find, open_document, plan_of
from netprov.errors import ServiceError
from netprov.plan import Plan

RUNNING, GIT = "running", "git"


def plan_against(against: str, file: str | None, state: Path) -> tuple[str, Plan]:
    """Return what is compared with, in words, and its plan. Raises `InventoryError` or `ServiceError` with a remedy."""
    if against == RUNNING:
        return _served(state)
    if against == GIT or against.startswith(f"{GIT}:"):
        return _committed(find(file), against.partition(":")[2] or "HEAD")
    return against, plan_of(open_document(against))


def _served(state: Path) -> tuple[str, Plan]:
    from netprov.runtime.control.client import served

    found = served(state)
    if not found:
        raise ServiceError(
            f"no service runs in {state}",
            "compare with something else: `--against git` (what was committed last), or `--against FILE`; "
            "services of another state directory: `--state DIR`",
        )
    if len(found) > 1:
        raise ServiceError(
            f"the services of {state} serve {len(found)} different inventories",
            "let them take the same one: `netprov reload`",
        )
    return f"the running services of {state}", found[0]


def _committed(file: str, revision: str) -> tuple[str, Plan]:
    """Read a file, with what it includes, as it is in a commit."""
    path = Path(file).resolve()
    top = Path(_git(path.parent, "rev-parse", "--show-toplevel").decode().strip())
    archive = _git(top, "archive", "--format=zip", revision)
    within = path.relative_to(top.resolve())
    with tempfile.TemporaryDirectory(prefix="netprov-plan-") as folder:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            files.extractall(folder)
        if not (Path(folder) / within).is_file():
            raise ServiceError(
                f"there is no {within} in {revision} of {top}",
                f"name a revision that has it: `git log --oneline -- {within}` lists them",
            )
        return f"{within} of git's {revision}", plan_of(open_document(str(Path(folder) / within)))


def _git(folder: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except FileNotFoundError:
        raise ServiceError("there is no git on this machine", "install it, or use `--against FILE`") from None
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().splitlines()
        raise ServiceError(
            f"git {words[0]} in {folder}: {why[-1] if why else f'exit code {done.returncode}'}",
            "name a revision that is there, `--against git:REVISION`, or a file, `--against FILE`",
        )
    return done.stdout
