"""Sockets that the service manager has opened: found by what they are, served on, and open through restarts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import dns.message
import dns.query
import pytest

from netprov.inventory.load import parse
from netprov.plan import Plan, derive
from netprov.provision.config import Listener
from netprov.runtime.dns.service import DnsService
from netprov.runtime.net.inherited import Inherited, inherit
from netprov.runtime.provision.service import HttpService
from netprov.runtime.provision.syslog import SyslogService
from netprov.runtime.role import Notice, RoleContext, Service, reload
from netprov.runtime.self_check import SelfCheck
from netprov.runtime.tftp.service import TftpService
from tests.port import free_port
from tests.runtime.provisioning import plan_of, role_context, running

FIRST = 200
"""Where a test passes descriptors: 3 is in use."""
UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM


def opened(kind: socket.SocketKind, port: int = 0) -> socket.socket:
    """Open a socket as the service manager does."""
    sock = socket.socket(socket.AF_INET, kind)
    sock.bind(("127.0.0.1", port))
    if kind == TCP:
        sock.listen()
    return sock


@contextlib.contextmanager
def passed(*sockets: socket.socket, **variables: str) -> Iterator[dict[str, str]]:
    """Pass sockets to this process, and yield the environment that says so."""
    for index, sock in enumerate(sockets):
        os.dup2(sock.fileno(), FIRST + index)
    yield {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sockets)), "PATH": "/bin", **variables}
    for index in range(len(sockets)):
        with contextlib.suppress(OSError):
            os.close(FIRST + index)


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


def test_a_socket_is_found_by_kind_address_and_port_as_often_as_it_is_asked_for() -> None:
    with opened(UDP) as udp, opened(TCP) as tcp, passed(udp, tcp) as environ:
        found = inherit(environ, first=FIRST)
        for _ in range(2):
            claimed = found.claim(False, "127.0.0.1", port_of(tcp))
            assert claimed is not None
            with claimed:
                assert claimed.getsockname() == tcp.getsockname()
                assert not claimed.getblocking()
        assert found.claim(True, "127.0.0.1", port_of(tcp)) is None
        assert found.claim(True, "127.0.0.2", port_of(udp)) is None
        assert [each.text for each in found.settle(frozenset())] == [
            f"was passed a socket that is not in the inventory: udp 127.0.0.1:{port_of(udp)}; it is closed"
        ]
        assert found.claim(True, "127.0.0.1", port_of(udp)) is None
        assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize("variables", [{"LISTEN_PID": "1"}, {"LISTEN_FDS": "x"}, {"LISTEN_FDS": "0"}])
def test_what_is_meant_for_another_process_is_left_alone(variables: dict[str, str]) -> None:
    with opened(TCP) as tcp, passed(tcp, **variables) as environ:
        found = inherit(environ, first=FIRST)
        assert found.claim(False, "127.0.0.1", port_of(tcp)) is None
        assert found.settle(frozenset()) == []
        os.fstat(FIRST)


def test_what_is_no_socket_of_the_internet_is_told_by_its_name_and_closed() -> None:
    with (
        socket.socket(socket.AF_UNIX) as local,
        opened(UDP) as udp,
        passed(local, udp, LISTEN_FDNAMES="control:dns", LISTEN_FDS="3") as environ,
    ):
        told = [each.text for each in inherit(environ, first=FIRST).settle(frozenset({"127.0.0.1"}))]
        assert told == [
            f"was passed a socket that nothing here serves: control ({FIRST} is no internet socket); it is closed",
            f"was passed a socket that nothing here serves: descriptor ({FIRST + 2} is no socket); it is closed",
        ]
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(FIRST)


def test_a_socket_whose_address_has_not_come_is_left_until_it_has() -> None:
    with socket.socket(socket.AF_INET, UDP) as early:
        early.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND, as FreeBind=yes has it
        early.bind(("192.0.2.1", 0))
        with passed(early) as environ:
            found = inherit(environ, first=FIRST)
            assert found.claim(True, "192.0.2.1", port_of(early)) is None
            assert found.settle(frozenset({"192.0.2.1"})) == []
            assert len(found.settle(frozenset())) == 1


def dns_plan(port: int, workers: int = 1) -> Plan:
    site = "domain: example.com\nnetworks: {lo: {interface: lo, subnet: 127.0.0.0/24}}\n"
    return derive(parse(f"{site}dns: {{port: {port}, workers: {workers}}}\n", "site.yaml").inventory)


def _dns(context: RoleContext, port: int) -> tuple[Service, Plan]:
    return DnsService(context), dns_plan(port)


def _http(context: RoleContext, port: int) -> tuple[Service, Plan]:
    return HttpService(context), plan_of(Listener("http", "127.0.0.1", port))


def _http_workers(context: RoleContext, port: int) -> tuple[Service, Plan]:
    return HttpService(context), plan_of(Listener("http", "127.0.0.1", port), workers=2)


def _tftp(context: RoleContext, port: int) -> tuple[Service, Plan]:
    return TftpService(context), plan_of(Listener("tftp", "127.0.0.1", port))


def _syslog(context: RoleContext, port: int) -> tuple[Service, Plan]:
    return SyslogService(context, port=port), plan_of()


@pytest.mark.parametrize(
    ("make", "kinds"),
    [(_dns, (UDP, TCP)), (_http, (TCP,)), (_http_workers, (TCP,)), (_tftp, (UDP,)), (_syslog, (UDP,))],
)
def test_a_role_serves_on_what_was_passed_where_it_could_bind_nothing(
    tmp_path: Path,
    make: Callable[[RoleContext, int], tuple[Service, Plan]],
    kinds: tuple[socket.SocketKind, ...],
) -> None:
    context, _ = role_context(tmp_path)
    told: list[Notice] = []
    port = free_port(kinds[0])

    async def go(given: Inherited) -> None:
        for _ in range(2):
            service, plan = make(replace(context, inherited=given.claim), port)
            async with running(service, plan):
                await reload(service, plan)
                check, services = SelfCheck(told.append), partial(list[Service], (service,))
                assert await check.passes(services, 60.0)
                assert service.listening()
        assert given.settle(frozenset()) == []

    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(opened(kind, port)) for kind in kinds]
        environ = stack.enter_context(passed(*sockets))
        asyncio.run(go(inherit(environ, first=FIRST)))
    assert told == []


def test_a_question_that_comes_between_two_runs_is_answered_by_the_second(tmp_path: Path) -> None:
    context, _ = role_context(tmp_path)
    query = dns.message.make_query("example.com", "SOA").to_wire()

    async def go(given: Inherited, port: int) -> None:
        plan = dns_plan(port)
        async with running(DnsService(replace(context, inherited=given.claim)), plan):
            pass
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(len(query).to_bytes(2, "big") + query)
        async with running(DnsService(replace(context, inherited=given.claim)), plan):
            length = int.from_bytes(await reader.readexactly(2), "big")
            assert dns.message.from_wire(await reader.readexactly(length)).answer
        writer.close()
        await writer.wait_closed()

    with opened(TCP) as tcp, passed(tcp) as environ:
        asyncio.run(go(inherit(environ, first=FIRST), port_of(tcp)))


def test_workers_that_cannot_be_bound_beside_it_leave_the_first_to_answer_alone(tmp_path: Path) -> None:
    context, events = role_context(tmp_path)

    async def go(given: Inherited, port: int) -> None:
        service = DnsService(replace(context, inherited=given.claim))
        async with running(service, dns_plan(port, workers=2)):
            assert await SelfCheck(lambda _: None).passes(lambda: [service], 60.0)

    with opened(UDP) as udp, passed(udp) as environ:
        asyncio.run(go(inherit(environ, first=FIRST), port_of(udp)))
    assert "answers alone" in events.text()
    assert "ReusePort" in events.text()


@pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None, reason="there is no systemd-socket-activate"
)
def test_systemd_s_own_program_passes_the_socket_that_is_served_on(tmp_path: Path) -> None:
    port = free_port()
    site = tmp_path / "site.yaml"
    site.write_text(
        f"domain: example.com\nnetworks: {{lo: {{interface: lo, subnet: 127.0.0.0/24}}}}\ndns: {{port: {port}}}\n"
        "server: {user: root}\n"
    )
    serve = [sys.executable, "-m", "netprov", "serve", "dns", "-f", str(site), "--state", str(tmp_path / "s")]
    manager = subprocess.Popen(
        ["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", *serve],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert manager.stderr is not None
        while "Listening on" not in manager.stderr.readline():
            assert manager.poll() is None
        query = dns.message.make_query("example.com", "SOA")
        assert dns.query.tcp(query, "127.0.0.1", port=port, timeout=120).answer
        assert dns.query.udp(query, "127.0.0.1", port=port, timeout=120).answer
    finally:
        manager.send_signal(signal.SIGTERM)
        manager.communicate(timeout=60)
    assert manager.returncode == 0
