"""Strangers flood every port while phones boot: all are provisioned and on record, and the service ends at once.

`make flood` asks for 50,000 datagrams a second, which wants two cores for itself, and says how long the end took.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.cli.site import open_plan
from netprov.dhcp.lease import Bound
from netprov.emulator.dhcp import DhcpLink
from netprov.emulator.failure import REALISTIC
from netprov.emulator.fleet import Tally, boot_fleet
from netprov.lab.lan import Host
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.phone.handset.identity import Identity
from netprov.plan.phone import identity_of
from netprov.provision.event import Asked
from netprov.state.device import load_devices, load_history
from tests.lab.conftest import PYTHON, MakeLan
from tests.lab.flood import SOURCES

pytestmark = pytest.mark.lab

SERVER = "10.20.0.1"
PHONES = 50
RATE = int(os.environ.get("NETPROV_FLOOD", "8000"))
"""Datagrams a second; machines that run tests do other things, too."""
PATIENT = replace(REALISTIC, waits=0.0)
"""A phone's own timeouts, without what it waits on purpose."""
SITE = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/16, address: 10.20.0.1, pool: 10.20.128.100-10.20.128.250, other_servers: allow}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
classes:
  mpp: {match: {vendor_class: "CP-*-3PCC*"}, method: srv}
  tftp: {method: dhcp, options: {66: 10.20.0.1}}
  cpe: {match: {vendor_class_contains: dslforum.org}, method: acs, acs_url: "https://netprov.example.com:7547/"}
profiles: {desk: {values: {Proxy_1_: example.com}}}
phones:
"""


def lan_of_two() -> Topology:
    """Return a LAN with a host that has the phones' addresses, a route to them through it, and a stranger of many addresses.

    So a phone is known by its lease: on this wire all have one MAC address.
    """
    server = HostPlan(
        "server", (Port(addresses=(f"{SERVER}/16",)),), routes=(("10.20.128.0/17", "10.20.0.2"),)
    )
    phones = HostPlan("phones", (Port(addresses=("10.20.0.2/32",)),))
    stranger = HostPlan("stranger", (Port(addresses=tuple(f"{each}/16" for each in SOURCES)),))
    return Topology((server, phones, stranger))


def site() -> str:
    """Return an inventory whose phones take every road, with addresses of their own: a pool is anybody's."""
    rows = []
    for number in range(PHONES):
        address = f", address: 10.20.128.{10 + number}"
        road = ("mpp", "tftp", "cpe")[number % 3]
        mac = f"00:12:34:00:00:{number:02x}"
        rows.append(f"  - {{mac: {mac}, model: CP-8851-3PCC, class: {road}, profile: desk{address}}}\n")
    return SITE + "".join(rows)


@contextmanager
def flooded(stranger: Host) -> Iterator[list[Process]]:
    """Flood the server from a host."""
    floods = [
        stranger.spawn([PYTHON, "-m", "tests.lab.flood", *words])
        for words in (("udp", SERVER, str(RATE)), ("tcp", SERVER, "1500"))
    ]
    try:
        for each in floods:
            each.wait_for("floods")
        yield floods
    finally:
        for each in floods:
            each.stop()


def boot(host: Host, identities: list[Identity]) -> Tally:
    async def fleet() -> Tally:
        async with DhcpLink("lan0", draw=random.getrandbits, timeouts=60, many=True) as link:
            return await boot_fleet(identities, link, at_once=PHONES, timeouts=PATIENT)

    with host.entered():
        return asyncio.run(fleet())


def test_phones_are_provisioned_beside_floods_of_every_port(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(lan_of_two())
    inventory, state = tmp_path / "site.yaml", tmp_path / "state"
    inventory.write_text(site())
    server = start_server(lan["server"], inventory, state)
    ca = (state / "pki" / "ca.pem").read_text()
    phones = [identity_of(each, custom_roots=(ca,)) for each in open_plan(str(inventory)).plan.site.phones]

    with flooded(lan["stranger"]) as floods:
        tally = boot(lan["phones"], phones)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait(timeout=15) == 0
        stopped = time.monotonic() - began
        sent = []
        for each in floods:
            each.signal(signal.SIGTERM)
            each.wait(timeout=10)
            sent.append(json.loads(each.output.splitlines()[-1]))
    print(f"{PHONES} phones in {tally.seconds:.1f} s beside {sent}; ended in {stopped:.1f} s")
    assert (tally.provisioned, dict(tally.reasons)) == (PHONES, {}), server.output[-5000:]
    standing = {each.mac: each.standing for each in load_devices(state)}
    assert {mac for mac, text in standing.items() if text.startswith("provisioned ")} >= {
        phone.mac for phone in phones
    }
    for phone in phones:
        kinds = {line.kind for line in load_history(state, phone.mac)}
        assert kinds >= {Bound.event_kind, Asked.event_kind}, phone.mac
    told = re.findall(r"(\w+): [1-9]\d* more \w+ in the last second", server.output)
    assert {"http", "acs", "syslog"} <= set(told)  # what was shed is told by its number
