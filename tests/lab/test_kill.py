"""A server that is killed in the middle of lease traffic has forgotten nothing it acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from netprov.lab.lan import Lan
from netprov.lab.server import start_server
from tests.lab.conftest import MakeLan
from tests.lab.load import Load

pytestmark = pytest.mark.lab

INVENTORY = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/22, pool: 10.20.1.0-10.20.3.250, other_servers: allow}
"""
PHONES = 240
KILLS = (60, 130)
"""Kill the server when so many leases are acknowledged."""


@pytest.fixture
def lan(make_lan: MakeLan) -> Lan:
    """Return a LAN with a relay agent on it."""
    lan = make_lan(server=["10.20.0.1/22"], clients=[None])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.2/22")
    return lan


@pytest.fixture
def load(lan: Lan) -> Iterator[Load]:
    """Return the phones behind it."""
    load = Load(lan["client0"], "10.20.0.2", "10.20.0.1")
    yield load
    load.close()


def test_every_acknowledged_lease_survives_kill_9_and_none_is_given_twice(
    lan: Lan, load: Load, tmp_path: Path
) -> None:
    inventory, state = tmp_path / "site.yaml", tmp_path / "state"
    inventory.write_text(INVENTORY)
    server = start_server(lan["server"], inventory, state, roles=["dhcp"])
    for count in KILLS:
        load.run(lambda count=count: len(load.leases) >= count, timeout=40, limit=PHONES)  # type: ignore[misc]
        server.kill()
        promised = load.leases
        server = start_server(lan["server"], inventory, state, roles=["dhcp"])
        assert load.confirm(promised, timeout=20) == promised
    load.run(lambda: len(load.leases) == PHONES, timeout=60, limit=PHONES)
    holders = Counter(load.leases.values())
    assert [address for address, count in holders.items() if count > 1] == []
    assert len({address for _, address in load.acknowledged}) == PHONES
