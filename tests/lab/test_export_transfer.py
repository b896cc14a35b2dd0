"""Exported primaries and their secondaries: zones go to the address that is named, and only with the key, where there is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netprov.cli.proof import write
from netprov.export.name_server import SERVERS, export_zones
from netprov.inventory.load import parse
from netprov.lab.exported import start
from netprov.lab.process import wait_until
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.plan import derive
from tests.lab.conftest import MakeLan, needs

pytestmark = pytest.mark.lab

INVENTORY = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
hosts: {{pr1: 10.20.0.11}}
dns:
  keys: {{transfer: {{environment: NETPROV_TSIG}}}}
  secondaries: [{{address: 10.20.0.2, name: ns2{key}}}]
"""
PROGRAMS = {"nsd": "nsd", "knot": "knotd", "bind": "named"}
CONFIGS = {"nsd": "nsd.conf", "knot": "knot.conf", "bind": "named.conf"}


@pytest.mark.parametrize("key", ["", ", key: transfer"], ids=["address", "key"])
@pytest.mark.parametrize("engine", SERVERS)
def test_secondary_gets_the_zone_and_nobody_else(
    engine: str, key: str, make_lan: MakeLan, tmp_path: Path
) -> None:
    needs(PROGRAMS[engine])
    dig = needs("dig")
    export = export_zones(derive(parse(INVENTORY.format(key=key), "site.yaml").inventory), engine)
    assert any(each.path == ("dns", "keys", "transfer") for each in export.left) == bool(key)
    write(export, tmp_path)
    hosts = (
        HostPlan("primary", (Port("lan", "lan0", ("10.20.0.1/24",)),)),
        HostPlan("secondary", (Port("lan", "lan0", ("10.20.0.2/24",)),)),
        HostPlan("stranger", (Port("lan", "lan0", ("10.20.0.3/24",)),)),
    )
    lan = make_lan(Topology(hosts, ("lan",)))
    start(engine, lan["primary"], tmp_path)
    secret = re.search(r'secret:? "([^"]+)"', (tmp_path / CONFIGS[engine]).read_text())
    assert (secret is not None) == bool(key)
    signed = ["-y", f"hmac-sha256:transfer:{secret[1]}"] if secret else []

    def zone(host: str, *options: str) -> str:
        return lan[host].run([dig, "@10.20.0.1", "example.com", "AXFR", "+noall", "+answer", *options]).stdout

    wait_until(lambda: "pr1.example.com." in zone("secondary", *signed), what="the zone at the secondary")
    assert "pr1.example.com." not in zone("stranger")
    if key:
        assert "pr1.example.com." not in zone("secondary")
