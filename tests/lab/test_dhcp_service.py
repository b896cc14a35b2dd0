"""The DHCP service among other servers, taken addresses, pulled cables and full disks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netprov.dhcp.lease import LeaseState
from netprov.errors import LabError
from netprov.lab.lan import Host, Lan
from netprov.lab.server import start_server
from netprov.state.lease import FILE, LeaseReader
from tests.lab.clients import udhcpc
from tests.lab.conftest import MakeLan, needs, wait_until
from tests.lab.foreign import dnsmasq

pytestmark = pytest.mark.lab

PHONE = "CP-8851-3PCC"
INVENTORY = """
domain: example.com
networks:
  voice: {{interface: lan0, subnet: 10.20.0.0/24, pool: 10.20.0.100-10.20.0.103, {more}}}
"""
BESIDE = "other_servers: allow"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(INVENTORY.format(more=BESIDE))
    return path


def gets_nothing(host: Host) -> bool:
    command = [needs("udhcpc"), "-i", host.interface, "-f", "-n", "-q", "-t", "2", "-T", "1", "-V", PHONE]
    return host.run(command, timeout=20).returncode != 0


def test_server_offers_nothing_beside_another_unless_it_is_allowed(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(clients=[None, None])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.9/24")
    other = dnsmasq(lan["client0"], tmp_path, pool="10.20.0.200,10.20.0.210,1h")
    inventory = tmp_path / "site.yaml"
    inventory.write_text(INVENTORY.format(more="lease: 1h"))
    server = start_server(lan["server"], inventory, tmp_path / "state", roles=["dhcp"])
    server.wait_for(r"nothing is offered on lan0: another DHCP server, 10\.20\.0\.9, answers there")
    assert {udhcpc(lan["client1"], tmp_path, vendor_class=PHONE)["serverid"] for _ in range(3)} == {
        "10.20.0.9"
    }
    inventory.write_text(INVENTORY.format(more=BESIDE))
    server.signal(1)
    server.wait_for(r"reloaded", timeout=10)
    other.stop()
    assert udhcpc(lan["client1"], tmp_path, vendor_class=PHONE)["serverid"] == "10.20.0.1"


def test_a_server_that_pings_before_it_offers_keeps_us_quiet(make_lan: MakeLan, tmp_path: Path) -> None:
    """dnsmasq offers after three seconds, when we serve already."""
    lan = make_lan(clients=[None, None])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.9/24")
    dnsmasq(lan["client0"], tmp_path, pool="10.20.0.200,10.20.0.210,1h", ping=True)
    inventory = tmp_path / "site.yaml"
    inventory.write_text(INVENTORY.format(more="lease: 1h"))
    server = start_server(lan["server"], inventory, tmp_path / "state", roles=["dhcp"])
    server.wait_for(r"looks for other DHCP servers on lan0")
    server.wait_for(r"nothing is offered on lan0: another DHCP server, 10\.20\.0\.9", timeout=10)
    assert udhcpc(lan["client1"], tmp_path)["serverid"] == "10.20.0.9"


def test_a_server_that_comes_later_ends_our_offers_and_not_our_leases(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    lan = make_lan(clients=[None, None, None])
    inventory = tmp_path / "site.yaml"
    inventory.write_text(INVENTORY.format(more="lease: 10s, lease_min: 4s"))
    server = start_server(lan["server"], inventory, tmp_path / "state", roles=["dhcp"])
    server.wait_for(r"offers on lan0: no other DHCP server answers", timeout=15)
    ours = lan["client1"].spawn([needs("udhcpc"), "-i", "lan0", "-f", "-V", PHONE, "-s", "/bin/true"])
    ours.wait_for(r"lease of 10\.20\.0\.100 obtained")
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.9/24")
    dnsmasq(lan["client0"], tmp_path, pool="10.20.0.200,10.20.0.210,1h")
    assert udhcpc(lan["client2"], tmp_path)["serverid"] == "10.20.0.9"
    server.wait_for(r"nothing is offered on lan0: another DHCP server, 10\.20\.0\.9", timeout=15)
    ours.wait_for(r"lease of 10\.20\.0\.100 obtained", timeout=15)
    assert udhcpc(lan["client2"], tmp_path, vendor_class=PHONE)["serverid"] == "10.20.0.9"


def test_taken_address_is_not_offered(make_lan: MakeLan, site: Path, tmp_path: Path) -> None:
    """RFC 2131 2.2: by ARP on the link."""
    lan = make_lan(clients=[None, None])
    with lan["client1"].links() as links:
        links.add_address("lan0", "10.20.0.100/24")
    start_server(lan["server"], site, tmp_path / "state", roles=["dhcp"])
    assert udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)["ip"] == "10.20.0.101"
    found = {lease.address & 255: lease.state for lease in LeaseReader(tmp_path / "state").leases()}
    assert found == {100: LeaseState.DECLINED, 101: LeaseState.BOUND}


def test_taken_address_behind_a_relay_agent_is_not_offered(make_lan: MakeLan, tmp_path: Path) -> None:
    """RFC 2131 2.2: by ICMP echo where ARP does not reach."""
    from netprov.lab.topology import HostPlan, Port, Topology

    hosts = (
        HostPlan("server", (Port("near", "lan0", ("10.20.0.1/24",)),), (("10.30.0.0/24", "10.20.0.2"),)),
        HostPlan(
            "relay",
            (Port("near", "lan0", ("10.20.0.2/24",)), Port("far", "lan1", ("10.30.0.1/24",))),
            forwards=True,
        ),
        HostPlan("squatter", (Port("far", "lan0", ("10.30.0.100/24",)),), (("10.20.0.0/24", "10.30.0.1"),)),
        HostPlan("client", (Port("far"),)),
    )
    lan: Lan = make_lan(Topology(hosts, networks=("near", "far")))
    inventory, state = tmp_path / "site.yaml", tmp_path / "state"
    inventory.write_text(
        "domain: example.com\nnetworks:\n"
        "  near: {interface: lan0, subnet: 10.20.0.0/24, other_servers: allow}\n"
        "  far: {subnet: 10.30.0.0/24, router: 10.30.0.1, pool: 10.30.0.100-10.30.0.103}\n"
    )
    start_server(lan["server"], inventory, state, roles=["dhcp"])
    relay = [*(needs("dhcrelay"), "-4", "-d", "-id", "lan1", "-iu", "lan0", "-pf", f"{tmp_path}/relay.pid")]
    lan["relay"].spawn([*relay, "10.20.0.1"]).wait_for("Sending on")
    assert udhcpc(lan["client"], tmp_path, vendor_class=PHONE)["ip"] == "10.30.0.101"
    found = {lease.address & 255: lease.state for lease in LeaseReader(state).leases()}
    assert found == {100: LeaseState.DECLINED, 101: LeaseState.BOUND}


def test_serving_goes_on_after_the_cable_was_pulled(make_lan: MakeLan, site: Path, tmp_path: Path) -> None:
    lan = make_lan(clients=[None])
    start_server(lan["server"], site, tmp_path / "state", roles=["dhcp"])
    with lan["server"].links() as links:
        links.down("lan0")
    assert gets_nothing(lan["client0"])
    with lan["server"].links() as links:
        links.up("lan0")
    assert udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)["ip"] == "10.20.0.100"


def test_serving_goes_on_when_a_removed_interface_is_back(
    make_lan: MakeLan, site: Path, tmp_path: Path
) -> None:
    """A VLAN interface deleted and made anew has another index, and the old sockets hear nothing more."""
    lan = make_lan(clients=[None])
    server = start_server(lan["server"], site, tmp_path / "state", roles=["dhcp"])
    ip = needs("ip")

    def link(*words: str) -> None:
        assert lan["server"].run([ip, "link", *words]).returncode == 0

    link("set", "lan0", "name", "away")
    server.wait_for("waits: there is no interface lan0", timeout=5)
    link("add", "lan0", "type", "veth", "peer", "name", "far")
    server.wait_for("10.20.0.1%lan0 has come, and is served", timeout=5)
    link("delete", "lan0")
    link("set", "away", "name", "lan0")
    assert udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)["ip"] == "10.20.0.100"


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a directory on a disk of its own: one that a few leases fill, or of the size that is asked for."""
    folder = tmp_path / "small"
    folder.mkdir()
    size = getattr(request, "param", "256k")
    mount = [needs("mount"), "-t", "tmpfs", "-o", f"size={size}", "netprov-test", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield folder
    subprocess.run([needs("umount"), "-l", str(folder)], check=True)


def test_full_disk_means_no_ack_until_there_is_room(
    make_lan: MakeLan, site: Path, tmp_path: Path, small_disk: Path
) -> None:
    lan = make_lan(clients=[None])
    server = start_server(lan["server"], site, small_disk, roles=["dhcp"])
    fill(small_disk)
    assert gets_nothing(lan["client0"])
    server.wait_for("Free some space", timeout=5)
    assert "10.20.0.100" not in server.output, "no lease is told of that nobody was given"
    (small_disk / "ballast").unlink()
    server.wait_for("leases are written again", timeout=5)
    assert udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)["ip"] == "10.20.0.100"
    assert [lease.address & 255 for lease in LeaseReader(small_disk).leases()] == [100]
    assert server.output.count("Free some space") == 1


