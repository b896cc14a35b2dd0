"""The control socket: a change that nobody commits is aborted, and who may ask."""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from netprov.errors import ServiceError
from netprov.inventory.load import parse
from netprov.plan import Plan, derive
from netprov.runtime.control import place
from netprov.runtime.control.client import peers, served, statuses
from netprov.runtime.control.message import Verb
from netprov.runtime.control.reload import LOCK, _record, reload
from netprov.runtime.control.server import ControlServer
from netprov.runtime.handover import Place
from netprov.runtime.role import Service
from netprov.state.hold import hold

SITE = (
    "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24, options: {43: {1: x}}}}\n"
)


@dataclass
class Process:
    """A process without services that writes down what is asked of it."""

    diary: list[str] = field(default_factory=list)
    differences: tuple[str, ...] = ("hosts: +pr3",)
    fingerprint: str = "one"
    refuses: str = ""
    services: tuple[Service, ...] = ()
    plan: Plan = field(default_factory=lambda: derive(parse(SITE, "site.yaml").inventory))
    started: tuple[Service, ...] = ()
    releases: tuple[Place, ...] = ()
    told: list[Place] = field(default_factory=list)
    loaded_by: list[str] = field(default_factory=list)

    async def load(self, by: str) -> Process:
        self.loaded_by.append(by)
        return self

    async def prepare(self, places: Iterable[Place]) -> Process:
        self.told = list(places)
        if self.refuses:
            raise ServiceError(self.refuses)
        self.diary.append("prepare")
        return self

    async def commit(self) -> None:
        self.diary.append("commit")

    async def abort(self, reason: str) -> None:
        self.diary.append(f"abort: {reason}")


def with_processes(state: Path, test: Callable[[], Awaitable[None]], **processes: Process) -> None:
    async def body() -> None:
        servers = [ControlServer(state, [role], process) for role, process in processes.items()]
        for server in servers:
            await server.start()
        try:
            await test()
        finally:
            for server in servers:
                await server.stop()

    asyncio.run(asyncio.wait_for(body(), 30))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_all_prepare_before_any_commits(tmp_path: Path) -> None:
    diary: list[str] = []
    dns, http = Process(diary), Process(diary)

    async def test() -> None:
        outcome = await asyncio.to_thread(reload, tmp_path)
        assert (outcome.done, outcome.lines) == (True, ("hosts: +pr3",))
        assert diary == ["prepare", "prepare", "commit", "commit"]

    with_processes(tmp_path, test, dns=dns, http=http)


def test_what_one_refuses_the_others_abort_and_are_told_why(tmp_path: Path) -> None:
    dns, http = Process(), Process(refuses="port taken")

    async def test() -> None:
        outcome = await asyncio.to_thread(reload, tmp_path)
        assert (outcome.done, outcome.lines) == (False, ("port taken",))
        assert dns.diary == ["prepare", "abort: port taken"]

    with_processes(tmp_path, test, dns=dns, http=http)


def test_processes_that_read_different_inventories_abort(tmp_path: Path) -> None:
    dns, http = Process(), Process(fingerprint="another")

    async def test() -> None:
        outcome = await asyncio.to_thread(reload, tmp_path)
        assert not outcome.done
        assert [entry.partition(":")[0] for entry in dns.diary + http.diary] == ["prepare", "abort"] * 2

    with_processes(tmp_path, test, dns=dns, http=http)


@pytest.mark.parametrize("verbs", [("load",), ("load", "prepare")], ids=["loaded", "prepared"])
def test_client_that_goes_away_has_aborted(tmp_path: Path, verbs: Sequence[Verb]) -> None:
    dns = Process()

    async def test() -> None:
        def ask() -> list[str]:
            with peers(tmp_path) as (peer,):
                for verb in verbs:
                    peer.send(verb)
                    assert not peer.receive().error
            return ["prepare"] if "prepare" in verbs else []

        done = await asyncio.to_thread(ask)
        await until(lambda: len(dns.diary) == len(verbs))
        assert dns.diary == [*done, "abort: who had asked for it went away"]

    with_processes(tmp_path, test, dns=dns)


def test_roles_that_are_not_named_are_not_asked(tmp_path: Path) -> None:
    dns, http = Process(), Process()

    async def test() -> None:
        assert (await asyncio.to_thread(reload, tmp_path, ["http"])).done
        assert (dns.diary, http.diary) == ([], ["prepare", "commit"])
        with pytest.raises(ServiceError, match="tftp"):
            await asyncio.to_thread(reload, tmp_path, ["tftp"])

    with_processes(tmp_path, test, dns=dns, http=http)


