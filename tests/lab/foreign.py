"""Servers that are not ours, for emulated phones: dnsmasq, Kea, NSD, nginx, tftpd-hpa, each configured for one LAN."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from netprov.lab.lan import Host
from netprov.lab.process import Process, wait_until
from netprov.phone.handset.identity import MODELS, Identity
from netprov.pki.bundle import Bundle
from tests.lab.conftest import needs, needs_groups
from tests.pki.chains import made

MAC = "00:12:34:ab:45:de"
ADDRESSES = ("10.20.0.1/24", "10.20.0.11/24", "10.20.0.12/24")
PROFILE = b"<flat-profile><Proxy_1_>example.com</Proxy_1_></flat-profile>\n"
FIRST, SECOND = "8851-3PCC.xml", "Cisco/CP-8851-3PCC/001234ab45de.cfg"

HTTPS = "_ciscoprov-https._tls.example.com"
HTTP = "_ciscoprov-http._tcp.example.com"
NAMES = ("--host-record=example.com,10.20.0.11", "--host-record=pr1.example.com,10.20.0.11")


def phone(*, roots: Sequence[Bundle] = (), tr069: bool = False) -> Identity:
    """Return the phone of the LAN, with the roots that it was staged to trust."""
    pems = tuple(root.leaf.pem() for root in roots)
    return Identity(MAC, MODELS["CP-8851-3PCC"], custom_roots=pems, tr069=tr069)


def authority() -> Bundle:
    """Return a CA that is valid now."""
    now = time.time()
    return made("Staging CA", names=(), authority=True, start=now - 86400, end=now + 86400 * 30)


def certificate(
    issuer: Bundle,
    names: tuple[str, ...] = ("example.com", "pr1.example.com"),
    *,
    start: float = -86400,
    end: float = 86400 * 20,
) -> Bundle:
    """Return a server's chain; `start` and `end` are seconds from now."""
    now = time.time()
    return made(names[0] if names else "nobody", names=names, issuer=issuer, start=now + start, end=now + end)


def files(root: Path, content: Mapping[str, bytes]) -> Path:
    """Write files below a directory that any user may read."""
    for name, data in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    root.mkdir(parents=True, exist_ok=True)
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return root


def dnsmasq(
    host: Host,
    tmp: Path,
    *arguments: str,
    domain: str = "example.com",
    pool: str = "10.20.0.100,10.20.0.150,1h",
    ping: bool = False,
) -> Process:
    """Start dnsmasq: DHCP and DNS; further arguments add options, records, TFTP; `ping`: three seconds before it offers."""
    command = [
        needs("dnsmasq"),
        *("--no-daemon", "--conf-file=/dev/null", "--log-facility=-", "--log-dhcp"),
        *(() if ping else ("--no-ping",)),
        *("--user=root", "--no-resolv", "--no-hosts", "--interface=lan0", "--bind-interfaces"),
        f"--dhcp-leasefile={tmp / 'dnsmasq.leases'}",
        f"--pid-file={tmp / 'dnsmasq.pid'}",
        *((f"--dhcp-range={pool}",) if pool else ()),
        *((f"--domain={domain}", f"--local=/{domain}/") if domain else ()),
        *arguments,
    ]
    process = host.spawn(command)
    process.wait_for(r"started, version")
    return process


_DEFINED: Mapping[str, Mapping[str, object]] = {
    "tftp150": {"name": "tftp150", "code": 150, "type": "ipv4-address", "array": True},
    "url160": {"name": "url160", "code": 160, "type": "string"},
}


