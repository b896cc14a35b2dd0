"""A LAN with the provisioning servers on it, for the tests of their clients."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.lab.wire import Faults
from tests.lab.conftest import PYTHON, MakeLan

MAC = "00:12:34:ab:45:de"
OWN_MAC = "00:12:34:ab:45:df"
LOCKED_MAC = "00:12:34:ab:45:e1"
OLD_MAC = "00:12:34:ab:45:e3"
OLD_ADDRESS = "10.20.0.60"
DIGEST_MAC = "00:12:34:ab:45:e2"
PASSWORD = "swordfish"

SITE = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
hosts: {{pr1: 10.20.0.11, elsewhere: 10.20.0.200}}
srv: {{https: [{{target: pr1, port: 5060}}, {{target: elsewhere, port: 443}}], http: [{{target: pr1, port: 8080}}]}}
certificates: {{client_certificates: optional}}
provisioning:
  files: {{/firmware: {folder}}}
  redirects: {{/moved.xml: {{to: /Cisco/$MA.cfg, status: 301}}, /found.xml: "http://10.20.0.1/Cisco/001234ab45de.cfg"}}
  statuses: {{{statuses}}}
  paths: [/prov/$MAU/$PN.xml]
classes:
  mpp: {{match: {{vendor_class: "CP-*-3PCC"}}}}
  basic: {{auth: {{scheme: basic}}}}
  digest: {{auth: {{scheme: digest}}}}
  old: {{tls_min: "1.0"}}
phones:
  - {{mac: {mac}, model: CP-8851-3PCC, address: 10.20.0.50, values: {{Display_Name_1_: "4081001141"}}}}
  - {{mac: {own}, model: CP-7832-3PCC, values: {{Display_Name_1_: "4081001142"}}}}
  - {{mac: {locked}, model: CP-8841-3PCC, class: basic, values: {{Display_Name_1_: "4081001143"}}}}
  - {{mac: {digest}, model: CP-8841-3PCC, class: digest, values: {{Display_Name_1_: "4081001144"}}}}
  - {{mac: {old}, model: CP-7832-3PCC, class: old, address: {old_address}, values: {{Display_Name_1_: "4081001145"}}}}
"""
STATUSES = (303, 400, 403, 407, 410, 429, 500, 501, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Served:
    """The LAN, and what is where."""

    lan: Lan
    server: Host
    client: Host
    process: Process
    site: Path
    state: Path
    folder: Path

    @property
    def ca(self) -> str:
        """PEM file of the CA."""
        return str(self.state / "pki" / "ca.pem")


def serve(make_lan: MakeLan, place: Path, *, faults: Faults | None = None) -> Served:
    """Start the servers at 10.20.0.1 and 10.20.0.11; the client is the first listed phone."""
    folder, state, site = place / "firmware", place / "state", place / "site.yaml"
    folder.mkdir()
    state.mkdir()
    (state / "secrets").write_text(
        f"site hush\npassword:{LOCKED_MAC} {PASSWORD}\npassword:{DIGEST_MAC} {PASSWORD}\n"
    )
    site.write_text(
        SITE.format(
            folder=folder,
            statuses=", ".join(f"/{status}/$PSN.xml: {status}" for status in STATUSES),
            mac=MAC,
            own=OWN_MAC,
            locked=LOCKED_MAC,
            digest=DIGEST_MAC,
            old=OLD_MAC,
            old_address=OLD_ADDRESS,
        )
    )
    lan = make_lan(
        Topology(
            (
                HostPlan("server", (Port(addresses=("10.20.0.1/24", "10.20.0.11/24")),)),
                HostPlan(
                    "client0",
                    (Port(addresses=("10.20.0.50/24", f"{OLD_ADDRESS}/24"), mac=MAC, faults=faults),),
                ),
            ),
        )
    )
    command = [PYTHON, "-m", "netprov", "serve", "-v", "-f", str(site), "--state", str(state)]
    process = lan["server"].spawn([*command, "http", "tftp", "syslog"])
    process.wait_for("Ready", timeout=30)
    return Served(lan, lan["server"], lan["client0"], process, site, state, folder)
