"""tftp-hpa, atftp, curl and BusyBox fetch every path of the ladder; what is not there is refused at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from netprov.machine import Endpoint
from netprov.runtime.tftp.transfers import MAX_PER_ADDRESS
from netprov.tftp.packet import Ack, Data, Error, Opcode, TftpRequest, decode, encode
from tests.lab.conftest import MakeLan, needs
from tests.lab.provisioning import Served, serve

pytestmark = pytest.mark.lab

LADDER = ["8851-3PCC.xml", "Cisco/CP-8851-3PCC/001234ab45de.cfg", "Cisco/001234ab45de.cfg"]
FIRMWARE = os.urandom(1_000_003)
CLIENTS = {
    "tftp-hpa": ["tftp", "-m", "binary", "10.20.0.1", "-c", "get", "{path}", "{out}"],
    "tftp-hpa-netascii": ["tftp", "-m", "ascii", "10.20.0.1", "-c", "get", "{path}", "{out}"],
    "atftp": ["atftp", "-g", "-r", "{path}", "-l", "{out}", "10.20.0.1"],
    "atftp-options": [
        *("atftp", "--option", "blksize 1428", "--option", "tsize", "--option", "timeout 2"),
        *("--option", "windowsize 8", "-g", "-r", "{path}", "-l", "{out}", "10.20.0.1"),
    ],
    "curl": ["curl", "-sS", "-o", "{out}", "tftp://10.20.0.1/{path}"],
    "curl-1428": ["curl", "-sS", "--tftp-blksize", "1428", "-o", "{out}", "tftp://10.20.0.1/{path}"],
    "curl-plain": ["curl", "-sS", "--tftp-no-options", "-o", "{out}", "tftp://10.20.0.1/{path}"],
    "busybox": ["busybox", "tftp", "-g", "-r", "{path}", "-l", "{out}", "10.20.0.1"],
    "busybox-1428": ["busybox", "tftp", "-b", "1428", "-g", "-r", "{path}", "-l", "{out}", "10.20.0.1"],
}


@pytest.fixture(scope="module")
def served(make_module_lan: MakeLan, tmp_path_factory: pytest.TempPathFactory) -> Served:
    found = serve(make_module_lan, tmp_path_factory.mktemp("tftp"))
    (found.folder / "sip88xx.loads").write_bytes(FIRMWARE)
    return found


def fetch(served: Served, client: str, path: str, out: Path) -> tuple[int, str]:
    program, *arguments = CLIENTS[client]
    command = [needs(program), *(each.format(path=path, out=out) for each in arguments)]
    result = served.client.run(command, timeout=20)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("client", CLIENTS)
def test_client_fetches_every_path_of_the_ladder(served: Served, client: str, tmp_path: Path) -> None:
    for number, path in enumerate((*LADDER, "CISCO/001234AB45DE.CFG", "/8851-3PCC.xml")):
        out = tmp_path / str(number)
        code, said = fetch(served, client, path, out)
        assert code == 0, said
        text = out.read_text()
        assert "<Display_Name_1_>4081001141</Display_Name_1_>\n</flat-profile>\n" in text
        assert "tftp://10.20.0.1/ca.pem" in text


@pytest.mark.parametrize("client", [each for each in CLIENTS if "netascii" not in each])
def test_client_fetches_firmware_identically(served: Served, client: str, tmp_path: Path) -> None:
    code, said = fetch(served, client, "firmware/sip88xx.loads", tmp_path / "out")
    assert code == 0, said
    assert (tmp_path / "out").read_bytes() == FIRMWARE


@pytest.mark.parametrize("client", CLIENTS)
def test_client_is_refused_what_is_not_there(served: Served, client: str, tmp_path: Path) -> None:
    for path in ("nope.xml", "../../etc/passwd", "firmware/../../../etc/passwd"):
        _, said = fetch(served, client, path, tmp_path / "out")
        out = tmp_path / "out"
        assert not out.exists() or out.read_bytes() == b"", said
        out.unlink(missing_ok=True)


def ask(served: Served, datagram: bytes) -> tuple[bytes, Endpoint]:
    with served.client.entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(10)
        sock.sendto(datagram, ("10.20.0.1", 69))
        data, source = sock.recvfrom(70000)
        if source[1] != 69:
            sock.sendto(encode(Error(0, "enough")), source)
        return data, Endpoint(*source)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (TftpRequest(Opcode.RRQ, "nope.xml"), 1),
        (TftpRequest(Opcode.RRQ, "/"), 1),
        (TftpRequest(Opcode.RRQ, ""), 1),
        (TftpRequest(Opcode.RRQ, "..\\..\\etc\\passwd"), 1),
        (TftpRequest(Opcode.RRQ, "firmware"), 1),
        (TftpRequest(Opcode.RRQ, "moved.xml"), 1),
        (TftpRequest(Opcode.RRQ, "a" * 1500), 1),
        (TftpRequest(Opcode.RRQ, "8851-3PCC.xml", "mail"), 0),
        (TftpRequest(Opcode.WRQ, "8851-3PCC.xml"), 2),
        (TftpRequest(Opcode.RRQ, "Cisco/001234ab45e1.cfg"), 2),
    ],
)
def test_refusal_says_why(served: Served, request_: TftpRequest, code: int) -> None:
    packet = decode(ask(served, encode(request_))[0])
    assert isinstance(packet, Error)
    assert packet.code == code


def test_answer_comes_from_the_address_that_was_asked_and_another_port(served: Served) -> None:
    data, source = ask(served, encode(TftpRequest(Opcode.RRQ, "8851-3PCC.xml")))
    assert isinstance(decode(data), Data)
    assert source.address == "10.20.0.1"
    assert source.port != 69


def test_address_is_limited_in_transfers_and_garbage_is_dropped(served: Served) -> None:
    with served.client.entered():
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(MAX_PER_ADDRESS + 1)]
    *first, last = socks
    request = encode(TftpRequest(Opcode.RRQ, "firmware/sip88xx.loads"))
    sources = []
    try:
        for sock in first:
            sock.settimeout(10)
            sock.sendto(request, ("10.20.0.1", 69))
            data, source = sock.recvfrom(70000)
            assert isinstance(decode(data), Data)
            sock.sendto(encode(Ack(1)), source)  # what nobody acknowledges makes room
            assert isinstance(decode(sock.recv(70000)), Data)
            sources.append(source)
        last.sendto(request, ("10.20.0.1", 69))
        served.process.wait_for("too many transfers")
        last.sendto(b"\0\7garbage", ("10.20.0.1", 69))
        served.process.wait_for("unknown opcode 7")
        for sock, source in zip(first, sources, strict=True):
            sock.sendto(encode(Error(0, "enough")), source)
        served.process.wait_for("did not get all of .*: enough")
    finally:
        for sock in socks:
            sock.close()
