"""Files of static trees: what a class demands of who asks for a phone's profile holds for a phone's files, on every road."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.provision.config import Device, Listener, Policy
from netprov.provision.gate.tree import Owners
from netprov.runtime.provision.service import HttpService
from netprov.runtime.role import Service
from netprov.runtime.tftp.service import TftpService
from netprov.tftp.transfer import Finished
from tests.port import free_port
from tests.runtime.provisioning import MAC, download, plan_of, role_context, with_service

PHONE, FELLOW, STRANGER = "127.0.3.1", "127.0.3.2", "127.0.3.3"
"""A phone of class staff, another one, and a host that nobody knows."""
OTHER = "00:12:34:ab:45:df"
SECRET = b"a password of one phone"
OWN = (
    "/old/SEP001234AB45DE.cnf.xml", "/old/00-12-34-ab-45-de.cfg", "/old/0012.34AB.45DE/any.txt", "/old/fch2048a1b2.xml",
    "/old/conf001234ab45de",
)  # fmt: skip
"""Files whose names tell whose they are."""
Fetch = Callable[[str, str], bytes]
"""Returns what an address is given at a path, b"" if it is refused."""


@pytest.fixture
def trees(tmp_path: Path) -> tuple[tuple[str, str], ...]:
    for path in (*OWN, "/old/a.loads", "/staff/8851-3PCC.xml"):
        file = tmp_path / "trees" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(SECRET)
    return tuple((f"/{name}", str(tmp_path / "trees" / name)) for name in ("old", "staff"))


def fetches(
    road: str, state: Path, trees: tuple[tuple[str, str], ...], scenario: Callable[[Fetch], None]
) -> None:
    """Run a scenario against a server of one road, whose class staff demands the phone's own address."""
    kind = socket.SOCK_DGRAM if road == "tftp" else socket.SOCK_STREAM
    listener = Listener(road, "127.0.0.1", free_port(kind))  # type: ignore[arg-type]
    staff = Policy(sender="lease")
    devices = {
        MAC: Device(MAC, "CP-8851-3PCC", serial="FCH2048A1B2", class_name="staff", policy=staff),
        OTHER: Device(OTHER, "CP-8851-3PCC", class_name="staff", policy=staff),
    }
    plan = plan_of(
        listener,
        trees=trees,
        tree_classes={"/staff": "staff"},
        devices=devices,
        addresses={PHONE: MAC, FELLOW: OTHER},
    )
    context, _ = role_context(state)
    service: Service = TftpService(context) if road == "tftp" else HttpService(context)

    def fetch(address: str, path: str) -> bytes:
        if road == "tftp":
            machine = download(listener, path.lstrip("/"), address=address)
            return machine.content() if isinstance(machine.outcome, Finished) else b""
        place = ("127.0.0.1", listener.port)
        if road == "http":
            connection = http.client.HTTPConnection(*place, timeout=20, source_address=(address, 0))
        else:
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(
                *place, timeout=20, source_address=(address, 0), context=context
            )
        connection.request("GET", path)
        with connection.getresponse() as reply:
            body = reply.read()
        connection.close()
        assert reply.status in {200, 403, 404}
        return body if reply.status == 200 else b""

    with_service(service, plan, lambda: scenario(fetch))


@pytest.mark.parametrize("road", ["tftp", "http", "https"])
def test_file_of_a_phone_is_given_to_that_phone_alone(
    tmp_path: Path, trees: tuple[tuple[str, str], ...], road: str
) -> None:
    def scenario(fetch: Fetch) -> None:
        for path in OWN:
            assert [fetch(each, path) for each in (PHONE, FELLOW, STRANGER)] == [SECRET, b"", b""], path
        assert fetch(STRANGER, "/old/a.loads") == SECRET

    fetches(road, tmp_path, trees, scenario)


@pytest.mark.parametrize("road", ["tftp", "http", "https"])
def test_directory_of_a_class_is_given_to_its_phones_alone(
    tmp_path: Path, trees: tuple[tuple[str, str], ...], road: str
) -> None:
    def scenario(fetch: Fetch) -> None:
        path = "/staff/8851-3PCC.xml"
        assert [fetch(each, path) for each in (PHONE, FELLOW, STRANGER)] == [SECRET, SECRET, b""]

    fetches(road, tmp_path, trees, scenario)


@pytest.mark.parametrize("road", ["tftp", "http", "https"])
def test_directory_of_a_class_is_reached_no_other_way(tmp_path: Path, road: str) -> None:
    """Neither through a directory around it, nor by a link into it."""
    staff = tmp_path / "all" / "staff"
    staff.mkdir(parents=True)
    (staff / "a.cfg").write_bytes(SECRET)
    (tmp_path / "all" / "free.cfg").write_bytes(SECRET)
    (tmp_path / "all" / "link.cfg").symlink_to(staff / "a.cfg")
    trees = (("/all", str(tmp_path / "all")), ("/staff", str(staff)))

    def scenario(fetch: Fetch) -> None:
        assert fetch(STRANGER, "/all/free.cfg") == SECRET
        for path in ("/all/staff/a.cfg", "/all/link.cfg", "/staff/a.cfg"):
            assert fetch(STRANGER, path) == b"", path
        assert fetch(PHONE, "/staff/a.cfg") == SECRET

    fetches(road, tmp_path, trees, scenario)


@pytest.mark.parametrize(
    "name",
    [
        "sip88xx.11-3-1.loads",
        "001234ab45d.cfg",
        "001234ab45d0.cfg",
        "8851-3PCC.xml",
        "FCH2048A1B2x.xml",
        "",
        "...",
        ":::",
    ],
)
def test_name_that_tells_no_listed_phone_belongs_to_nobody(name: str) -> None:
    device = Device(MAC, serial="FCH2048A1B2")
    assert Owners([device, replace(device, mac=OTHER, serial="")]).of(name) is None
