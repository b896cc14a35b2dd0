"""Servers that are not ours, started on a lab's host with what `netprov export` wrote."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

from netprov.cli.site import Opened
from netprov.cli.verb.inventory.export import export_files
from netprov.export.written import Export
from netprov.lab.process import Process, wait_until
from netprov.runtime.web.tls import certificate_store
from netprov.state.catalog import load_catalog
from tests.lab.conftest import Host, needs, needs_groups


def write(export: Export, out: Path) -> None:
    """Write an export's files as the verb does."""
    texts = {name: text.encode() for name, text in export.files.items()}
    for name, data in {**texts, **export.octets}.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)


def files(opened: Opened, state: Path, out: Path) -> None:
    """Export what phones get for nginx and for a TFTP server, with certificates of a new authority."""
    state.mkdir(exist_ok=True)
    certificate_store(state).ensure(opened.plan.pki, time.time())
    load_catalog(opened.plan.provision, state)
    for engine in ("nginx", "tftp"):
        write(export_files(engine, opened, state), out)


def nginx(host: Host, out: Path) -> Process:
    """Start nginx on the exported tree."""
    folder = out / "nginx"
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(config.read_text().replace("http {", f"http {{ access_log off; {paths}", 1))
    pid = folder / "nginx.pid"
    settings = f"daemon off; user root; pid {pid}; error_log {folder}/error.log;"
    process = host.spawn([needs("nginx"), "-p", str(folder), "-c", str(config), "-g", settings])
    wait_until(
        lambda: process.exit_code is not None or (pid.exists() and pid.read_text().strip()), what="nginx"
    )
    assert process.exit_code is None, process.output
    return process


def tftpd(host: Host, out: Path, address: str) -> Process:
    """Start tftpd-hpa on the exported tree."""
    command = [
        needs_groups("in.tftpd"),
        "--foreground",
        "--secure",
        "--address",
        f"{address}:69",
        str(out / "tftp"),
    ]
    process = host.spawn(command)
    wait_until(lambda: _listens(host, 69), what="tftpd on port 69")
    return process


def nsd(host: Host, out: Path) -> Process:
    """Start NSD on the exported zones."""
    folder = out / "nsd"
    text = (folder / "nsd.conf").read_text()
    machine: Mapping[str, str] = {
        "username": "", "chroot": "", "zonesdir": str(folder), "database": "", "zonelistfile": f"{folder}/zone.list",
        "xfrdfile": f"{folder}/xfrd.state", "xfrdir": str(folder), "pidfile": f"{folder}/nsd.pid",
    }  # fmt: skip
    settings = "".join(f'  {key}: "{value}"\n' for key, value in machine.items())
    (folder / "nsd.conf").write_text(re.sub(r"(?m)^server:\n", f"server:\n{settings}", text, count=1))
    process = host.spawn([needs("nsd"), "-d", "-c", str(folder / "nsd.conf")])
    wait_until(lambda: _listens(host, 53), what="NSD on port 53")
    return process


def _listens(host: Host, port: int) -> bool:
    with host.entered():
        table = Path("/proc/thread-self/net/udp").read_text()
    return any(line.split()[1].endswith(f":{port:04X}") for line in table.splitlines()[1:])
