"""The service: serials across restarts, reloads without loss, ports that are taken."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import dns.message
import pytest

from netprov.dhcp.lease import Bound, Lease, LeaseState
from netprov.dns.zone.zone import Zone
from netprov.errors import ServiceError
from netprov.inventory.model import Inventory, ZoneFile
from netprov.machine import Event
from netprov.plan import Plan, derive
from netprov.runtime.dns.service import DnsService
from netprov.runtime.role import Notice, RoleContext, reload
from netprov.state.clock import LeaseClock
from netprov.state.lease import open_store
from netprov.state.place import make_room
from netprov.state.serial import FILE, Serials, next_serial
from tests.dns.zones import STAGING, zone
from tests.port import free_port


def plan(port: int, address: str = "10.20.0.11", **dns_fields: object) -> Plan:
    return derive(
        Inventory.model_validate(
            {
                "domain": "example.com",
                "networks": {"voice": {"interface": "lo", "subnet": "127.0.0.0/24"}},
                "hosts": {"pr1": address},
                "dns": {"port": port, **dns_fields},
            }
        )
    )


def run(folder: Path, test: Callable[[DnsService, list[Event]], Awaitable[None]]) -> None:
    async def body() -> None:
        events: list[Event] = []
        service = DnsService(RoleContext(folder, lambda _, event: events.append(event)))
        try:
            await test(service, events)
        finally:
            await service.stop()

    asyncio.run(asyncio.wait_for(body(), 30))


async def ask(client: socket.socket, name: str, type_: str = "A") -> str:
    client.send(dns.message.make_query(name, type_).to_wire())
    reply = dns.message.from_wire(await asyncio.get_running_loop().sock_recv(client, 4096))
    return reply.answer[0][0].to_text() if reply.answer else dns.rcode.to_text(reply.rcode())


def test_reload_swaps_zones_and_loses_no_query(tmp_path: Path) -> None:
    port = free_port()

    async def test(service: DnsService, events: list[Event]) -> None:
        await service.start(plan(port))
        assert [f"udp+tcp 127.0.0.1:{port}"] == list(service.listening())
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as client:
            client.connect(("127.0.0.1", port))
            seen: list[str] = []

            async def keep_asking() -> None:
                while len(seen) < 3000 and (not seen or seen[-1] != "10.20.0.19"):
                    seen.append(await ask(client, "pr1.example.com"))

            asking = asyncio.create_task(keep_asking())
            for last in range(12, 20):
                await asyncio.sleep(0)
                await reload(service, plan(port, f"10.20.0.{last}"))
            await asking
            assert seen[-1] == "10.20.0.19"
            assert sorted(seen) == seen
            assert await ask(client, "pr1.example.com") == "10.20.0.19"
            assert (await ask(client, "example.com", "SOA")).split()[2] == "9"
        assert events == []

    run(tmp_path, test)


def test_zones_of_a_failed_reload_are_not_served(tmp_path: Path) -> None:
    port = free_port()

    async def test(service: DnsService, events: list[Event]) -> None:
        await service.start(plan(port))
        with pytest.raises(ServiceError, match="no address of the plan is on this machine"):
            await reload(service, plan(port, "10.20.0.99", listen=["192.0.2.1"]))
        assert events == []
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as client:
            client.connect(("127.0.0.1", port))
            assert await ask(client, "pr1.example.com") == "10.20.0.11"

    run(tmp_path, test)


def test_answer_leaves_from_the_address_that_was_asked_rfc_2181_4_1(tmp_path: Path) -> None:
    port = free_port()
    hosts = ["127.0.0.1", "127.0.0.3", "127.0.0.2"]

    async def test(service: DnsService, events: list[Event]) -> None:
        await service.start(plan(port, listen=hosts))
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as client:
            for host in hosts:
                client.sendto(dns.message.make_query("pr1.example.com", "A").to_wire(), (host, port))
                _, source = await asyncio.get_running_loop().sock_recvfrom(client, 4096)
                assert source == (host, port)
        assert events == []

    run(tmp_path, test)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_port_that_is_taken_is_an_error_with_a_remedy(kind: socket.SocketKind, tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_INET, kind)) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]

        async def test(service: DnsService, events: list[Event]) -> None:
            with pytest.raises(ServiceError, match=f"127.0.0.1:{port} is taken by another program") as caught:
                await service.start(plan(port))
            assert f"sport = :{port}" in caught.value.remedy
            assert list(service.listening()) == []

        run(tmp_path, test)


def test_serial_stays_with_the_content_and_rises_with_changes_across_restarts(tmp_path: Path) -> None:
    first, second = zone(STAGING), zone(STAGING + "new A 192.0.2.1\n")
    assert served(tmp_path, first) == 7
    assert served(tmp_path, first) == 7
    assert served(tmp_path, second) == 8
    assert served(tmp_path, first) == 9
    higher = dataclasses.replace(first).with_serial(40)
    assert served(tmp_path, higher) == 40


def served(folder: Path, zone: Zone) -> int:
    serials = Serials(folder)
    (numbered,) = serials.stage([zone])
    serials.publish()
    return numbered.serial


def test_serial_of_a_zone_that_is_not_served_after_all_is_given_again(tmp_path: Path) -> None:
    first, second, third = (
        zone(f"{STAGING}{more}") for more in ("", "new A 192.0.2.1\n", "new A 192.0.2.2\n")
    )
    serials = Serials(tmp_path)
    serials.stage([first])
    serials.publish()
    before = contents(tmp_path)
    assert [each.serial for each in serials.stage([second])] == [8]
    serials.discard()
    assert contents(tmp_path) == before
    assert [each.serial for each in serials.stage([third])] == [8]
    serials.publish()
    assert served(tmp_path, third) == 8


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_name_of_a_lease_that_came_while_a_reload_was_given_up_is_published(tmp_path: Path) -> None:
    """The look that belonged to the reload had been the only one."""
    port = free_port()
    site = plan(port, "127.0.0.1")

    async def test(service: DnsService, events: list[Event]) -> None:
        store, clock = open_store(tmp_path), LeaseClock(None)
        await service.start(site)
        who = bytes.fromhex("001234ab45de")
        lease = Lease(
            0x7F000064, "voice", b"\1" + who, who, LeaseState.BOUND, 0.0, clock.now() + 1000, "desk"
        )
        store.commit([Bound(lease)], clock.anchor())
        store.close()
        await (await service.prepare(site)).abort()
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
            client.setblocking(False)
            client.connect(("127.0.0.1", port))
            answer = "NXDOMAIN"
            while answer == "NXDOMAIN":
                answer = await ask(client, "desk.example.com")
        assert answer == "127.0.0.100"

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("declared", "last", "changed", "expected"),
    [(1, 5, False, 5), (1, 5, True, 6), (9, 5, False, 9), (1, 0xFFFFFFFF, True, 1), (0x90000000, 5, True, 6)],
)
def test_serials_compare_as_rfc_1982_says(declared: int, last: int, changed: bool, expected: int) -> None:
    assert next_serial(declared, (last, "old"), "new" if changed else "old") == expected


def test_damaged_serial_file_says_what_to_do(tmp_path: Path) -> None:
    make_room(tmp_path / FILE).write_text("[")
    with pytest.raises(ServiceError, match="remove the file"):
        Serials(tmp_path)


def test_zone_that_breaks_is_served_in_its_last_good_version_and_said_loudly(tmp_path: Path) -> None:
    port = free_port()
    good = "$TTL 300\n@ SOA ns host 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.1\n"

    def with_file(text: str) -> Plan:
        inventory = plan(port).site.inventory.model_copy(
            update={"zones": (ZoneFile(origin="more.test", file="more.zone"),)}
        )
        return derive(inventory.with_texts("", {"more.zone": text}))

    async def test(service: DnsService, events: list[Event]) -> None:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as client:
            client.connect(("127.0.0.1", port))
            await service.start(with_file("broken"))
            assert await ask(client, "ns.more.test") == "SERVFAIL"
            assert await ask(client, "pr1.example.com") == "10.20.0.11"
            await reload(service, with_file(good))
            assert await ask(client, "ns.more.test") == "192.0.2.1"
            await reload(service, with_file("broken again"))
            assert await ask(client, "ns.more.test") == "192.0.2.1"
        told = [event for event in events if isinstance(event, Notice)]
        assert [event.severity for event in told] == ["error", "error"]
        assert (
            "zone more.test. cannot be loaded, what is in it gets SERVFAIL: more.zone:1:1: " in told[0].text
        )
        assert "its last good version stays" in told[1].text

    run(tmp_path, test)
