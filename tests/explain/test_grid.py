"""Causes by methods: every verb that speaks of a situation names the cause that was planted, or says that it cannot see it.

Each situation is a LAN in memory: the services as planned, with one answer replaced. An emulated phone boots on it, and what
it did is given to each verb as that verb would have met it: the inventory, the events of the servers, a capture, the
services themselves. What is expected is written in `situations`, and asked of no code.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from netprov.check import check
from netprov.cli.site import Opened, plan_of
from netprov.cli.verb.answer.explain import capture as capture_verb
from netprov.cli.verb.answer.explain import command
from netprov.cli.verb.answer.explain import phone as phone_verb
from netprov.cli.verb.answer.explain import records as records_verb
from netprov.cwmp.device import InformReceived
from netprov.dhcp.lease import Bound, LeaseState
from netprov.dhcp.lease import Lease as DhcpLease
from netprov.doctor.trip import walk as examine
from netprov.explain.promise import PlanWorld
from netprov.inventory.load import parse
from netprov.machine import Dropped, Endpoint, Event
from netprov.phone.action import (
    Action,
    AskDhcp,
    Failed,
    Fetch,
    Found,
    Lease,
    Resolve,
    Response,
    Result,
    Step,
    Trouble,
)
from netprov.phone.boot import boot
from netprov.phone.handset.memory import Handset
from netprov.phone.walk import walk
from netprov.plan import Plan
from netprov.plan.phone import identity_of
from netprov.provision.event import Asked, RequestRefused, TlsFailed
from netprov.state.clock import LeaseClock
from netprov.state.device_record import DeviceRecords
from netprov.state.lease import open_store
from tests.explain.situations import BLIND, FINE, MAC, SITUATIONS, Plant, Situation
from tests.explain.wire import write

OCTETS = bytes.fromhex(MAC.replace(":", ""))
NOW = 1_800_000_000.0
MEMORY = "/dev/shm"


# The LAN, and what each verb is given.


@dataclass
class Lan:
    """The services of a plan, with one answer replaced."""

    plan: Plan
    world: PlanWorld
    plant: Plant

    def __call__(self, action: Action) -> Result:
        planted = self.plant(action)
        result = self.world(action) if planted is None else planted
        if isinstance(result, Failed) and result.trouble is Trouble.ELSEWHERE:
            return Failed(Trouble.REFUSED)  # the machine is there, and nobody listens
        return result

    async def resolve(self, name: str, kind: str, servers: tuple[str, ...]) -> Found | Failed:
        result = self(Resolve(name, kind, servers))
        assert isinstance(result, Found | Failed)
        return result

    async def ask(self, action: Fetch) -> Response | Failed:
        result = self(action)
        assert isinstance(result, Response | Failed)
        return result


def events(lan: Lan, steps: list[Step]) -> Iterator[tuple[str, Event]]:
    """Yield what the servers would report of a boot."""
    address = "0.0.0.0"
    for step in steps:
        match step.action, step.result:
            case AskDhcp() as asked, Lease() as given:
                address = given.address
                number = int(IPv4Address(address))
                held = DhcpLease(
                    number,
                    "voice",
                    OCTETS,
                    OCTETS,
                    LeaseState.BOUND,
                    0,
                    1e12,
                    vendor_class=asked.vendor_class,
                )
                yield "dhcp", Bound(held)
            case AskDhcp(), Failed(Trouble.DHCP_UNSERVED as trouble):
                yield "dhcp", Dropped(str(trouble), Endpoint("0.0.0.0", 68, "lan0", OCTETS))
            case Fetch() as asked, result:
                yield from served(lan, asked, result, address)


ALERTS = {
    Trouble.UNTRUSTED: "tlsv1 alert unknown ca",
    Trouble.WRONG_NAME: "sslv3 alert bad certificate",
    Trouble.EXPIRED: "sslv3 alert certificate expired",
    Trouble.CLIENT_CERTIFICATE: "peer did not return a certificate",
    Trouble.TLS: "unsupported protocol",
}
TFTP_STATUS = {Trouble.NOT_FOUND: 404, Trouble.TRANSFER: 403}


def served(lan: Lan, asked: Fetch, result: Result, address: str) -> Iterator[tuple[str, Event]]:
    """Yield what one fetch leaves behind at a server that it reached."""
    url = asked.url
    if asked.method == "POST":
        if isinstance(result, Response) and result.status < 300 and asked.body:
            yield "acs", InformReceived("d", MAC, address, ("0 BOOTSTRAP",), listed=True)
        elif isinstance(result, Response) and result.status == 401:
            yield "acs", RequestRefused("http", address, 401, "credentials wanted")
        return
    if isinstance(result, Failed):
        if url.scheme == "tftp" and result.trouble in TFTP_STATUS:
            yield "tftp", Asked("tftp", address, "RRQ", url.path, TFTP_STATUS[result.trouble], mac=MAC)
        elif url.scheme == "https" and result.trouble in ALERTS:
            yield "http", TlsFailed(address, ALERTS[result.trouble], asked.address)
        return
    assert isinstance(result, Response)
    kind = ""
    if result.status == 200:
        own = url.path.endswith(f"{MAC.replace(':', '')}.cfg")
        kind = "ca" if url.path == "/ca.pem" else "profile"
        if kind == "profile" and lan.plant(asked) is not None:
            kind = "file"  # what is planted is somebody's file, of which a server knows no more
        elif kind == "profile" and not own and locked(lan):
            kind = "bootstrap"
    reason = result.header("Location") if result.status in {301, 302} else ""
    verb = "RRQ" if url.scheme == "tftp" else "GET"
    size = len(result.body)
    yield url.scheme, Asked(url.scheme, address, verb, url.path, result.status, kind, size, MAC, reason)


def locked(lan: Lan) -> bool:
    policy = lan.plan.provision.devices[MAC].policy
    return policy.encryption != "none" or policy.auth is not None


def recorded(state: Path, told: list[tuple[str, Event]]) -> None:
    async def run() -> None:
        records = DeviceRecords(state)
        await records.start()
        for service, event in told:
            records.observe(service, event)
        await records.stop()

    asyncio.run(run())
    leases = [event for _, event in told if isinstance(event, Bound)]
    if leases:
        store = open_store(state)
        store.commit(leases, LeaseClock(None).anchor())
        store.close()


@cache
def opened(text: str) -> Opened:
    document = parse(text, "site.yaml")
    return Opened(document, plan_of(document))


@cache
def errors_of(text: str) -> frozenset[str]:
    found = check(opened(text).document.inventory, NOW)
    return frozenset(each.rule for each in found if each.severity == "error")


@cache
def promised_by(text: str) -> Said:
    """Return what `explain phone` says; whatever the services do, it sees the inventory alone."""
    with TemporaryDirectory() as empty:
        return said(["phone", MAC, "--trusting", "-f", text, "--state", empty])


@pytest.fixture(autouse=True, scope="module")
def each_inventory_is_read_once() -> Iterator[None]:
    """Give the verbs the inventory itself by `-f`, so that one that many situations share is read once."""
    with pytest.MonkeyPatch.context() as patch:
        for verb in (phone_verb, records_verb, capture_verb):
            patch.setattr(verb, "open_plan", opened)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in memory where there is one: databases of 266 situations wait long for a disk."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY) as made:
        yield Path(made)


@dataclass(frozen=True)
class Said:
    """What a verb says: the cause, FINE, or that it cannot see."""

    cause: str
    blind: bool = False


def said(arguments: list[str]) -> Said:
    result = CliRunner().invoke(command, [*arguments, "--json"], standalone_mode=False)
    if result.exception:
        raise result.exception
    (story,) = json.loads(result.output)
    cause = story["cause"]["rule"] if story["cause"] else FINE
    assert story["provisioned"] == (cause == FINE)
    return Said(cause, cause in BLIND or bool(story["hidden"]))


@pytest.mark.parametrize(
    "situation", SITUATIONS, ids=[f"{each.method.name}: {each.name}" for each in SITUATIONS]
)
def test_no_verb_contradicts_what_the_phone_met(situation: Situation, folder: Path) -> None:
    truth, text = situation.truth, situation.inventory
    plan = opened(text).plan
    state = folder / "state"
    state.mkdir()
    lan = Lan(plan, PlanWorld(plan, state, NOW), situation.plant)
    identity = replace(identity_of(plan.site.phones[0]), custom_roots=(lan.world.ca,))
    handset = Handset(identity, lambda _below: 0)
    outcome, steps = walk(handset, boot(handset), lan)
    assert outcome.provisioned == (truth == FINE), outcome

    errors = errors_of(text)
    assert bool(errors & situation.checked) == bool(situation.checked), errors
    assert errors <= situation.checked

    told = promised_by(text)
    assert told.cause == (truth if situation.promised else FINE) or told.blind, ("phone", told)

    recorded(state, list(events(lan, steps)))
    told = said(["records", MAC, "-f", text, "--state", str(state)])
    assert told.cause in {truth, *situation.records} or told.blind, ("records", told)

    write(folder / "phones.pcap", MAC, steps)
    told = said(["capture", str(folder / "phones.pcap"), MAC, "-f", text])
    assert told.cause == truth or told.blind, ("capture", told)
    if situation.method.scheme != "https" and truth != FINE:
        assert not told.blind, ("capture", told)

    given = steps[0].result
    if isinstance(given, Lease) and situation.method.scheme != "acs":
        story = asyncio.run(examine(lan, replace(identity, custom_roots=(lan.world.ca,)), given, ()))
        assert (story.cause.id if story.cause else FINE) == truth, ("doctor", story)


def test_the_grid_is_as_large_as_promised() -> None:
    assert len(SITUATIONS) >= 200
    assert len({each.truth for each in SITUATIONS}) >= 35
