"""Import of what is no DHCP server's configuration: zones, profiles, devices of PBXs, captures; secrets never come along."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group
from netprov.compare.dns import ask_dns, dns_questions
from netprov.compare.report import as_text, judge
from netprov.convert.draft import format_draft
from netprov.convert.form import FORMATS
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.export.name_server import export_zones
from netprov.inventory.load import parse
from netprov.inventory.model import Inventory
from netprov.plan import Plan, derive
from tests.export.inventories import inventory

HERE = Path(__file__).parent / "further"


def imported(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[Inventory, Result]:
    monkeypatch.chdir(HERE)
    result = CliRunner().invoke(group, ["import", name], standalone_mode=False, catch_exceptions=False)
    assert result.return_value == 0, result.output
    return parse(result.stdout, "draft").inventory, result


def test_master_file_becomes_hosts_targets_and_records(monkeypatch: pytest.MonkeyPatch) -> None:
    found, result = imported(monkeypatch, "db.example.com")
    assert found.domain == "example.com"
    assert {name: [str(each) for each in host.addresses] for name, host in found.hosts.items()} == {
        "ns1": ["10.20.0.2"],
        "pr1": ["10.20.0.11"],
    }
    assert found.hosts["pr1"].aliases == ("prov",)
    assert found.srv.https is not None
    assert [(each.target, each.port, each.priority, each.weight) for each in found.srv.https] == [
        ("pr1", 443, 10, 20)
    ]
    assert {(each.name, each.type) for each in found.records} == {
        ("@", "A"), ("@", "TXT"), ("_sip._udp", "SRV"), ("*.lab", "A"), ("www", "CNAME")
    }  # fmt: skip
    assert "db.example.com:3:1: example.com NS" in result.stderr


def test_zones_of_named_conf_come_with_their_files(monkeypatch: pytest.MonkeyPatch) -> None:
    found, result = imported(monkeypatch, "named.conf")
    assert (found.domain, set(found.hosts)) == ("example.com", {"ns1", "pr1"})
    assert [(each.origin, each.file) for each in found.zones] == [("lab.example.org", "db.lab")]
    assert "named.conf:6:1: zone other.example: only primary zones" in result.stderr
    assert "named.conf:4:1: allow-transfer key transfer, 10.20.0.3" in result.stderr
    assert "db.example.com:2:1: example.com SOA" in result.stderr


def test_devices_of_fusionpbx_have_a_row_for_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    found, result = imported(monkeypatch, "fusionpbx.csv")
    (phone,) = found.phones
    assert (phone.mac, phone.model) == ("00:12:34:ab:45:de", "CP-8851-3PCC")
    assert (phone.values["User_ID_1_"], phone.values["User_ID_2_"]) == ("1001", "1099")
    assert "netprov provisions Cisco's phones" in result.stderr
    assert "not enabled" in result.stderr
    assert "hunter" not in result.output


def test_devices_of_wazo_are_phones(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = imported(monkeypatch, "wazo.csv")
    (phone,) = found.phones
    assert (phone.model, phone.firmware, phone.serial, str(phone.address)) == (
        "CP-8851-3PCC", "12.0.1", "FCH1", "10.20.0.50"
    )  # fmt: skip


def test_profile_of_a_phone_comes_without_its_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    found, result = imported(monkeypatch, "cfg.xml")
    values: dict[str, Any] = dict(found.profiles["cfg"].values)
    assert set(values) == {"Proxy_1_", "User_ID_1_", "Station_Display_Name"}
    assert (values["Proxy_1_"].value, values["Proxy_1_"].ua) == ("pbx.example.com", "na")
    assert "cfg.xml:6:1: Password_1_: a password" in result.stderr
    assert "hunter" not in result.output


def test_capture_becomes_what_the_servers_hand_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inet = pytest.importorskip("scapy.layers.inet")
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.l2 import Ether
    from scapy.utils import wrpcap

    def packet(mac: str, kind: str, xid: int, options: list[Any], *, reply: bool) -> Any:
        address = "10.20.0.117" if reply else "0.0.0.0"
        bootp = BOOTP(
            op=2 if reply else 1, chaddr=bytes.fromhex(mac.replace(":", "")), xid=xid, yiaddr=address
        )
        ports = {"sport": 67, "dport": 68} if reply else {"sport": 68, "dport": 67}
        ip = inet.IP(src="10.20.0.1" if reply else "0.0.0.0", dst="255.255.255.255")
        return (
            Ether(dst="ff:ff:ff:ff:ff:ff")
            / ip
            / inet.UDP(**ports)
            / bootp
            / DHCP(options=[("message-type", kind), *options, "end"])
        )

    given = [
        ("server_id", "10.20.0.1"), ("subnet_mask", "255.255.255.0"), ("router", "10.20.0.254"),
        ("name_server", "10.20.0.2"), ("domain", "example.org"), ("lease_time", 7200),
    ]  # fmt: skip
    phone, other = "00:12:34:ab:45:de", "00:12:34:00:00:01"
    packets = [
        packet(phone, "discover", 1, [("vendor_class_id", "CP-8851-3PCC")], reply=False),
        packet(phone, "offer", 1, [*given, ("tftp_server_name", b"10.20.0.7")], reply=True),
        packet(other, "discover", 2, [("vendor_class_id", "MSFT 5.0")], reply=False),
        packet(other, "offer", 2, given, reply=True),
    ]
    wrpcap(str(tmp_path / "lan.pcap"), packets)
    found, result = imported(monkeypatch, str(tmp_path / "lan.pcap"))
    (network,) = found.networks.values()
    assert (str(network.subnet), network.lease, found.domain) == ("10.20.0.0/24", 7200, "example.org")
    assert [str(each) for each in network.router or ()] == ["10.20.0.254"]
    (class_,) = found.classes.values()
    assert class_.match is not None
    assert (class_.match.vendor_class, class_.method, dict(class_.options)) == (
        ("CP-8851-3PCC",), "dhcp", {66: "10.20.0.7"}
    )  # fmt: skip
    assert [(each.mac, each.model) for each in found.phones] == [(phone, "CP-8851-3PCC")]
    assert "a capture does not show which addresses a server has" in result.stderr


def _answers(plan: Plan, asked: Plan) -> Any:
    responder = Responder(plan.dns.zones)
    return ask_dns(lambda query, tcp: responder.respond(query, Client(tcp=tcp)), dns_questions(asked))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("server", ["nsd", "knot", "bind"])
def test_exported_zones_come_back(server: str, seed: int, tmp_path: Path) -> None:
    plan = derive(Inventory.model_validate(inventory(seed)))
    export = export_zones(plan, server)
    for name, text in export.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    if server == "bind":
        text = export.files["bind/named.conf"].replace("/etc/bind", str(tmp_path / "bind"))
        draft = FORMATS["named"](text, str(tmp_path / "bind" / "named.conf"))
    else:
        name = f"{server}/zones/example.com.zone"
        draft = FORMATS["zone"](export.files[name], str(tmp_path / name))
    back = derive(parse(format_draft(draft), "draft").inventory)
    zone = re.compile(r"(?:.*\.)?(?<!\.)(?:sub\d\.)?example\.com\Z")
    # PTR and the names of this server follow from networks, which zones do not tell.
    left, right = (
        {
            key: each
            for key, each in _answers(one, plan).items()
            if zone.match(key.name) and "netprov." not in key.name and not key.name.startswith("sub")
        }
        for one in (plan, back)
    )
    verdict = judge(left, right)
    assert not verdict.unexplained, "\n".join(as_text(verdict))
