"""What is said to change is compared with what running services serve, and a change of many phones waits for a word."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from netprov.lab.server import start_server
from tests.lab.conftest import PYTHON, MakeLan

pytestmark = pytest.mark.lab

SITE = """
domain: example.com
server: {reload_limit: 1}
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, ntp: 10.20.0.1, other_servers: allow}}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
classes: {mpp: {match: {vendor_class: "CP-*"}, method: dhcp, options: {66: %s}}}
phones:
  - {mac: "00:12:34:00:00:01", model: CP-8851-3PCC}
  - {mac: "00:12:34:00:00:02", model: CP-8851-3PCC}
"""


def test_reload_of_many_phones_is_refused_until_it_is_said(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan()
    file, state = tmp_path / "site.yaml", tmp_path / "state"
    file.write_text(SITE % "10.20.0.1")
    server = start_server(lan["server"], file, state, roles=["dns", "dhcp", "tftp"])

    def netprov(*words: str) -> subprocess.CompletedProcess[str]:
        command = [PYTHON, "-m", "netprov", *words, "-f", str(file), "--state", str(state)]
        return lan["server"].run(command, timeout=60)

    assert "Nothing would change" in netprov("plan").stdout
    file.write_text(SITE % "10.20.0.9")
    planned = netprov("plan")
    assert '"10.20.0.1" → "10.20.0.9"' in planned.stdout, planned
    assert "2 listed phones" in planned.stdout
    refused = netprov("reload")
    assert refused.returncode == 1
    assert "netprov reload --yes" in refused.stderr
    assert '"10.20.0.1" → "10.20.0.9"' in refused.stderr
    assert "2 listed phones" in netprov("plan").stdout, "it serves as before"
    taken = netprov("reload", "--yes")
    assert taken.returncode == 0, taken
    assert '"10.20.0.1" → "10.20.0.9"' in taken.stdout
    assert "Nothing would change" in netprov("plan").stdout
    server.signal(15)
    assert server.wait(timeout=10) == 0
