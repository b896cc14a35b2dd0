"""The grid of causes on real services: phones boot by real sockets, each meets one fault, and each verb is asked by the command line.

One LAN and its servers serve every situation: netprov at 10.20.0.1, and crooked servers of somebody else at 10.20.0.11. A verb
that speaks of a phone names the cause that was planted, or says that it cannot see it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from netprov.cli.site import open_plan
from netprov.emulator.failure import COMPRESSED
from netprov.emulator.phone import Trip, boot_phone
from netprov.explain.engine import explain
from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.phone.handset.identity import Identity
from netprov.plan.phone import identity_of
from netprov.runtime.web.tls import certificate_store
from tests.explain.situations import BLIND, FINE
from tests.lab import crooked
from tests.lab.conftest import PYTHON, MakeLan, needs, wait_until
from tests.lab.grid import OURS, SLOW, THEIRS, Row, inventory, numbered

pytestmark = pytest.mark.lab

HURRY = replace(COMPRESSED, answer=3.0)
SAMPLE = numbered(*OURS, *THEIRS)


@dataclass(frozen=True)
class Told:
    """What phones did, and what each verb says: of each phone, by its MAC address."""

    trips: Mapping[str, Trip]
    check: frozenset[str]
    phone: Mapping[str, Any]
    records: Mapping[str, Any]
    capture: Mapping[str, Any]
    doctor: Mapping[str, Any]


def observe(make: MakeLan, folder: Path, rows: Mapping[str, Row]) -> Told:
    """Let the phones boot beside their servers, and ask every verb."""
    lan = make(server=["10.20.0.1/24", f"{crooked.ADDRESS}/24"], clients=[None, *rows])
    (folder / "site.yaml").write_text(inventory(rows))
    issuer = crooked.authority()
    with crooked.crooked(lan["server"], folder, issuer):
        start_server(lan["server"], folder / "site.yaml", folder / "state")
        own = certificate_store(folder / "state").anchors()[0].pem()
        (folder / "roots.pem").write_text(own + issuer.leaf.pem())
        # What a phone will do is asked before it does: a key that was given is not given again.
        before = ask(
            lan["server"], folder, ["explain", "phone", "--trusting", "--state", str(folder / "state")]
        )
        tcpdump = capture(lan["server"], folder / "phones.pcap")
        trips = boot_all(lan, folder, (own, issuer.leaf.pem()))
        finish(tcpdump, folder / "phones.pcap")
        said = {"phone": before, **ask_all(lan, folder)}
    errors = frozenset(each["rule"] for each in said.pop("check") if each["severity"] == "error")
    by_mac = {name: {each["mac"]: each for each in stories} for name, stories in said.items()}
    return Told({each.identity.mac: each for each in trips}, errors, **by_mac)


def capture(host: Host, file: Path) -> Process:
    words = ["-i", "lan0", "-B", "65536", "--immediate-mode", "-U", "-n", "-Z", "root", "-w", str(file)]
    tcpdump = host.spawn([needs("tcpdump"), *words])
    tcpdump.wait_for("listening on")
    return tcpdump


def finish(tcpdump: Process, file: Path) -> None:
    sizes = [-1]

    def settled() -> bool:
        sizes.append(file.stat().st_size)
        return sizes[-1] == sizes[-2]

    wait_until(settled, what="the capture to be written")
    tcpdump.stop()


def boot_all(lan: Lan, folder: Path, roots: tuple[str, ...]) -> list[Trip]:
    """Boot every phone on a host of its own: servers know who asks by the MAC address behind an IP address."""
    phones = open_plan(str(folder / "site.yaml")).plan.site.phones
    hosts = list(lan)[2:]

    def one(host: Host, identity: Identity) -> Trip:
        with host.entered():
            return boot_phone(replace(identity, custom_roots=roots), host.interface, timeouts=HURRY)

    with ThreadPoolExecutor(len(hosts)) as pool:
        return list(pool.map(one, hosts, map(identity_of, phones)))


def ask_all(lan: Lan, folder: Path) -> dict[str, Any]:
    """Ask each verb by the command line: the doctor from a machine beside the server, the others on the server."""
    server, doctor = lan["server"], lan["client0"]
    with doctor.links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    state = ["--state", str(folder / "state")]
    asked = {
        "check": (server, ["check"]),
        "records": (server, ["explain", "records", *state]),
        "capture": (server, ["explain", "capture", str(folder / "phones.pcap")]),
        "doctor": (doctor, ["doctor", "--ca", str(folder / "roots.pem"), "--linger", "0.1"]),
    }

    with ThreadPoolExecutor() as pool:
        jobs = {verb: pool.submit(ask, host, folder, words) for verb, (host, words) in asked.items()}
        return {verb: job.result() for verb, job in jobs.items()}


def ask(host: Host, folder: Path, words: list[str]) -> Any:
    """Return what a verb says as JSON."""
    command = [PYTHON, "-m", "netprov", *words, "-f", str(folder / "site.yaml"), "--json"]
    done = host.run(command, timeout=120)
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)


def contradictions(told: Told, mac: str, row: Row) -> Iterator[str]:
    """Yield where what a verb says of a phone is another cause than the one that was planted."""
    trip = told.trips[mac]
    met = explain(trip.steps, trip.outcome)
    if named(met.problem.rule if met.problem else None) != (row.felt or row.truth):
        yield f"the phone met {met}"
    for verb, stories in (("phone", told.phone), ("records", told.records), ("capture", told.capture)):
        story = stories[mac]
        said = named(story["cause"] and story["cause"]["rule"])
        assert story["provisioned"] == (said == FINE)
        blind = said in BLIND or story["hidden"]
        if verb == "phone":
            blind &= not row.ours
        elif verb == "capture":
            blind &= "https" in row.name or row.truth == FINE
        if said != row.truth and not blind:
            yield f"explain {verb}: {said}, {story['detail']}"
    found = told.doctor[mac]["cause"]
    if named(found and found["rule"]) not in (row.doctor or {FINE}):
        yield f"doctor: {found}"


def named(cause: str | None) -> str:
    return cause or FINE


@pytest.fixture(scope="module")
def told(make_module_lan: MakeLan, tmp_path_factory: pytest.TempPathFactory) -> Told:
    return observe(make_module_lan, tmp_path_factory.mktemp("grid"), SAMPLE)


@pytest.mark.parametrize(("mac", "row"), SAMPLE.items(), ids=[each.name for each in SAMPLE.values()])
def test_no_verb_contradicts_what_the_phone_met(told: Told, mac: str, row: Row) -> None:
    assert list(contradictions(told, mac, row)) == []


def test_check_names_what_the_inventory_shows(told: Told) -> None:
    for row in SAMPLE.values():
        assert bool(told.check & row.checked) == bool(row.checked)
    assert told.check <= frozenset().union(*(row.checked for row in SAMPLE.values()))


@pytest.mark.slow
def test_servers_that_let_everybody_wait(make_module_lan: MakeLan, tmp_path: Path) -> None:
    rows = numbered(*SLOW)
    told = observe(make_module_lan, tmp_path, rows)
    assert {row.name: list(contradictions(told, mac, row)) for mac, row in rows.items()} == {
        row.name: [] for row in rows.values()
    }


def test_the_sample_is_as_large_as_promised() -> None:
    assert len(SAMPLE) >= 25
