"""How long `netprov check` takes for 10,000 and 100,000 phones, and how much memory: the whole process, from its start.

    make bench-check        or: python -m tests.bench.check [PHONES …]

Each inventory is written as YAML, and as two lines of YAML with a CSV file; every phone has nine keys and its own
profile values. Limits: 10,000 phones in 2 s and 300 MiB, 100,000 in 25 s.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIMITS = {10_000: (2.0, 300.0), 100_000: (25.0, None)}
"""Seconds and MiB, by phones."""

SITE = """\
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.0.0.0/8, pool: 10.255.0.1-10.255.255.200, ntp: 10.0.0.1}}
classes: {mpp: {match: {vendor_class: "CP-*-3PCC*"}, method: srv}}
profiles: {desk: {values: {Proxy_1_: example.com, Back_Light_Timer: Always On}}}
"""
COLUMNS = "mac,model,serial,name,class,address,profile,values.Display_Name_1_,values.User_ID_1_"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    seconds: float
    cpu: float
    mebibytes: float
    summary: str


def rows(phones: int) -> Iterator[tuple[str, ...]]:
    for number in range(phones):
        digits = f"{number:06x}"
        mac = f"00:12:34:{digits[:2]}:{digits[2:4]}:{digits[4:]}"
        address = f"10.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
        line = f"{1000 + number}"
        yield mac, "CP-8851-3PCC", f"FCH{number:08}", f"phone{number}", "mpp", address, "desk", line, line


def write_yaml(folder: Path, phones: int) -> Path:
    path = folder / f"{phones}.yaml"
    with path.open("w") as file:
        file.write(SITE + "phones:\n")
        for mac, model, serial, name, class_, address, profile, display, user in rows(phones):
            file.write(
                f"  - {{mac: {mac}, model: {model}, serial: {serial}, name: {name}, class: {class_}, "
                f"address: {address}, profile: {profile}, "
                f'values: {{Display_Name_1_: "{display}", User_ID_1_: "{user}"}}}}\n'
            )
    return path


def write_csv(folder: Path, phones: int) -> Path:
    path = folder / f"{phones}-csv.yaml"
    path.write_text(f"{SITE}phones: {{csv: {phones}.csv}}\n")
    with (folder / f"{phones}.csv").open("w") as file:
        file.write(COLUMNS + "\n")
        file.writelines(",".join(row) + "\n" for row in rows(phones))
    return path


def measure(path: Path) -> Cost:
    """Run the check in a process of its own, with its modules compiled as they are where netprov is installed."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(path.parent / "pycache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env=environment,
    )
    seconds = time.perf_counter() - started
    *_, summary, spent = process.stdout.splitlines()
    cpu, peak = spent.split()
    return Cost(seconds, float(cpu), int(peak) / 1024, summary)


_CHILD = """
import resource, sys
sys.argv = ["netprov", "check", sys.argv[1]]
from netprov.cli import main
try:
    main()
finally:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    print(spent.ru_utime + spent.ru_stime, spent.ru_maxrss)
"""


def main() -> int:
    wanted = [int(argument) for argument in sys.argv[1:]] or list(LIMITS)
    missed = 0
    print(f"{'phones':>8} {'form':5} {'seconds':>8} {'CPU':>6} {'MiB':>6}  result")
    with tempfile.TemporaryDirectory() as folder:
        measure(write_csv(Path(folder), 1))
        for phones in wanted:
            limit, most = LIMITS.get(phones, (None, None))
            for form, write in (("YAML", write_yaml), ("CSV", write_csv)):
                cost = measure(write(Path(folder), phones))
                over = (limit is not None and cost.seconds > limit) or (
                    most is not None and cost.mebibytes > most
                )
                missed += over
                verdict = cost.summary.partition(": ")[2] + ("  OVER THE LIMIT" if over else "")
                print(
                    f"{phones:8} {form:5} {cost.seconds:8.2f} {cost.cpu:6.2f} {cost.mebibytes:6.0f}  {verdict}"
                )
    return missed


if __name__ == "__main__":
    sys.exit(main())
