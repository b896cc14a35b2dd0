"""Real DHCP clients on lab hosts, and what each of them was given, as its hook script saw it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from netprov.lab.lan import Host
from tests.lab.conftest import needs

HOOK = """#!/bin/sh
# The client calls this: configure the address so that the host can talk, and keep the environment.
case "$reason$1" in
  bound|renew|BOUND|RENEW|REBIND) ;;
  *) exit 0 ;;
esac
busybox ifconfig "$interface" "${ip:-$new_ip_address}" netmask "${subnet:-$new_subnet_mask}"
env -0 > "$0.new" && mv "$0.new" "$0.out"
"""

DHCLIENT = """
option tftp-servers code 150 = string;
option vivso code 125 = string;
option server-text code 66 = string;
option vendor-text code 43 = string;
send vendor-class-identifier "{vendor_class}";
request subnet-mask, routers, domain-name-servers, domain-name, ntp-servers, server-text, tftp-servers,
        vendor-text, vivso;
"""


def hook(folder: Path) -> Path:
    """Write the hook script into a folder."""
    needs("busybox")
    script = folder / "hook"
    script.write_text(HOOK)
    script.chmod(0o755)
    return script


def environment(script: Path) -> Mapping[str, str]:
    """Return what the client told its hook."""
    pairs = Path(f"{script}.out").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def udhcpc(
    host: Host, folder: Path, *, vendor_class: str = "", request: Sequence[int] = ()
) -> Mapping[str, str]:
    """Obtain a lease with BusyBox's client; options appear under its names, unknown ones as `opt150` in hex."""
    script = hook(folder)
    command = [
        needs("udhcpc"),
        "-i",
        host.interface,
        "-f",
        "-n",
        "-q",
        "-t",
        "5",
        "-T",
        "1",
        "-s",
        str(script),
    ]
    command += ["-V", vendor_class] if vendor_class else []
    command += [word for code in request for word in ("-O", str(code))]
    result = host.run(command, timeout=20)
    assert result.returncode == 0, result.stderr
    return environment(script)


def dhclient(host: Host, folder: Path, *, vendor_class: str = "") -> Mapping[str, str]:
    """Obtain a lease with ISC's client; options appear as `new_domain_name`, raw ones in its own notation."""
    script = hook(folder)
    (folder / "dhclient.conf").write_text(DHCLIENT.format(vendor_class=vendor_class))
    process = host.spawn(
        [
            *(needs("dhclient"), "-4", "-1", "-d", "-cf", str(folder / "dhclient.conf")),
            *("-lf", str(folder / "leases"), "-pf", str(folder / "pid"), "-sf", str(script), host.interface),
        ]
    )
    process.wait_for("bound to", timeout=20)
    process.stop()
    return environment(script)


def octets(text: str) -> bytes:
    """Read dhclient's notation of octets: `31:30:2e`, or plain text where all can be printed."""
    if re.fullmatch(r"[0-9a-f]{1,2}(:[0-9a-f]{1,2})+", text):
        return bytes(int(part, 16) for part in text.split(":"))
    return text.encode()
