"""Put the names of units, users and groups into a maintainer script: `names.py < postinst`; deb/build calls it."""

from __future__ import annotations

import sys

from netprov.cli.verb.service.install.unit import KEPT, enabled, groups, units, users

LISTS = {
    "@UNITS@": units(),
    "@ENABLED@": enabled(),
    "@USERS@": users(),
    "@GROUPS@": groups(),
    "@KEPT@": KEPT,
}

script = sys.stdin.read()
for mark, names in LISTS.items():
    script = script.replace(mark, " ".join(names))
sys.stdout.write(script)
