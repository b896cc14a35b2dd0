"""The virtual LAN itself: what it joins, what it isolates, that nothing of it stays."""

from __future__ import annotations

import os
import random
import socket

import pytest

from netprov.errors import LabError
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.lab.wire import Faults
from netprov.runtime.net.frame import udp_packet
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab


def test_hosts_reach_each_other_and_not_the_machine(make_lan: MakeLan) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=["00:12:34:ab:45:de"])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.9/24")
    with lan["server"].entered(), socket.create_server(("10.20.0.1", 7)) as listener:
        with lan["client0"].entered():
            sender = socket.create_connection(("10.20.0.1", 7), timeout=5)
        with sender, listener.accept()[0] as receiver:
            assert receiver.getpeername()[0] == "10.20.0.9"
        with lan["client0"].entered():
            assert [name for _, name in socket.if_nameindex()] == ["lo", "lan0"]


def test_a_new_lan_carries_the_first_frame(make_lan: MakeLan) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=[None] * 4)
    with lan["server"].entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hears:
        hears.bind(("", 9999))
        hears.settimeout(5)
        for host in (each for each in lan if each.name != "server"):
            with host.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as speaks:
                datagram = udp_packet(host.name.encode(), "0.0.0.0", 68, "255.255.255.255", 9999)
                speaks.sendto(datagram, (host.interface, 0x0800, 0, 0, b"\xff" * 6))
            assert hears.recv(100) == host.name.encode()


def test_mac_address_is_the_one_asked_for(make_lan: MakeLan) -> None:
    client = make_lan(clients=["00:12:34:ab:45:de"])["client0"]
    shown = client.run([needs("busybox"), "ifconfig", "lan0"]).stdout
    assert "00:12:34:AB:45:DE" in shown


def test_run_gives_exit_code_output_and_errors_apart(make_lan: MakeLan) -> None:
    result = make_lan()["server"].run(["sh", "-c", "echo out; echo err >&2; cat; exit 3"], stdin="in")
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\nin", "err\n")


def test_missing_program_is_a_plain_error(make_lan: MakeLan) -> None:
    with pytest.raises(LabError, match="cannot run no-such-program: No such file"):
        make_lan()["server"].run(["no-such-program"])


def test_slow_program_is_ended_and_reported(make_lan: MakeLan) -> None:
    with pytest.raises(LabError, match=r"sleep 60 took more than 0\.2 s"):
        make_lan()["server"].run(["sleep", "60"], timeout=0.2)


def test_waiting_for_output_of_a_program_that_ended_shows_what_it_wrote(make_lan: MakeLan) -> None:
    process = make_lan()["server"].spawn(["sh", "-c", "echo broken; exit 4"])
    with pytest.raises(LabError, match="ended with 4 before it wrote 'ready':\nbroken"):
        process.wait_for("ready")


def test_closing_ends_processes_even_those_that_forked_away(make_lan: MakeLan) -> None:
    lan = make_lan()
    lan["server"].spawn(["sh", "-c", "setsid sh -c 'trap : TERM; while :; do sleep 60; done' & sleep 60"])
    wait_until(lambda: len(lan["server"].namespace.processes()) == 4, what="the processes")
    left = lan["server"].namespace.processes()
    lan.close()
    wait_until(lambda: not any(os.path.exists(f"/proc/{each}") for each in left), what="their end")


def test_networks_are_apart_and_a_host_may_be_on_two(make_lan: MakeLan) -> None:
    lan = make_lan(
        Topology(
            networks=("voice", "office"),
            hosts=(
                HostPlan(
                    "router",
                    (
                        Port("voice", "lan0", ("10.20.0.1/24",)),
                        Port("office", "lan1", ("10.30.0.1/24",)),
                    ),
                ),
                HostPlan("desk", (Port("office", "eth0", ("10.30.0.7/24",)),)),
            ),
        )
    )
    assert lan["desk"].run([needs("busybox"), "ping", "-c1", "-W5", "10.30.0.1"]).returncode == 0
    with lan["router"].links() as links:
        links.down("lan1")
    assert lan["desk"].run(["busybox", "ping", "-c1", "-W1", "10.30.0.1"]).returncode == 1


def test_cable_with_faults_loses_and_delays_but_carries_whole_frames(make_lan: MakeLan) -> None:
    faults = Faults(loss=8, delay_ms=2, duplicate=5, seed=7)
    lan = make_lan(
        Topology(
            (
                HostPlan("near", (Port(addresses=("10.20.0.1/24",), faults=faults),)),
                HostPlan("far", (Port(addresses=("10.20.0.2/24",)),)),
            )
        )
    )
    # TCP has checksums and retransmission: what arrives whole has been carried right.
    payload = bytes(range(256)) * 200
    with lan["near"].entered(), socket.create_server(("10.20.0.1", 7)) as listener:
        with lan["far"].entered():
            sender = socket.create_connection(("10.20.0.1", 7), timeout=60)
        with sender, listener.accept()[0] as receiver:
            sender.sendall(payload)
            sender.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: receiver.recv(65536), b""))
    assert received == payload


def test_cable_that_loses_everything_carries_nothing(make_lan: MakeLan) -> None:
    dead = Port(addresses=("10.20.0.1/24",), faults=Faults(loss=100))
    lan = make_lan(
        Topology((HostPlan("near", (dead,)), HostPlan("far", (Port(addresses=("10.20.0.2/24",)),))))
    )
    assert lan["far"].run([needs("busybox"), "ping", "-c1", "-W1", "10.20.0.1"]).returncode == 1


def test_cable_with_faults_survives_being_pulled(make_lan: MakeLan) -> None:
    slow = Port(addresses=("10.20.0.1/24",), faults=Faults(delay_ms=1))
    lan = make_lan(
        Topology((HostPlan("near", (slow,)), HostPlan("far", (Port(addresses=("10.20.0.2/24",)),))))
    )
    ping = [needs("busybox"), "ping", "-c1", "-W5", "10.20.0.1"]
    assert lan["far"].run(ping).returncode == 0
    with lan.switches["lan"].links() as links:
        links.down("1.0b")
    assert lan["far"].run([*ping[:3], "-W1", ping[-1]]).returncode == 1
    with lan.switches["lan"].links() as links:
        links.up("1.0b")
    assert lan["far"].run(ping).returncode == 0


def test_same_seed_gives_the_same_faults() -> None:
    faults = Faults(loss=20, duplicate=20, delay_ms=10, jitter_ms=5, seed=3)
    first, second = random.Random(faults.seed), random.Random(faults.seed)
    assert [faults.fates(first) for _ in range(100)] == [faults.fates(second) for _ in range(100)]
