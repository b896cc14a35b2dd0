"""Profiles by HTTPS and HTTP beside nginx, TFTP beside tftpd-hpa, atftpd and dnsmasq, and the fleet's rendering.

    make bench-provision        or: python -m tests.bench.provision [https|http|workers|tftp|render …]

Every server is pinned to one core, its load to another, all on one host's loopback inside a namespace. What counts is
the server's CPU time for one fetch (or MiB), by the kernel's books, children included: a load generator that is slower
than the server does not distort it. Servers that are compared are asked in turns, and the best turn of each counts, so
that what else the machine does is the same for all. nginx serves a static file with its default TLS settings; netprov
looks up whose the profile is, logs the fetch and keeps the device record. Limits: `web.AIMS`; TFTP level with the best;
10,000 profiles rendered and encrypted in 10 s.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from netprov.inventory.load import parse
from netprov.plan import derive
from netprov.provision.catalog import Catalog
from netprov.provision.requester import Requester
from netprov.provision.secret import SITE as SITE_SECRET
from netprov.provision.secret import Secrets
from tests.bench import web
from tests.bench.server import ADDRESS, VALUES, inventory
from tests.bench.tftp import tftp

FLEET = 10_000


def main(parts: Sequence[str]) -> int:
    """Run the parts; return 1 if a limit was missed."""
    wanted = parts or tuple(PARTS)
    verdicts: list[bool] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netprov-bench-")))
        folder.chmod(0o755)
        for part in wanted:
            verdicts += PARTS[part](folder / part)
    return 0 if all(verdicts) else 1


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


PARTS: dict[str, Callable[[Path], list[bool]]] = {**web.PARTS, "tftp": tftp, "render": render}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
