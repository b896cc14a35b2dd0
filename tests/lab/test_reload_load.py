"""Reloads one after the other while phones boot: none goes without its profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.lab.server import start_server
from tests.lab.conftest import PYTHON, MakeLan

pytestmark = pytest.mark.lab
PHONES = 60
INVENTORY = """domain: example.com
dns: {{serial: {}}}
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24, other_servers: allow}}}}
certificates: {{keys: ecdsa-p256, ca_key: ecdsa-p256}}
"""


def test_no_phone_goes_without_its_profile_while_the_inventory_is_reloaded(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=[None])
    server, client = lan["server"], lan["client0"]
    file, state = tmp_path / "site.yaml", tmp_path / "state"
    file.write_text(INVENTORY.format(1))
    start_server(server, file, state)
    fleet = client.spawn(
        [PYTHON, "-m", "netprov", "phone", "-i", client.interface, "--count", str(PHONES), "--at-once", "10"]
    )
    reloads = 0
    while fleet.exit_code is None:
        reloads += 1
        file.write_text(INVENTORY.format(1 + reloads))
        done = server.run([PYTHON, "-m", "netprov", "reload", "--state", str(state)], timeout=60)
        assert done.returncode == 0, done.stderr
    assert reloads > 1
    assert fleet.exit_code == 0, fleet.output
