"""Captures of others: however large, long or false they are, reading them takes bounded time and memory and ends with a message."""

from __future__ import annotations

import gzip
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netprov.dhcp.message import Message, Type, encode
from netprov.explain.capture.reading import read_capture
from netprov.phone.action import Fetch, Response
from tests.explain.wire import ACK, PSH, SYN, ip, tcp, udp

MIB = 1 << 20
PCAP = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
SECTION = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
INTERFACE = struct.pack("<IIHHII", 1, 20, 1, 0, 262144, 20)
VERBS = {"explain": ["explain", "capture"], "import": ["import", "--from", "capture"]}
CHILD = """
import atexit, sys
atexit.register(lambda: sys.stderr.write([l for l in open("/proc/self/status") if l.startswith("VmHWM")][0]))
sys.argv[0] = "netprov"
from netprov.__main__ import main
sys.exit(main())
"""


def record(data: bytes, seconds: int = 1_800_000_000, length: int = -1) -> bytes:
    return struct.pack("<IIII", seconds, 0, len(data) if length < 0 else length, len(data)) + data


def ethernet(data: bytes, mac: bytes = b"\0\x12\x34\xab\x45\xde") -> bytes:
    return b"\x02\0\0\0\0\x01" + mac + b"\x08\0" + data


def discover(number: int, kind: Type = Type.DISCOVER, vendor: bytes = b"CP-8851-3PCC") -> bytes:
    mac = b"\0\x12" + struct.pack(">I", number)
    message = Message(op=1, xid=number, chaddr=mac, options={53: bytes([kind]), 60: vendor})
    return record(ethernet(ip("0.0.0.0", "255.255.255.255", udp(68, 67, encode(message))), mac))


def run(verb: str, path: Path, *, cpu: int = 30) -> tuple[int, str, str, int]:
    """Run a verb on a file with at most so many seconds of a processor; return code, output, errors, most MiB of memory."""
    command = [sys.executable, "-c", CHILD, *VERBS[verb], str(path)]
    limited = ["prlimit", f"--cpu={cpu}", f"--as={700 * MIB}", *command]
    result = subprocess.run(limited, capture_output=True, text=True, timeout=300, check=False)
    most = re.search(r"VmHWM:\s+(\d+) kB\n", result.stderr)
    assert most is not None, result.stderr[-2000:]
    return result.returncode, result.stdout, result.stderr.replace(most[0], ""), int(most[1]) >> 10


LIES = {
    "pcap of 4 GiB a packet": PCAP + record(b"", length=0xFFFFFFFF),
    "pcap of 2 MiB a packet": PCAP + record(b"x" * 100, length=2 * MIB) + b"x" * 2 * MIB,
    "pcapng of 4 GiB a block": SECTION + INTERFACE + struct.pack("<II", 6, 0xFFFFFFFC),
    "pcapng of 0 octets a block": SECTION + INTERFACE + struct.pack("<II", 6, 0) * 1000,
    "pcapng's packet longer than its block": SECTION
    + INTERFACE
    + struct.pack("<IIIIIIII", 6, 32, 0, 0, 0, 0xFFFFFFFF, 4, 32),
    "pcapng's section of 4 GiB": struct.pack("<III", 0x0A0D0D0A, 0xFFFFFFFF, 0x1A2B3C4D),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", LIES)
def test_lengths_that_lie_end_with_a_message(tmp_path: Path, name: str, verb: str) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(LIES[name])
    code, _, errors, memory = run(verb, path)
    assert code == 3
    assert "Traceback" not in errors
    assert str(path) in errors
    assert re.search("is damaged|has more than", errors)
    assert memory < 150


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("head", "each"),
    [(PCAP, record(b"")), (SECTION, struct.pack("<III", 99, 12, 12))],
    ids=["pcap", "pcapng"],
)
def test_very_many_empty_packets_end_with_a_message(
    tmp_path: Path, head: bytes, each: bytes, verb: str
) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(head + each * 4_000_001)
    code, _, errors, memory = run(verb, path)
    assert code == 3
    assert f"{path} has more than 4000000" in errors
    assert memory < 150


