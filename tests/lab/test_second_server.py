"""A second server of one inventory: no CA of its own; what it has otherwise is found; it takes over with the first one's state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from netprov.emulator.failure import COMPRESSED
from netprov.emulator.phone import FixedLease, Trip, World, boot, boot_phone, travel
from netprov.errors import LabError
from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.phone.action import Fetch, Response, Step
from netprov.phone.fetch.load import Loaded
from netprov.phone.handset.identity import MODELS, Identity
from netprov.phone.resync import PERIODIC, resync
from netprov.provision.crypto import MAGIC
from tests.lab.conftest import PYTHON, MakeLan, needs

pytestmark = pytest.mark.lab

FIRST, SECOND = "10.20.0.11", "10.20.0.12"
PHONE = Identity("00:12:34:ab:45:de", MODELS["CP-8851-3PCC"])
SITE = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/24, address: 10.20.0.11, other_servers: allow, dns: [10.20.0.11, 10.20.0.12]}
hosts: {pr1: 10.20.0.11, pr2: 10.20.0.12}
dns: {listen: [10.20.0.11, 10.20.0.12]}
srv:
  https: [{target: pr1, port: 443, priority: 10}, {target: pr2, port: 443, priority: 20}]
  http: [{target: pr1, port: 80, priority: 10}, {target: pr2, port: 80, priority: 20}]
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
provisioning: {encryption: {method: aes-256-cbc}}
profiles: {desk: {values: {Display_Name_1_: lobby}}}
phones: [{mac: "00:12:34:ab:45:de", model: CP-8851-3PCC, profile: desk, method: srv}]
"""
OLDER = SITE.replace("lobby", "cellar")
HTTPS_ONLY = SITE.replace(
    "  http: [{target: pr1, port: 80, priority: 10}, {target: pr2, port: 80, priority: 20}]\n", ""
)


@dataclass
class Pair:
    """Two machines with a state directory each, a third one that asks them, and a phone."""

    lan: Lan
    folder: Path

    hosts = ("server", "client0")
    asking = "client1"

    def serve(self, which: int, text: str = SITE, *, roles: Sequence[str] = ("http", "dns")) -> Process:
        file = self.folder / f"site{which}.yaml"
        file.write_text(text)
        return start_server(self.lan[self.hosts[which]], file, self.state(which), roles=list(roles))

    def state(self, which: int) -> Path:
        return self.folder / f"state{which}"

    def run(self, which: int, *words: str) -> None:
        result = netprov(self.lan[self.hosts[which]], *words, "--state", str(self.state(which)))
        assert result.returncode == 0, result.stderr

    def carry(self, *how: str) -> None:
        """Take the state of the first to the second."""
        archive = [str(self.folder / "site.netprov"), "--password-file", str(self.folder / "password")]
        self.run(0, "state", "export", *archive)
        self.run(1, "state", "import", *how, *archive)

    def reload(self, which: int, text: str = SITE) -> None:
        (self.folder / f"site{which}.yaml").write_text(text)
        self.run(which, "reload", "-f", str(self.folder / f"site{which}.yaml"))

    def doctor(self, text: str = SITE) -> tuple[int, dict[str, Any]]:
        """Ask with the state of the first; exit code, and what is said of the servers."""
        file = self.folder / "asked.yaml"
        file.write_text(text)
        words = ["doctor", "--json", "--no-dhcp", "-f", str(file), "--state", str(self.state(0))]
        result = netprov(self.lan[self.asking], *words)
        assert result.stdout, result.stderr
        (said,) = [each for each in json.loads(result.stdout) if "servers" in each]
        return result.returncode, said

    def found(self, text: str = SITE) -> list[tuple[str, str]]:
        """Return what differs: the rule, and the message."""
        return [(each["rule"], each["message"]) for each in self.doctor(text)[1]["findings"]]


def netprov(host: Host, *words: str) -> Any:
    return host.run([PYTHON, "-m", "netprov", *words], timeout=60)


