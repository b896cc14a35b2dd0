"""Thousands of idle connections and half-open TLS handshakes: phones are served meanwhile, and memory stays bounded."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.lab.conftest import MakeLan, needs
from tests.lab.provisioning import Served, serve

pytestmark = pytest.mark.lab

MOST_MIB = 150
"""More than the server may take for its 1024 connections and 128 handshakes."""


@pytest.fixture
def descriptors() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident_mib(served: Served) -> int:
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) >> 10


@contextmanager
def flood(served: Served, port: int, octets: bytes, count: int) -> Iterator[None]:
    """Hold many connections open that have said no more than this."""
    with ExitStack() as stack:
        with served.client.entered():
            socks = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in socks:
            sock.settimeout(20)
            try:
                sock.connect(("10.20.0.1", port))
                sock.sendall(octets)
            except OSError:
                continue  # turned away, as it may be
        yield


@pytest.mark.parametrize("count", [1_500, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("port", "octets"),
    [
        (80, b""),
        (80, b"GET / HTTP/1.1\r\nHost:"),
        (443, b""),
        (443, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ],
)
def test_phones_are_served_beside_a_flood(
    make_lan: MakeLan, tmp_path: Path, descriptors: int, *, port: int, octets: bytes, count: int
) -> None:
    if descriptors < count + 500:
        pytest.skip(f"this process may open only {descriptors} files")
    served = serve(make_lan, tmp_path)
    before = resident_mib(served)
    with flood(served, port, octets, count):
        for base in ("http://10.20.0.1", "https://example.com"):
            trust = ["--cacert", served.ca, "--resolve", "example.com:443:10.20.0.1"]
            url = f"{base}/Cisco/001234ab45de.cfg"
            result = served.client.run([needs("curl"), "-sS", "--retry", "3", *trust, url], timeout=60)
            assert "4081001141" in result.stdout, result.stderr
        assert resident_mib(served) - before < MOST_MIB
