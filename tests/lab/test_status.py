"""`netprov status` beside running services: what it says is what the kernel, the leases and a phone say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from netprov.lab.lan import Host, Lan
from netprov.runtime.roles import ROLES
from tests.lab.conftest import PYTHON, STAGING, needs, wait_until

pytestmark = pytest.mark.lab
STRANGER = "02:00:00:00:00:07"


def status(host: Host, state: Path) -> tuple[int, dict[str, Any]]:
    """Run `netprov status --json` on a host; return its exit code and what it says."""
    words = [PYTHON, "-m", "netprov", "status", "--json", "-f", str(STAGING), "--state", str(state)]
    done = host.run(words, timeout=60)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_roles_pools_certificates_and_phones_are_as_they_are(staging: Lan, state: Path) -> None:
    # DHCP looks for other servers first, and waits meanwhile.
    wait_until(lambda: status(staging["server"], state)[0] == 0, what="every role", timeout=30)
    _, before = status(staging["server"], state)
    assert [each["role"] for each in before["roles"]] == list(ROLES)
    listening = staging["server"].run([needs("ss"), "-Hlnptu"], timeout=20).stdout
    (process,) = {each["process"] for each in before["roles"]}
    assert f"pid={process}," in listening
    told = {
        re.sub(r"%.*", "", place.split()[1]) for each in before["roles"] for place in each["serves"]
    }  # "udp 10.20.0.1:53", "https 10.20.0.11:5060"
    assert told
    assert {place for place in told if f" {place} " not in listening and ":67" not in place} == set()
    client = staging["client3"]
    boot = [PYTHON, "-m", "netprov", "phone", STRANGER, "--model", "CP-8851-3PCC", "-i", client.interface]
    assert client.run(boot, timeout=60).returncode == 0
    _, after = status(staging["server"], state)
    (was,), (pool,) = before["pools"], after["pools"]
    assert (pool["addresses"], pool["leased"]) == (100, was["leased"] + 1)
    assert sum(after["phones"].values()) == sum(before["phones"].values()) + 1
    assert {each["host"] for each in after["certificates"]} >= {"pr1.example.com", "pr2.example.com"}
    assert all(each["days"] > 300 for each in after["certificates"])


def test_what_does_not_run_is_told_as_that(staging: Lan, tmp_path: Path) -> None:
    code, said = status(staging["server"], tmp_path)
    assert code == 1
    assert {each["process"] for each in said["roles"]} == {None}
    assert {bool(each["problem"]) for each in said["certificates"]} == {True}