@pytest.fixture
def pair(make_lan: MakeLan, tmp_path: Path) -> Pair:
    lan = make_lan(server=[f"{FIRST}/24"], clients=[None, None, PHONE.mac])
    for host, address in (("client0", f"{SECOND}/24"), ("client1", "10.20.0.250/24")):
        with lan[host].links() as links:
            links.add_address("lan0", address)
    (tmp_path / "password").write_text("pass")
    return Pair(lan, tmp_path)


def test_second_server_refuses_to_make_a_ca_and_serves_with_the_first_ones(pair: Pair) -> None:
    pair.serve(0)
    with pytest.raises(
        LabError, match=r"10\.20\.0\.11 serves this inventory already.*\n.*netprov state export"
    ):
        pair.serve(1)
    pair.carry()
    pair.serve(1)
    ca = pair.state(0) / "pki/ca.pem"
    for address in (FIRST, SECOND):
        command = [needs("curl"), "-sS", "--max-time", "5", "--cacert", str(ca)]
        to = f"example.com:443:{address}:443"
        result = pair.lan[pair.asking].run(
            [*command, "--connect-to", to, "https://example.com/ca.pem"], timeout=20
        )
        assert result.stdout == ca.read_text(), result.stderr


def test_servers_that_agree_are_not_complained_of_and_one_that_is_gone_is(pair: Pair) -> None:
    pair.serve(0)
    pair.carry()
    second = pair.serve(1)
    code, said = pair.doctor()
    assert (code, said["findings"], said["servers"]) == (0, [], [FIRST, SECOND])
    second.stop()
    code, said = pair.doctor()
    (finding,) = said["findings"]
    assert (code, finding["rule"], said["servers"]) == (0, "doctor-server-silent", [FIRST])
    assert (SECOND in finding["message"], finding["line"]) == (True, 5)


@pytest.mark.parametrize("text", [SITE, HTTPS_ONLY], ids=["http", "https-only"])
def test_another_ca_and_another_secret_are_found_and_the_remedy_helps(pair: Pair, text: str) -> None:
    pair.serve(0, text)
    pair.run(1, "cert", "init", "-f", str(pair.folder / "site0.yaml"))
    pair.serve(1, text)
    code, said = pair.doctor(text)
    rules = [each["rule"] for each in said["findings"]]
    assert (code, rules) == (1, ["doctor-servers-ca", "doctor-servers-issuer", "doctor-servers-key"])
    for each in said["findings"]:
        assert FIRST in each["message"], each
        assert SECOND in each["message"], each
        assert f"state import --replace site.netprov` at {SECOND}" in each["remedy"]
    pair.carry("--replace")
    pair.reload(1, text)
    assert pair.found(text) == []


def test_another_secret_alone_is_found(pair: Pair) -> None:
    pair.serve(0)
    pair.carry()
    (pair.state(1) / "secrets").write_text(f"site {'ab' * 32}\n")
    pair.serve(1)
    ((rule, message),) = pair.found()
    assert rule == "doctor-servers-key"
    assert f"from {SECOND} does not open" in message
    assert f"from {FIRST} does" in message
    pair.carry()
    pair.reload(1)
    assert pair.found() == []


def test_an_older_profile_is_found_though_it_is_encrypted(pair: Pair) -> None:
    pair.serve(0)
    pair.carry()
    pair.serve(1, OLDER)
    ((rule, message),) = pair.found()
    assert rule == "doctor-servers-profile"
    assert SECOND in message
    pair.reload(1)
    assert pair.found() == []


def test_an_older_zone_is_found(pair: Pair) -> None:
    newer = SITE.replace("pr2: 10.20.0.12", "pr2: 10.20.0.12, fax: 10.20.0.77")
    pair.serve(0)
    pair.carry()
    pair.serve(1)
    pair.reload(0, newer)
    ((rule, message),) = pair.found(newer)
    assert rule == "doctor-servers-zone"
    assert "fax.example.com A is nothing at 10.20.0.12, and 10.20.0.77 at 10.20.0.11" in message
    pair.reload(1, newer)
    assert pair.found(newer) == []


