"""Exports: the same each time, taken by each engine's own checker, and what is lost is told."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group
from netprov.dhcp.match import Condition
from netprov.export.dhcpd_test import test_of as dhcpd_test
from netprov.export.kea_test import test_of as kea_test

ROOT = Path(__file__).parents[2]
INVENTORIES = sorted([*(ROOT / "config").glob("*.yaml"), *(ROOT / "config" / "labs").glob("*.yaml")])
SBIN = "/usr/local/sbin:/usr/sbin:/usr/bin"

SECONDARIES = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
hosts: {pr1: 10.20.0.11}
srv: {https: [{target: pr1, port: 443, priority: 10, weight: 20}]}
dns: {secondaries: [{address: 10.20.0.2, name: ns2}, {address: 10.20.0.3, port: 5353}], forward: 192.0.2.53}
"""


def export(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["export", *arguments], standalone_mode=False, catch_exceptions=False)


def check(command: list[str], folder: Path) -> None:
    program = shutil.which(command[0], path=SBIN)
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(params=[*INVENTORIES, "secondaries"], ids=lambda each: getattr(each, "name", each))
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    source = request.param
    if source == "secondaries":
        source = tmp_path / "site.yaml"
        source.write_text(SECONDARIES)
    assert export("all", "-f", str(source), "--out", str(tmp_path / "out")).return_value == 0
    return tmp_path / "out"


def test_every_checker_accepts(written: Path) -> None:
    kea = written / "kea" / "kea-dhcp4.conf"
    text = re.sub(r'"lan\d[\w.]*"', '"lo"', kea.read_text())  # kea-dhcp4 -t wants interfaces that are there
    kea.write_text(re.sub(r'"interfaces": \[[^]]*\]', '"interfaces": ["lo"]', text))
    check(["kea-dhcp4", "-t", "kea-dhcp4.conf"], written / "kea")
    check(["dhcpd", "-t", "-cf", "dhcpd.conf"], written / "dhcpd")
    dnsmasq = written / "dnsmasq" / "dnsmasq.conf"
    check(["dnsmasq", "--test", f"--conf-file={dnsmasq}"], written)
    check(["knotc", "-c", "knot.conf", "conf-check"], written / "knot")
    named = (written / "bind" / "named.conf").read_text()
    (written / "bind" / "named.conf").write_text(named.replace("/etc/bind", str(written / "bind")))
    check(["named-checkconf", "-z", "named.conf"], written / "bind")
    nsd = (written / "nsd" / "nsd.conf").read_text()
    (written / "nsd" / "nsd.conf").write_text(
        nsd.replace("server:\n", f'server:\n  zonesdir: "{written / "nsd"}"\n', 1)
    )
    check(["nsd-checkconf", "nsd.conf"], written / "nsd")
    for zone in (written / "nsd" / "zones").iterdir():
        check(["nsd-checkzone", zone.stem, str(zone)], written)


def test_the_same_inventory_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        export("all", "-f", str(ROOT / "config" / "staging.yaml"), "--out", str(tmp_path / name))
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) > 6
    assert all(
        (tmp_path / "one" / each).read_bytes() == (tmp_path / "two" / each).read_bytes() for each in files
    )


def test_kea_3_has_its_own_names(tmp_path: Path) -> None:
    export("kea", "-f", str(ROOT / "config" / "staging.yaml"), "--out", str(tmp_path), "--for", "3")
    text = (tmp_path / "kea" / "kea-dhcp4.conf").read_text()
    assert "evaluate-additional-classes" in text
    assert "require-client-classes" not in text
    assert "only-if-required" not in text


PAIR = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/24, pool: 10.20.0.100-10.20.0.199, clients: phones, reserved: [10.20.0.200-10.20.0.209]}
  lab: {interface: lan1, subnet: 10.21.0.0/24, pool: 10.21.0.100-10.21.0.100, clients: all}
