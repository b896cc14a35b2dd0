"""Whose address it is: the leases know the phones behind relays, which are nobody's neighbours."""

from __future__ import annotations

import errno
import socket
from contextlib import closing
from pathlib import Path

import pytest

from netprov.dhcp.lease import Bound, Lease, LeaseState, Released
from netprov.lab.lan import Lan
from netprov.lab.topology import single_lan
from netprov.provision.config import Ports
from netprov.runtime.net.arp import Neighbours
from netprov.runtime.net.sender import Origin, Senders
from netprov.state.clock import Anchor
from netprov.state.lease import open_store

ANCHOR = Anchor(5000.0, 10.0, "boot", 5000.0, synchronised=True)
LEASE = Lease(
    0xC0000264, "voice", b"\x01\x00\x12\x34\xab\x45\xde", b"\x00\x12\x34\xab\x45\xde", LeaseState.BOUND, 1000.0, 9000.0,
    "desk", "CP-8851-3PCC", b"\x01\x01p", (),
)  # fmt: skip


def test_address_that_is_leased_is_its_clients(tmp_path: Path) -> None:
    with closing(Senders(tmp_path)) as senders:
        assert senders.mac("192.0.2.100") == ""
        store = open_store(tmp_path)
        store.commit([Bound(LEASE)], ANCHOR)
        assert senders.mac("192.0.2.100") == "00:12:34:ab:45:de"
        assert senders.mac("192.0.2.101") == ""
        store.commit([Released(LEASE._replace(state=LeaseState.RELEASED))], ANCHOR)
        assert senders.mac("192.0.2.100") == ""
        store.close()


@pytest.mark.lab
def test_neighbour_is_known_by_the_kernel_alone() -> None:
    with Lan(single_lan(["10.20.0.1/24"], ["00:12:34:ab:45:de", None])) as lan:
        client = lan["client0"]
        client.run(["ip", "address", "add", "10.20.0.9/24", "dev", client.interface])
        with client.entered():
            sender = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with sender:
            sender.settimeout(5)
            assert sender.connect_ex(("10.20.0.1", 1)) == errno.ECONNREFUSED
        with lan["server"].entered(), closing(Neighbours(lambda: 0.0)) as neighbours:
            assert neighbours.mac("10.20.0.9") == "00:12:34:ab:45:de"
            assert neighbours.mac("10.20.0.10") == ""
            assert neighbours.mac("10.20.0.1") == ""


def test_what_is_no_ipv4_address_is_nobodys(tmp_path: Path) -> None:
    with closing(Senders(tmp_path)) as senders:
        assert senders.mac("2001:db8::1") == ""
        assert senders.mac("") == ""


def test_damaged_lease_file_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "leases").mkdir()
    (tmp_path / "leases" / "leases.db").write_bytes(b"not a database, by far" * 100)
    with closing(Senders(tmp_path)) as senders:
        assert senders.mac("192.0.2.100") == ""


def test_lease_file_that_was_replaced_is_the_one_that_is_read(tmp_path: Path) -> None:
    """As `netprov state restore` does it, while the servers run."""
    senders = Senders(tmp_path)
    store = open_store(tmp_path)
    store.commit([Bound(LEASE)], ANCHOR)
    assert senders.leased("192.0.2.100") == "00:12:34:ab:45:de"
    store.close()
    for file in (tmp_path / "leases").glob("leases.db*"):
        file.unlink()
    assert senders.leased("192.0.2.100") == ""
    store = open_store(tmp_path)
    store.commit([Bound(LEASE._replace(mac=b"\x02\x00\x00\x00\x00\x07"))], ANCHOR)
    assert senders.leased("192.0.2.100") == "02:00:00:00:00:07"
    store.close()
    senders.close()


def test_port_is_what_the_relay_said_of_the_lease(tmp_path: Path) -> None:
    senders = Senders(tmp_path)
    assert not senders.at_port("192.0.2.100", Ports(("p",)))
    store = open_store(tmp_path)
    store.commit([Bound(LEASE)], ANCHOR)
    named = (Ports(("p",)), Ports(("?",)), Ports(("0x70",)), Ports(("q", "p")))
    assert all(senders.at_port("192.0.2.100", ports) for ports in named)
    others = (Ports(("q",)), Ports(("p",), ("switch",)), Ports((), ("*",)), Ports())
    assert not any(senders.at_port("192.0.2.100", ports) for ports in others)
    assert not senders.at_port("192.0.2.101", Ports(("*",)))
    store.commit([Bound(LEASE._replace(relay=b"\x01\x09p"))], ANCHOR)
    assert not senders.at_port("192.0.2.100", Ports(("*",)))
    store.close()
    senders.close()


def test_origin_of_a_request_stays_who_it_was_first(tmp_path: Path) -> None:
    """A lease that moves while a request is answered does not make two phones of its sender."""
    store = open_store(tmp_path)
    store.commit([Bound(LEASE)], ANCHOR)
    with closing(Senders(tmp_path)) as senders:
        origin = Origin(senders, "192.0.2.100")
        assert origin.mac() == "00:12:34:ab:45:de"
        store.commit([Bound(LEASE._replace(mac=b"\x02\x00\x00\x00\x00\x07"))], ANCHOR)
        assert origin.mac() == "00:12:34:ab:45:de"
        assert Origin(senders, "192.0.2.100").mac() == "02:00:00:00:00:07"
    store.close()
