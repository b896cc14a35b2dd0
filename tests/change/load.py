"""Load on a site while it is changed: queries, transfers and leases without a pause, and each that was lost, with its time."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from netprov.lab.lan import Host, Lan
from tests.lab.clients import udhcpc

PATIENCE_S = 6.0
"""Seconds until an answer counts as lost."""
PAUSE_S = 0.5

_QUERY = struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0) + b"\3pr1\7example\3com\0" + struct.pack("!HH", 1, 1)


@dataclass
class Load:
    """What asks all the time, each road in a thread; `lost` holds road, start, end and reason of what was not answered."""

    lan: Lan
    folder: Path
    asked: Counter[str] = field(default_factory=Counter)
    lost: list[tuple[str, float, float, str]] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin to ask."""
        roads: dict[str, Callable[[], None]] = {
            "dns": self._dns,
            "http": self._http,
            "https": self._https,
            "tftp": self._tftp,
            "dhcp": self._dhcp,
        }
        for road, once in roads.items():
            thread = threading.Thread(target=self._ask, args=(road, once), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def losses(self, since: float, excused: set[str]) -> list[str]:
        """Return what was lost since then on roads that nothing excuses."""
        return [
            f"lost: {road} asked {began - since:+.1f} s, given up {ended - since:+.1f} s after the change began: {why}"
            for road, began, ended, why in list(self.lost)
            if began >= since and road not in excused
        ]

    def _ask(self, road: str, once: Callable[[], None]) -> None:
        while not self._stop.wait(PAUSE_S):
            began = time.monotonic()
            self.asked[road] += 1
            try:
                once()
            except (OSError, AssertionError) as error:
                self.lost.append((road, began, time.monotonic(), f"{type(error).__name__} {error}"))

    def _socket(self, kind: socket.SocketKind, address: str, port: int) -> socket.socket:
        host: Host = self.lan["client0"]
        with host.entered():
            sock = socket.socket(socket.AF_INET, kind)
        sock.settimeout(PATIENCE_S)
        try:
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise
        return sock

    def _dns(self) -> None:
        with closing(self._socket(socket.SOCK_DGRAM, "10.20.0.1", 53)) as sock:
            sock.send(_QUERY)
            reply = sock.recv(4096)
        assert reply[3] & 0xF in {0, 3}, f"RCODE {reply[3] & 0xF}"  # the name is that of a host which may go

    def _http(self) -> None:
        with closing(self._socket(socket.SOCK_STREAM, "10.20.0.1", 80)) as sock:
            _fetch(sock)

    def _https(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            closing(self._socket(socket.SOCK_STREAM, "10.20.0.11", 443)) as sock,
            context.wrap_socket(sock, server_hostname="example.com") as secure,
        ):
            _fetch(secure)

    def _tftp(self) -> None:
        host: Host = self.lan["client0"]
        with host.entered():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with closing(sock):
            sock.settimeout(PATIENCE_S)
            sock.sendto(b"\0\1/ca.pem\0octet\0", ("10.20.0.1", 69))
            block, size = 0, 512
            while size == 512:
                data, peer = sock.recvfrom(2048)
                opcode, number = struct.unpack("!HH", data[:4])
                assert opcode == 3, data
                if number == block + 1:
                    block, size = number, len(data) - 4
                sock.sendto(struct.pack("!HH", 4, number), peer)

    def _dhcp(self) -> None:
        given = udhcpc(self.lan["client4"], self.folder, vendor_class="CP-8851-3PCC")
        self.addresses = {given["ip"]}


def dropped_by_machine() -> int:
    """Return how many packets this machine has dropped for want of time, in whichever namespace (netif_rx)."""
    lines = Path("/proc/net/softnet_stat").read_text().splitlines()
    return sum(int(line.split()[1], 16) for line in lines)


def _fetch(sock: socket.socket) -> None:
    sock.sendall(b"GET /ca.pem HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
    answer = b""
    with suppress(ssl.SSLEOFError):
        while data := sock.recv(65536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:40]
    assert b"END CERTIFICATE" in answer, answer[-40:]
