"""`netprov doctor` on virtual LANs: nothing to say about a healthy one, the planted fault named first on each wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netprov.lab.lan import Host, Lan
from netprov.pki.store import Store
from tests.lab.conftest import PYTHON, STAGING

pytestmark = pytest.mark.lab


def doctor(host: Host, inventory: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Run `netprov doctor --json` on a host; return its exit code and what it says of each patient."""
    done = host.run(
        [PYTHON, "-m", "netprov", "doctor", "-f", str(inventory), "--json", *arguments], timeout=60
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_healthy_lan_is_healthy_from_another_machine(staging: Lan, ca: Store) -> None:
    code, said = doctor(staging["client3"], STAGING, "--ca", str(ca.ca_file))
    causes = [each["cause"] for each in said if each["cause"]]
    assert (code, causes) == (0, [])
    assert len(said) == 8
    # All addresses are of one machine, which agrees with itself.
    assert (len(said[-1]["servers"]), said[-1]["findings"]) == (5, [])


def test_a_healthy_lan_is_healthy_from_the_server_itself(staging: Lan, state: Path) -> None:
    code, said = doctor(staging["server"], STAGING, "--state", str(state))
    assert (code, [each["cause"] for each in said if each["cause"]]) == (0, [])
