"""What `netprov init` proposes, from interfaces and servers that were heard; the text that it writes."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from netprov.check import check
from netprov.cli.proposal import Proposal, choose, free_address, inventory_text
from netprov.inventory.load import load
from netprov.plan import derive
from netprov.runtime.dhcp.look import Heard
from netprov.runtime.net.interface import MachineInterface

ADDRESS = IPv4Interface("10.20.0.1/24")
WAY_OUT = MachineInterface("eth0", (IPv4Interface("192.0.2.2/24"),), router=IPv4Address("192.0.2.1"))
LAN = MachineInterface("lan0", (ADDRESS,))
BARE = MachineInterface("lan1")
SERVED = {"lan0": Heard(("10.20.0.9",)), "lan1": Heard()}


@pytest.mark.parametrize(
    ("interfaces", "heard", "expected"),
    [
        ([WAY_OUT, LAN], {}, "lan0"),
        ([WAY_OUT, BARE], {}, "lan1"),
        ([WAY_OUT, LAN, BARE], {}, "lan0"),
        ([WAY_OUT, LAN, BARE], SERVED, "lan1"),
        ([WAY_OUT], {}, None),
        ([LAN], SERVED, None),
        ([BARE, MachineInterface("lan2")], {}, None),
    ],
)
def test_an_interface_is_proposed_only_where_it_is_no_guess(
    interfaces: list[MachineInterface], heard: dict[str, Heard], expected: str | None
) -> None:
    found, why = choose(interfaces, heard)
    assert (found.name if found else None) == expected
    assert why


def test_address_is_of_a_network_that_the_machine_does_not_reach_yet() -> None:
    assert free_address([WAY_OUT]) == ADDRESS
    assert free_address([MachineInterface("a", (IPv4Interface("10.20.3.4/15"),))]) == IPv4Interface(
        "10.22.0.1/24"
    )


@pytest.mark.parametrize(
    ("address", "router", "expected"),
    [
        ("10.20.0.1/24", None, ["10.20.0.100-10.20.0.199"]),
        ("10.20.0.150/24", None, ["10.20.0.100-10.20.0.149", "10.20.0.151-10.20.0.199"]),
        ("10.20.0.100/24", "10.20.0.199", ["10.20.0.101-10.20.0.198"]),
        ("10.20.0.2/30", "10.20.0.1", []),
    ],
)
def test_the_pool_has_neither_the_server_nor_the_router(
    address: str, router: str | None, expected: list[str]
) -> None:
    proposal = Proposal(
        "example.com", "lan0", IPv4Interface(address), IPv4Address(router) if router else None
    )
    assert [f"{first}-{last}" for first, last in proposal.pool] == expected


@pytest.mark.parametrize(
    "proposal",
    [
        Proposal("voice.example.com", "lan0", ADDRESS, ntp=ADDRESS.ip),
        Proposal(
            "example.com", "lan0.120", IPv4Interface("172.16.1.150/22"),
            IPv4Address("172.16.0.1"), IPv4Address("172.16.0.1"), ("172.16.0.9",),
        ),
    ],
)  # fmt: skip
def test_the_inventory_says_what_is_proposed_and_check_finds_nothing(
    proposal: Proposal, tmp_path: Path
) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(inventory_text(proposal, "/usr/share/s.json"))
    assert path.read_text().startswith("# yaml-language-server: $schema=/usr/share/s.json\n")
    document = load(str(path))
    (network,) = derive(document.inventory).site.networks
    assert (network.declared.interface, network.subnet, network.address, network.pool) == (
        proposal.interface,
        proposal.address.network,
        proposal.address.ip,
        proposal.pool,
    )
    assert network.router == (proposal.router or proposal.address.ip,)
    assert network.ntp == (proposal.ntp,)
    assert list(check(document.inventory, 1_800_000_000.0)) == []


def test_every_comment_that_is_an_entry_is_one_when_its_mark_is_taken_away(tmp_path: Path) -> None:
    """`# ntp: …`, `# clients: …`, `# phones:` and the rest are examples that work together."""
    text = inventory_text(Proposal("example.com", "lan0", ADDRESS, beside=("10.20.0.9",)), "s.json")
    lines = [
        line.replace("# ", "", 1)
        if line.lstrip().startswith(
            ("# ntp:", "# clients:", "# other_servers:", "# phones:", "#   - {", "# profiles:", "#   desk:")
        )
        else line
        for line in text.splitlines()
    ]
    path = tmp_path / "site.yaml"
    path.write_text("\n".join(lines))
    inventory = load(str(path)).inventory
    assert inventory.networks["voice"].other_servers == "allow"
    assert [phone.profile for phone in inventory.phones] == ["desk"]
    assert [problem.rule for problem in check(inventory, 1_800_000_000.0)] == []
