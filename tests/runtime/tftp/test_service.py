"""The TFTP and syslog services on loopback: our own client, reloads, unreadable files, strangers."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import pytest

from netprov.lab.process import wait_until
from netprov.provision.config import Listener
from netprov.provision.event import TransferFailed
from netprov.runtime.provision.syslog import SyslogService
from netprov.runtime.role import reload
from netprov.runtime.tftp.service import TftpService
from netprov.tftp.packet import Ack, Data, Error, Opcode, OptionAck, TftpRequest, decode, encode
from netprov.tftp.transfer import Failed, Finished, TransferLimits
from tests.port import free_port
from tests.runtime.provisioning import download, plan_of, role_context, running, with_service

CONTENT = bytes(range(256)) * 3000


@pytest.fixture
def listener() -> Listener:
    return Listener("tftp", "127.0.0.1", free_port(socket.SOCK_DGRAM))


@pytest.fixture
def tree(tmp_path: Path) -> tuple[tuple[str, str], ...]:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.loads").write_bytes(CONTENT)
    (tmp_path / "tree" / "big.txt").write_bytes(bytes(2_000_000))
    return (("/fw", str(tmp_path / "tree")),)


def test_our_client_fetches_from_our_server(
    tmp_path: Path, listener: Listener, tree: tuple[tuple[str, str], ...]
) -> None:
    def exchange() -> None:
        for options in ({}, {"blksize": "1428"}, {"blksize": "8192", "windowsize": "16", "tsize": "0"}):
            machine = download(listener, "fw/a.loads", options)
            assert isinstance(machine.outcome, Finished)
            assert machine.content() == CONTENT
        assert (
            download(listener, "Cisco/001234ab45de.cfg").content().endswith(b"<A>own</A>\n</flat-profile>\n")
        )
        assert download(listener, "fw/none").outcome == Failed("fw/none", "127.0.0.1", "no such file", 1)
        too_large = download(listener, "fw/big.txt", mode="netascii").outcome
        assert isinstance(too_large, Failed)
        assert "octet" in too_large.reason
        assert b"\r\0" in download(listener, "fw/a.loads", mode="netascii").content()

    with_service(TftpService(role_context(tmp_path)[0]), plan_of(listener, trees=tree), exchange)


def test_repeated_request_begins_no_second_transfer(tmp_path: Path, listener: Listener) -> None:
    def exchange() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            request = encode(TftpRequest(Opcode.RRQ, "8851-3PCC.xml", "octet", {"blksize": "16"}))
            for _ in range(3):
                sock.sendto(request, (listener.address, listener.port))
            answers = [
                sock.recvfrom(100) for _ in range(2)
            ]  # the second because nobody acknowledges the first
            assert answers[0] == answers[1]
            assert isinstance(decode(answers[0][0]), OptionAck)

    service = TftpService(role_context(tmp_path)[0], limits=TransferLimits(first_timeout=0.1))
    with_service(service, plan_of(listener), exchange)


def test_stranger_gets_error_5_and_the_transfer_goes_on(tmp_path: Path, listener: Listener) -> None:
    def exchange() -> None:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        ):
            sock.settimeout(10)
            stranger.settimeout(10)
            sock.sendto(encode(TftpRequest(Opcode.RRQ, "ca.pem")), (listener.address, listener.port))
            _, tid = sock.recvfrom(1000)
            stranger.sendto(encode(Ack(1)), tid)
            assert decode(stranger.recv(1000)) == Error(5, "unknown transfer ID")
            sock.sendto(encode(Ack(1)), tid)
            second = decode(sock.recv(1000))
            assert isinstance(second, Data)

    pki = tmp_path / "pki"
    pki.mkdir()
    (pki / "ca.pem").write_bytes(b"x" * 600)
    with_service(TftpService(role_context(tmp_path)[0]), plan_of(listener), exchange)


def test_silent_client_is_given_up_and_reported(tmp_path: Path, listener: Listener) -> None:
    context, events = role_context(tmp_path)

    def exchange() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(encode(TftpRequest(Opcode.RRQ, "8851-3PCC.xml")), (listener.address, listener.port))
            wait_until(
                lambda: any(isinstance(each, TransferFailed) for _, each in events),
                what="the end",
                timeout=10,
            )

    limits = TransferLimits(first_timeout=0.05, max_timeout=0.1, silence=0.2)
    with_service(TftpService(context, limits=limits), plan_of(listener), exchange)
    assert re.search(r"no answer after \d tries", events.text())


def test_tftp_reload_swaps_content_and_sockets(tmp_path: Path, listener: Listener) -> None:
    other = Listener("tftp", "127.0.0.1", free_port(socket.SOCK_DGRAM))

    async def go() -> None:
        service = TftpService(role_context(tmp_path)[0])
        async with running(service, plan_of(listener)):
            assert b"own" in (await asyncio.to_thread(download, listener, "001234ab45de.cfg")).content()
            await reload(service, plan_of(other, devices={}))
            assert service.listening() == (f"udp 127.0.0.1:{other.port}",)
            assert b"own" not in (await asyncio.to_thread(download, other, "001234ab45de.cfg")).content()

    asyncio.run(go())


def test_syslog_listens_follows_reloads_and_may_be_off(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    context, events = role_context(tmp_path)

    def exchange() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"<13>hello", ("127.0.0.1", port))
            sock.sendto(b"CP-8851-3PCC 001234ab45de -- Resync failed: 404", ("127.0.0.1", port))
        wait_until(lambda: "resync failed: 404" in events.text(), what="the message", timeout=10)
        assert "127.0.0.1 says: hello" in events.text()

    async def go() -> None:
        service = SyslogService(context, port=port)
        async with running(service, plan_of()):
            assert service.listening() == (f"udp 127.0.0.1:{port}",)
            await asyncio.to_thread(exchange)
            await reload(service, plan_of())
        async with running(SyslogService(context, port=port), plan_of(reports="")):
            pass

    asyncio.run(go())
