"""The supervisor: order of starting and stopping, reloads that keep what serves, signals."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from netprov.errors import InventoryError, Problem, ServiceError
from netprov.inventory.model import Inventory
from netprov.machine import Event
from netprov.plan import Plan, derive
from netprov.runtime.control.client import statuses
from netprov.runtime.control.message import RoleStatus
from netprov.runtime.control.reload import Outcome, reload
from netprov.runtime.control.server import ControlServer
from netprov.runtime.handover import Place
from netprov.runtime.role import Notice, Prepared, Service
from netprov.runtime.self_check import Probe
from netprov.runtime.supervise import Supervisor


def plan(domain: str = "example.com") -> Plan:
    networks = {"voice": {"interface": "lan0", "subnet": "10.20.0.0/24"}}
    return derive(Inventory.model_validate({"domain": domain, "networks": networks}))


class Recorder:
    """A service that writes down what is asked of it."""

    def __init__(self, name: str, diary: list[str], *, fails: str = "") -> None:
        self.name = name
        self._diary = diary
        self.fails = fails

    async def start(self, plan: Plan) -> None:
        self._note("start", plan)

    def release(self, _: Plan | None) -> Sequence[Place]:
        return ()

    async def prepare(self, plan: Plan) -> Prepared:
        self._note("prepare", plan)

        async def commit() -> None:
            self._note("commit", plan)

        async def abort() -> None:
            self._note("abort", plan)

        return Prepared(commit, abort)

    async def stop(self) -> None:
        self._diary.append(f"{self.name} stop")

    def listening(self) -> Sequence[str]:
        return ()

    def waiting(self) -> Sequence[str]:
        return ()

    def _note(self, verb: str, plan: Plan) -> None:
        if self.fails == verb:
            raise ServiceError(f"port taken at {verb}", "free it")
        self._diary.append(f"{self.name} {verb} {plan.site.domain}")


def supervise(
    services: Sequence[Service], reports: list[tuple[str, Event]], load: Callable[[], Plan] = plan
) -> Supervisor:
    return Supervisor(
        services, plan=plan(), load=load, report=lambda name, event: reports.append((name, event))
    )


def stop_when_ready(_: Sequence[Service]) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_services_start_in_order_and_stop_in_reverse_on_sigterm() -> None:
    diary: list[str] = []
    services = [Recorder("dns", diary), Recorder("dhcp", diary)]
    asyncio.run(supervise(services, []).run(stop_when_ready))
    assert diary == ["dns start example.com", "dhcp start example.com", "dhcp stop", "dns stop"]


def test_service_that_cannot_start_stops_those_that_had() -> None:
    diary: list[str] = []
    services = [Recorder("dns", diary), Recorder("dhcp", diary, fails="start"), Recorder("http", diary)]
    with pytest.raises(ServiceError, match="port taken"):
        asyncio.run(supervise(services, []).run(stop_when_ready))
    assert diary == ["dns start example.com", "dns stop"]


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def _reloaded(
    services: Sequence[Service],
    reports: list[tuple[str, Event]],
    load: Callable[[], Plan],
    done: Callable[[], bool],
) -> None:
    async def scenario() -> None:
        started = asyncio.Event()
        running = asyncio.create_task(supervise(services, reports, load).run(lambda _: started.set()))
        await started.wait()
        os.kill(os.getpid(), signal.SIGHUP)
        await _until(done)
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(scenario())


def test_sighup_swaps_every_service_to_the_new_plan_once_all_are_ready() -> None:
    diary: list[str] = []
    reports: list[tuple[str, Event]] = []
    services = [Recorder("dns", diary), Recorder("dhcp", diary)]
    _reloaded(services, reports, lambda: plan("example.org"), lambda: bool(reports))
    assert diary[2:-2] == [
        "dns prepare example.org",
        "dhcp prepare example.org",
        "dns commit example.org",
        "dhcp commit example.org",
    ]
    assert reports == [("serve", Notice("reloaded: domain: example.com is now example.org"))]


def test_bad_inventory_keeps_the_old_plan_serving() -> None:
    def broken() -> Plan:
        raise InventoryError([Problem("unknown-key", "`domian` is not a key here", path=("domian",))])

    diary: list[str] = []
    reports: list[tuple[str, Event]] = []
    _reloaded([Recorder("dns", diary)], reports, broken, lambda: bool(reports))
    assert diary == ["dns start example.com", "dns stop"]
    (name, notice) = reports[0]
    assert name == "serve"
    assert isinstance(notice, Notice)
    assert notice.severity == "error"
    assert "domian" in notice.text


def test_nobody_takes_a_plan_that_one_service_cannot_take() -> None:
    diary: list[str] = []
    reports: list[tuple[str, Event]] = []
    services = [
        Recorder("dns", diary),
        Recorder("http", diary),
        Recorder("dhcp", diary, fails="prepare"),
    ]
    _reloaded(services, reports, lambda: plan("example.org"), lambda: bool(reports))
    assert diary[3:-3] == [
        "dns prepare example.org",
        "http prepare example.org",
        "http abort example.org",
        "dns abort example.org",
    ]
    ((name, notice),) = reports
    assert (name, getattr(notice, "severity", "")) == ("serve", "error")
    assert "dhcp: port taken at prepare" in str(notice)
    assert "free it" in str(notice)


def test_plan_that_was_refused_is_taken_once_it_can_be() -> None:
    diary: list[str] = []
    reports: list[tuple[str, Event]] = []
    service = Recorder("dns", diary, fails="prepare")

    async def scenario() -> None:
        started = asyncio.Event()
        supervisor = supervise([service], reports, lambda: plan("example.org"))
        running = asyncio.create_task(supervisor.run(lambda _: started.set()))
        await started.wait()
        await supervisor.reload()
        service.fails = ""
        await supervisor.reload()
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(scenario())
    assert "dns commit example.org" in diary


def test_watchdog_is_fed_while_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[tuple[str, ...]] = []
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.setattr("netprov.runtime.supervise.notify", lambda *words: fed.append(words))

    async def scenario() -> None:
        running = asyncio.create_task(supervise([], []).run(lambda _: None))
        await _until(lambda: ("WATCHDOG=1",) in fed)
        os.kill(os.getpid(), signal.SIGINT)
        await running

    asyncio.run(scenario())
    assert fed[0][0] == "READY=1"
    assert fed[-1] == ("STOPPING=1",)


class Silent(Recorder):
    """A service with a process of its own that never answers."""

    def probes(self) -> Sequence[Probe]:
        return [Probe("a worker", asyncio.Event().wait, lambda: 0)]  # type: ignore[arg-type]


def test_watchdog_is_not_fed_while_something_of_a_role_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[tuple[str, ...]] = []
    reports: list[tuple[str, Event]] = []
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.setattr("netprov.runtime.supervise.notify", lambda *words: fed.append(words))

    async def scenario() -> None:
        running = asyncio.create_task(supervise([Silent("dns", [])], reports).run(lambda _: None))
        await _until(lambda: any("a worker" in str(event) for _, event in reports))
        os.kill(os.getpid(), signal.SIGINT)
        await running

    asyncio.run(scenario())
    assert ("WATCHDOG=1",) not in fed


class Slow(Recorder):
    """A service that takes its time to start, and has nothing to tell before."""

    def __init__(self, name: str, diary: list[str]) -> None:
        super().__init__(name, diary)
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.sockets: Sequence[str]

    async def start(self, plan: Plan) -> None:
        self.begun.set()
        await self.may_end.wait()
        self.sockets = ("udp 10.20.0.1:53",)
        await super().start(plan)

    def listening(self) -> Sequence[str]:
        return self.sockets


def test_reload_and_status_that_are_asked_for_while_services_start_wait_or_answer(tmp_path: Path) -> None:
    """Seen: AttributeError, for a service that has not started has no sockets to tell of."""
    diary: list[str] = []
    reports: list[tuple[str, Event]] = []

    async def scenario() -> tuple[Outcome, tuple[RoleStatus, ...]]:
        slow = Slow("dns", diary)
        supervisor = supervise([slow, Recorder("dhcp", diary)], reports, lambda: plan("example.org"))
        control = ControlServer(tmp_path, ["dns", "dhcp"], supervisor)
        await control.start()  # as `netprov serve` does: before anything is started
        early = asyncio.create_task(asyncio.to_thread(reload, tmp_path))
        running = asyncio.create_task(supervisor.run(lambda _: None))
        await slow.begun.wait()
        (status,) = await asyncio.to_thread(statuses, tmp_path)
        slow.may_end.set()
        outcome = await early
        os.kill(os.getpid(), signal.SIGTERM)
        await running
        await control.stop()
        return outcome, status.roles

    outcome, roles = asyncio.run(asyncio.wait_for(scenario(), 30))
    assert roles == (RoleStatus("dns"), RoleStatus("dhcp"))
    assert outcome == Outcome(done=True, lines=("domain: example.com is now example.org",))
    assert diary[:2] == ["dns start example.com", "dhcp start example.com"]
    assert diary[2:6] == [
        "dns prepare example.org",
        "dhcp prepare example.org",
        "dns commit example.org",
        "dhcp commit example.org",
    ]


def test_reload_of_a_process_that_cannot_start_ends_with_it(tmp_path: Path) -> None:
    async def scenario() -> Outcome:
        supervisor = supervise([Recorder("dns", [], fails="start")], [])
        control = ControlServer(tmp_path, ["dns"], supervisor)
        await control.start()
        asked = asyncio.create_task(asyncio.to_thread(reload, tmp_path))
        await asyncio.sleep(0)
        with pytest.raises(ServiceError, match="port taken"):
            await supervisor.run(lambda _: None)
        while not control.clients:
            await asyncio.sleep(0.001)
        await control.stop()
        return await asked

    outcome = asyncio.run(asyncio.wait_for(scenario(), 30))
    assert not outcome.done
    assert "dns: the process does not answer" in outcome.lines[0]
