"""`export --prove`: each engine with what was exported gives the same clients what netprov gives them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from netprov.cli.proof import Prover
from netprov.cli.site import Opened, open_plan
from netprov.cli.verb.inventory.export import DHCP, FILES, export_files
from netprov.compare.report import Verdict, as_text
from netprov.export.name_server import SERVERS, export_zones
from tests.export.inventories import inventory
from tests.lab.conftest import ROOT, needs, needs_groups

pytestmark = pytest.mark.lab

PROGRAMS = {
    "kea": "kea-dhcp4",
    "dhcpd": "dhcpd",
    "dnsmasq": "dnsmasq",
    "nsd": "nsd",
    "knot": "knotd",
    "bind": "named",
    "nginx": "nginx",
    "tftp": "in.tftpd",
}

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
NAMES = (*WRITTEN, *RANDOM) if EVERYTHING else WRITTEN[:1]


@pytest.fixture(params=NAMES)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    name = request.param
    path = ROOT / "config" / name
    if name == "classes" or name in RANDOM:
        path = tmp_path / "site.yaml"
        text = (
            CLASSES if name == "classes" else yaml.safe_dump(inventory(int(name.split()[1])), sort_keys=False)
        )
        path.write_text(text)
    return open_plan(str(path))


def judged(verdict: Verdict, share: float) -> None:
    assert not verdict.unexplained, "\n".join(as_text(verdict))
    assert verdict.answered > verdict.questions * share


@pytest.mark.parametrize("engine", DHCP)
def test_dhcp_server_serves_what_netprov_serves(engine: str, opened: Opened, tmp_path: Path) -> None:
    needs(PROGRAMS[engine])
    export = DHCP[engine](opened.plan, opened.document.place)
    judged(Prover(opened, tmp_path / "proof").dhcp(engine, export.files[FILES[engine]], export.left), 1 / 4)


@pytest.mark.parametrize("engine", SERVERS)
def test_name_server_answers_what_netprov_answers(engine: str, opened: Opened, tmp_path: Path) -> None:
    needs(PROGRAMS[engine])
    judged(Prover(opened, tmp_path / "proof").names(engine, export_zones(opened.plan, engine)), 0.99)


@pytest.mark.parametrize("engine", ["nginx", "tftp"])
def test_file_server_serves_what_netprov_serves(engine: str, opened: Opened, tmp_path: Path) -> None:
    needs_groups(PROGRAMS[engine])
    judged(Prover(opened, tmp_path / "proof").paths(engine, export_files), 0.99)