dhcp: {partner: {address: 10.20.0.2, mode: MODE}}
"""


def pair(tmp_path: Path, mode: str, version: str) -> list[dict[str, Any]]:
    """Return the configurations of two Kea servers that share networks."""
    source = tmp_path / "site.yaml"
    source.write_text(PAIR.replace("MODE", mode))
    assert export("kea", "-f", str(source), "--out", str(tmp_path), "--for", version).return_value == 0
    texts = [(tmp_path / "kea" / name).read_text() for name in ("kea-dhcp4.conf", "partner/kea-dhcp4.conf")]
    assert not any(
        re.search(r"[:\[ ]0\d", re.sub(r'"[^"]*"', '""', text)) for text in texts
    )  # Kea 3.2 refuses these
    return [json.loads(text.partition("\n")[2])["Dhcp4"] for text in texts]


def relationship(config: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = config["hooks-libraries"][1]["parameters"]["high-availability"][0]
    return found


def test_hot_standby_is_two_configurations_that_differ_in_who_they_are(tmp_path: Path) -> None:
    first, second = pair(tmp_path, "hot-standby", "2")
    assert [relationship(each).pop("this-server-name") for each in (first, second)] == ["server1", "server2"]
    assert [(each["url"], each["role"]) for each in relationship(first)["peers"]] == [
        ("http://10.20.0.1:8001/", "primary"),
        ("http://10.20.0.2:8001/", "standby"),
    ]
    assert first == second


def test_servers_that_both_serve_have_half_of_every_pool(tmp_path: Path) -> None:
    first, _ = pair(tmp_path, "load-balancing", "2")
    voice, lab = first["subnet4"]
    assert [(each["pool"], each["client-class"]) for each in voice["pools"]] == [
        ("10.20.0.100-10.20.0.149", "voice/server1/served"),
        ("10.20.0.150-10.20.0.199", "voice/server2/served"),
        ("10.20.0.200-10.20.0.204", "voice/server1/KNOWN"),
        ("10.20.0.205-10.20.0.209", "voice/server2/KNOWN"),
    ]
    assert [(each["pool"], each["client-class"]) for each in lab["pools"]] == [
        ("10.21.0.100-10.21.0.100", "HA_server1")
    ]
    tests = {each["name"]: each.get("test") for each in first["client-classes"]}
    assert tests["voice/server2/served"] == "member('HA_server2') and member('voice/served')"
    assert [each["role"] for each in relationship(first)["peers"]] == ["primary", "secondary"]


def test_kea_3_finds_files_sockets_and_hooks_in_its_own_directories(tmp_path: Path) -> None:
    for version, socket, leases, hook in (
        (
            "2",
            "/run/kea/kea4-ctrl-socket",
            "/var/lib/kea/kea-leases4.csv",
            "/usr/lib/x86_64-linux-gnu/kea/hooks/libdhcp_ha.so",
        ),
        ("3", "kea4-ctrl-socket", "kea-leases4.csv", "libdhcp_ha.so"),
    ):
        config, _ = pair(tmp_path, "hot-standby", version)
        control = config["control-sockets"][0] if version == "3" else config["control-socket"]
        assert ("control-socket" in config) == (version == "2")
        assert control == {"socket-type": "unix", "socket-name": socket}
        assert config["lease-database"]["name"] == leases
        assert config["hooks-libraries"][1]["library"] == hook


@pytest.mark.parametrize("mode", ["hot-standby", "load-balancing"])
def test_kea_accepts_both_of_a_pair(mode: str, tmp_path: Path) -> None:
    pair(tmp_path, mode, "2")
    for name in ("kea-dhcp4.conf", "partner/kea-dhcp4.conf"):
        path = tmp_path / "kea" / name
        text = re.sub(r'"lan\d"', '"lo"', path.read_text())  # kea-dhcp4 -t wants interfaces that are there
        path.write_text(re.sub(r'"interfaces": \[[^]]*\]', '"interfaces": ["lo"]', text))
        check(["kea-dhcp4", "-t", name], tmp_path / "kea")


def test_options_say_which_line_they_are_from(tmp_path: Path) -> None:
    source = ROOT / "config" / "staging.yaml"
    export("kea", "-f", str(source), "--out", str(tmp_path))
    assert f"Router 10.20.0.1, {source}:" in (tmp_path / "kea" / "kea-dhcp4.conf").read_text()


def test_what_is_lost_is_told_with_its_line(tmp_path: Path) -> None:
    source = tmp_path / "site.yaml"
    source.write_text(SECONDARIES)
    told = export("nsd", "-f", str(source), "--out", str(tmp_path / "out")).stderr
    assert f"{source}:6:" in told
    assert "forwards nothing" in told


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Condition(vendor_class=("CP-8851-3PCC",)), "(option[60].hex == 'CP-8851-3PCC')"),
        (Condition(vendor_class=("CP-*",)), "(substring(option[60].hex,0,3) == 'CP-')"),
        (Condition(mac=(b"\x00\x0e\x08",)), "(substring(pkt4.mac,0,3) == 0x000e08)"),
        (Condition(network=("voice",)), "('a' == 'a')"),
        (Condition(network=("lab",)), "('a' == 'b')"),
        (
            Condition(negated=Condition(vendor_class=("x'y",))),
            "(not ((option[60].hex == 0x782779)))",
        ),
    ],
)
def test_condition_is_written_as_kea_reads_it(condition: Condition, text: str) -> None:
    assert kea_test(condition, "voice", lambda _text, _reason: None) == text


def test_condition_that_kea_cannot_put_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="what a client asks for"):
        kea_test(Condition(requests=(66,)), "voice", lambda _text, _reason: None)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Condition(negated=Condition(vendor_class=("CP-*",), network=("voice",))), '(not (pick-first-value(option vendor-class-identifier, " ") ~= "^CP-.*$"))'),
        (Condition(negated=Condition(vendor_class=("CP-*",), network=("lab",))), '("a" = "a")'),
        (Condition(vendor_class=("CP-*",), network=("lab",)), '("a" = "b")'),
    ],
)  # fmt: skip
def test_what_always_holds_is_no_part_of_dhcpds_condition(condition: Condition, text: str) -> None:
    """`not (x and "a" = "a")` takes nobody in dhcpd 4.4 who sends no vendor class."""
    assert dhcpd_test(condition, "voice") == text
