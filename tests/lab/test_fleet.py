"""Phones on lab hosts boot at once, from servers that are not ours, and tell what they did."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.lab.fleet import Member, boot_all
from netprov.lab.lan import Lan
from netprov.lab.topology import SERVER
from netprov.phone.action import AskDhcp, Step
from netprov.phone.boot import Outcome
from netprov.phone.handset.identity import Identity, model_named
from tests.lab.conftest import MakeLan, needs

pytestmark = pytest.mark.lab

MACS = [f"00:12:34:00:00:{number:02x}" for number in range(1, 5)]
PROFILE = "<flat-profile><Display_Name_1_>4081001141</Display_Name_1_></flat-profile>"


def members(lan: Lan) -> list[Member]:
    """Return one phone a client host."""
    phones = [host for host in lan if host.name != SERVER]
    return [Member(host, Identity(mac, model_named("8851"))) for host, mac in zip(phones, MACS, strict=False)]


def test_phones_boot_at_once_from_dnsmasq(make_lan: MakeLan, tmp_path: Path) -> None:
    dnsmasq = needs("dnsmasq")
    tmp_path.chmod(0o755)
    (tmp_path / "8851-3PCC.xml").write_text(PROFILE)
    lan = make_lan(server=["10.20.0.1/24"], clients=MACS)
    server = lan["server"].spawn(
        [
            *(dnsmasq, "--no-daemon", "--conf-file=/dev/null", "--user=root", "--log-dhcp", "--port=0"),
            *("--dhcp-range=10.20.0.100,10.20.0.150,1h", "--dhcp-option-force=66,10.20.0.1", "--no-ping"),
            *("--dhcp-leasefile=" + str(tmp_path / "leases"), "--enable-tftp", f"--tftp-root={tmp_path}"),
        ]
    )
    server.wait_for("TFTP root is")
    steps: dict[str, list[Step]] = {}
    outcomes: dict[str, Outcome] = {}
    for member, news in boot_all(members(lan), timeout=20):
        if isinstance(news, Outcome):
            outcomes[member.host.name] = news
        else:
            steps.setdefault(member.host.name, []).append(news)
    assert {name: (each.provisioned, each.method, each.url) for name, each in outcomes.items()} == {
        f"client{number}": (True, "dhcp", "tftp://10.20.0.1/8851-3PCC.xml") for number in range(4)
    }, server.output
    assert all(isinstance(each[0].action, AskDhcp) for each in steps.values())


def test_time_that_is_up_ends_every_phone(make_lan: MakeLan) -> None:
    lan = make_lan(clients=MACS[:2])
    outcomes = [news for _, news in boot_all(members(lan), timeout=0.5) if isinstance(news, Outcome)]
    assert [each.reason for each in outcomes] == ["it was still trying when the time was up"] * 2