def test_reloads_that_were_asked_for_before_one_began_are_served_by_it(tmp_path: Path) -> None:
    dns = Process()

    def opened() -> int:
        """Return how many hold the lock's file open: each of them has asked."""
        targets = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
        return sum(target == str(tmp_path / place.DIRECTORY / LOCK) for target in targets)

    async def test() -> None:
        with (place.directory(tmp_path) / LOCK).open("wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            asked = [asyncio.create_task(asyncio.to_thread(reload, tmp_path)) for _ in range(4)]
            await until(lambda: opened() == 5)
        assert {(await each).done for each in asked} == {True}
        assert dns.diary == ["prepare", "commit"]
        await asyncio.to_thread(reload, tmp_path)
        assert dns.diary == ["prepare", "commit"] * 2

    with_processes(tmp_path, test, dns=dns)


def test_group_may_ask_and_nobody_else(tmp_path: Path) -> None:
    async def test() -> None:
        folder = tmp_path / place.DIRECTORY
        assert stat.S_IMODE(folder.stat().st_mode) == 0o750
        assert stat.S_IMODE((folder / "dns.sock").stat().st_mode) == 0o660

    with_processes(tmp_path, test, dns=Process())


def taken_by(folder: Path, user: int) -> int:
    """Open the lock in a process of another user of the group, whose mask lets nobody else in; return how it ended."""
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(GROUP, GROUP, GROUP)
            os.setresuid(user, user, user)
            os.umask(0o077)
            os.close(_record(folder / LOCK))
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


GROUP = 54321


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")
def test_every_user_of_the_group_may_reload_after_every_other() -> None:
    """As units do, each as a user of its own, in a directory in which no user can remove what is another's."""
    with TemporaryDirectory() as name:  # pytest's own is below a directory that others may not enter
        folder = Path(name)
        os.chown(folder, 0, GROUP)
        folder.chmod(0o3770)
        assert [taken_by(folder, user) for user in (GROUP, GROUP + 1, GROUP + 2)] == [0, 0, 0]
        assert os.listdir(folder) == [LOCK]


def test_state_directory_with_a_long_name_has_a_socket_too(tmp_path: Path) -> None:
    long = tmp_path / ("a" * 120)
    long.mkdir()

    async def test() -> None:
        assert len(await asyncio.to_thread(statuses, long)) == 1

    with_processes(long, test, dns=Process())


def test_socket_that_a_killed_process_left_is_passed_over_and_replaced(tmp_path: Path) -> None:
    place.bind(tmp_path, ["dns"]).close()
    assert place.names(tmp_path) == ("dns.sock",)
    with pytest.raises(ServiceError, match="nothing that plays any role"):
        reload(tmp_path)

    async def test() -> None:
        assert (await asyncio.to_thread(reload, tmp_path)).done

    with_processes(tmp_path, test, dns=Process())


def test_role_is_held_by_one_process(tmp_path: Path) -> None:
    hold(tmp_path, ["dns"])
    with pytest.raises(ServiceError, match=r"dns is served with the state directory .* by process"):
        hold(tmp_path, ["http", "dns"])


def test_inventory_that_is_served_can_be_asked_for(tmp_path: Path) -> None:
    one, two = Process(), Process()

    async def test() -> None:
        (plan,) = await asyncio.to_thread(served, tmp_path)
        assert plan.site.inventory == one.plan.site.inventory
        assert plan.dhcp == one.plan.dhcp

    with_processes(tmp_path, test, dns=one, http=two)


def test_ports_that_one_process_lets_go_are_told_to_all_before_any_prepares(tmp_path: Path) -> None:
    http = Process(releases=(("10.20.0.11", 80),))
    acs = Process(releases=(("2001:db8::1", 7547),))

    async def test() -> None:
        assert (await asyncio.to_thread(reload, tmp_path)).done
        assert sorted(http.told) == sorted(acs.told) == [("10.20.0.11", 80), ("2001:db8::1", 7547)]

    with_processes(tmp_path, test, http=http, acs=acs)


def test_what_is_asked_out_of_order_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    dns = Process()

    async def test() -> None:
        def ask() -> list[str]:
            said = []
            with peers(tmp_path) as (peer,):
                verbs: Sequence[Verb] = (
                    "prepare",
                    "commit",
                    "abort",
                    "load",
                    "load",
                    "prepare",
                    "load",
                    "commit",
                )
                for verb in verbs:
                    peer.send(verb)
                    said.append(peer.receive().error)
            return said

        refused = ["nothing is loaded", "nothing is prepared", "nothing is prepared"]
        again = "a change is prepared already"
        assert await asyncio.to_thread(ask) == [*refused, "", again, "", again, ""]
        assert dns.diary == ["prepare", "commit"]

    with_processes(tmp_path, test, dns=dns)
