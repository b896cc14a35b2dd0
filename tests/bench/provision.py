"""Profiles by HTTPS and HTTP beside nginx, TFTP beside tftpd-hpa, atftpd and dnsmasq, and the fleet's rendering.

    make bench-provision        or: python -m tests.bench.provision [https|http|tftp|render …]

Every server is pinned to one core, its load to another, all on one host's loopback inside a namespace. What counts is
the server's CPU time for one fetch (or MiB), by the kernel's books, children included: a load generator that is slower
than the server does not distort it. Servers that are compared are asked in turns, and the best turn of each counts, so
that what else the machine does is the same for all. nginx serves a static file with its default TLS settings; netprov
looks up whose the profile is, logs the fetch and keeps the device record. Limits: `AIMS`; TFTP level with the best;
10,000 profiles rendered and encrypted in 10 s.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from netprov.inventory.load import parse
from netprov.lab.lan import Host, Lan
from netprov.lab.process import wait_until
from netprov.lab.topology import single_lan
from netprov.plan import derive
from netprov.provision.catalog import Catalog
from netprov.provision.requester import Requester
from netprov.provision.secret import SITE as SITE_SECRET
from netprov.provision.secret import Secrets

SECONDS, ROUNDS = 2, 4
ADDRESS, PEER = "10.20.0.1", "10.20.0.2"
"""Where netprov answers, and its peer beside it."""
AIMS: Mapping[str, float] = {"HTTPS ecdsa-p256": 0.65, "HTTPS rsa-2048": 0.75, "HTTP": 0.4}
"""Fetches a CPU second, of nginx's."""
MAC = "00:12:34:00:00:05"
PATH = "/Cisco/001234000005.cfg"
FLEET = 10_000
VALUES = 40
TRANSFERS = 400
BIG = 8 * 1024 * 1024
SMALL = 200_000
TICK = os.sysconf("SC_CLK_TCK")

SITE = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/16, address: 10.20.0.1, pool: []}}}}
certificates: {{keys: [{kind}]}}
provisioning: {{files: {{/files: {folder}}}, {more}}}
profiles: {{desk: {{values: {{{values}}}}}}}
phones:
"""

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; user root;
events {{ worker_connections 4096; }}
http {{ access_log off; default_type text/xml; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen {address}:80 backlog=1024; root {folder}/www; }}
  server {{ listen {address}:443 ssl backlog=1024; root {folder}/www;
           ssl_certificate {chain}; ssl_certificate_key {chain}; }} }}
"""


class Load(Protocol):
    """Fetches from an address for a while; returns how many succeeded."""

    def __call__(self, host: Host, to: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run came to: fetches (or octets) and the server's CPU seconds."""

    done: int
    cpu: float
    seconds: float


def main(parts: Sequence[str]) -> int:
    """Run the parts; return 1 if a limit was missed."""
    wanted = parts or ("https", "http", "tftp", "render")
    verdicts: list[bool] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netprov-bench-")))
        folder.chmod(0o755)
        for part in wanted:
            verdicts += PARTS[part](folder / part)
    return 0 if all(verdicts) else 1


def inventory(folder: Path, kind: str, phones: int, more: str = "bootstrap: true") -> Path:
    """Write an inventory of phones that have forty parameters and five of their own each."""
    values = ", ".join(f'Parameter_{n}_: "value {n} of the profile"' for n in range(VALUES))
    lines = [SITE.format(kind=kind, folder=folder, values=values, more=more)]
    for number in range(phones):
        mac = f"00:12:34:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        own = ", ".join(
            f'{name}: "{4081000000 + number}"' for name in ("Display_Name_1_", "User_ID_1_", "Auth_ID_1_")
        )
        lines.append(f"  - {{mac: {mac}, model: CP-8851-3PCC, profile: desk, values: {{{own}}}}}\n")
    path = folder / "site.yaml"
    path.write_text("".join(lines))
    return path


