"""`netprov init` on virtual LANs: what it sees there, what it asks, what it writes, what it leaves alone."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from netprov.lab.lan import Host
from tests.lab.conftest import PYTHON, ROOT, MakeLan, needs, wait_until

pytestmark = pytest.mark.lab
NETPROV = (PYTHON, "-m", "netprov")


def init(host: Host, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `netprov init` on a host, not on a terminal."""
    return host.run([*NETPROV, "init", *words], timeout=60)


def test_a_machine_with_one_lan_needs_to_be_told_the_domain_alone(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=[None])
    file = tmp_path / "site.yaml"
    done = init(lan["server"], str(file), "--domain", "voice.example.com", "--ntp", "10.20.0.1")
    assert done.returncode == 0, done.stderr
    interface = lan["server"].interface
    assert f"voice.example.com, served at 10.20.0.1/24 on {interface}" in done.stdout
    assert f"  netprov check -f {file}" in done.stdout
    checked = lan["server"].run([*NETPROV, "check", "--strict", "-f", str(file)], timeout=60)
    assert checked.returncode == 0, checked.stdout
    assert file.stat().st_mode & 0o777 == 0o640
    before = file.read_text()
    again = init(lan["server"], str(file), "--domain", "other.example.com")
    assert (again.returncode, file.read_text()) == (3, before)
    assert "is there already" in again.stderr


def test_a_link_with_a_dhcp_server_is_not_proposed_and_told_when_it_is_named(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=[None])
    other = lan["client0"]
    other.run([needs("ip"), "address", "add", "10.20.0.9/24", "dev", other.interface], timeout=10)
    dnsmasq = [
        needs("dnsmasq"),
        "--no-daemon",
        "--port=0",
        "--bind-interfaces",
        f"--interface={other.interface}",
    ]
    rest = [
        "--dhcp-range=10.20.0.20,10.20.0.30",
        "--dhcp-leasefile=/dev/null",
        "--conf-file=/dev/null",
        "--no-ping",
    ]
    other.spawn([*dnsmasq, *rest]).wait_for("DHCP, IP range")
    file = tmp_path / "site.yaml"
    guessed = init(lan["server"], str(file), "--domain", "example.com")
    assert guessed.returncode == 2
    assert "10.20.0.9" in guessed.stdout
    assert not file.exists()
    named = init(lan["server"], str(file), "--domain", "example.com", "-i", lan["server"].interface)
    assert named.returncode == 0, named.stderr
    assert "Another DHCP server answers" in named.stdout
    assert "10.20.0.9" in file.read_text()


def test_on_a_terminal_it_asks_and_an_empty_answer_takes_the_proposal(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    server = make_lan(server=["10.20.0.1/24"], clients=[None])["server"]
    file = tmp_path / "site.yaml"
    near, far = pty.openpty()
    with server.entered():
        asking = subprocess.Popen(
            [*NETPROV, "init", str(file), "--no-look"], cwd=ROOT, stdin=far, stdout=far, stderr=far
        )
    os.close(far)
    said = b""

    def asked(words: bytes) -> bool:
        nonlocal said
        said += os.read(near, 4096)
        return words in said

    try:
        wait_until(lambda: asked(b"Interface that the phones are on"), what="a question", timeout=30)
        os.write(near, b"\n")
        wait_until(lambda: asked(b"Domain of the phones"), what="a question", timeout=30)
        os.write(near, b"desk.example.com\n")
        wait_until(lambda: asked(b"Next:"), what="its end", timeout=30)
        assert asking.wait(30) == 0
    finally:
        asking.kill()
        asking.wait()
        os.close(near)
    assert re.search(r"^domain: desk\.example\.com$", file.read_text(), re.MULTILINE)
    assert f"interface: {server.interface}\n" in file.read_text()
