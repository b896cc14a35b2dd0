"""`export nginx|tftp|all`: other servers give phones what netprov gives them, and provision them by every method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from netprov.cli.site import Opened, open_plan
from netprov.compare.report import as_text, judge
from netprov.compare.web import web_questions
from netprov.emulator.phone import boot_phone
from netprov.export.kea import FILE as KEA
from netprov.export.kea import export_kea
from netprov.export.name_server import export_zones
from netprov.lab.daemon import DAEMONS
from netprov.lab.exported import start
from netprov.lab.server import start_server
from netprov.lab.stage import Asked, hear
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.plan.phone import find_phone, identity_of
from netprov.runtime.web.tls import certificate_store
from tests.lab import exported
from tests.lab.conftest import Host, MakeLan, needs, needs_groups

pytestmark = pytest.mark.lab

INVENTORY = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/24, other_servers: allow, conflict_check: false}
hosts: {pr1: 10.20.0.11, pr2: 10.20.0.12}
srv:
  https: [{target: pr1, port: 5061, priority: 10, weight: 20}]
  http: [{target: pr2, port: 8080, priority: 20, weight: 20}]
classes:
  mpp: {match: {vendor_class: "CP-88*"}, method: srv, profile: desk}
  tftp: {method: dhcp, options: {66: 10.20.0.1, 150: [10.20.0.1]}, profile: desk}
  url: {method: dhcp, options: {160: "http://pr2.example.com/$PN/$MA.xml"}, profile: desk}
phones:
  - {mac: 00:12:34:ab:45:de, model: CP-8851-3PCC, name: srv, values: {Station_Display_Name: srv}}
  - {mac: 00:12:34:ab:45:df, model: CP-7841-3PCC, name: tftp, class: tftp, values: {Station_Display_Name: tftp}}
  - {mac: 00:12:34:ab:45:e0, model: CP-6871-3PCC, name: url, class: url, address: 10.20.0.50, values: {Station_Display_Name: url}}
profiles: {desk: {values: {Display_Name_1_: "4081001141", Proxy_1_: example.com}}}
provisioning:
  redirects: {/old/$MA.cfg: "https://pr1.example.com/$MA.cfg"}
  statuses: {/gone.xml: 410}
"""


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    (tmp_path / "site.yaml").write_text(INVENTORY)
    return open_plan(str(tmp_path / "site.yaml"))


def test_every_path_gives_what_netprov_gives(opened: Opened, tmp_path: Path) -> None:
    state, out = tmp_path / "state", tmp_path / "out"
    exported.files(opened, state, out)

    def netprov(host: Host, _interfaces: Sequence[str], _folder: Path) -> object:
        return start_server(host, Path(opened.document.files[0]), state, roles=("http", "tftp"))

    needs("nginx")
    needs_groups("in.tftpd")

    def theirs(host: Host, _interfaces: Sequence[str], _folder: Path) -> object:
        start("tftp", host, out / "tftp")
        return start("nginx", host, out / "nginx")

    # tftpd serves at one address, and has no way to say 410.
    questions = [
        each
        for each in web_questions(opened.plan)
        if each.scheme != "tftp" or (each.address == "10.20.0.1" and each.path != "/gone.xml")
    ]
    asked = Asked((), (), paths=tuple(questions))
    left, right = (hear(opened.plan, each, asked, tmp_path / each.__name__) for each in (netprov, theirs))
    verdict = judge(left, right)
    assert not verdict.unexplained, "\n".join(as_text(verdict, everything=True))
    assert verdict.answered == verdict.questions
    assert sum(getattr(each, "status", "") == "200" for each in left.values()) > 50


def test_phones_of_every_method_are_provisioned_without_netprov(
    opened: Opened, make_lan: MakeLan, tmp_path: Path
) -> None:
    plan, out = opened.plan, tmp_path / "out"
    exported.files(opened, tmp_path / "state", out)
    exported.write(export_zones(plan, "nsd"), out)
    names = ("srv", "tftp", "url")
    phones = {name: find_phone(plan.site, name) for name in names}
    addresses = tuple(f"10.20.0.{number}/24" for number in (1, 11, 12))
    hosts = [HostPlan("server", (Port("lan", "lan0", addresses),))]
    hosts += [
        HostPlan(name, (Port("lan", "lan0", mac=each.declared.mac),)) for name, each in phones.items() if each
    ]
    lan = make_lan(Topology(tuple(hosts), ("lan",)))
    server = lan["server"]
    DAEMONS["kea"](server, export_kea(plan, opened.document.place).files[KEA], ["lan0"], tmp_path)
    for engine in ("nsd", "nginx", "tftp"):
        needs_groups({"tftp": "in.tftpd"}.get(engine, engine))
        start(engine, server, out / engine)
    roots = tuple(each.pem() for each in certificate_store(tmp_path / "state").anchors())
    for name, phone in phones.items():
        assert phone is not None
        with lan[name].entered():
            trip = boot_phone(identity_of(phone, custom_roots=roots), "lan0")
        assert trip.outcome.provisioned, (name, trip.outcome)
        assert trip.handset["Station_Display_Name"] == name
