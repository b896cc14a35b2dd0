"""A phone that nobody has listed: it boots, is listed as a stranger, is taken in as docs/enrolment.md shows, and is provisioned."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from netprov.lab.server import start_server
from netprov.lab.topology import HostPlan, Port, Topology
from tests.docs.page import blocks, steps
from tests.lab.conftest import PYTHON, ROOT, MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

PAGE = ROOT / "docs" / "enrolment.md"
STRANGER = "00:12:34:ab:45:de"


def without_times(text: str) -> list[str]:
    """Return lines without what is another at each run: times of day, and how much is on record."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-27 09:00:00", text)
    return re.sub(r"(?m)(09:00:00  )\d+$", r"\1 9", text).splitlines()


def test_a_stranger_is_adopted_as_the_page_shows_and_provisioned(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=[STRANGER])
    (inventory,) = [each for each in blocks(PAGE) if any("Lobby" in line for line in each)]
    (tmp_path / "lan.yaml").write_text("\n".join((*inventory, "")))
    state = tmp_path / "state"
    start_server(lan["server"], tmp_path / "lan.yaml", state)
    phone = lan["client0"]
    boot = [PYTHON, "-m", "netprov", "phone", STRANGER, "--model", "8851", "-i", phone.interface]

    def run(words: str) -> str:
        program = f'cd {tmp_path} && exec "{PYTHON}" -m {words} 2>&1'
        return lan["server"].run(["sh", "-c", program], timeout=90).stdout

    def standing() -> str:
        return run("netprov phones list -f lan.yaml")

    def booted() -> subprocess.CompletedProcess[str]:
        return phone.run(boot, timeout=90)

    first = booted()
    assert first.returncode == 0, first.stdout
    wait_until(lambda: "bootstrapped over https" in standing(), what="the record of its boot", timeout=20)
    session = [(command, shown) for command, shown in steps(PAGE) if "lan.yaml" in command]
    assert len(session) >= 3
    for command, shown in session[:-1]:
        assert without_times(run(command)) == without_times("\n".join(shown)), command
    second = booted()
    assert second.returncode == 0, second.stdout
    wait_until(lambda: "provisioned over https" in standing(), what="the record of its boot", timeout=20)
    command, shown = session[-1]
    assert without_times(run(command)) == without_times("\n".join(shown)), command


def test_a_stranger_behind_a_relay_is_taken_in_by_the_port_that_the_relay_names(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    """The relay is ISC's, the client busybox's: option 82 is the relay's word, option 60 the client's claim."""
    relay, udhcpc = needs("dhcrelay"), needs("udhcpc")
    near, far = Port("near", "lan0", ("10.20.0.2/24",)), Port("far", "lan1", ("10.30.0.1/24",))
    hosts = (
        HostPlan("server", (Port("near", "lan0", ("10.20.0.1/24",)),), (("10.30.0.0/24", "10.20.0.2"),)),
        HostPlan("relay", (near, far), forwards=True),
        HostPlan("client", (Port("far", mac=STRANGER),)),
    )
    lan = make_lan(Topology(hosts, networks=("near", "far")))
    site, sheet = tmp_path / "site.yaml", tmp_path / "phones.csv"
    site.write_text(
        "domain: example.com\nnetworks:\n"
        "  near: {interface: lan0, subnet: 10.20.0.0/24, other_servers: allow}\n"
        "  far: {subnet: 10.30.0.0/24, router: 10.30.0.1, pool: 10.30.0.100-10.30.0.103}\n"
        f"phones: {{csv: phones.csv}}\nserver: {{state: {tmp_path}/state}}\n"
    )
    sheet.write_text("mac,model\n")
    start_server(lan["server"], site, tmp_path / "state", roles=["dhcp"])
    words = [
        relay,
        "-4",
        "-d",
        "-a",
        "-id",
        "lan1",
        "-iu",
        "lan0",
        "-pf",
        f"{tmp_path}/relay.pid",
        "10.20.0.1",
    ]
    lan["relay"].spawn(words).wait_for("Sending on")
    asked = [udhcpc, "-i", "lan0", "-f", "-n", "-q", "-V", "CP-8851-3PCC", "-s", "/bin/true"]
    assert lan["client"].run(asked, timeout=30).returncode == 0

    def adopt(*words: str) -> subprocess.CompletedProcess[str]:
        return lan["server"].run(
            [PYTHON, "-m", "netprov", "phones", "adopt", "-f", str(site), *words], timeout=60
        )

    (found,) = json.loads(adopt("--json").stdout)
    assert (found["mac"], found["claims"], found["port"]) == (
        STRANGER,
        "CP-8851-3PCC",
        '1 circuit_id = "lan1"',
    )
    assert adopt("--port", "lan2*").returncode == 1
    taken = adopt("--port", "lan1")
    assert taken.returncode == 0, taken.stdout + taken.stderr
    assert sheet.read_text() == f"mac,model\n{STRANGER},CP-8851-3PCC\n"