def kea(host: Host, tmp: Path, options: Sequence[Mapping[str, object]]) -> Process:
    """Start Kea's DHCPv4 server with these options on its one subnet."""
    program = needs("kea-dhcp4")
    config = {
        "Dhcp4": {
            "interfaces-config": {"interfaces": ["lan0"]},
            "lease-database": {"type": "memfile", "persist": False},
            "valid-lifetime": 3600,
            "option-def": [_DEFINED[name] for each in options if (name := str(each.get("name"))) in _DEFINED],
            "subnet4": [
                {
                    "id": 1,
                    "subnet": "10.20.0.0/24",
                    "pools": [{"pool": "10.20.0.100 - 10.20.0.150"}],
                    "option-data": [
                        {"name": "domain-name-servers", "data": "10.20.0.1"},
                        {"name": "domain-name", "data": "example.com"},
                        *options,
                    ],
                }
            ],
            "loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "INFO"}],
        }
    }
    path = tmp / "kea.json"
    path.write_text(json.dumps(config))
    process = host.spawn(
        [program, "-c", str(path)],
        environment={"KEA_PIDFILE_DIR": str(tmp), "KEA_LOCKFILE_DIR": "none", "PATH": os.environ["PATH"]},
    )
    process.wait_for(r"DHCP4_STARTED")
    return process


def nsd(host: Host, tmp: Path, zone: str, *, origin: str = "example.com") -> Process:
    """Start NSD with one zone, given as a master file's text without SOA and NS."""
    program = needs("nsd")
    head = f"$ORIGIN {origin}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 900 604800 60\n@ NS ns\nns A 10.20.0.1\n"
    (tmp / "zone").write_text(head + zone)
    (tmp / "nsd.conf").write_text(
        f'server:\n  ip-address: 10.20.0.1\n  username: ""\n  chroot: ""\n  zonesdir: "{tmp}"\n'
        f'  database: ""\n  zonelistfile: "{tmp}/zone.list"\n  xfrdfile: "{tmp}/xfrd.state"\n  xfrdir: "{tmp}"\n'
        f'  pidfile: "{tmp}/nsd.pid"\n  logfile: "{tmp}/nsd.log"\n'
        f'remote-control:\n  control-enable: no\nzone:\n  name: "{origin}"\n  zonefile: "zone"\n'
    )
    process = host.spawn([program, "-d", "-c", str(tmp / "nsd.conf")])
    wait_until(lambda: _listens(host, "udp", 53), what="NSD on port 53")
    return process


def nginx(
    host: Host, tmp: Path, root: Path, servers: Sequence[str], chains: Mapping[str, Bundle] | None = None
) -> Process:
    """Start nginx; `servers` are the bodies of its server blocks, `ROOT` in them its files, `NAME.pem` a chain."""
    program = needs("nginx")
    for name, bundle in (chains or {}).items():
        (tmp / f"{name}.pem").write_bytes(bundle.encode())
    blocks = "\n".join(f"server {{ {body} }}" for body in servers).replace("ROOT", str(root))
    for name in chains or {}:
        chain = f"{tmp / name}.pem"
        blocks = blocks.replace(f"{name}.pem", f"ssl_certificate {chain}; ssl_certificate_key {chain};")
    paths = "".join(
        f"{kind}_temp_path {tmp}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp / "nginx.conf").write_text(
        f"daemon off; user root; pid {tmp}/nginx.pid; error_log {tmp}/nginx.log;\n"
        f"events {{}}\nhttp {{ access_log {tmp}/access.log; {paths} default_type text/xml;\n{blocks}\n}}\n"
    )
    process = host.spawn([program, "-p", str(tmp), "-c", str(tmp / "nginx.conf")])
    wait_until(lambda: (tmp / "nginx.pid").exists() and (tmp / "nginx.pid").read_text().strip(), what="nginx")
    return process


def tftpd(host: Host, root: Path) -> Process:
    """Start tftpd-hpa."""
    process = host.spawn(
        [needs_groups("in.tftpd"), "--foreground", "--secure", "--address", "10.20.0.1:69", str(root)]
    )
    wait_until(lambda: _listens(host, "udp", 69), what="tftpd on port 69")
    return process


def _listens(host: Host, protocol: str, port: int) -> bool:
    with host.entered():
        table = Path(f"/proc/thread-self/net/{protocol}").read_text()
    return any(line.split()[1].endswith(f":{port:04X}") for line in table.splitlines()[1:])
