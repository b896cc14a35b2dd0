"""Firmware over a cable that loses 5 % of all frames each way: identical, by TFTP with rollover and by HTTP resumed."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from pathlib import Path

import pytest

from netprov.lab.wire import Faults
from netprov.machine import Endpoint
from netprov.tftp.download import Download
from netprov.tftp.transfer import Finished
from tests.lab.conftest import MakeLan, needs
from tests.lab.provisioning import Served, serve

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

FULL = 64 * 1024 * 1024
IMAGE = "sip88xx.loads"


@pytest.fixture
def served(make_lan: MakeLan, tmp_path: Path) -> Served:
    return serve(make_lan, tmp_path, faults=Faults(loss=5, seed=6))


def make_image(served: Served, size: int) -> str:
    content = os.urandom(min(size, 1 << 20)) * (size // (1 << 20) or 1)
    (served.folder / IMAGE).write_bytes(content[:size])
    return hashlib.sha256(content[:size]).hexdigest()


def download(served: Served, options: dict[str, str]) -> tuple[str, Finished]:
    """Fetch with our client machine on the client's host."""
    with served.client.entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    digest = hashlib.sha256()
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        machine = Download(
            f"firmware/{IMAGE}",
            Endpoint("10.20.0.1", 69),
            time.monotonic(),
            options=options,
            sink=digest.update,
        )
        while not machine.finished:
            for each in machine.datagrams_to_send():
                sock.sendto(each.data, (each.destination.address, each.destination.port))
            due = machine.timer()
            sock.settimeout(max(0.001, (due or 0) - time.monotonic()))
            try:
                data, source = sock.recvfrom(70000)
                machine.receive(data, Endpoint(*source), time.monotonic())
            except TimeoutError:
                machine.handle_timer(time.monotonic())
    assert isinstance(machine.outcome, Finished), machine.outcome
    return digest.hexdigest(), machine.outcome


@pytest.mark.parametrize("blocks", [4_000, pytest.param(70_000, marks=pytest.mark.slow)])
def test_windows_of_small_blocks_under_loss(served: Served, blocks: int) -> None:
    """70,000 blocks: their numbers start again at 0."""
    size = blocks * 8
    wanted = make_image(served, size)
    found, outcome = download(served, {"blksize": "8", "windowsize": "16"})
    assert (found, outcome.octets) == (wanted, size)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"blksize": "1428"}, {"blksize": "1428", "windowsize": "16"}])
def test_64_mib_by_tftp_under_loss(served: Served, options: dict[str, str]) -> None:
    wanted = make_image(served, FULL)
    assert download(served, options)[0] == wanted


@pytest.mark.parametrize("size", [1_000_000, pytest.param(FULL, marks=pytest.mark.slow)])
def test_curl_by_tftp_under_loss(served: Served, tmp_path: Path, size: int) -> None:
    wanted = make_image(served, size)
    out = tmp_path / "out"
    command = [
        needs("curl"),
        "-sS",
        "--tftp-blksize",
        "1428",
        "-o",
        str(out),
        f"tftp://10.20.0.1/firmware/{IMAGE}",
    ]
    result = served.client.run(command, timeout=1200)
    assert result.returncode == 0, result.stderr
    assert hashlib.sha256(out.read_bytes()).hexdigest() == wanted


@pytest.mark.parametrize("size", [2_000_000, pytest.param(FULL, marks=pytest.mark.slow)])
def test_curl_by_http_resumes_under_loss(served: Served, tmp_path: Path, size: int) -> None:
    wanted = make_image(served, size)
    out = tmp_path / "out"
    url = f"http://10.20.0.1/firmware/{IMAGE}"
    first = served.client.run(
        [needs("curl"), "-sS", "-r", f"0-{size // 3}", "-o", str(out), url], timeout=1200
    )
    assert first.returncode == 0, first.stderr
    rest = served.client.run([needs("curl"), "-sS", "-C", "-", "-o", str(out), url], timeout=1200)
    assert rest.returncode == 0, rest.stderr
    assert hashlib.sha256(out.read_bytes()).hexdigest() == wanted
