"""The self-check: what hangs is noticed though the loop turns, what is busy passes, and nothing of it is on record."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from netprov.inventory.load import parse
from netprov.plan import Plan, derive
from netprov.provision.config import Listener
from netprov.runtime.cwmp.service import AcsService
from netprov.runtime.dhcp.service import DhcpService
from netprov.runtime.dns.service import DnsService
from netprov.runtime.provision.service import HttpService
from netprov.runtime.provision.syslog import SyslogService
from netprov.runtime.role import Notice, RoleContext, Service, reload
from netprov.runtime.self_check import Probe, SelfCheck
from netprov.runtime.tftp.service import TftpService
from tests.port import free_port
from tests.runtime.provisioning import plan_of, role_context, running

LONG_S = 60.0
"""Seconds that what answers may take: a check ends with the last answer."""
SHORT_S = 0.4
"""Seconds for what never does."""


class Asked:
    """A service with one socket, as it is told to behave."""

    name = "dns"

    def __init__(self) -> None:
        self.answers = True
        self.received = 0
        self.floods = False
        self.closes = self.closed = False
        self.address = "127.0.0.1"

    def probes(self) -> list[Probe]:
        probe = Probe("udp here", self._ask, lambda: self.received, self.address)
        return [] if self.closed else [probe]

    async def _ask(self) -> None:
        self.received += self.floods
        self.closed = self.closes
        if not self.answers:
            await asyncio.Event().wait()


def judge(service: object) -> tuple[Callable[[], bool], list[Notice]]:
    """Return what checks a service once, and what that tells."""
    told: list[Notice] = []
    check = SelfCheck(told.append)
    services = [cast("Service", service)]
    return lambda: asyncio.run(check.passes(lambda: services, SHORT_S)), told


def test_what_answered_and_is_silent_withholds_the_sign_of_life_until_it_answers() -> None:
    service = Asked()
    passes, told = judge(service)
    assert passes()
    service.answers = False
    assert not passes()
    assert not passes()
    assert [(each.severity, "udp here" in each.text) for each in told] == [("error", True)]
    service.answers = True
    assert passes()
    assert [each.severity for each in told] == ["error", "info"]


def test_a_flood_in_which_our_own_question_is_shed_passes() -> None:
    service = Asked()
    passes, told = judge(service)
    assert passes()
    service.answers, service.floods = False, True
    assert passes()
    assert told == []


def test_what_never_answered_is_told_of_and_withholds_nothing() -> None:
    service = Asked()
    service.answers = False
    passes, told = judge(service)
    assert passes()
    assert passes()
    assert [each.severity for each in told] == ["warning"]


def test_a_process_that_never_answered_is_no_matter_of_firewalls() -> None:
    service = Asked()
    service.answers, service.address = False, ""
    passes, _ = judge(service)
    assert not passes()


def test_an_address_that_has_left_this_machine_is_nobody_s_fault() -> None:
    service = Asked()
    passes, told = judge(service)
    assert passes()
    service.answers, service.address = False, "192.0.2.1"
    assert passes()
    assert told == []


def test_what_a_reload_closed_meanwhile_is_not_missed() -> None:
    service = Asked()
    passes, told = judge(service)
    assert passes()
    service.answers, service.closes = False, True
    assert passes()
    assert told == []


def test_dhcp_passes_while_it_reads_and_not_while_messages_lie_there(tmp_path: Path) -> None:
    service = DhcpService(role_context(tmp_path)[0])
    port = SimpleNamespace(unread=lambda: False, received=0)
    service._ports = cast("Any", {"lan0": port})
    passes, told = judge(service)
    assert passes()
    port.unread = lambda: True
    assert not passes()
    assert "dhcp lan0" in told[0].text


def dns_plan(port: int, workers: int = 1) -> Plan:
    site = "domain: example.com\nnetworks: {lo: {interface: lo, subnet: 127.0.0.0/24}}\n"
    return derive(parse(f"{site}dns: {{port: {port}, workers: {workers}}}\n", "site.yaml").inventory)


def acs_plan(port: int) -> Plan:
    return derive(
        parse(
            "domain: example.com\nnetworks: {lo: {interface: lo, subnet: 127.0.0.0/24, pool: []}}\n"
            f"hosts: {{pr1: 127.0.0.1}}\nclasses: {{cpe: {{method: acs, acs_url: 'http://pr1.example.com:{port}/'}}}}\n"
            "phones: [{mac: 00:12:34:ab:45:de, model: CP-8851-3PCC, class: cpe}]\n",
            "site.yaml",
        ).inventory
    )


def _web_plan(*, workers: int = 1, known_only: bool = False) -> Plan:
    plan = plan_of(
        Listener("http", "127.0.0.1", free_port()),
        Listener("https", "127.0.0.1", free_port()),
        workers=workers,
    )
    if known_only:
        plan = replace(plan, pki=replace(plan.pki, clients=replace(plan.pki.clients, ask="required")))
    return plan


def _dns(context: RoleContext) -> tuple[Service, Plan]:
    return DnsService(context), dns_plan(free_port())


def _http(context: RoleContext) -> tuple[Service, Plan]:
    return HttpService(context), _web_plan()


def _http_workers(context: RoleContext) -> tuple[Service, Plan]:
    return HttpService(context), _web_plan(workers=2)


def _http_for_known_clients(context: RoleContext) -> tuple[Service, Plan]:
    return HttpService(context), _web_plan(known_only=True)


def _acs(context: RoleContext) -> tuple[Service, Plan]:
    return AcsService(context), acs_plan(free_port())


def _tftp(context: RoleContext) -> tuple[Service, Plan]:
    return TftpService(context), plan_of(Listener("tftp", "127.0.0.1", free_port(socket.SOCK_DGRAM)))


def _syslog(context: RoleContext) -> tuple[Service, Plan]:
    return SyslogService(context, port=free_port(socket.SOCK_DGRAM)), plan_of()


@pytest.mark.parametrize("make", [_dns, _http, _http_workers, _http_for_known_clients, _acs, _tftp, _syslog])
def test_every_role_answers_itself_and_has_nothing_of_it_on_record(
    tmp_path: Path, make: Callable[[RoleContext], tuple[Service, Plan]]
) -> None:
    context, events = role_context(tmp_path)
    told: list[Notice] = []
    answered: list[str] = []

    async def go() -> None:
        service, plan = make(context)
        async with running(service, plan):
            check = SelfCheck(told.append)
            before = len(events)
            assert await check.passes(lambda: [service], LONG_S)
            assert await check.passes(lambda: [service], LONG_S)
            answered.extend(check._answered)
        assert [str(each) for _, each in events[before:]] == []

    asyncio.run(go())
    assert told == []
    assert answered


def test_a_thread_that_hangs_is_noticed_though_the_loop_turns(tmp_path: Path) -> None:
    context, _ = role_context(tmp_path)
    told: list[Notice] = []
    hangs, may_end = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        may_end.wait()

    async def go() -> None:
        service, plan = _tftp(context)
        assert isinstance(service, TftpService)
        async with running(service, plan):
            check = SelfCheck(told.append)
            assert await check.passes(lambda: [service], LONG_S)
            hanging = asyncio.create_task(service._thread.call(hang))
            await asyncio.to_thread(hangs.wait)
            assert not await check.passes(lambda: [service], SHORT_S)
            may_end.set()
            await hanging
            assert await check.passes(lambda: [service], LONG_S)

    asyncio.run(go())
    assert ["udp 127.0.0.1" in each.text for each in told] == [True, True]


@pytest.mark.parametrize("role", ["dns", "http"])
def test_a_worker_that_is_frozen_is_noticed_though_others_answer(tmp_path: Path, role: str) -> None:
    context, _ = role_context(tmp_path)
    told: list[Notice] = []

    async def go() -> None:
        service: Service
        if role == "dns":
            service, plan = DnsService(context), dns_plan(free_port(), workers=2)
        else:
            service, plan = HttpService(context), _web_plan(workers=2)
        async with running(service, plan):
            check = SelfCheck(told.append)
            assert await check.passes(lambda: [service], LONG_S)
            names = [each.name for each in service.probes() if not each.address]
            frozen = int(names[0].rpartition(" ")[2])
            os.kill(frozen, signal.SIGSTOP)
            try:
                assert not await check.passes(lambda: [service], SHORT_S)
                assert names[0] in told[-1].text
            finally:
                os.kill(frozen, signal.SIGCONT)
            assert await check.passes(lambda: [service], LONG_S)

    asyncio.run(go())


def test_a_check_passes_while_reloads_go_on(tmp_path: Path) -> None:
    context, _ = role_context(tmp_path)
    told: list[Notice] = []

    async def go() -> None:
        service, plan = _http_workers(context)
        async with running(service, plan):
            check = SelfCheck(told.append)
            over = False

            async def reloads() -> None:
                while not over:
                    await reload(service, plan)

            reloading = asyncio.create_task(reloads())
            for _ in range(3):
                assert await check.passes(lambda: [service], LONG_S)
            over = True
            await reloading

    asyncio.run(go())
    assert told == []
