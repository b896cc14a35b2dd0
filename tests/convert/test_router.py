"""A draft of another server's configuration says nothing of this server's address: `check` tells where that is the router's."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli import group

CONFIGURATIONS = {
    "dnsmasq.conf": "domain=example.com\ninterface=lan0\ndhcp-range=10.20.0.100,10.20.0.150,1h\n"
    "dhcp-option=option:router,10.20.0.1\n",
    "dhcpd.conf": 'option domain-name "example.com";\nsubnet 10.20.0.0 netmask 255.255.255.0 {\n'
    "  range 10.20.0.100 10.20.0.150;\n  option routers 10.20.0.1;\n}\n",
    "kea-dhcp4.conf": '{"Dhcp4": {"interfaces-config": {"interfaces": ["lan0"]}, "subnet4": [{"id": 1, '
    '"subnet": "10.20.0.0/24", "pools": [{"pool": "10.20.0.100-10.20.0.150"}], '
    '"option-data": [{"name": "routers", "data": "10.20.0.1"}]}]}}',
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_check_says_that_the_router_of_a_draft_was_taken_for_this_server(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(CONFIGURATIONS[name])
    drafted = CliRunner().invoke(group, ["import", str(tmp_path / name)], standalone_mode=False)
    draft = drafted.stdout
    assert "router: 10.20.0.1" in draft
    for address, expected in (("", True), (", address: 10.20.0.2", False)):
        (tmp_path / "draft.yaml").write_text(
            draft.replace("router: 10.20.0.1", f"router: 10.20.0.1{address}")
        )
        checked = CliRunner().invoke(group, ["check", str(tmp_path / "draft.yaml")], standalone_mode=False)
        told = "10.20.0.1 is the router, and was taken for this server's address too" in checked.stdout
        assert told is expected, checked.stdout
