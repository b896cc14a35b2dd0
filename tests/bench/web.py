"""HTTPS and HTTP beside nginx, a new connection for each profile; and our own with one process and with several."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Protocol

from netprov.inventory.load import parse
from netprov.lab.lan import Host, Lan
from netprov.lab.topology import single_lan
from netprov.plan import derive
from netprov.provision.catalog import Catalog
from netprov.provision.requester import Requester
from tests.bench.server import (
    ADDRESS,
    PEER,
    ROUNDS,
    answers,
    cpu_of_each,
    inventory,
    measured,
    netprov,
    serving,
)

SECONDS = 2
AIMS: Mapping[str, float] = {"HTTPS ecdsa-p256": 0.65, "HTTPS rsa-2048": 0.75, "HTTP": 0.4}
"""Fetches a CPU second, of nginx's."""
MAC = "00:12:34:00:00:05"
PATH = "/Cisco/001234000005.cfg"

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


def workers(folder: Path) -> list[bool]:
    """One process beside two, in turns: where each core has one, the busiest process bounds the rate."""
    folder.mkdir()
    loads: dict[str, Load] = {"HTTP": plain_fetches, "HTTPS ecdsa-p256": handshakes}
    rounds: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        host = stack.enter_context(Lan(single_lan([f"{ADDRESS}/16", f"{PEER}/16"], [])))["server"]
        servers = {}
        for count, address in ((1, ADDRESS), (2, PEER)):
            place = folder / str(count)
            (place / "state").mkdir(parents=True)
            site = inventory(place, "ecdsa-p256", 100, f"workers: {count}")
            site.write_text(site.read_text().replace(f"address: {ADDRESS}", f"address: {address}"))
            ready = answers(host, 80, address)
            command = netprov(place, site, "http")
            servers[count] = stack.enter_context(serving(host, command, ready, cores="0,1")), address
        for _ in range(ROUNDS):
            for title, load in loads.items():
                for count, (pid, address) in servers.items():
                    before = cpu_of_each(pid)
                    done = max(load(host, to=address), 1)
                    spent = [(now - before.get(each, 0.0)) / done for each, now in cpu_of_each(pid).items()]
                    rounds.setdefault((title, count), []).append((sum(spent), max(spent)))
    print(f"\nBy processes, {ROUNDS} rounds of {SECONDS} s each, the best of each")
    for (title, count), each in rounds.items():
        whole, busiest = min(each)
        print(
            f"  {title:<16} {count} of ours  {whole * 1e6:>6.0f} us CPU each, {busiest * 1e6:>6.0f} of it in the busiest"
        )
    return []


PARTS = {"https": https, "http": http, "workers": workers}
