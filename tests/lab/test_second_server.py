"""A second server of one inventory: it makes no CA of its own, and with the first one's state phones trust both."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import LabError
from netprov.lab.lan import Host
from netprov.lab.server import start_server
from tests.lab.conftest import PYTHON, MakeLan, needs

pytestmark = pytest.mark.lab

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, address: 10.20.0.11, other_servers: allow}}
hosts: {pr1: 10.20.0.11, pr2: 10.20.0.12}
srv: {https: [{target: pr1, port: 443, priority: 10}, {target: pr2, port: 443, priority: 20}]}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
"""


def test_second_server_refuses_to_make_a_ca_and_serves_with_the_first_ones(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    lan = make_lan(server=["10.20.0.11/24"], clients=[None, None])
    for host, address in (("client0", "10.20.0.12/24"), ("client1", "10.20.0.250/24")):
        with lan[host].links() as links:
            links.add_address("lan0", address)
    file = tmp_path / "site.yaml"
    file.write_text(SITE)
    (tmp_path / "password").write_text("pass")
    states = {"server": tmp_path / "one", "client0": tmp_path / "two"}

    def serve(host: str) -> None:
        start_server(lan[host], file, states[host], roles=["http", "dns"])

    def state(host: Host, verb: str, place: Path) -> None:
        words = [
            PYTHON,
            "-m",
            "netprov",
            "state",
            verb,
            str(tmp_path / "site.netprov"),
            "--state",
            str(place),
        ]
        result = host.run([*words, "--password-file", str(tmp_path / "password")], timeout=60)
        assert result.returncode == 0, result.stderr

    serve("server")
    with pytest.raises(
        LabError, match=r"10\.20\.0\.11 serves this inventory already.*\n.*netprov state export"
    ):
        serve("client0")
    state(lan["server"], "export", states["server"])
    state(lan["client0"], "import", states["client0"])
    serve("client0")
    for address in ("10.20.0.11", "10.20.0.12"):
        command = [needs("curl"), "-sS", "--max-time", "5", "--cacert", str(states["server"] / "pki/ca.pem")]
        to = f"example.com:443:{address}:443"
        result = lan["client1"].run([*command, "--connect-to", to, "https://example.com/ca.pem"], timeout=20)
        assert result.stdout == (states["server"] / "pki/ca.pem").read_text(), result.stderr
