"""`netprov compare` on two inventories, each served on a virtual LAN by real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.conftest import PYTHON, ROOT, MakeLan

INVENTORY = """\
domain: example.com
networks:
  voice: {{interface: lan0, subnet: 10.20.0.0/24, clients: all}}
hosts: {{pr1: 10.20.0.11}}
classes:
  cp: {{match: {{vendor_class: "CP-*"}}, method: dhcp, options: {{66: {server}}}}}
phones:
  - {{mac: 00:12:34:ab:45:de, address: 10.20.0.50, name: lobby}}
"""


@pytest.mark.lab
def test_two_inventories_are_compared_by_what_they_serve(make_lan: MakeLan, tmp_path: Path) -> None:
    for name, server in (("old", "10.20.0.1"), ("same", "10.20.0.1"), ("new", "10.20.0.9")):
        (tmp_path / f"{name}.yaml").write_text(INVENTORY.format(server=server))
    host = make_lan(server=["10.20.0.1/24"], clients=[])["server"]

    def compare(other: str) -> tuple[int, dict[str, list[dict[str, str]]]]:
        command = [
            PYTHON,
            "-m",
            "netprov",
            "compare",
            str(tmp_path / "old.yaml"),
            str(tmp_path / f"{other}.yaml"),
        ]
        result = host.run([*command, "--json"], timeout=120, environment={"PYTHONPATH": str(ROOT)})
        return result.returncode, json.loads(result.stdout)

    code, data = compare("same")
    assert (code, [each for each in data["differences"] if not each["reason"]]) == (0, [])
    code, data = compare("new")
    assert code == 1
    found = {
        (each["what"], each["place"].rpartition("/")[2]) for each in data["differences"] if not each["reason"]
    }
    assert found == {("option 66 (TFTP Server Name)", "old.yaml:6:67")}
