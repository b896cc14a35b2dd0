"""A change that one service cannot take leaves the state directory octet for octet as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.inventory.load import parse
from netprov.plan import Plan, derive
from netprov.runtime.cwmp.service import AcsService
from netprov.runtime.dns.service import DnsService
from netprov.runtime.handover import Place
from netprov.runtime.provision.service import HttpService
from netprov.runtime.role import Prepared, Service
from netprov.runtime.tftp.service import TftpService
from netprov.runtime.transaction import Refused, prepare
from netprov.state.catalog import DEFAULT_FILE
from netprov.state.serial import FILE as SERIALS
from tests.port import free_port
from tests.runtime.provisioning import role_context, running


class Unwilling:
    """A service that takes no change."""

    name = "unwilling"

    async def start(self, plan: Plan) -> None:
        pass

    def release(self, _: Plan | None) -> Sequence[Place]:
        return ()

    async def prepare(self, plan: Plan) -> Prepared:
        raise ServiceError("no", "another day")

    async def stop(self) -> None:
        pass

    def listening(self) -> tuple[str, ...]:
        return ()

    def waiting(self) -> tuple[str, ...]:
        return ()


SITE = """
domain: example.com
networks: {{voice: {{interface: lo, subnet: 127.0.0.0/24}}}}
certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256{intermediate}}}
hosts: {{pr1: 127.0.0.1{host}}}
srv: {{https: [{{target: pr1, port: {https}}}]}}
dns: {{port: {dns}}}
classes:
  cpe: {{match: {{vendor_class_contains: dslforum.org}}, method: acs, acs_url: "https://pr1.example.com:{acs}/"}}
"""


def sites() -> tuple[Plan, Plan]:
    """Return the plan that is served, and one whose zone has another serial and whose certificates are others."""
    ports = {name: free_port() for name in ("dns", "https", "acs")}
    texts = (
        SITE.format(**ports, host="", intermediate=""),
        SITE.format(**ports, host=", pr2: 127.0.0.2", intermediate=", intermediate: true"),
    )
    plain, wider = (derive(parse(text, "site.yaml").inventory) for text in texts)
    return plain, wider


PLANNED = ("pki", SERIALS.removesuffix(".json"), DEFAULT_FILE)
"""How the names begin of what follows from the plan; records and leases have other writers."""
SERVICES = [DnsService, HttpService, TftpService, AcsService]


def planned(folder: Path) -> dict[str, bytes]:
    """Return the files that a change of the plan may touch."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name.lstrip(".").startswith(PLANNED)}


def test_nothing_on_disk_has_changed_when_another_service_could_not_take_it(tmp_path: Path) -> None:
    plain, wider = sites()

    async def work(services: list[Service]) -> None:
        (tmp_path / DEFAULT_FILE).unlink()  # so that secrets have to be made, too
        before = planned(tmp_path)
        with pytest.raises(Refused):
            await prepare([*services, Unwilling()], wider)
        assert planned(tmp_path) == before
        await (await prepare(services, wider)).abort()
        assert planned(tmp_path) == before

    run(tmp_path, plain, work)


def test_what_was_staged_is_in_place_once_all_have_taken_it(tmp_path: Path) -> None:
    plain, wider = sites()

    async def work(services: list[Service]) -> None:
        (tmp_path / DEFAULT_FILE).unlink()
        before = planned(tmp_path)
        await (await prepare(services, wider)).commit()
        after = planned(tmp_path)
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed > {SERIALS, DEFAULT_FILE, "pki/intermediate.pem"}
        assert not [name for name in after if name.startswith(".") or "/.staged" in name]
        await (await prepare(services, wider)).commit()
        assert planned(tmp_path) == after

    run(tmp_path, plain, work)


def run(folder: Path, plan: Plan, work: Callable[[list[Service]], Awaitable[None]]) -> None:
    async def body() -> None:
        services: list[Service] = [kind(role_context(folder)[0]) for kind in SERVICES]
        async with AsyncExitStack() as stack:
            for service in services:
                await stack.enter_async_context(running(service, plan))
            await work(services)

    asyncio.run(asyncio.wait_for(body(), 60))
