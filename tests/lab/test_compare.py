"""`netprov compare` on inventories and on servers that run: real processes, asked over a virtual LAN."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from netprov.lab.server import start_server
from netprov.lab.topology import HostPlan, Port, Topology
from tests.lab.conftest import PYTHON, ROOT, Host, MakeLan, needs

INVENTORY = """\
domain: example.com
networks:
  voice: {{interface: lan0, subnet: 10.20.0.0/24, clients: all, other_servers: allow, conflict_check: false{more}}}
hosts: {{pr1: 10.20.0.11}}
srv: {{https: [{{target: pr1, port: 443, priority: 10, weight: 20}}]}}
classes:
  cp: {{match: {{vendor_class: "CP-*"}}, method: dhcp, options: {{66: {server}}}}}
phones:
  - {{mac: 00:12:34:ab:45:de, address: 10.20.0.50, name: lobby, profile: desk}}
profiles: {{desk: {{values: {{Station_Display_Name: {display}}}}}}}
"""

Found = set[tuple[str, str]]

pytestmark = pytest.mark.lab


def compare(host: Host, *arguments: str) -> tuple[int, str]:
    command = [PYTHON, "-m", "netprov", "compare", *arguments]
    result = host.run(command, timeout=180, environment={"PYTHONPATH": str(ROOT)})
    assert result.returncode in {0, 1}, result.stderr
    return result.returncode, result.stdout


def unexplained(text: str) -> list[dict[str, str]]:
    return [each for each in json.loads(text)["differences"] if not each["reason"]]


def test_two_inventories_are_compared_by_what_they_serve(make_lan: MakeLan, tmp_path: Path) -> None:
    old = INVENTORY.format(server="10.20.0.1", display="hall", more="")
    (tmp_path / "old.yaml").write_text(old)
    (tmp_path / "new.yaml").write_text(INVENTORY.format(server="10.20.0.9", display="yard", more=""))
    host = make_lan(server=["10.20.0.1/24"], clients=[])["server"]

    code, text = compare(host, str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml"), "--json")
    assert code == 1
    found = {(each["what"], each["place"].rpartition("/")[2]) for each in unexplained(text)}
    assert found == {("option 66 (TFTP Server Name)", "old.yaml:7:67"), ("body", "")}
    bodies = {each["question"].partition("//")[0] for each in unexplained(text) if each["what"] == "body"}
    assert bodies == {"tftp:", "http:", "https:"}


def test_an_inventory_is_served_twice_alike(make_lan: MakeLan, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(INVENTORY.format(server="10.20.0.1", display="hall", more=""))
    host = make_lan(server=["10.20.0.1/24"], clients=[])["server"]
    code, text = compare(host, *[str(tmp_path / "old.yaml")] * 2, "--junit")
    suite = fromstring(text)
    failed = [(case.get("name"), each.get("message")) for case in suite for each in case.iter("failure")]
    assert (code, failed) == (0, [])
    assert int(suite.get("tests", "0")) > 400


def test_two_servers_that_run_are_compared_where_they_are(make_lan: MakeLan, tmp_path: Path) -> None:
    names = ("dnsmasq", "netprov", "asker")
    hosts = [
        HostPlan(name, (Port("lan", "lan0", (f"10.20.0.{number}/24",)),))
        for number, name in enumerate(names, 1)
    ]
    lan = make_lan(Topology(tuple(hosts), ("lan",)))
    site = tmp_path / "site.yaml"
    more = ", address: 10.20.0.2, pool: 10.20.0.100-10.20.0.149, lease: 1h, router: [10.20.0.254], dns: [10.20.0.2]"
    site.write_text(INVENTORY.format(server="10.20.0.7", display="hall", more=more))
    start_server(lan["netprov"], site, tmp_path / "state", roles=("dhcp", "dns"))
    old = [
        *(
            "--dhcp-range=10.20.0.100,10.20.0.149,1h",
            "--domain=example.com",
            "--dhcp-host=00:12:34:ab:45:de,10.20.0.50,lobby",
        ),
        *("--dhcp-option=3,10.20.0.254", "--dhcp-option=6,10.20.0.2", "--dhcp-vendorclass=set:cp,CP-"),
        *(
            "--dhcp-option=tag:cp,66,10.20.0.8",
            "--host-record=pr1.example.com,10.20.0.11",
            "--local=/example.com/",
        ),
        "--srv-host=_ciscoprov-https._tls.example.com,pr1.example.com,443,10,20",
    ]
    command = [
        needs("dnsmasq"),
        "--no-daemon",
        "--conf-file=/dev/null",
        "--log-facility=-",
        "--no-ping",
        "--user=root",
    ]
    places = [
        f"--dhcp-leasefile={tmp_path}/leases",
        f"--pid-file={tmp_path}/pid",
        "--no-hosts",
        "--no-resolv",
    ]
    lan["dnsmasq"].spawn([*command, *places, *old]).wait_for("started, version")

    code, text = compare(lan["asker"], "10.20.0.1%lan0", "10.20.0.2%lan0", "-f", str(site), "--json")
    found = unexplained(text)
    options = {
        (each["what"], each["left"], each["right"]) for each in found if each["what"].startswith("option")
    }
    assert ("option 66 (TFTP Server Name)", '"10.20.0.8"', '"10.20.0.7"') in options
    assert {what for what, _, _ in options} == {"option 66 (TFTP Server Name)"}
    # dnsmasq serves no profiles here, and netprov was started without them: what neither serves is alike.
    assert not [each for each in found if "://" in each["question"]]
    assert code == 1