@pytest.mark.parametrize("roles", [["dhcp"], []], ids=["alone", "with every role"])
@pytest.mark.parametrize("small_disk", ["32m"], indirect=True)
def test_dhcp_serves_on_a_full_disk_and_is_killed_and_starts_again(
    make_lan: MakeLan, site: Path, tmp_path: Path, small_disk: Path, roles: list[str]
) -> None:
    lan = make_lan(clients=[None, None])
    for turn, host in enumerate(("client0", "client1")):
        server = start_server(lan["server"], site, small_disk, roles=roles)
        fill(small_disk)
        assert udhcpc(lan[host], tmp_path, vendor_class=PHONE)["ip"] == f"10.20.0.{100 + turn}"
        server.signal(9 if turn else 15)
        server.wait(timeout=10)
        fill(small_disk)
    server = start_server(lan["server"], site, small_disk, roles=roles)
    assert udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)["ip"] == "10.20.0.100"
    assert {lease.address & 255 for lease in LeaseReader(small_disk).leases()} == {100, 101}
    assert "the lease file" not in server.output
    assert server.output.count("records/devices.sqlite cannot be used") == 1
    assert server.output.count("Free some space") == 1
    (small_disk / "ballast").unlink()
    server.wait_for("device records are written again", timeout=10)


