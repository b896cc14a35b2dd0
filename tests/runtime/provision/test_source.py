"""Profiles with values of sources over HTTP, HTTPS' workers and TFTP: what the phone gets, while others are served."""

from __future__ import annotations

import http.client
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.inventory.load import parse
from netprov.plan import Plan, derive
from netprov.provision.config import JsonUrl, Listener, Source
from netprov.provision.event import Asked
from netprov.runtime.provision.service import HttpService
from netprov.runtime.tftp.service import TftpService
from netprov.tftp.packet import ErrorCode
from tests.port import free_port
from tests.runtime.provisioning import Events, download, role_context, with_service
from tests.runtime.source.server import answering, said

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
sources: {crm: {http: {url: "http://127.0.0.1:9/{mac}"}}, hr: {http: {url: "http://127.0.0.1:9/{mac}"}}}
profiles:
  desk: {values: {User_ID_1_: "{{ source.crm.extension }}", Display_Name_1_: "{{ source.hr.name }}"}}
phones:
  - {mac: 00:12:34:ab:45:de, name: desk1, profile: desk}
  - {mac: 00:12:34:ab:45:df, name: plain, values: {User_ID_1_: "1"}}
"""
OWN, PLAIN = "/Cisco/001234ab45de.cfg", "/Cisco/001234ab45df.cfg"
PROFILE = "<User_ID_1_>1141</User_ID_1_>\n<Display_Name_1_>A &amp; B</Display_Name_1_>\n"


def plan_of(listener: Listener, crm: int, hr: int, *, workers: int = 1, timeout: int = 5) -> Plan:
    plan = derive(parse(SITE, "site.yaml").inventory)
    sources = {
        name: Source(name, JsonUrl(f"http://127.0.0.1:{port}/{{mac}}"), timeout=timeout)
        for name, port in (("crm", crm), ("hr", hr))
    }
    provision = replace(
        plan.provision, listeners=(listener,), sources=sources, workers=workers, secure_url="", syslog=()
    )
    return replace(plan, provision=provision)


def fetch(listener: Listener, path: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(listener.address, listener.port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After", ""), answer.read().decode()
    finally:
        connection.close()


def told(events: Events, path: str) -> list[tuple[int, str, str]]:
    asked = [each for _, each in events if isinstance(each, Asked)]
    return [(each.status, each.why, each.reason) for each in asked if each.path == path]


@pytest.fixture
def web() -> Listener:
    return Listener("http", "127.0.0.1", free_port())


@pytest.fixture
def tftp() -> Listener:
    return Listener("tftp", "127.0.0.1", free_port(socket.SOCK_DGRAM))


CRM, HR = said(b'{"extension": "1141"}'), said(b'{"name": "A & B"}')


@pytest.mark.parametrize("workers", [1, 3])
def test_phone_gets_a_profile_of_all_its_sources(tmp_path: Path, web: Listener, workers: int) -> None:
    context, events = role_context(tmp_path)

    def exchange() -> None:
        status, _, body = fetch(web, OWN)
        assert (status, body.partition("<User")[2]) == (
            200,
            PROFILE.partition("<User")[2] + "</flat-profile>\n",
        )

    with answering(CRM) as crm, answering(HR) as hr:
        with_service(HttpService(context), plan_of(web, crm.port, hr.port, workers=workers), exchange)
        assert (len(crm.asked), len(hr.asked)) == (1, 1)
    assert told(events, OWN) == [(200, "", "")]


@pytest.mark.parametrize(
    "answer",
    [
        (said(b"", "500 Oops"), "source-failed", "source hr: it answers with status 500"),
        (said(b"<html>"), "source-answer", "source hr: what it says is not JSON"),
        (said(b"{}"), "source-answer", "template of Display_Name_1_, line 1: source hr gave no `name`, but nothing"),
        (said(b'{"name": null}'), "source-answer", "template of Display_Name_1_, line 1: source hr gave no `name`"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("workers", [1, 2])
def test_phone_is_told_to_come_again_rather_than_given_a_hole(
    tmp_path: Path, web: Listener, answer: tuple[bytes, str, str], workers: int
) -> None:
    octets, why, reason = answer
    context, events = role_context(tmp_path)

    def exchange() -> None:
        assert fetch(web, OWN) == (503, "30", "")

    with answering(CRM) as crm, answering(octets) as hr:
        with_service(HttpService(context), plan_of(web, crm.port, hr.port, workers=workers), exchange)
    ((status, cause, said_),) = told(events, OWN)
    assert (status, cause) == (503, why)
    assert said_.startswith(reason)


@pytest.mark.parametrize("workers", [1, 2])
def test_others_are_served_while_a_source_hangs(tmp_path: Path, web: Listener, workers: int) -> None:
    context, events = role_context(tmp_path)

    def exchange() -> None:
        slow = http.client.HTTPConnection(web.address, web.port, timeout=20)
        slow.request("GET", OWN)
        assert fetch(web, PLAIN)[0] == 200
        assert told(events, OWN) == []
        assert slow.getresponse().status == 503
        slow.close()

    with answering(None) as crm, answering(HR) as hr:
        plan = plan_of(web, crm.port, hr.port, workers=workers, timeout=3)
        with_service(HttpService(context), plan, exchange)
    assert told(events, OWN) == [(503, "source-failed", "source crm: it did not answer within 3 s")]


def test_stranger_without_the_password_sets_no_source_to_work(tmp_path: Path, web: Listener) -> None:
    context, _ = role_context(tmp_path)
    (tmp_path / "secrets").write_text("site Sekret\n")
    (tmp_path / "secrets").chmod(0o600)

    def exchange() -> None:
        assert fetch(web, OWN)[0] == 401

    with answering(CRM) as crm, answering(HR) as hr:
        plan = plan_of(web, crm.port, hr.port)
        devices = {
            mac: replace(each, policy=replace(each.policy, auth="digest", auth_everywhere=True))
            for mac, each in plan.provision.devices.items()
        }
        plan = replace(plan, provision=replace(plan.provision, devices=devices))
        with_service(HttpService(context), plan, exchange)
        assert crm.asked == []


def test_phone_gets_its_profile_by_tftp(tmp_path: Path, tftp: Listener) -> None:
    context, events = role_context(tmp_path)

    def exchange() -> None:
        assert PROFILE in download(tftp, OWN).content().decode()

    with answering(CRM) as crm, answering(HR) as hr:
        with_service(TftpService(context), plan_of(tftp, crm.port, hr.port), exchange)
        assert (len(crm.asked), len(hr.asked)) == (1, 1)
    assert told(events, OWN) == [(200, "", "")]


def test_tftp_says_an_error_where_a_source_hangs_and_serves_others_meanwhile(
    tmp_path: Path, tftp: Listener
) -> None:
    context, events = role_context(tmp_path)

    def exchange() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(20)
            sock.connect((tftp.address, tftp.port))
            for _ in range(3):  # a client that asks again while it waits is one client
                sock.send(b"\x00\x01" + OWN.encode() + b"\x00octet\x00")
            assert b"<User_ID_1_>1<" in download(tftp, PLAIN).content()
            assert told(events, OWN) == []
            answer = sock.recv(600)
            assert answer[:4] == bytes((0, 5, 0, ErrorCode.NOT_DEFINED))
            assert b"crm" not in answer

    with answering(None) as crm, answering(HR) as hr:
        with_service(TftpService(context), plan_of(tftp, crm.port, hr.port, timeout=2), exchange)
        assert len(crm.asked) == 1
    assert told(events, OWN) == [(503, "source-failed", "source crm: it did not answer within 2 s")]