def test_a_serial_that_leases_raise_as_well_is_no_fault(pair: Pair) -> None:
    with_fax = SITE.replace("pr2: 10.20.0.12", "pr2: 10.20.0.12, fax: 10.20.0.77")
    pair.serve(0, with_fax)
    pair.carry()
    pair.serve(1, with_fax)
    code, said = pair.doctor()
    assert (code, said["findings"]) == (0, [])
    pair.reload(0)
    code, said = pair.doctor()
    found = {(each["rule"], each["severity"]) for each in said["findings"]}
    assert (code, found) == (0, {("doctor-servers-zone", "info")})


def test_zones_that_differ_under_one_serial_are_found(pair: Pair) -> None:
    pair.serve(0)
    pair.carry()
    for file in pair.state(1).rglob("dns-serials.json"):
        file.unlink()
    pair.serve(
        1, SITE.replace("{target: pr2, port: 80, priority: 20}", "{target: pr2, port: 80, priority: 5}")
    )
    ((rule, message),) = pair.found()
    assert rule == "doctor-servers-zone"
    assert "_ciscoprov-http._tcp.example.com SRV" in message


def test_serials_of_other_histories_are_made_one_by_the_remedy(pair: Pair) -> None:
    pair.serve(0, OLDER.replace("pr2: 10.20.0.12", "pr2: 10.20.0.12, fax: 10.20.0.77"))
    pair.reload(0)
    pair.carry()
    for file in pair.state(1).rglob("dns-serials.json"):
        file.unlink()
    second = pair.serve(1)
    assert {rule for rule, _ in pair.found()} == {"doctor-servers-zone"}
    pair.reload(1)
    assert {rule for rule, _ in pair.found()} == {"doctor-servers-zone"}
    pair.carry()
    second.stop()
    pair.serve(1)
    assert pair.found() == []


def sealed_from(steps: Sequence[Step]) -> set[str]:
    """Return the addresses that gave an encrypted profile over HTTPS."""
    return {
        step.action.address
        for step in steps
        if isinstance(step.action, Fetch)
        and step.action.url.scheme == "https"
        and isinstance(step.result, Response)
        and step.result.body.startswith(MAGIC)
    }


@pytest.mark.parametrize("carried", [True, False], ids=["with-its-state", "without"])
def test_the_second_takes_over_a_phone_of_the_first_if_it_has_its_state(pair: Pair, *, carried: bool) -> None:
    first = pair.serve(0, roles=("http", "dns", "dhcp"))
    if carried:
        pair.carry()
    else:
        pair.run(1, "cert", "init", "-f", str(pair.folder / "site0.yaml"))
    pair.serve(1)
    host = pair.lan["client2"]
    with host.entered():
        trip = boot_phone(PHONE, host.interface)
    assert trip.outcome.provisioned, trip.outcome
    assert sealed_from(trip.steps) == {FIRST}
    lease = trip.handset.lease
    assert lease is not None
    if lease.address not in host.addresses():
        with host.links() as links:
            links.add_address(host.interface, f"{lease.address}/24")
    first.stop()
    with host.entered():
        loaded, steps = asyncio.run(resynced(trip))
        remembering = replace(
            PHONE, custom_roots=trip.handset.custom_roots, parameters=tuple(trip.handset.parameters.items())
        )
        again = asyncio.run(boot(remembering, FixedLease(lease)))
    assert (isinstance(loaded, Loaded), again.outcome.provisioned) == (carried, carried), (loaded, again)
    assert sealed_from(steps) == sealed_from(again.steps) == ({SECOND} if carried else set())
    assert again.handset["Display_Name_1_"] == "lobby"


async def resynced(trip: Trip) -> tuple[object, tuple[Step, ...]]:
    """Let a phone that is up follow its rules again."""
    lease = trip.handset.lease
    assert lease is not None
    world = World(trip.handset, FixedLease(lease), COMPRESSED)
    try:
        return await travel(trip.handset, resync(trip.handset, PERIODIC), world)
    finally:
        await world.close()
