"""Servers that are not ours, run on a lab's host by their own configuration: dnsmasq, ISC dhcpd, Kea.

What a configuration says of the machine it was written for (files, users, interfaces, sockets) is replaced by the lab's;
what it says to clients is left alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from netprov.errors import LabError
from netprov.lab.lan import Host
from netprov.lab.process import Process

_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

_OF_THE_MACHINE = re.compile(
    r"^\s*(--)?(enable-tftp|tftp-\S+|log-\S+|conf-\S+|pid-file|dhcp-leasefile|dhcp-script|dhcp-lease-max|user|group|port"
    r"|bind-\S+|bind-dynamic|interface|except-interface|listen-address|no-dhcp-interface|addn-hosts|dhcp-hostsfile|resolv-file)\b"
)
"""Settings of dnsmasq that speak of the machine."""

_OF_KEAS_MACHINE = (
    "control-socket",
    "control-sockets",
    "hooks-libraries",
    "lease-database",
    "hosts-database",
    "loggers",
)


def program(name: str) -> str:
    """Return a daemon's path; raise `LabError` if it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")
    if found is None:
        raise LabError(f"{name} is not installed, so its configuration cannot be tried")
    return found


def _dnsmasq(host: Host, text: str, interfaces: Sequence[str], scratch: Path) -> Process:
    kept = "\n".join("" if _OF_THE_MACHINE.match(line) else line for line in text.splitlines())
    path = scratch / "dnsmasq.conf"
    path.write_text(kept + "\n")
    command = [
        program("dnsmasq"),
        *(
            "--no-daemon",
            f"--conf-file={path}",
            "--log-facility=-",
            "--no-ping",
            "--user=root",
            "--no-resolv",
        ),
        *(
            "--no-hosts",
            f"--dhcp-leasefile={scratch / 'dnsmasq.leases'}",
            f"--pid-file={scratch / 'dnsmasq.pid'}",
        ),
        *(f"--interface={each}" for each in interfaces),
        "--bind-interfaces",
    ]
    return _started(host, command, r"started, version", {})


def _dhcpd(host: Host, text: str, interfaces: Sequence[str], scratch: Path) -> Process:
    path, leases = scratch / "dhcpd.conf", scratch / "dhcpd.leases"
    path.write_text(f"{text.replace('ping-check true', 'ping-check false')}\nping-check false;\n")
    leases.touch()
    command = [
        program("dhcpd"), "-4", "-f", "-d", "-cf", str(path), "-lf", str(leases), "-pf", str(scratch / "dhcpd.pid"),
        "-user", "root", "-group", "root", *interfaces,
    ]  # fmt: skip
    return _started(host, command, r"Server starting service|Sending on\s+Socket/fallback", {})


def _kea(host: Host, text: str, interfaces: Sequence[str], scratch: Path) -> Process:
    config = json.loads(re.sub(r"(?m)^//.*$", "", text))
    section = config["Dhcp4"]
    for key in _OF_KEAS_MACHINE:
        section.pop(key, None)
    section["interfaces-config"] = {"interfaces": list(interfaces)}
    section["lease-database"] = {"type": "memfile", "persist": False}
    section["loggers"] = [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "INFO"}]
    for subnet in (
        *section.get("subnet4", ()),
        *(s for n in section.get("shared-networks", ()) for s in n["subnet4"]),
    ):
        subnet.pop("interface", None)
    path = scratch / "kea-dhcp4.conf"
    environment = {"KEA_PIDFILE_DIR": str(scratch), "KEA_LOCKFILE_DIR": "none", "PATH": os.environ["PATH"]}
    path.write_text(json.dumps({"Dhcp4": section}))
    return _started(host, [program("kea-dhcp4"), "-c", str(path)], r"DHCP4_STARTED", environment)


def _started(host: Host, command: Sequence[str], pattern: str, environment: Mapping[str, str]) -> Process:
    process = host.spawn(command, environment=environment or None)
    try:
        process.wait_for(pattern, timeout=15)
    except LabError as error:
        process.stop()
        raise LabError(
            f"{Path(command[0]).name} does not start with it: {error}\n{process.output}".rstrip()
        ) from error
    return process


DAEMONS: Mapping[str, Callable[[Host, str, Sequence[str], Path], Process]] = {
    "dnsmasq": _dnsmasq,
    "dhcpd": _dhcpd,
    "kea": _kea,
}
"""What starts each: on a host, with the text of its configuration, on interfaces, with a directory of its own."""
