"""Forged TFTP requests: phones are served beside them, and who never asked is sent next to nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from netprov.dhcp.lease import Bound, Lease, LeaseState
from netprov.provision.config import Listener
from netprov.runtime.tftp.service import TftpService
from netprov.runtime.tftp.transfers import Room
from netprov.state.clock import LeaseClock
from netprov.state.lease import open_store
from netprov.tftp.download import Download
from netprov.tftp.packet import Opcode, TftpRequest, encode
from netprov.tftp.transfer import Finished, TransferLimits
from tests.hostile.forged import VICTIMS
from tests.port import free_port
from tests.runtime.provisioning import download, plan_of, role_context, with_service

PHONES = tuple(f"127.0.1.{number}" for number in range(1, 21))
RATE = 410
"""Forged requests a second."""
CONTENT = bytes(range(256)) * 400
NEWLINES = b"\n" * (1 << 20)


@pytest.fixture
def listener() -> Listener:
    return Listener("tftp", "127.0.0.1", free_port(socket.SOCK_DGRAM))


@pytest.fixture
def trees(tmp_path: Path) -> tuple[tuple[str, str], ...]:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.loads").write_bytes(CONTENT)
    (tmp_path / "tree" / "lines.txt").write_bytes(NEWLINES)
    return (("/fw", str(tmp_path / "tree")),)


def give_leases(state: Path, addresses: tuple[str, ...]) -> None:
    store = open_store(state)
    clock = LeaseClock(store.anchor())
    now = clock.now()
    leases = [
        Lease(int.from_bytes(socket.inet_aton(address)), "voice", bytes((1, 0, 0, 0, 0, 0, n)), bytes((0, 0, 0, 0, 0, n)),
              LeaseState.BOUND, now, now + 3600)
        for n, address in enumerate(addresses)
    ]  # fmt: skip
    store.commit(map(Bound, leases), clock.anchor())
    store.close()


def fetch(listener: Listener, address: str, name: str = "fw/a.loads", mode: str = "octet") -> Download:
    """Fetch as a phone of this address does."""
    return download(listener, name, {"blksize": "1428"}, mode, address=address)


def honest(listener: Listener) -> list[bool]:
    """Let every phone fetch at once; say whether each has its file."""
    with ThreadPoolExecutor(len(PHONES)) as phones:
        fetched = phones.map(lambda address: fetch(listener, address), PHONES)
        return [isinstance(each.outcome, Finished) and each.content() == CONTENT for each in fetched]


@contextmanager
def flood(listener: Listener, requests: tuple[bytes, ...], *, first: int) -> Iterator[None]:
    """Send requests in the names of victims, who say nothing to what they are sent: so many, and then more until left."""
    words = [listener.address, str(listener.port), str(RATE), str(first), *(each.hex() for each in requests)]
    command = [sys.executable, "-m", "tests.hostile.forged", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"%d sent\n" % first
        try:
            yield
        finally:
            process.terminate()


def rrq(name: str, mode: str = "octet", **options: str) -> bytes:
    return encode(TftpRequest(Opcode.RRQ, name, mode, options))


def test_forged_requests_do_not_stop_tftp(
    tmp_path: Path, listener: Listener, trees: tuple[tuple[str, str], ...]
) -> None:
    give_leases(tmp_path, PHONES[:10])
    service = TftpService(role_context(tmp_path)[0], room=Room(1000, 250))
    requests = (rrq("fw/a.loads"), rrq("fw/a.loads", blksize="65464", windowsize="64"))

    def exchange() -> None:
        for address in PHONES[10:]:
            fetch(listener, address)
        with flood(listener, requests, first=1200):
            assert honest(listener) == [True] * 20
            assert len(service.transfers) <= 250 + len(PHONES)
        assert honest(listener) == [True] * 20

    with_service(service, plan_of(listener, trees=trees), exchange)


def test_netascii_of_a_file_of_newlines_stops_neither_phones_nor_the_end(
    tmp_path: Path, listener: Listener, trees: tuple[tuple[str, str], ...]
) -> None:
    give_leases(tmp_path, PHONES)
    requests = (rrq("fw/lines.txt", "netascii"),)
    service = TftpService(role_context(tmp_path)[0])

    def exchange() -> None:
        with flood(listener, requests, first=400):
            assert honest(listener) == [True] * 20
            sizes = {each.sender._source.size for each in service.transfers}
            texts = {id(each.sender._source) for each in service.transfers if each.file is None}
            assert 2 * len(NEWLINES) in sizes
            assert len(texts) == 1
        text = fetch(listener, PHONES[0], "fw/lines.txt", "netascii").content()
        assert text == NEWLINES.replace(b"\n", b"\r\n")

    with_service(service, plan_of(listener, trees=trees), exchange)


@pytest.mark.parametrize(
    "request_",
    [
        rrq("fw/a.loads"),
        rrq("fw/a.loads", blksize="65464", windowsize="64", timeout="1"),
        rrq("fw/a.loads", tsize="0"),
        rrq("fw/lines.txt", "netascii"),
        rrq("x"),
        encode(TftpRequest(Opcode.WRQ, "x")),
        rrq("x", "mail"),
    ],
    ids=["plain", "options", "tsize", "netascii", "no file", "write", "mail"],
)
def test_silent_victim_is_sent_one_packet_of_512_octets_or_three_times_the_request(
    tmp_path: Path, listener: Listener, trees: tuple[tuple[str, str], ...], request_: bytes
) -> None:
    """RFC 1350 has no answer to a request without options that is shorter than its first block."""
    service = TftpService(
        role_context(tmp_path)[0],
        limits=TransferLimits(first_timeout=0.01, min_timeout=0.01, max_timeout=0.05, unproven=0.3),
    )
    received: list[bytes] = []

    def exchange() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim:
            victim.bind((VICTIMS[0], 0))
            victim.settimeout(5)
            victim.sendto(request_, (listener.address, listener.port))
            received.append(victim.recv(70000))
            deadline = time.monotonic() + 5
            while service.transfers and time.monotonic() < deadline:
                victim.settimeout(0.05)
                try:
                    received.append(victim.recv(70000))
                except TimeoutError:
                    continue
        assert not service.transfers

    with_service(service, plan_of(listener, trees=trees), exchange)
    assert sum(map(len, received)) <= 3 * len(request_) or [len(each) for each in received] == [516]
