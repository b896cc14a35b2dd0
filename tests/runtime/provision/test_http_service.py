"""The HTTP service against slow, silent, greedy and broken clients, and through reloads; on loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.lab.process import wait_until
from netprov.provision.config import Device, Listener
from netprov.provision.event import Asked
from netprov.provision.profile import Parameter, layer
from netprov.runtime.provision.service import HttpService
from netprov.runtime.role import reload
from netprov.runtime.web.server import Timeouts, WebLimits
from tests.port import free_port
from tests.runtime.provisioning import MAC, plan_of, role_context, running, with_service

HASTY = Timeouts(handshake=0.3, head=0.3, body=0.3, idle=0.3, reply=0.3)
GET = b"GET /Cisco/001234ab45de.cfg HTTP/1.1\r\nHost: a\r\n\r\n"
ENDING = b"<A>own</A>\n</flat-profile>\n"


@pytest.fixture
def http() -> Listener:
    return Listener("http", "127.0.0.1", free_port())


@pytest.fixture
def https() -> Listener:
    return Listener("https", "127.0.0.1", free_port())


def connect(listener: Listener) -> socket.socket:
    return socket.create_connection((listener.address, listener.port), timeout=15)


def read_all(sock: socket.socket) -> bytes:
    answer = b""
    try:
        while data := sock.recv(65536):
            answer += data
    except (ConnectionError, ssl.SSLError):
        pass
    return answer


def fetch(listener: Listener) -> bytes:
    with connect(listener) as sock:
        sock.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        return read_all(sock)


def service(state: Path, timeouts: Timeouts | None = None, most: int = 100) -> HttpService:
    return HttpService(role_context(state)[0], timeouts=timeouts, limits=WebLimits(connections=most))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost:",
        b"PUT /report/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
        b"PUT /report/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_client_that_does_not_go_on_is_cut_off_while_others_are_served(
    tmp_path: Path, http: Listener, octets: bytes
) -> None:
    def exchange() -> None:
        with connect(http) as slow:
            slow.sendall(octets)
            assert fetch(http).endswith(ENDING)
            answer = read_all(slow)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")

    with_service(service(tmp_path, HASTY), plan_of(http), exchange)


def test_trickling_octets_do_not_buy_time(tmp_path: Path, http: Listener) -> None:
    def exchange() -> None:
        with connect(http) as slow:
            slow.settimeout(0.05)
            for _ in range(400):
                try:
                    slow.sendall(b"a")
                    if slow.recv(1) == b"":
                        return
                except TimeoutError:
                    continue
                except ConnectionError:
                    return
            pytest.fail("it is still listened to")

    with_service(service(tmp_path, HASTY), plan_of(http), exchange)


def test_idle_connection_is_closed_after_its_time(tmp_path: Path, http: Listener) -> None:
    def exchange() -> None:
        with connect(http) as sock:
            sock.sendall(GET)
            assert read_all(sock).endswith(ENDING)

    with_service(service(tmp_path, HASTY), plan_of(http), exchange)


def test_client_that_does_not_read_is_cut_off(tmp_path: Path, http: Listener) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "big").write_bytes(bytes(50_000_000))

    def exchange() -> None:
        with connect(http) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(b"GET /fw/big HTTP/1.0\r\n\r\n")
            assert fetch(http).endswith(ENDING)
            served.wait()

    served = _Gone(service(tmp_path, HASTY))
    with_service(served.service, plan_of(http, trees=(("/fw", str(tmp_path / "tree")),)), exchange)


class _Gone:
    """Waits until a service has no connection left."""

    def __init__(self, watched: HttpService) -> None:
        self.service = watched

    def wait(self) -> None:
        wait_until(lambda: not self.service.connections, what="the end of the connection", timeout=10)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", b""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b""),
        (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
    ],
)
def test_half_open_and_broken_tls_is_cut_off(
    tmp_path: Path, https: Listener, octets: bytes, said: bytes
) -> None:
    def exchange() -> None:
        with connect(https) as slow:
            slow.sendall(octets)
            context = ssl.create_default_context(cafile=str(tmp_path / "pki" / "ca.pem"))
            with context.wrap_socket(connect(https), server_hostname="example.com") as good:
                good.sendall(GET)
                answer = b""
                while not answer.endswith(ENDING):
                    answer += good.recv(65536)
            assert read_all(slow).partition(b"\r\n")[0] == said

    with_service(service(tmp_path, HASTY), plan_of(https), exchange)


def test_connections_that_are_gone_take_nobodys_place(tmp_path: Path, http: Listener) -> None:
    def exchange() -> None:
        with connect(http) as waiting:
            for _ in range(10):
                assert fetch(http).endswith(ENDING)
            waiting.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert read_all(waiting).endswith(ENDING)

    with_service(service(tmp_path, most=4), plan_of(http), exchange)


def test_idle_connections_give_way_to_new_ones(tmp_path: Path, http: Listener) -> None:
    def exchange() -> None:
        idle = [connect(http) for _ in range(200)]
        assert fetch(http).endswith(ENDING)
        assert read_all(idle[0]) == b""
        idle[-1].sendall(GET)
        assert idle[-1].recv(65536).startswith(b"HTTP/1.1 200")
        for sock in idle:
            sock.close()

    with_service(service(tmp_path, most=50), plan_of(http), exchange)


def test_limits_are_those_of_all_workers_together(tmp_path: Path, http: Listener) -> None:
    async def go() -> None:
        served = HttpService(role_context(tmp_path)[0], limits=WebLimits(connections=9))
        async with running(served, plan_of(http, workers=3)):
            with ExitStack() as stack:
                socks = [stack.enter_context(connect(http)) for _ in range(40)]
                for sock in socks:
                    sock.sendall(b"GET / HTTP/1.1\r\n")
                # One that has to go is cut off at once: 31 of them are, however the 40 came to be spread.
                await asyncio.to_thread(wait_until, lambda: len(open_ones(socks)) <= 9, what="31 to go")
                assert open_ones(socks)
                await asyncio.to_thread(wait_until, lambda: 0 < served.connections <= 9, what="the figures")

    asyncio.run(go())


def open_ones(socks: list[socket.socket]) -> list[socket.socket]:
    """Return the connections that the server has not closed."""
    for sock in socks:
        sock.setblocking(False)
    return [sock for sock in socks if not is_over(sock)]


def is_over(sock: socket.socket) -> bool:
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_client_that_hangs_up_midway_harms_nobody(tmp_path: Path, http: Listener, https: Listener) -> None:
    def exchange() -> None:
        for listener in (http, https):
            for octets in (b"", GET[:20], GET):
                sock = connect(listener)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                sock.sendall(octets)
                sock.close()
        assert fetch(http).endswith(ENDING)

    with_service(service(tmp_path), plan_of(http, https), exchange)


def test_refused_body_does_not_eat_the_reply(tmp_path: Path, http: Listener) -> None:
    def exchange() -> None:
        with connect(http) as sock:
            sock.sendall(
                b"PUT /report/x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n" + bytes(200_000)
            )
            assert read_all(sock).startswith(b"HTTP/1.1 413 ")

    with_service(service(tmp_path), plan_of(http), exchange)


def test_reload_swaps_content_and_sockets_and_keeps_connections(tmp_path: Path, http: Listener) -> None:
    other = Listener("http", "127.0.0.1", free_port())
    before, after = plan_of(http), plan_of(other, devices={})

    async def go() -> None:
        served = service(tmp_path)
        async with running(served, before):
            reader, writer = await asyncio.open_connection(http.address, http.port)
            writer.write(GET)
            assert (await reader.readuntil(b"</flat-profile>\n")).endswith(ENDING)
            await reload(served, after)
            writer.write(GET)
            assert b"<A>own</A>" not in await reader.readuntil(b"</flat-profile>\n")
            assert served.listening() == (str(other),)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(http.address, http.port)
            writer.close()
            await writer.wait_closed()

    asyncio.run(go())


def test_taken_port_names_the_remedy_and_a_reload_keeps_the_old_sockets(
    tmp_path: Path, http: Listener
) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    blocked = Listener("http", "127.0.0.1", taken.getsockname()[1])

    async def go() -> None:
        served = service(tmp_path)
        with pytest.raises(ServiceError, match="ss -lnt"):
            await served.start(plan_of(blocked))
        served = service(tmp_path)
        async with running(served, plan_of(http)):
            with pytest.raises(ServiceError):
                await reload(served, plan_of(http, blocked))
            assert served.listening() == (str(http),)

    asyncio.run(go())
    taken.close()


def test_address_of_another_machine_is_passed_over_but_no_reload_leaves_none(
    tmp_path: Path, http: Listener
) -> None:
    foreign = Listener("http", "192.0.2.1", 80)
    context, events = role_context(tmp_path)

    async def go() -> None:
        async with running(HttpService(context), plan_of(http, foreign)):
            assert "http 192.0.2.1:80 is not on this machine" in events.text()
        async with running(service := HttpService(context), plan_of(foreign)):
            assert list(service.waiting()) == ["192.0.2.1"]
            assert "no address of the inventory is on this machine (wanted: 192.0.2.1)" in events.text()
        async with running(service := HttpService(context), plan_of(http)):
            with pytest.raises(ServiceError, match="no address of the inventory is on this machine"):
                await service.prepare(plan_of(foreign))
            assert list(service.listening()) == [str(http)]

    asyncio.run(go())


def test_open_secrets_are_told_at_the_start_and_missing_ones_on_every_request(
    tmp_path: Path, http: Listener
) -> None:
    (tmp_path / "secrets").write_text("site x\n")
    (tmp_path / "secrets").chmod(0o644)
    context, events = role_context(tmp_path)
    layers = (layer([Parameter("Password_1_", "{{ secret('sip:' ~ phone.mac) }}")]),)
    plan = plan_of(http, devices={MAC: Device(MAC, layers=layers)})

    def exchange() -> None:
        answer = fetch(http)
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert b"sip:" not in answer

    with_service(HttpService(context), plan, exchange)
    assert f"{tmp_path}/secrets is open to everybody (mode 644)" in events.text()
    (asked,) = (event for _, event in events if isinstance(event, Asked))
    assert (asked.status, asked.mac) == (500, MAC)
    assert f"'sip:{MAC}'" in asked.reason
