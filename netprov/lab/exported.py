"""NSD, Knot, BIND, nginx and tftpd-hpa run on a lab's host by the folder that an export wrote: checked by the engine, then started.

What a configuration says of its machine (users, sockets, working directories) is replaced by the lab's; secrets, which an export
never holds, are made up.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import token_bytes

from netprov.errors import LabError
from netprov.hostport import DNS_PORT, PORTS, format_hostport
from netprov.lab.daemon import program
from netprov.lab.lan import Host
from netprov.lab.process import Process, wait_until

_STARTS_S = 20.0


def start(engine: str, host: Host, folder: Path) -> Process:
    """Let an engine judge the folder, and start it; raise `LabError` if it refuses or does not come up."""
    return _STARTERS[engine](host, folder)


def _nsd(host: Host, folder: Path) -> Process:
    path = folder / "nsd.conf"
    machine: Mapping[str, str] = {
        "username": "", "chroot": "", "zonesdir": str(folder), "database": "", "zonelistfile": f"{folder}/zone.list",
        "xfrdfile": f"{folder}/xfrd.state", "xfrdir": str(folder), "pidfile": f"{folder}/nsd.pid",
    }  # fmt: skip
    settings = "".join(f'  {key}: "{value}"\n' for key, value in machine.items())
    text = re.sub(r"(?m)^server:\n", f"server:\n{settings}", path.read_text(), count=1)
    path.write_text(
        _with_keys(
            text,
            r'include: "[^"]*/([^"/]+)\.key"',
            'key:\n  name: "{}"\n  algorithm: hmac-sha256\n  secret: "{}"',
        )
    )
    _check(host, [program("nsd-checkconf"), str(path)])
    return _up(host, [program("nsd"), "-d", "-c", str(path)], DNS_PORT)


def _knot(host: Host, folder: Path) -> Process:
    path = folder / "knot.conf"
    text = path.read_text().replace("target: syslog", "target: stdout")
    text = re.sub(r"(?m)^server:\n", f"server:\n  rundir: {folder}\n", text, count=1)
    text = re.sub(
        r"(?m)^zone:\n",
        f"database:\n  storage: {folder}\ntemplate:\n  - id: default\n    storage: {folder}\nzone:\n",
        text,
        count=1,
    )
    path.write_text(
        _with_keys(
            text,
            r'include: "[^"]*/([^"/]+)\.key"',
            'key:\n  - id: {}\n    algorithm: hmac-sha256\n    secret: "{}"',
        )
    )
    _check(host, [program("knotc"), "-c", str(path), "conf-check"])
    return _up(host, [program("knotd"), "-c", str(path)], DNS_PORT)


def _bind(host: Host, folder: Path) -> Process:
    path = folder / "named.conf"
    own = f'pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key"; managed-keys-directory "{folder}";'
    text = path.read_text().replace('directory "/etc/bind";', f'directory "{folder}"; {own}')
    text = _with_keys(
        text, r'include "[^"]*/([^"/]+)\.key";', 'key "{}" {{ algorithm hmac-sha256; secret "{}"; }};'
    )
    path.write_text(f"controls {{ }};\n{text}")
    _check(host, [program("named-checkconf"), "-z", str(path)])
    return _up(host, [program("named"), "-g", "-c", str(path)], DNS_PORT)


def _nginx(host: Host, folder: Path) -> Process:
    path, pid = folder / "nginx.conf", folder / "nginx.pid"
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path.write_text(path.read_text().replace("http {", f"http {{ access_log off; {paths}", 1))
    settings = f"daemon off; user root; pid {pid}; error_log {folder}/error.log;"
    command = [program("nginx"), "-p", str(folder), "-c", str(path), "-g", settings]
    _check(host, [*command, "-t"])
    process = host.spawn(command)
    wait_until(
        lambda: process.exit_code is not None or (pid.exists() and pid.read_text().strip()), what="nginx"
    )
    return _alive(process, "nginx")


def _tftp(host: Host, folder: Path) -> Process:
    return _up(
        host,
        [
            program("in.tftpd"),
            "--foreground",
            "--secure",
            "--address",
            format_hostport("0.0.0.0", PORTS["tftp"]),
            str(folder),
        ],
        PORTS["tftp"],
    )


_STARTERS: Mapping[str, Callable[[Host, Path], Process]] = {
    "nsd": _nsd,
    "knot": _knot,
    "bind": _bind,
    "nginx": _nginx,
    "tftp": _tftp,
}


def _with_keys(text: str, pattern: str, form: str) -> str:
    """Return a text with made-up keys in place of the files that hold the true ones."""
    made_up = b64encode(token_bytes(24)).decode()
    return re.sub(pattern, lambda found: form.format(found[1], made_up), text)


def _check(host: Host, command: list[str]) -> None:
    done = host.run(command)
    if done.returncode:
        raise LabError(
            f"{Path(command[0]).name} refuses what was exported:\n{done.stdout}{done.stderr}".rstrip()
        )


def _up(host: Host, command: list[str], port: int) -> Process:
    """Start a program, and return when something listens on its port."""
    process = host.spawn(command)
    name = Path(command[0]).name
    wait_until(lambda: process.exit_code is not None or _listens(host, port), what=name, timeout=_STARTS_S)
    return _alive(process, name)


def _alive(process: Process, name: str) -> Process:
    if process.exit_code is not None:
        raise LabError(f"{name} does not start with what was exported:\n{process.output}".rstrip())
    return process


def _listens(host: Host, port: int) -> bool:
    with host.entered():
        sockets = Path("/proc/thread-self/net/udp").read_text()
    return any(line.split()[1].endswith(f":{port:04X}") for line in sockets.splitlines()[1:])
