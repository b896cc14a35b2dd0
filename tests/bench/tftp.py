"""TFTP beside tftpd-hpa, atftpd and dnsmasq: one large transfer, and many at once."""

from __future__ import annotations

import os
import select
import shutil
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from netprov.lab.lan import Host, Lan
from netprov.lab.topology import single_lan
from tests.bench.server import ADDRESS, PEER, ROUNDS, Cost, inventory, measured, netprov, serving

TRANSFERS = 400
BIG = 8 * 1024 * 1024
SMALL = 200_000


def tftp(folder: Path) -> list[bool]:
    """One large transfer, and many at once, from each server in turns."""
    folder.mkdir()
    (folder / "big").write_bytes(os.urandom(BIG))
    (folder / "small").write_bytes(os.urandom(SMALL))
    folder.chmod(0o755)
    (folder / "state").mkdir()
    servers = _tftp_servers(folder)
    rounds: dict[str, list[tuple[Cost, Cost]]] = {name: [] for name in servers}
    with ExitStack() as stack:
        addresses = [f"{server.address}/16" for server in servers.values()]
        host = stack.enter_context(Lan(single_lan(addresses, [])))["server"]
        pids = {
            name: stack.enter_context(
                serving(host, server.command, _tftp_answers(host, server.address, server.file("small")))
            )
            for name, server in servers.items()
        }
        for _ in range(ROUNDS):
            for name, server in servers.items():
                big = measured(host, pids[name], partial(_curl, at=server.address, name=server.file("big")))
                many = measured(
                    host, pids[name], partial(_many, at=server.address, name=server.file("small"))
                )
                rounds[name].append((big, many))
    print(
        f"\nTFTP, blksize 1428: {BIG >> 20} MiB by curl; {TRANSFERS} transfers of {SMALL} octets at once; "
        f"{ROUNDS} rounds, the best of each"
    )
    one = {name: max(big.done / big.seconds for big, _ in each) / (1 << 20) for name, each in rounds.items()}
    whole = {name: min(many.done for _, many in each) for name, each in rounds.items()}
    many_rates = {name: max(many.done / many.seconds for _, many in each) for name, each in rounds.items()}
    for name, each in rounds.items():
        big_cost = min(big.cpu / max(big.done, 1) for big, _ in each) * (1 << 20) * 1e3
        many_cost = min(many.cpu / max(many.done, 1) for _, many in each) * 1e3
        # tftpd-hpa's children run and end out of its sight, so their time is not in its books.
        counted = name != "tftpd-hpa"
        costs = f"   CPU {big_cost:>5.1f} ms a MiB, {many_cost:.1f} ms each of many" if counted else ""
        print(
            f"  {name:<10} one: {one[name]:>6.1f} MiB/s   many: {many_rates[name]:>6.0f}/s, {whole[name]} whole{costs}"
        )
    ratios = [
        rates.pop("netprov") / max(rates.values(), default=1.0) for rates in (dict(one), dict(many_rates))
    ]
    print(f"  ratio    one: {ratios[0]:.2f} of the best other, many: {ratios[1]:.2f}")
    return [ratios[0] >= 1, ratios[1] >= 1, whole["netprov"] == TRANSFERS]


@dataclass(frozen=True, slots=True)
class _TftpServer:
    address: str
    command: list[str]
    prefix: str = ""

    def file(self, name: str) -> str:
        """Return the name that it has the file under."""
        return self.prefix + name


def _tftp_servers(folder: Path) -> dict[str, _TftpServer]:
    site = inventory(folder, "ecdsa-p256", 10)
    servers = {"netprov": _TftpServer(ADDRESS, netprov(folder, site, "tftp"), "files/")}
    if shutil.which("in.tftpd"):
        command = ["in.tftpd", "-L", "--address", f"{PEER}:69", "--secure", "--user", "root", str(folder)]
        servers["tftpd-hpa"] = _TftpServer(PEER, command)
    if atftpd := shutil.which("atftpd", path=f"{os.environ['PATH']}:{os.environ.get('ATFTPD', '')}"):
        where = "10.20.0.3"
        options = ["--daemon", "--no-fork", "--maxthread", "1000", "--bind-address", where]
        options += ["--user", "root.root", "--no-source-port-checking"]
        servers["atftpd"] = _TftpServer(where, [atftpd, *options, str(folder)])
    if shutil.which("dnsmasq"):
        where = "10.20.0.4"
        options = ["-k", "--port=0", "--enable-tftp", f"--tftp-root={folder}", "--tftp-max=1000"]
        options += ["--user=root", f"--listen-address={where}", "--bind-interfaces", "--conf-file=/dev/null"]
        servers["dnsmasq"] = _TftpServer(where, ["dnsmasq", *options])
    return servers


def _request(name: str) -> bytes:
    return b"\0\1" + name.encode() + b"\0octet\0blksize\x001428\0"


def _tftp_answers(host: Host, address: str, name: str) -> Callable[[], bool]:
    def check() -> bool:
        with host.entered():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            sock.settimeout(0.5)
            sock.sendto(_request(name), (address, 69))
            try:
                data, source = sock.recvfrom(2000)
            except OSError:
                return False
            sock.sendto(b"\0\5\0\0enough\0", source)
            return data[1] == 6

    return check


def _curl(host: Host, at: str, name: str) -> int:
    url = f"tftp://{at}/{name}"
    command = [
        "taskset",
        "-c",
        "1",
        "curl",
        "-sS",
        "--tftp-blksize",
        "1428",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        url,
    ]
    return int(host.run(command, timeout=120).stdout or 0)


def _many(host: Host, at: str, name: str) -> int:
    """Fetch many times at once, on core 1; return how many files arrived whole."""
    code = f"from tests.bench.tftp import fetch_many; print(fetch_many({at!r}, {name!r}))"
    result = host.run(["taskset", "-c", "1", sys.executable, "-c", code], timeout=120)
    return int(result.stdout or 0)


@dataclass(slots=True)
class _Fetch:
    """One transfer of the load."""

    sock: socket.socket
    said: bytes
    to: tuple[str, int]
    said_at: float
    block: int = 0


def fetch_many(at: str, name: str) -> int:
    """Be the load: TRANSFERS transfers in lock-step, each repeating itself after a silence."""
    poll = select.epoll()
    fetches: dict[int, _Fetch] = {}
    for _ in range(TRANSFERS):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.sendto(_request(name), (at, 69))
        poll.register(sock.fileno(), select.EPOLLIN)
        fetches[sock.fileno()] = _Fetch(sock, _request(name), (at, 69), time.monotonic())
    done, end = 0, time.monotonic() + 60
    while fetches and time.monotonic() < end:
        for fd, _ in poll.poll(0.2):
            whole = _step(fetches[fd])
            if whole is not None:
                poll.unregister(fd)
                fetches.pop(fd).sock.close()
                done += whole
        now = time.monotonic()
        for each in fetches.values():
            if now - each.said_at > 1:
                each.sock.sendto(each.said, each.to)
                each.said_at = now
    return done


def _step(fetch: _Fetch) -> bool | None:
    """Answer one packet; return whether the file is whole once it has ended, None until then."""
    data, fetch.to = fetch.sock.recvfrom(2000)
    if data[1] not in {3, 6}:
        return False
    block = int.from_bytes(data[2:4], "big") if data[1] == 3 else 0
    fresh = block == fetch.block + 1
    fetch.block += fresh
    fetch.said = b"\0\4" + block.to_bytes(2, "big")
    fetch.sock.sendto(fetch.said, fetch.to)
    fetch.said_at = time.monotonic()
    return True if fresh and len(data) < 1432 else None
