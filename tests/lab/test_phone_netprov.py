"""Emulated phones on a LAN of netprov's own servers, by every method; the same phones on servers that are not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netprov.emulator.failure import COMPRESSED
from netprov.emulator.phone import Trip, boot_phone
from netprov.explain.engine import explain
from netprov.lab.lan import Lan
from netprov.lab.process import wait_until
from netprov.lab.server import start_server
from netprov.phone.action import Fetch
from netprov.state.device import load_history
from tests.lab import foreign
from tests.lab.conftest import PYTHON, MakeLan
from tests.lab.foreign import MAC, phone

pytestmark = pytest.mark.lab

INVENTORY = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
hosts: {pr1: 10.20.0.11}
srv:
  https: [{target: pr1, port: 5060}]
  http: [{target: pr1, port: 5061}]
classes:
  mpp: {match: {vendor_class: "CP-*"}, method: %s}
profiles: {desk: {values: {Proxy_1_: example.com}}}
phones: [{mac: "00:12:34:ab:45:de", model: CP-8851-3PCC, class: mpp, profile: desk}]
"""

METHODS = {
    "srv": "srv",
    "dhcp": "dhcp, options: {66: 10.20.0.1}",
    "acs": "acs, acs_url: 'http://pr1.example.com:7547/'",
}


@pytest.fixture
def lan(make_lan: MakeLan) -> Lan:
    return make_lan(server=foreign.ADDRESSES, clients=[MAC])


def served(lan: Lan, tmp: Path, method: str) -> Path:
    """Start netprov; return its state directory."""
    inventory, state = tmp / "netprov.yaml", tmp / "state"
    inventory.write_text(INVENTORY % METHODS[method])
    state.mkdir()
    start_server(lan["server"], inventory, state)
    return state


def booted(lan: Lan, *, tr069: bool = False, roots: tuple[str, ...] = ()) -> Trip:
    identity = replace(phone(tr069=tr069), custom_roots=roots)
    with lan["client0"].entered():
        return boot_phone(identity, lan["client0"].interface)


@pytest.mark.parametrize("method", METHODS)
def test_a_phone_is_provisioned_by_every_method(lan: Lan, tmp_path: Path, method: str) -> None:
    state = served(lan, tmp_path, method)
    trip = booted(lan, tr069=method == "acs")
    assert trip.outcome.provisioned, (trip.outcome, trip.steps)
    assert trip.outcome.method == method
    assert trip.handset["Proxy_1_"] == "example.com"
    assert explain(trip.steps).provisioned
    wait_until(lambda: load_history(state, MAC), what="the device record")


def test_a_phone_that_trusts_the_ca_takes_https_at_once(lan: Lan, tmp_path: Path) -> None:
    state = served(lan, tmp_path, "srv")
    trip = booted(lan, roots=((state / "pki" / "ca.pem").read_text(),))
    first = next(step.action for step in trip.steps if isinstance(step.action, Fetch))
    assert str(first.url).startswith("https://pr1.example.com:5060/")
    assert trip.outcome.provisioned


def recorded(lan: Lan, tmp: Path, mac: str) -> dict[str, Any]:
    """Return what the servers' records tell of a phone."""
    where = ["-f", str(tmp / "netprov.yaml"), "--state", str(tmp / "state")]
    done = lan["server"].run([PYTHON, "-m", "netprov", "explain", "records", mac, *where, "--json"])
    (story,) = json.loads(done.stdout)
    return dict(story)


def test_the_servers_records_tell_the_same_story_from_dhcp_on(lan: Lan, tmp_path: Path) -> None:
    served(lan, tmp_path, "srv")
    assert recorded(lan, tmp_path, MAC)["cause"]["rule"] == "dhcp-unheard"
    trip = booted(lan)
    wait_until(lambda: recorded(lan, tmp_path, MAC)["provisioned"], what="a story of the records", timeout=20)
    story = recorded(lan, tmp_path, MAC)
    lease = story["steps"][0]
    assert "class mpp by vendor class 'CP-8851-3PCC'" in lease["evidence"]
    assert lease["options"]["15"] == b"example.com".hex()
    asked = [str(step.action.url.path) for step in trip.steps if isinstance(step.action, Fetch)]
    told = [step["asked"].split()[1] for step in story["steps"] if step["kind"] in {"http", "https", "tftp"}]
    assert [path for path in asked if not any(path in each for each in told)] == []


def test_the_records_say_why_dhcp_does_not_answer(lan: Lan, tmp_path: Path) -> None:
    served(lan, tmp_path, "srv")
    stranger = replace(phone(), mac="00:de:ad:be:ef:01", vendor_class="PC")
    with lan["client0"].entered():
        trip = boot_phone(stranger, lan["client0"].interface, timeouts=replace(COMPRESSED, dhcp=1.0))
    assert not trip.outcome.provisioned

    def heard() -> bool:
        return bool(recorded(lan, tmp_path, stranger.mac)["cause"]["rule"] == "dhcp-unserved")

    wait_until(heard, what="the refusal on record", timeout=20)
    assert "not served on network voice" in recorded(lan, tmp_path, stranger.mac)["detail"]


def test_the_same_phone_asks_the_same_of_netprov_and_of_dnsmasq(make_lan: MakeLan, tmp_path: Path) -> None:
    asked = []
    for name in ("netprov", "dnsmasq"):
        lan = make_lan(server=foreign.ADDRESSES, clients=[MAC])
        tmp = tmp_path / name
        tmp.mkdir()
        if name == "netprov":
            served(lan, tmp, "dhcp")
        else:
            root = foreign.files(tmp / "tftp", {foreign.FIRST: foreign.PROFILE})
            foreign.dnsmasq(
                lan["server"], tmp, "--dhcp-option=66,10.20.0.1", "--enable-tftp", f"--tftp-root={root}"
            )
        trip = booted(lan)
        assert trip.outcome.provisioned
        asked.append(next(str(step.action.url) for step in trip.steps if isinstance(step.action, Fetch)))
        lan.close()
    assert asked[0] == asked[1] == f"tftp://10.20.0.1/{foreign.FIRST}"


def test_a_phone_that_stays_resyncs_from_the_server_by_its_own_clock(lan: Lan, tmp_path: Path) -> None:
    state = served(lan, tmp_path, "srv")
    command = [PYTHON, "-m", "netprov", "phone", MAC, "-i", lan["client0"].interface, "--json"]
    command += ["--ca", str(state / "pki" / "ca.pem"), "--stay", "--speed", "1000000", "--for", "5h"]
    result = lan["client0"].run(command, timeout=120)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    life = lines[-1]
    assert (result.returncode, life["failures"], life["customization"]) == (0, 0, "Aborted"), lines[-30:]
    assert life["resyncs"] >= 5  # by the factory's Resync_Periodic of 3600 s
    assert 5 * 3600 <= life["seconds"] < 5 * 3600 + 60
