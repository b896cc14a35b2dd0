"""NSD, Knot and BIND on one zone file, for tests that compare answers and benches that compare speed.

Each answers for example.com at port 53 of loopback with one worker and without rate limits; each function writes a
configuration into a folder and returns the command that runs it in the foreground.
"""

from __future__ import annotations

from pathlib import Path

ADDRESS = "127.0.0.1"


def nsd(folder: Path, zone: Path) -> list[str]:
    """Prepare NSD."""
    (folder / "nsd.conf").write_text(
        f'server:\n  ip-address: {ADDRESS}\n  username: ""\n  zonesdir: "{folder}"\n  database: ""\n'
        f'  server-count: 1\n  rrl-ratelimit: 0\n  pidfile: "{folder}/nsd.pid"\n'
        f'  xfrdfile: "{folder}/xfrd.state"\n  xfrdir: "{folder}"\n  zonelistfile: "{folder}/zone.list"\n'
        f'remote-control:\n  control-enable: no\nzone:\n  name: example.com\n  zonefile: "{zone}"\n'
    )
    return ["nsd", "-d", "-c", f"{folder}/nsd.conf"]


def knot(folder: Path, zone: Path) -> list[str]:
    """Prepare Knot."""
    (folder / "knot.conf").write_text(
        f"server:\n    listen: {ADDRESS}@53\n    rundir: {folder}\n    udp-workers: 1\n    tcp-workers: 1\n"
        f"    background-workers: 1\ndatabase:\n    storage: {folder}\n"
        f"zone:\n  - domain: example.com\n    file: {zone}\n    zonefile-sync: -1\n"
    )
    return ["knotd", "-c", f"{folder}/knot.conf"]


def bind(folder: Path, zone: Path) -> list[str]:
    """Prepare BIND, with what ours has in a reply: SRV targets' addresses, no NS records beside an answer."""
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; pid-file "{folder}/named.pid"; recursion no; session-keyfile none;\n'
        f"  dnssec-validation no; listen-on {{ {ADDRESS}; }}; listen-on-v6 {{ none; }}; check-names primary ignore;\n"
        "  minimal-responses no-auth; zero-no-soa-ttl no; tcp-clients 300; };\ncontrols { };\n"
        f'zone example.com {{ type primary; file "{zone}"; check-names ignore; check-integrity no; }};\n'
    )
    return ["named", "-n", "1", "-g", "-c", f"{folder}/named.conf"]


PEERS = {"nsd": nsd, "knot": knot, "bind": bind}
