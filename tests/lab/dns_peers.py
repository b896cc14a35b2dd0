"""NSD, Knot and BIND on the same zones, for tests that compare answers and benches that compare speed.

Each answers for example.com, or for the zones it is given by name, at port 53 of loopback with one worker and without rate
limits; each function writes a configuration into a folder and returns the command that runs it in the foreground.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ADDRESS = "127.0.0.1"

Files = Path | Mapping[str, Path]
"""The file of example.com, or files by the names of their zones."""


def _by_name(zones: Files) -> Mapping[str, Path]:
    return {"example.com": zones} if isinstance(zones, Path) else zones


def nsd(folder: Path, zones: Files) -> list[str]:
    """Prepare NSD."""
    served = "".join(
        f'zone:\n  name: {name}\n  zonefile: "{file}"\n' for name, file in _by_name(zones).items()
    )
    (folder / "nsd.conf").write_text(
        f'server:\n  ip-address: {ADDRESS}\n  username: ""\n  zonesdir: "{folder}"\n  database: ""\n'
        f'  server-count: 1\n  rrl-ratelimit: 0\n  pidfile: "{folder}/nsd.pid"\n'
        f'  xfrdfile: "{folder}/xfrd.state"\n  xfrdir: "{folder}"\n  zonelistfile: "{folder}/zone.list"\n'
        f"remote-control:\n  control-enable: no\n{served}"
    )
    return ["nsd", "-d", "-c", f"{folder}/nsd.conf"]


def knot(folder: Path, zones: Files) -> list[str]:
    """Prepare Knot."""
    served = "".join(
        f"  - domain: {name}\n    file: {file}\n    zonefile-sync: -1\n"
        for name, file in _by_name(zones).items()
    )
    (folder / "knot.conf").write_text(
        f"server:\n    listen: {ADDRESS}@53\n    rundir: {folder}\n    udp-workers: 1\n    tcp-workers: 1\n"
        f"    background-workers: 1\ndatabase:\n    storage: {folder}\nzone:\n{served}"
    )
    return ["knotd", "-c", f"{folder}/knot.conf"]


def bind(folder: Path, zones: Files) -> list[str]:
    """Prepare BIND, with what ours has in a reply: SRV targets' addresses, no NS records beside an answer."""
    served = "".join(
        f'zone {name} {{ type primary; file "{file}"; check-names ignore; check-integrity no; }};\n'
        for name, file in _by_name(zones).items()
    )
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; pid-file "{folder}/named.pid"; recursion no; session-keyfile none;\n'
        f"  dnssec-validation no; listen-on {{ {ADDRESS}; }}; listen-on-v6 {{ none; }}; check-names primary ignore;\n"
        f"  minimal-responses no-auth; zero-no-soa-ttl no; tcp-clients 300; }};\ncontrols {{ }};\n{served}"
    )
    return ["named", "-n", "1", "-g", "-c", f"{folder}/named.conf"]


PEERS = {"nsd": nsd, "knot": knot, "bind": bind}
