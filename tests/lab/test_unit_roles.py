"""Each role as a process of its own, with the capabilities of its unit and nothing more, serves real clients."""

from __future__ import annotations

import signal
from configparser import ConfigParser
from pathlib import Path

import pytest

from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.runtime.roles import ROLES
from tests.lab.clients import udhcpc
from tests.lab.conftest import PHONES, PYTHON, ROOT, STAGING, STAGING_ADDRESSES, MakeLan, needs

pytestmark = pytest.mark.lab

PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
REFUSING_EXEC = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl({PR_SET_MDWE}, {PR_MDWE_REFUSE_EXEC_GAIN}, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a program as MemoryDenyWriteExecute= does, where the kernel can (Linux 6.3)."""


def capabilities(role: str) -> str:
    """Return the bounding set of a role's unit as setpriv writes it."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.read_string((ROOT / "systemd" / f"netprov-{role}.service").read_text())
    given = parser["Service"]["CapabilityBoundingSet"].split()
    return ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in given)])


def spawn(host: Host, role: str, state: Path) -> Process:
    only = capabilities(role)
    confined = [needs("setpriv"), "--no-new-privs", f"--inh-caps={only}", f"--bounding-set={only}"]
    serve = [PYTHON, "-m", "netprov", "serve", role, "-f", str(STAGING), "--state", str(state)]
    return host.spawn([*confined, PYTHON, "-c", REFUSING_EXEC, *serve])


@pytest.fixture(scope="module")
def running() -> list[Process]:
    """Return what `roles` has started."""
    return []


@pytest.fixture(scope="module")
def roles(make_module_lan: MakeLan, state: Path, running: list[Process]) -> tuple[Lan, Path]:
    """Return a LAN whose server runs every role of config/staging.yaml as its unit would, and the state directory."""
    lan = make_module_lan(server=STAGING_ADDRESSES, clients=PHONES)
    running += [spawn(lan["server"], role, state) for role in ROLES]
    for process in running:
        process.wait_for("Ready", timeout=60)
    with lan["client3"].links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    return lan, state


def test_confined_processes_have_lost_their_capabilities(roles: tuple[Lan, Path]) -> None:
    host = roles[0]["client3"]
    only = capabilities("dns")
    confined = [needs("setpriv"), "--no-new-privs", f"--inh-caps={only}", f"--bounding-set={only}"]
    said = host.run([*confined, "/bin/grep", "Cap", "/proc/self/status"]).stdout
    effective = next(line.split()[1] for line in said.splitlines() if line.startswith("CapEff"))
    assert int(effective, 16) == 1 << 10  # CAP_NET_BIND_SERVICE


def test_dns_answers(roles: tuple[Lan, Path]) -> None:
    command = [needs("dig"), "@10.20.0.1", "+short", "SRV", "_ciscoprov-https._tls.example.com"]
    assert "10 20 5060 pr2.example.com." in roles[0]["client3"].run(command, timeout=20).stdout


def test_https_and_the_acs_share_the_certificates(roles: tuple[Lan, Path]) -> None:
    lan, state = roles
    fetch = [
        needs("curl"),
        "-sS",
        "--max-time",
        "10",
        "--cacert",
        str(state / "pki" / "ca.pem"),
        "-o",
        "/dev/null",
    ]
    for url, address, status in (
        ("https://example.com:5060/8851-3PCC.xml", "example.com:5060:10.20.0.12:5060", "200"),
        ("https://pr1.example.com:7547/", "pr1.example.com:7547:10.20.0.11:7547", "405"),
    ):
        result = lan["client3"].run([*fetch, "-w", "%{http_code}", "--connect-to", address, url], timeout=20)
        assert status == result.stdout, result.stderr


def test_tftp_gives_a_profile(roles: tuple[Lan, Path], tmp_path: Path) -> None:
    command = [needs("curl"), "-sS", "--max-time", "10", "tftp://10.20.0.1/8841-3PCC.xml"]
    assert "<flat-profile>" in roles[0]["client3"].run(command, timeout=20).stdout


def test_dhcp_gives_an_address_to_a_client_that_has_none(roles: tuple[Lan, Path], tmp_path: Path) -> None:
    given = udhcpc(roles[0]["client0"], tmp_path, vendor_class="CP-8851-3PCC")
    assert given["ip"] == "10.20.0.50"


def test_confined_processes_reload_and_go_on_serving(
    roles: tuple[Lan, Path], running: list[Process], tmp_path: Path
) -> None:
    for process in running:
        process.signal(signal.SIGHUP)
    for process in running:
        process.wait_for("serve: reloaded", timeout=30)
    test_dns_answers(roles)
    test_https_and_the_acs_share_the_certificates(roles)
    test_tftp_gives_a_profile(roles, tmp_path)
    test_dhcp_gives_an_address_to_a_client_that_has_none(roles, tmp_path)
