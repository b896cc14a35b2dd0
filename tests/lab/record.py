"""Records the captures of tests/explain/captures: `python -m tests.lab.record tests/explain/captures [NAME...]`, as root."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from netprov.lab.lan import Lan
from netprov.lab.topology import single_lan
from tests.lab import foreign
from tests.lab.planted import FAILURES, HEALTHY, capture_boot, scene_of


def main(folder: str, *names: str) -> None:
    """Record every scene, or the named ones."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for planted in (*FAILURES, *HEALTHY):
        if names and planted.name not in names:
            continue
        target = Path(folder) / ("healthy" if not planted.cause else "failed") / f"{planted.name}.pcap"
        target.parent.mkdir(parents=True, exist_ok=True)
        tmp = Path(tempfile.mkdtemp(prefix="np-"))
        tmp.chmod(0o755)
        try:
            with Lan(single_lan(foreign.ADDRESSES, [foreign.MAC, None])) as lan:
                capture_boot(scene_of(lan, tmp, planted), planted, target)
            print(f"{planted.name}: {target.stat().st_size} octets")
        finally:
            shutil.rmtree(tmp)


if __name__ == "__main__":
    main(*sys.argv[1:])