@contextmanager
def serving(host: Host, command: Sequence[str], ready: Callable[[], bool]) -> Iterator[int]:
    """Run a server on core 0; yield its process id once it answers."""
    process = host.spawn(["taskset", "-c", "0", *command])
    try:
        wait_until(ready, what=f"{command[0]} to answer", timeout=60)
        settled(process.pid)
        yield process.pid
    finally:
        process.stop()


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, its living descendants and its dead children."""
    total, family = 0, {pid}
    parents: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    while grown := {each for each, (parent, _) in parents.items() if parent in family} - family:
        family |= grown
    total = sum(parents[each][1] for each in family if each in parents)
    return total / TICK


def settled(pid: int) -> None:
    """Wait until a server has finished with starting: half a second without CPU time."""
    seen = [-1.0]

    def quiet() -> bool:
        time.sleep(0.5)
        before, seen[0] = seen[0], cpu_of(pid)
        return seen[0] - before < 0.02

    wait_until(quiet, what="the server to be ready", timeout=30)


def answers(host: Host, port: int, address: str = ADDRESS) -> Callable[[], bool]:
    """Return a check whether something accepts connections."""

    def check() -> bool:
        with host.entered():
            sock = socket.socket()
        with sock:
            sock.settimeout(1)
            return sock.connect_ex((address, port)) == 0

    return check


def netprov(folder: Path, site: Path, *roles: str) -> list[str]:
    """Return the command of our servers, in quiet mode: the log goes nowhere."""
    serve = f"exec {sys.executable} -m netprov serve -f {site} --state {folder}/state {' '.join(roles)} >/dev/null 2>&1"
    return ["sh", "-c", serve]


def handshakes(host: Host, to: str, count: int = 4) -> int:
    """Fetch over new TLS connections with `openssl s_time`, several at once, on core 1; return how many succeeded."""
    command = f"exec taskset -c 1 openssl s_time -connect {to}:443 -new -www {PATH} -time {SECONDS}"
    clients = [host.spawn(["sh", "-c", command]) for _ in range(count)]
    total = 0
    for client in clients:
        client.wait(timeout=SECONDS + 30)
        found = re.search(r"(\d+) connections in \d+ real seconds", client.output)
        total += int(found[1]) if found else 0
    return total


def plain_fetches(host: Host, to: str, parallel: int = 16) -> int:
    """Fetch over new plain connections for a while, on core 1; return how many succeeded."""
    script = LOADER.format(address=to, path=PATH, seconds=SECONDS, parallel=parallel)
    result = host.run(["taskset", "-c", "1", sys.executable, "-c", script], timeout=SECONDS + 30)
    return int(result.stdout or 0)


LOADER = """
import select, socket, time
poll, socks, done = select.epoll(), {{}}, 0
request = b"GET {path} HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"
def begin():
    s = socket.socket(); s.setblocking(False)
    s.connect_ex(("{address}", 80)); socks[s.fileno()] = s; poll.register(s.fileno(), select.EPOLLOUT)
for _ in range({parallel}): begin()
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    for fd, event in poll.poll(1):
        s = socks[fd]
        if event & select.EPOLLOUT:
            s.send(request); poll.modify(fd, select.EPOLLIN)
        else:
            data = s.recv(65536)
            if not data:
                poll.unregister(fd); socks.pop(fd).close(); begin()
            elif data.startswith(b"HTTP/1.1 200"):
                done += 1
