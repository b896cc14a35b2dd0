"""Garbage on every port of a running server: it stays up, and serves the next client as if nothing had been."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from netprov.dhcp import message as dhcp
from netprov.lab.lan import Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from tests.lab.clients import udhcpc
from tests.lab.conftest import PHONES, STAGING, STAGING_ADDRESSES, MakeLan, needs

pytestmark = pytest.mark.lab

DISCOVER = dhcp.encode(
    dhcp.Message(1, 7, bytes.fromhex("001234ab45de"), options={53: b"\x01", 60: b"CP-8851-3PCC", 55: b"\x42"})
)
QUERY = (
    bytes.fromhex("0001 0100 0001 0000 0000 0001")
    + b"\x07example\x03com\0\0\x21\0\x01\0\0\x29\x10\0\0\0\0\0\0\0"
)
READ_REQUEST = b"\0\x01/8851-3PCC.xml\0octet\0blksize\x001428\0tsize\x000\0"
TLS_HELLO = b"\x16\x03\x01\0\x05\x01\0\0\x01\0"
GET = b"GET /8851-3PCC.xml HTTP/1.1\r\nHost: example.com\r\n\r\n"

SYSLOG = b"<134>CP-8851-3PCC 00:12:34:ab:45:de -- Requesting resync https://10.20.0.12:5060/8851-3PCC.xml"

UDP = [
    ("10.20.0.1", 53, QUERY),
    ("10.20.0.1", 67, DISCOVER),
    ("10.20.0.1", 69, READ_REQUEST),
    ("10.20.0.1", 514, SYSLOG),
]
TCP = [
    ("10.20.0.1", 53, len(QUERY).to_bytes(2, "big") + QUERY),
    ("10.20.0.1", 80, GET),
    ("10.20.0.1", 443, TLS_HELLO),
    ("10.20.0.11", 5060, TLS_HELLO),
    ("10.20.0.13", 5060, GET),
    ("10.20.0.11", 7547, TLS_HELLO),
]
EPHEMERAL = 32768
LISTENING = "0A"
"""The state of a listening TCP socket in /proc/net/tcp."""


def garbage(seed: bytes, count: int) -> Iterator[bytes]:
    """Yield noise, and a valid message cut, stretched, and with octets changed."""
    draw = random.Random(seed)
    for _ in range(count):
        match draw.randrange(4):
            case 0:
                yield draw.randbytes(draw.randrange(1, 600))
            case 1:
                yield seed[: draw.randrange(len(seed))]
            case 2:
                yield seed + draw.randbytes(draw.randrange(1, 900))
            case _:
                changed = bytearray(seed)
                for _ in range(draw.randrange(1, 8)):
                    changed[draw.randrange(len(changed))] = draw.randrange(256)
                yield bytes(changed)


@pytest.fixture(scope="module")
def server(make_module_lan: MakeLan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lan, Process]:
    """Return a LAN of the server and two clients, and the server's process."""
    lan = make_module_lan(server=STAGING_ADDRESSES, clients=[PHONES[0], None])
    process = start_server(lan["server"], STAGING, tmp_path_factory.mktemp("state"), verbose=True)
    with lan["client1"].links() as links:
        links.add_address("lan0", "10.20.0.251/24")
    return lan, process


def assert_healthy(lan: Lan, process: Process, folder: Path) -> None:
    """Assert that it runs, has not stumbled, and serves every kind of client."""
    assert process.exit_code is None, process.output
    assert "Traceback" not in process.output, process.output[-4000:]
    assert udhcpc(lan["client0"], folder, vendor_class="CP-8851-3PCC")["ip"] == "10.20.0.50"
    client = lan["client1"]
    assert (
        "pr2.example.com"
        in client.run(
            [needs("dig"), "@10.20.0.1", "+short", "SRV", "_ciscoprov-https._tls.example.com"]
        ).stdout
    )
    for url in ("http://10.20.0.13:5060/8851-3PCC.xml", "https://10.20.0.11:5060/8851-3PCC.xml"):
        assert "<flat-profile>" in client.run([needs("curl"), "-sSk", "--fail", url]).stdout


@pytest.mark.parametrize(
    ("address", "port", "message"), UDP, ids=lambda value: str(value) * isinstance(value, int)
)
def test_malformed_datagrams_leave_the_server_well(
    server: tuple[Lan, Process], tmp_path: Path, address: str, port: int, message: bytes
) -> None:
    lan, process = server
    with lan["client1"].entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        sender.setblocking(False)
        for packet in garbage(message, 1500):
            try:
                sender.sendto(packet, (address, port))
                sender.recv(65536)
            except (BlockingIOError, ConnectionRefusedError):
                continue
    assert_healthy(lan, process, tmp_path)


@pytest.mark.parametrize(
    ("address", "port", "message"), TCP, ids=lambda value: str(value) * isinstance(value, int)
)
def test_malformed_streams_leave_the_server_well(
    server: tuple[Lan, Process], tmp_path: Path, address: str, port: int, message: bytes
) -> None:
    lan, process = server
    for packet in garbage(message, 60):
        with lan["client1"].entered():
            stream = socket.create_connection((address, port), timeout=5)
        with stream:
            try:
                stream.sendall(packet)
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(65536):
                    pass
            except OSError:
                continue  # it hung up on us, which is its right
    assert_healthy(lan, process, tmp_path)


@pytest.mark.parametrize(("protocol", "tried"), [("udp", UDP), ("tcp", TCP)])
def test_no_port_of_the_server_is_left_out_here(
    server: tuple[Lan, Process], protocol: str, tried: list[tuple[str, int, bytes]]
) -> None:
    lan, _ = server
    with lan["server"].entered():
        table = Path(f"/proc/thread-self/net/{protocol}").read_text()
    sockets = [line.split() for line in table.splitlines()[1:]]
    bound = {int(each[1].split(":")[1], 16) for each in sockets if protocol == "udp" or each[3] == LISTENING}
    # A TFTP transfer under way has a port of its own, above these.
    assert {port for port in bound if port < EPHEMERAL} == {port for _, port, _ in tried}
