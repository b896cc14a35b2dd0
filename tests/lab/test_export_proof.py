"""`export --prove`: a DHCP server with what was exported gives the same clients what netprov gives them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from netprov.cli.side import prove_export
from netprov.cli.site import open_plan
from netprov.cli.verb.inventory.export import DHCP, FILES
from netprov.compare.report import as_text
from tests.export.inventories import inventory
from tests.lab.conftest import ROOT, needs

pytestmark = pytest.mark.lab

PROGRAMS = {"kea": "kea-dhcp4", "dhcpd": "dhcpd", "dnsmasq": "dnsmasq"}

CLASSES = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/24, clients: all, other_servers: allow, conflict_check: false, ntp: 10.20.0.2}
  lab: {interface: lan1, subnet: 10.21.0.0/24, clients: all, other_servers: allow, conflict_check: false, lease: 2h,
        router: [], options: {2: 3600, 252: "http://w/"}}
classes:
  first: {match: {vendor_class: "CP-88*"}, method: dhcp, force: [160], options: {66: 10.20.0.1, 160: "http://pr1/$PSN.xml", 42: 10.20.0.9}}
  second: {match: {vendor_class: "CP-*"}, method: dhcp, options: {66: 10.20.0.3, 150: [10.20.0.3, 10.20.0.4]}}
  lab: {match: {network: lab, any: [{vendor_class: "DP-*"}, {mac: "00:0e:08"}]}, method: dhcp, options: {66: 10.21.0.1}}
  acs: {match: {vendor_class: dslforum.org}, method: acs, options: {43: {acs_url: "http://acs/"}}}
  not: {match: {not: {vendor_class: "MSFT*"}}, options: {100: UTC0}}
phones:
  - {mac: 00:12:34:ab:45:de, model: CP-8851-3PCC, class: second, address: 10.20.0.50, name: lobby}
  - {mac: 00:12:34:ab:45:df, model: CP-8851-3PCC, network: lab, method: dhcp, options: {66: 10.21.0.9}}
"""

WRITTEN = ("classes", "staging.yaml", "minimal.yaml", "labs/two-networks.yaml", "labs/vlans.yaml")
RANDOM = tuple(f"random {seed}" for seed in range(25))
EVERYTHING = os.environ.get("NETPROV_PROOFS") == "all"
CASES = [(engine, name) for engine in DHCP for name in ((*WRITTEN, *RANDOM) if EVERYTHING else WRITTEN[:1])]


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_engine_serves_what_netprov_serves(engine: str, name: str, tmp_path: Path) -> None:
    needs(PROGRAMS[engine])
    path = ROOT / "config" / name
    if name not in WRITTEN or name == "classes":
        path = tmp_path / "site.yaml"
        text = (
            CLASSES if name == "classes" else yaml.safe_dump(inventory(int(name.split()[1])), sort_keys=False)
        )
        path.write_text(text)
    opened = open_plan(str(path))
    export = DHCP[engine](opened.plan, opened.document.place)
    verdict = prove_export(opened, engine, export.files[FILES[engine]], export.left, tmp_path)
    assert not verdict.unexplained, "\n".join(as_text(verdict))
    assert verdict.answered > verdict.questions / 4
