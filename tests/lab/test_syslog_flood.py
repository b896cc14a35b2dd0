"""A stranger's flood of syslog does not keep a phone's record waiting, nor the end of the service."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from netprov.lab.server import start_server
from netprov.state.device import load_devices
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
phones: [{mac: "00:12:34:ab:45:de", model: CP-8851-3PCC}]
"""
DATAGRAMS = 50_000


def test_phone_is_on_record_and_the_service_ends_whatever_a_stranger_sends(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    lan = make_lan(clients=["00:12:34:ab:45:de", None])
    for host, address in (("client0", "10.20.0.50/24"), ("client1", "10.20.0.250/24")):
        with lan[host].links() as links:
            links.add_address("lan0", address)
    (tmp_path / "site.yaml").write_text(SITE)
    state = tmp_path / "state"
    server = start_server(lan["server"], tmp_path / "site.yaml", state, roles=["http", "syslog"])
    with lan["client1"].entered():
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with stranger:
        stranger.connect(("10.20.0.1", 514))
        for number in range(DATAGRAMS):
            stranger.send(b"<14>flood %d" % number)
    lan["client0"].run([needs("curl"), "-s", "http://10.20.0.1/00:12:34:ab:45:de.xml"], timeout=10)
    wait_until(lambda: any(load_devices(state)), what="the phone's record", timeout=10)
    wait_until(
        lambda: "more SyslogLine" in server.output, what="how many were not told one by one", timeout=10
    )
    server.signal(15)
    assert server.wait(timeout=5) == 0
