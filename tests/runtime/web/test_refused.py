"""What a web server refuses before it is a request leaves a record: the profile servers' and the ACS's alike."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.cwmp.device import MessageRefused
from netprov.inventory.load import parse
from netprov.lab.process import wait_until
from netprov.plan import Plan, derive
from netprov.provision.config import Listener
from netprov.runtime.cwmp.service import AcsService
from netprov.runtime.provision.service import HttpService
from netprov.runtime.role import Service
from netprov.runtime.web.excerpt import MOST, excerpt_of
from netprov.runtime.web.server import Timeouts
from tests.port import free_port
from tests.runtime.provisioning import Events, plan_of, role_context, with_service

Served = tuple[Service, Plan, Events, int]


def http(state: Path, scheme: str) -> Served:
    context, events = role_context(state)
    listener = Listener(scheme, "127.0.0.1", free_port())  # type: ignore[arg-type]
    return HttpService(context), plan_of(listener), events, listener.port


def acs(state: Path, scheme: str, credentials: str = "") -> Served:
    context, events = role_context(state)
    port = free_port()
    text = (
        "domain: example.com\n"
        "networks: {lo: {interface: lo, subnet: 127.0.0.0/24, pool: []}}\n"
        "hosts: {pr1: 127.0.0.1}\n"
        f"classes: {{cpe: {{method: acs, acs_url: '{scheme}://pr1.example.com:{port}/'}}}}\n"
        f"certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256}}\n{credentials}"
    )
    return AcsService(context), derive(parse(text, "site.yaml").inventory), events, port


def say(port: int, octets: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=15) as sock:
        sock.sendall(octets)
        answer = b""
        try:
            while data := sock.recv(65536):
                answer += data
        except ConnectionError:
            pass
        return answer


@pytest.mark.parametrize("server", [http, acs])
@pytest.mark.parametrize(
    ("octets", "status", "shown"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400", "GET / HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400", "GET / HTTP/1.1"),
        (b"GET /a b.cfg HTTP/1.1\r\nHost: a\r\n\r\n", b"400", "GET /a b.cfg HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", b"400", "GET / HTTP/1.1"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", b"505", "GET /"),
        (b"GET /\r\n\r\n", b"505", "HTTP/0.9"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400", "begin with 16 03 01"),
    ],
)
def test_what_is_no_request_is_refused_with_a_record(
    tmp_path: Path, server: type, octets: bytes, status: bytes, shown: str
) -> None:
    service, plan, events, port = server(tmp_path, "http")

    def exchange() -> None:
        answer = say(port, octets)
        assert answer.startswith((b"HTTP/1.1 %b " % status, b"HTTP/1.0 %b " % status)), answer
        wait_until(lambda: "127.0.0.1" in events.text(), what="the record", timeout=10)

    with_service(service, plan, exchange)
    (told,) = [each for _, each in events if each.event_kind == "RequestRefused"]
    assert shown in str(told)


SECRETS = (
    b"cGhvbmU6aHVudGVyMg",
    b"6629fae49393a05397450978507c4ef1",
    b"session-of-a-phone",
    b"hunter2",
    b"pin4711",
)
TELLING = (
    b"GET /x.cfg?pwd=pin4711 HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: Basic cGhvbmU6aHVudGVyMg==\r\n"
    b'Proxy-Authorization: Digest username="GET /p", response="6629fae49393a05397450978507c4ef1"\r\n'
    b"Cookie: token=session-of-a-phone\r\nX-Password: hunter2\r\n folded hunter2\r\nUser-Agent: Cisco\x1b[2J\r\n\r\n"
    b"<ConnectionRequestPassword>hunter2</ConnectionRequestPassword>"
)


def test_the_record_tells_what_was_sent_and_no_credential() -> None:
    assert excerpt_of(TELLING) == (
        "GET /x.cfg?… HTTP/1.1; Host: a; Host: b; Authorization: …; Proxy-Authorization: …; Cookie: …; X-Password: …; "
        "a line that is no field; User-Agent: Cisco\\x1b[2J"
    )


@pytest.mark.parametrize("start", range(len(TELLING)))
def test_no_piece_of_a_request_tells_a_credential(start: int) -> None:
    """What came last need not be where the request began."""
    told = excerpt_of(TELLING[start:])
    assert len(told) <= MOST
    for secret in SECRETS:
        for size in range(4, len(secret) + 1):
            assert secret[-size:].decode() not in told
        assert secret[:4].decode() not in told


@given(st.binary(max_size=2000))
def test_any_octets_are_told_in_one_short_harmless_line(sent: bytes) -> None:
    told = excerpt_of(sent)
    assert told.isprintable()
    assert 0 < len(told) <= MOST


def test_a_refused_message_is_on_record_with_what_was_sent_and_not_its_body(tmp_path: Path) -> None:
    service, plan, events, port = acs(tmp_path, "http")
    body = b"<a><b:Password>hunter2</b:Password></a>"
    head = b"POST / HTTP/1.1\r\nHost: a\r\nCookie: hunter2\r\nSOAPAction: \r\nContent-Length: %d\r\nConnection: close\r\n\r\n"

    def exchange() -> None:
        assert say(port, head % len(body) + body).startswith(b"HTTP/1.1 400 ")
        wait_until(lambda: "400" in events.text(), what="the record", timeout=10)

    with_service(service, plan, exchange)
    (told,) = [each for _, each in events if isinstance(each, MessageRefused)]
    assert told.sent == (
        f"POST / HTTP/1.1; Host: a; Cookie: …; SOAPAction: ; Content-Length: {len(body)}; Connection: close"
    )
    assert "hunter2" not in str(told)


@pytest.mark.parametrize("server", [http, acs])
def test_plain_http_on_the_tls_port_is_answered_in_http_and_told(tmp_path: Path, server: type) -> None:
    service, plan, events, port = server(tmp_path, "https")

    def exchange() -> None:
        assert say(port, b"GET /x.cfg HTTP/1.1\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        wait_until(lambda: "GET /x.cfg" in events.text(), what="the record", timeout=10)

    with_service(service, plan, exchange)
    assert "127.0.0.1 TLS handshake failed: plain HTTP on a port that speaks TLS" in events.text()


@pytest.mark.parametrize("server", [http, acs])
def test_refused_certificate_is_told_with_the_clients_alert(tmp_path: Path, server: type) -> None:
    service, plan, events, port = server(tmp_path, "https")

    def exchange() -> None:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(plain, server_hostname="example.com")
        wait_until(lambda: "unknown ca" in events.text(), what="the record", timeout=10)

    with_service(service, plan, exchange)


def digest(user: str, password: str, nonce: str) -> str:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    response = md5(f"{md5(f'{user}:netprov ACS:{password}')}:{nonce}:{md5('POST:/')}")
    return f'Digest username="{user}", realm="netprov ACS", nonce="{nonce}", uri="/", response="{response}"'


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (lambda nonce: digest("admin", "wrong", nonce), "wrong password"),
        (lambda nonce: digest("root", "1234", nonce), "wrong user name"),
        (lambda _: "Basic " + b64encode(b"admin:1234").decode(), "of another scheme"),
    ],
)
def test_wrong_credentials_at_the_acs_are_told_apart(tmp_path: Path, header: object, reason: str) -> None:
    assert callable(header)
    service, plan, events, port = acs(
        tmp_path, "http", "acs: {credentials: {username: admin, password: '1234'}}\n"
    )

    def post(authorization: str) -> bytes:
        field = f"Authorization: {authorization}\r\n" if authorization else ""
        head = f"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{field}Content-Length: 0\r\n\r\n"
        return say(port, head.encode())

    def exchange() -> None:
        asked = post("")
        nonce = asked.partition(b'nonce="')[2].partition(b'"')[0].decode()
        assert not events.text(), "to be asked is no fault"
        assert post(header(nonce)).startswith(b"HTTP/1.1 401 ")
        assert post(digest("admin", "1234", nonce)).startswith(b"HTTP/1.1 400 "), "no Inform, but let in"

    with_service(service, plan, exchange)
    assert "127.0.0.1 http: 401 " in events.text()
    assert reason in events.text()


@pytest.mark.parametrize(
    "body", [b"<x>\x01</x>", b"<soap:Envelope/>", b"<a xmlns='urn:x'/>", b"nothing of the kind"]
)
def test_message_that_is_no_cwmp_leaves_a_record(tmp_path: Path, body: bytes) -> None:
    service, plan, events, port = acs(tmp_path, "http")

    def exchange() -> None:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert say(port, head + body).startswith(b"HTTP/1.1 400 ")

    with_service(service, plan, exchange)
    assert [str(each) for _, each in events if "127.0.0.1" in str(each) and "400" in str(each)]


def test_half_closed_client_gets_its_answers(tmp_path: Path) -> None:
    service, plan, _, port = http(tmp_path, "http")

    def exchange() -> None:
        for count in (1, 3):
            with socket.create_connection(("127.0.0.1", port), timeout=15) as sock:
                sock.sendall(b"GET /Cisco/001234ab45de.cfg HTTP/1.1\r\nHost: a\r\n\r\n" * count)
                sock.shutdown(socket.SHUT_WR)
                answer = b""
                while data := sock.recv(65536):
                    answer += data
                assert answer.count(b"HTTP/1.1 200 OK") == count

    with_service(service, plan, exchange)


def test_closed_connections_leave_the_table_at_once(tmp_path: Path) -> None:
    context, _ = role_context(tmp_path)
    listener = Listener("http", "127.0.0.1", free_port())
    patient = Timeouts(head=600, idle=600)
    service = HttpService(context, timeouts=patient)

    def exchange() -> None:
        with ExitStack() as opened:
            for _ in range(50):
                opened.enter_context(socket.create_connection(("127.0.0.1", listener.port), timeout=15))
            wait_until(lambda: service.connections == 50, what="a full table", timeout=20)
        wait_until(lambda: service.connections == 0, what="an empty table", timeout=20)

    with_service(service, plan_of(listener), exchange)


@pytest.mark.parametrize(
    ("after", "statuses"),
    [(b"nonsense\r\n\r\n", [b"200", b"400"]), (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", [b"200", b"501"])],
)
def test_requests_before_a_malformed_one_are_answered(
    tmp_path: Path, after: bytes, statuses: list[bytes]
) -> None:
    service, plan, _, port = http(tmp_path, "http")
    good = b"GET /Cisco/001234ab45de.cfg HTTP/1.1\r\nHost: a\r\n\r\n"

    def exchange() -> None:
        answer = say(port, good + after)
        assert re.findall(rb"HTTP/1\.[01] (\d+)", answer) == statuses
        answer = say(port, good.replace(b"Host", b"Connection: close\r\nHost") + after)
        assert re.findall(rb"HTTP/1\.[01] (\d+)", answer) == [b"200"]

    with_service(service, plan, exchange)


@pytest.mark.parametrize("apart", [True, False])
def test_malformed_body_is_refused_at_once_with_a_record(tmp_path: Path, apart: bool) -> None:
    service, plan, events, port = http(tmp_path, "http")
    head = b"POST /8851-3PCC.xml HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"

    def exchange() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=15) as sock:
            if apart:
                sock.sendall(head + b"Expect: 100-continue\r\n\r\n")
                assert sock.recv(100).startswith(b"HTTP/1.1 100 "), "the head has been read"
                sock.sendall(b"zz\r\n")
            else:
                sock.sendall(head + b"\r\nzz\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
        wait_until(lambda: "malformed body" in events.text(), what="the record", timeout=10)

    with_service(service, plan, exchange)


@pytest.mark.parametrize("host", [b"a b", b"a/b", b"[::1", b"a:b", b"user@a"])
def test_host_that_is_none_is_refused(tmp_path: Path, host: bytes) -> None:
    service, plan, events, port = http(tmp_path, "http")

    def exchange() -> None:
        assert say(port, b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host).startswith(b"HTTP/1.1 400 ")
        wait_until(lambda: "the Host field is no host" in events.text(), what="the record", timeout=10)

    with_service(service, plan, exchange)