print(done)
"""


def measured(host: Host, pid: int, load: Callable[[Host], int]) -> Cost:
    """Run the load, and say what it cost the server."""
    before = cpu_of(pid)
    begun = time.monotonic()
    done = load(host)
    seconds = time.monotonic() - begun
    settled(pid)  # forked servers are counted once they are reaped
    return Cost(done, cpu_of(pid) - before, seconds)


def compare(folder: Path, title: str, kind: str, load: Load) -> list[bool]:
    """Measure netprov and nginx with the same certificate and the same profile, in turns, both running."""
    with ExitStack() as stack:
        host = stack.enter_context(Lan(single_lan([f"{ADDRESS}/16", f"{PEER}/16"], [])))["server"]
        site = inventory(folder, kind, 100)
        (folder / "state").mkdir()
        ours = stack.enter_context(serving(host, netprov(folder, site, "http"), answers(host, 80)))
        (folder / "www" / "Cisco").mkdir(parents=True)
        (folder / "www" / PATH.lstrip("/")).write_bytes(one_profile(site))
        (chain,) = (folder / "state" / "pki" / "servers").glob("netprov.example.com*.pem")
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, chain=chain, address=PEER))
        nginx = ["nginx", "-c", str(folder / "nginx.conf")]
        theirs = stack.enter_context(serving(host, nginx, answers(host, 80, PEER)))
        rounds = [
            (measured(host, ours, partial(load, to=ADDRESS)), measured(host, theirs, partial(load, to=PEER)))
            for _ in range(ROUNDS)
        ]
    print(
        f"\n{title}, {len(one_profile(site))} octets a profile, {ROUNDS} rounds of {SECONDS} s each, the best of each"
    )
    best = [min(costs, key=lambda cost: cost.cpu / max(cost.done, 1)) for costs in zip(*rounds, strict=True)]
    for name, cost in zip(("netprov", "nginx"), best, strict=True):
        rate, each = cost.done / cost.seconds, cost.cpu / max(cost.done, 1)
        print(f"  {name:<8} {rate:>7.0f}/s  {each * 1e6:>6.0f} us CPU each  {1 / each:>6.0f} per CPU second")
    ratio = (best[1].cpu / best[1].done) / (best[0].cpu / best[0].done)
    print(f"  ratio    {ratio:.2f} of nginx (aim {AIMS[title]})")
    return [ratio >= AIMS[title]]


def one_profile(site: Path) -> bytes:
    """Return the profile that is fetched."""
    provision = derive(parse(site.read_text(), "site.yaml").inventory).provision
    return Catalog(provision, entropy=os.urandom).plain(
        provision.devices[MAC], Requester("https", "", ADDRESS, 443)
    )


def https(folder: Path) -> list[bool]:
    """Full handshakes and a profile each, ECDSA then RSA."""
    verdicts: list[bool] = []
    for kind in ("ecdsa-p256", "rsa-2048"):
        place = folder.with_name(f"https-{kind}")
        place.mkdir()
        verdicts += compare(place, f"HTTPS {kind}", kind, handshakes)
    return verdicts


def http(folder: Path) -> list[bool]:
    """New plain connections and a profile each."""
    folder.mkdir()
    return compare(folder, "HTTP", "ecdsa-p256", plain_fetches)


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
    code = f"from tests.bench.provision import fetch_many; print(fetch_many({at!r}, {name!r}))"
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


def render(folder: Path) -> list[bool]:
    """Render and encrypt a different profile for each phone of a fleet."""
    folder.mkdir()
    site = inventory(folder, "ecdsa-p256", FLEET, "encryption: {compress: true}")
    begun = time.process_time()
    provision = derive(parse(site.read_text(), "site.yaml").inventory).provision
    loaded = time.process_time() - begun
    catalog = Catalog(provision, entropy=os.urandom, secrets=Secrets({SITE_SECRET: "secret"}))
    requester = Requester("https", "", ADDRESS, 443)
    begun = time.process_time()
    octets = 0
    for mac in provision.devices:
        octets += len(getattr(catalog.respond(f"/Cisco/{mac.replace(':', '')}.cfg", requester), "body", b""))
    seconds = time.process_time() - begun
    print(
        f"\nRendering: {FLEET} different profiles of {VALUES + 3} parameters, compressed and encrypted: {seconds:.2f} s CPU, "
        f"{seconds / FLEET * 1e6:.0f} us each, {octets / FLEET:.0f} octets each (inventory loaded in {loaded:.2f} s)"
    )
    return [seconds < 10]


PARTS: dict[str, Callable[[Path], list[bool]]] = {
    "https": https,
    "http": http,
    "tftp": tftp,
    "render": render,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