def fill(disk: Path) -> None:
    """Leave no octet of a disk."""
    with (disk / "ballast").open("ab", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(512))


def test_read_only_store_is_told_at_the_start(make_lan: MakeLan, site: Path, small_disk: Path) -> None:
    lan = make_lan()
    subprocess.run([needs("mount"), "-o", "remount,bind,ro", str(small_disk)], check=True)
    with pytest.raises(LabError, match=r"is not writable|cannot be used"):
        start_server(lan["server"], site, small_disk, roles=["dhcp"])


def test_damaged_store_is_told_at_the_start(make_lan: MakeLan, site: Path, tmp_path: Path) -> None:
    lan = make_lan()
    state = tmp_path / "state"
    (state / FILE).parent.mkdir(parents=True)
    (state / FILE).write_bytes(b"no database " * 500)
    with pytest.raises(LabError, match=r"Restore leases/leases\.db from a backup"):
        start_server(lan["server"], site, state, roles=["dhcp"])


def test_second_server_on_the_same_state_does_not_start(
    make_lan: MakeLan, site: Path, tmp_path: Path
) -> None:
    lan = make_lan()
    start_server(lan["server"], site, tmp_path / "state", roles=["dhcp"])
    with pytest.raises(LabError, match="dhcp is served with the state directory"):
        start_server(lan["server"], site, tmp_path / "state", roles=["dhcp"])


def test_missing_interface_is_told_at_the_start_and_waited_for(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan()
    inventory = tmp_path / "site.yaml"
    inventory.write_text("domain: example.com\nnetworks: {voice: {interface: lan7, subnet: 10.20.0.0/24}}\n")
    server = start_server(lan["server"], inventory, tmp_path / "state", roles=["dhcp"])
    server.wait_for(r"waits: there is no interface lan7 .*: lo, lan0", timeout=5)


def test_release_by_the_operator_is_done_by_the_running_server(
    make_lan: MakeLan, site: Path, tmp_path: Path
) -> None:
    lan = make_lan(clients=[None])
    state = tmp_path / "state"
    start_server(lan["server"], site, state, roles=["dhcp"])
    udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)
    reader = LeaseReader(state)
    reader.wish_release(reader.leases()[0].address)
    wait_until(lambda: reader.leases()[0].state is LeaseState.RELEASED, what="the release", timeout=5)


def test_reload_keeps_leases_and_serves_the_new_inventory(
    make_lan: MakeLan, site: Path, tmp_path: Path
) -> None:
    lan = make_lan(clients=[None])
    server = start_server(lan["server"], site, tmp_path / "state", roles=["dhcp"])
    first = udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)
    site.write_text(INVENTORY.format(more=BESIDE + ", domain: lab.example.com, address: 10.20.0.2"))
    server.signal(1)
    server.wait_for("reload refused, .*lan0 has no address 10.20.0.2", timeout=10)
    assert udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)["domain"] == "example.com"
    site.write_text(INVENTORY.format(more=BESIDE + ", domain: lab.example.com"))
    server.signal(1)
    server.wait_for("reloaded", timeout=10)
    again = udhcpc(lan["client0"], tmp_path, vendor_class=PHONE)
    assert (again["ip"], again["domain"]) == (first["ip"], "lab.example.com")


def test_two_interfaces_are_served_by_one_process(make_lan: MakeLan, tmp_path: Path) -> None:
    from netprov.lab.topology import HostPlan, Port, Topology

    hosts = (
        HostPlan("server", (Port("a", "lan0", ("10.20.0.1/24",)), Port("b", "lan0.120", ("10.30.0.1/24",)))),
        HostPlan("one", (Port("a"),)),
        HostPlan("two", (Port("b"),)),
    )
    lan: Lan = make_lan(Topology(hosts, networks=("a", "b")))
    inventory = tmp_path / "site.yaml"
    inventory.write_text(
        "domain: example.com\nnetworks:\n"
        "  a: {interface: lan0, subnet: 10.20.0.0/24, other_servers: allow}\n"
        "  b: {interface: lan0.120, subnet: 10.30.0.0/24, other_servers: allow}\n"
    )
    start_server(lan["server"], inventory, tmp_path / "state", roles=["dhcp"])
    assert udhcpc(lan["one"], tmp_path, vendor_class=PHONE)["ip"] == "10.20.0.100"
    assert udhcpc(lan["two"], tmp_path, vendor_class=PHONE)["ip"] == "10.30.0.100"
