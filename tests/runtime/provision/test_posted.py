"""What a phone posts over HTTP is in the profiles that it fetches afterwards, from workers and by TFTP too."""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.inventory.load import parse
from netprov.plan import Plan, derive
from netprov.provision.config import Listener
from netprov.provision.event import Posted
from netprov.provision.standing import Fact
from netprov.runtime.provision.service import HttpService
from netprov.runtime.tftp.service import TftpService
from netprov.state.device_file import DeviceFile, Noted, RecordLimits
from tests.port import free_port
from tests.runtime.provisioning import download, role_context, with_service

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
phones: [{mac: 00:12:34:ab:45:de, values: {Station_Display_Name: "{{ post.room | default('none') }}"}}]
"""
MAC, OWN = "00:12:34:ab:45:de", "/Cisco/001234ab45de.cfg"


def plan_of(listener: Listener, address: str, workers: int = 1) -> Plan:
    """Return a plan in which an address of loopback is the phone's."""
    plan = derive(parse(SITE, "site.yaml").inventory)
    changed = {"listeners": (listener,), "workers": workers, "secure_url": "", "syslog": ()}
    return replace(plan, provision=replace(plan.provision, addresses={address: MAC}, **changed))  # type: ignore[arg-type]


def fetch(listener: Listener, body: str = "") -> str:
    connection = http.client.HTTPConnection(listener.address, listener.port, timeout=20)
    try:
        connection.request("POST" if body else "GET", OWN, body or None)
        text = connection.getresponse().read().decode()
        return text.partition("<Station_Display_Name>")[2].partition("<")[0]
    finally:
        connection.close()


def record(state: Path, room: str) -> None:
    """Write what the phone posted as another process does."""
    file = DeviceFile(state, RecordLimits(), pytest.fail)
    file.open()
    with closing(file):
        event = Posted("127.0.0.1", MAC, OWN, f"room={room}", {"room": room})
        file.write([Noted(time.time(), "http", event, Fact("127.0.0.1", MAC, proven=True))])


def test_a_later_fetch_has_what_the_phone_posted(tmp_path: Path) -> None:
    listener = Listener("http", "127.0.0.1", free_port())
    context, events = role_context(tmp_path)

    def exchange() -> None:
        assert fetch(listener) == "none"
        assert fetch(listener, "room=Lobby") == "Lobby"
        assert fetch(listener) == "Lobby"
        assert fetch(listener, "floor=2") == "none"
        assert fetch(listener) == "none"

    with_service(HttpService(context), plan_of(listener, "127.0.0.1"), exchange)
    assert [each.fields for _, each in events if isinstance(each, Posted)] == [
        {"room": "Lobby"},
        {"floor": "2"},
    ]


def test_what_a_stranger_posts_in_the_phones_name_is_in_no_later_profile(tmp_path: Path) -> None:
    listener = Listener("http", "127.0.0.1", free_port())
    context, _ = role_context(tmp_path)

    def exchange() -> None:
        assert fetch(listener, "room=Lobby") == "Lobby", "his own request has it"
        assert fetch(listener) == "none"

    with_service(HttpService(context), plan_of(listener, "127.0.0.9"), exchange)


def test_what_is_on_record_is_in_what_workers_and_tftp_give(tmp_path: Path) -> None:
    web, tftp = (
        Listener("http", "127.0.0.1", free_port()),
        Listener("tftp", "127.0.0.1", free_port(socket.SOCK_DGRAM)),
    )
    context, _ = role_context(tmp_path)

    def by_http() -> None:
        assert {fetch(web) for _ in range(6)} == {"none"}
        record(tmp_path, "Lobby")
        assert {fetch(web) for _ in range(6)} == {"Lobby"}

    def by_tftp() -> None:
        assert b">Lobby<" in download(tftp, OWN).content()
        record(tmp_path, "Attic")
        assert b">Attic<" in download(tftp, OWN).content()

    with_service(HttpService(context), plan_of(web, "127.0.0.1", workers=2), by_http)
    with_service(TftpService(context), plan_of(tftp, "127.0.0.1"), by_tftp)