@pytest.mark.parametrize("verb", VERBS)
def test_gzip_of_a_gibibyte_ends_with_a_message(tmp_path: Path, verb: str) -> None:
    path = tmp_path / "a.pcap.gz"
    large = record(ethernet(b"\0" * 200_000))
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(PCAP)
        for _ in range((1 << 30) // len(large)):
            file.write(large)
    assert path.stat().st_size < 3 * MIB
    code, _, errors, memory = run(verb, path)
    assert code == 3
    assert f"{path} has more than 512 MiB" in errors
    assert memory < 150


def test_gzip_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap.gz"
    whole = gzip.compress(PCAP + discover(1) + discover(1, Type.REQUEST), mtime=0)
    path.write_bytes(whole[:-6])
    _, output, errors, _ = run("explain", path)
    assert "00:12:00:00:00:01" in output
    assert not errors


def test_of_150_000_clients_the_most_telling_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    with path.open("wb") as file:
        file.write(PCAP)
        file.writelines(discover(number, vendor=b"MSFT 5.0") for number in range(75_000))
        file.write(discover(1 << 30) + discover(1 << 30, Type.REQUEST))
        file.writelines(discover(number, vendor=b"MSFT 5.0") for number in range(75_000, 149_999))
    code, output, errors, memory = run("explain", path)
    assert (code, errors) == (1, "")
    assert "00:12:40:00:00:00" in output
    assert "149000 more clients are in this capture" in output
    assert len(set(re.findall(r"00:12(?::[0-9a-f]{2}){4}", output))) == 1000
    assert memory < 200


def small(count: int) -> Iterator[bytes]:
    """Yield 200 MB of packets as short as there are."""
    one = record(ethernet(ip("10.20.0.100", "10.20.0.1", udp(4000, 4000, b"x" * 18))))
    yield from (one * 1000 for _ in range(count // len(one) // 1000))


def firmware(count: int) -> Iterator[bytes]:
    """Yield a file that a phone fetches over HTTP, and its acknowledgements."""
    phone, server = ("10.20.0.100", "10.20.0.1"), ("10.20.0.1", "10.20.0.100")
    request = b"GET /fw.loads HTTP/1.1\r\nHost: a\r\nUser-Agent: Cisco-CP-8851-3PCC\r\n\r\n"
    body = 31 * MIB
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % body
    data = bytes(1400)
    for port in range(40000, 40000 + count // body):
        yield record(ethernet(ip(*phone, tcp(port, 80, SYN, 0))))
        yield record(ethernet(ip(*server, tcp(80, port, SYN | ACK, 0))))
        yield record(ethernet(ip(*phone, tcp(port, 80, PSH | ACK, 1, request))))
        yield record(ethernet(ip(*server, tcp(80, port, PSH | ACK, 1, head))))
        for place in range(0, body, len(data)):
            part = data[: min(len(data), body - place)]
            yield record(ethernet(ip(*server, tcp(80, port, ACK, 1 + len(head) + place, part))))
            yield record(ethernet(ip(*phone, tcp(port, 80, ACK, 1 + len(request)))))


def messages(count: int) -> Iterator[bytes]:
    """Yield DHCP of one phone, again and again."""
    one = discover(7) + discover(7, Type.REQUEST)
    yield from (one * 100 for _ in range(count // len(one) // 100))


def lookups(count: int) -> Iterator[bytes]:
    """Yield a phone's questions of DNS, each another."""
    for number in range(count // 120):
        name = b"\x0a%010d\x12_ciscoprov-https\x04_tcp\0\0\x21\0\x01" % number
        query = struct.pack(">HHHHHH", number & 0xFFFF, 256, 1, 0, 0, 0) + name
        yield record(ethernet(ip("10.20.0.100", "10.20.0.1", udp(1024 + number % 60000, 53, query))))


MANY = {"small packets": small, "firmware": firmware, "DHCP": messages, "DNS": lookups}
QUICK = "firmware"


@pytest.mark.parametrize(
    "name", [name if name == QUICK else pytest.param(name, marks=pytest.mark.slow) for name in MANY]
)
def test_200_mb_are_read_within_30_seconds_and_200_mb(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.pcap"
    with path.open("wb") as file:
        file.write(PCAP)
        file.writelines(MANY[name](200_000_000))
    code, output, errors, memory = run("explain", path)
    print(name, memory, output[:600], errors)
    assert code in {0, 1}
    assert not errors
    assert memory < 200


def test_firmware_in_a_capture_is_whole_though_its_octets_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    with path.open("wb") as file:
        file.write(PCAP)
        file.writelines(firmware(31 * MIB))
    (phone,) = read_capture(str(path)).phones
    (step,) = phone.steps
    assert isinstance(step.result, Response)
    assert isinstance(step.action, Fetch)
    assert (step.action.url.path, step.result.status, len(step.result.body)) == ("/fw.loads", 200, MIB)
    assert phone.shed == 0


def test_import_of_invented_clients_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    with path.open("wb") as file:
        file.write(PCAP)
        for number in range(150_000):
            file.write(discover(number))
            options = {53: bytes([Type.OFFER]), 1: b"\xff\xff\0\0", 54: b"\x0a\x14\0\1"}
            mac = b"\0\x12" + struct.pack(">I", number)
            offer = Message(op=2, xid=number, chaddr=mac, yiaddr=0x0A140000 + number % 65000, options=options)
            file.write(record(ethernet(ip("10.20.0.1", "255.255.255.255", udp(67, 68, encode(offer))))))
    code, output, errors, memory = run("import", path)
    assert code == 0
    assert "subnet: 10.20.0.0/16" in output
    assert "more than 2000 clients" in errors
    assert memory < 200


def test_chunk_of_a_negative_length_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    phone, server = ("10.20.0.100", "10.20.0.1"), ("10.20.0.1", "10.20.0.100")
    request = b"GET / HTTP/1.1\r\nUser-Agent: Cisco-CP\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-6\r\n"
    parts = [
        ip(*phone, tcp(40000, 80, SYN, 0)),
        ip(*server, tcp(80, 40000, SYN | ACK, 0)),
        ip(*phone, tcp(40000, 80, PSH | ACK, 1, request)),
        ip(*server, tcp(80, 40000, PSH | ACK, 1, answer)),
    ]
    path.write_bytes(PCAP + b"".join(record(ethernet(part)) for part in parts))
    code, output, errors, _ = run("explain", path, cpu=10)
    assert (code, errors) == (1, "")
    assert "10.20.0.100" in output
