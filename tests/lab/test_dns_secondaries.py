"""NSD, Knot and BIND follow netprov as secondaries: AXFR, then NOTIFY and IXFR, each with and without TSIG."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

SECRET = "6UbQ0r1O0aFSc1PFQeVxJ0xZ1mGfX4m0Kq5sYw3m2nE="
PRIMARY, SECONDARY = "10.20.0.1", "10.20.0.2"

INVENTORY = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
hosts: {{pr1: 10.20.0.11, ns2: 10.20.0.2{more}}}
dns:
  keys: {{transfer: {{file: transfer.key}}}}
  secondaries: [{{address: 10.20.0.2, name: ns2{key}}}]
"""


def nsd_config(folder: Path, key: bool) -> str:
    name = "transfer" if key else "NOKEY"
    lines = [
        "server:",
        "  ip-address: 10.20.0.2",
        '  username: ""',
        f'  zonesdir: "{folder}"',
        '  database: ""',
        f'  pidfile: "{folder}/nsd.pid"',
        f'  xfrdfile: "{folder}/xfrd.state"',
        f'  xfrdir: "{folder}"',
        f'  zonelistfile: "{folder}/zone.list"',
        "remote-control:",
        "  control-enable: no",
    ]
    if key:
        lines += ["key:", '  name: "transfer"', "  algorithm: hmac-sha256", f'  secret: "{SECRET}"']
    lines += [
        "zone:",
        '  name: "example.com"',
        f"  allow-notify: {PRIMARY} {name}",
        f"  request-xfr: {PRIMARY} {name}",
    ]
    return "\n".join(lines) + "\n"


def knot_config(folder: Path, key: bool) -> str:
    use = "\n    key: transfer" if key else ""
    declared = f"key:\n  - id: transfer\n    algorithm: hmac-sha256\n    secret: {SECRET}\n" if key else ""
    return (
        f"server:\n    listen: {SECONDARY}@53\n    rundir: {folder}\n"
        f"database:\n    storage: {folder}\n"
        "log:\n  - target: stdout\n    any: info\n"
        f"{declared}"
        f"remote:\n  - id: primary\n    address: {PRIMARY}@53{use}\n"
        f"acl:\n  - id: notify\n    address: {PRIMARY}{use}\n    action: notify\n"
        f"zone:\n  - domain: example.com\n    storage: {folder}\n    master: primary\n    acl: notify\n"
    )


def bind_config(folder: Path, key: bool) -> str:
    use = " key transfer" if key else ""
    declared = f'key transfer {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n' if key else ""
    return (
        f'options {{ directory "{folder}"; pid-file "{folder}/named.pid"; recursion no; dnssec-validation no;\n'
        f"  listen-on {{ {SECONDARY}; }}; listen-on-v6 {{ none; }}; session-keyfile none; }};\n"
        "controls { };\n"
        f"{declared}"
        f'zone example.com {{ type secondary; primaries {{ {PRIMARY}{use}; }}; file "{folder}/copy"; }};\n'
    )


@dataclass(frozen=True)
class Daemon:
    """A name server that is not ours, and how it is started on a configuration file."""

    name: str
    config: Callable[[Path, bool], str]
    command: Callable[[str], list[str]]


DAEMONS = [
    Daemon("nsd", nsd_config, lambda file: ["-d", "-V", "2", "-c", file]),
    Daemon("knotd", knot_config, lambda file: ["-c", file]),
    Daemon("named", bind_config, lambda file: ["-g", "-c", file]),
]


def write_inventory(path: Path, *, key: bool, more: str = "") -> None:
    (path.parent / "transfer.key").write_text(
        f'key "transfer" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n'
    )
    path.write_text(INVENTORY.format(key=", key: transfer" if key else "", more=more))


def ask(host: Host, server: str, *question: str) -> list[str]:
    result = host.run([needs("dig"), f"@{server}", "+short", "+tries=1", "+time=1", *question])
    return result.stdout.split() if result.returncode == 0 else []


def start_secondary(lan: Lan, daemon: Daemon, folder: Path, *, key: bool) -> Process:
    program = needs(daemon.name)
    folder.mkdir()
    config = folder / "config"
    config.write_text(daemon.config(folder, key))
    folder.chmod(0o777)
    return lan["client0"].spawn([program, *daemon.command(str(config))])


@pytest.mark.parametrize("key", [False, True], ids=["plain", "tsig"])
@pytest.mark.parametrize("daemon", DAEMONS, ids=[daemon.name for daemon in DAEMONS])
def test_secondary_takes_the_zone_and_follows_its_changes(
    daemon: Daemon, key: bool, make_lan: MakeLan, tmp_path: Path
) -> None:
    needs(daemon.name)
    lan = make_lan(server=[f"{PRIMARY}/24"], clients=[None])
    client = lan["client0"]
    with client.links() as links:
        links.add_address(client.interface, f"{SECONDARY}/24")
    inventory = tmp_path / "site.yaml"
    write_inventory(inventory, key=key)
    server = start_server(lan["server"], inventory, tmp_path / "state", roles=["dns"], verbose=True)
    secondary = start_secondary(lan, daemon, tmp_path / "secondary", key=key)

    def follows(*question: str) -> list[str]:
        assert secondary.exit_code is None, secondary.output
        return ask(client, SECONDARY, *question)

    wait_until(lambda: follows("pr1.example.com", "A") == ["10.20.0.11"], what="AXFR", timeout=20)
    assert follows("example.com", "SOA")[2] == "1"

    write_inventory(inventory, key=key, more=", pr9: 10.20.0.19")
    server.signal(signal.SIGHUP)
    wait_until(lambda: follows("pr9.example.com", "A") == ["10.20.0.19"], what="NOTIFY and IXFR", timeout=20)
    assert follows("example.com", "SOA")[2] == "2"
    wait_until(lambda: "Notified" in server.output, what="the answer to NOTIFY", timeout=10)
    kinds = re.findall(r"Transferred kind=(\w+) zone=example.com. serial=(\d+)", server.output)
    assert (("AXFR", "1") in kinds, ("IXFR", "2") in kinds, ("AXFR", "2") in kinds) == (True, True, False)
    assert SECRET not in server.output


def test_nobody_else_may_transfer(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(server=[f"{PRIMARY}/24"], clients=[None])
    client = lan["client0"]
    with client.links() as links:
        links.add_address(client.interface, "10.20.0.3/24")
        links.add_address(client.interface, f"{SECONDARY}/24")
    inventory = tmp_path / "site.yaml"
    write_inventory(inventory, key=True)
    start_server(lan["server"], inventory, tmp_path / "state", roles=["dns"])

    def axfr(source: str, *options: str) -> str:
        dig = [needs("dig"), f"@{PRIMARY}", "-b", source, *options, "example.com", "AXFR"]
        return client.run(dig).stdout

    changes = f"@{PRIMARY} -b {SECONDARY} -y hmac-sha256:transfer:{SECRET} +short example.com IXFR=0".split()
    assert client.run([needs("dig"), *changes]).stdout.count("hostmaster.example.com.") == 2
    good = ["-y", f"hmac-sha256:transfer:{SECRET}"]
    assert "Transfer failed" in axfr("10.20.0.3", *good)
    assert "Transfer failed" in axfr(SECONDARY)
    assert "Transfer failed" in axfr(SECONDARY, "-y", f"hmac-sha256:transfer:{SECRET[::-1][1:]}=")
    assert "pr1.example.com." in axfr(SECONDARY, *good)
