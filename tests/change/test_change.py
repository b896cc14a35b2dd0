"""A short run of `make change`: a site that is changed at random is as one that is started afresh."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from netprov.errors import LabError
from netprov.lab.netns import Namespace
from tests.change.__main__ import CLOCK, change_often
from tests.change.changes import CHANGES
from tests.lab.conftest import ROOT, needs

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

CHANGES_IN_TESTS = int(os.environ.get("NETPROV_CHANGES", "2"))


def test_there_are_forty_kinds_of_change_or_more() -> None:
    assert len(CHANGES) >= 40


@pytest.mark.parametrize("together", [True, False], ids=["one process", "one a role"])
def test_changed_site_is_as_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, together: bool
) -> None:
    for program in ("udhcpc", "busybox", "dig", "curl", "ss", "ip"):
        needs(program)
    try:
        Namespace("probe").close()
    except LabError as error:
        pytest.skip(str(error))
    (tmp_path / "mounted").mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "probe", str(tmp_path / "mounted")], capture_output=True
    ).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    subprocess.run(["umount", str(tmp_path / "mounted")], check=True)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CLOCK), str(ROOT)]))
    done = change_often(tmp_path, CHANGES_IN_TESTS, together=together, seed=7)
    assert sum(done.values()) == CHANGES_IN_TESTS
