"""Operations over a real socket: what they say comes as it is said, who asks is known, and a client that goes away ends them."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.runtime.control import place
from netprov.runtime.control.client import ask, peers
from netprov.runtime.control.server import ControlServer
from netprov.runtime.operation import Asker, Fields, Operation, argument
from tests.runtime.control.test_server import Process


def with_operations(
    state: Path, test: Callable[[], Awaitable[None]], operations: Mapping[str, Operation]
) -> None:
    async def body() -> None:
        server = ControlServer(state, ["dns"], Process(), operations)
        await server.start()
        try:
            await test()
        finally:
            await server.stop()

    asyncio.run(asyncio.wait_for(body(), 30))


async def count(_: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
    for number in range(argument(arguments, "to", int)):
        yield {"number": number}


def test_everything_that_an_operation_says_comes_in_order(tmp_path: Path) -> None:
    async def test() -> None:
        said = await asyncio.to_thread(lambda: list(ask(tmp_path, "dns.count", {"to": 3})))
        assert said == [{"number": 0}, {"number": 1}, {"number": 2}]

    with_operations(tmp_path, test, {"dns.count": count})


def test_connection_can_be_asked_again_after_an_operation_and_after_a_refusal(tmp_path: Path) -> None:
    async def test() -> None:
        def ask_all() -> list[list[Fields]]:
            with peers(tmp_path) as (peer,):
                said = []
                for _ in range(50):
                    with pytest.raises(ServiceError, match="argument to is missing"):
                        list(peer.call("dns.count"))
                    said.append(list(peer.call("dns.count", {"to": 2})))
                    peer.send("status")
                    assert not peer.receive().error
                return said

        assert await asyncio.to_thread(ask_all) == [[{"number": 0}, {"number": 1}]] * 50

    with_operations(tmp_path, test, {"dns.count": count})


def test_who_asks_is_what_the_kernel_says(tmp_path: Path) -> None:
    async def whoami(asker: Asker, _: Fields) -> AsyncGenerator[Fields, None]:
        yield {"user": asker.user, "process": asker.process}

    async def test() -> None:
        (said,) = await asyncio.to_thread(lambda: list(ask(tmp_path, "dns.who", {"user": "mallory"})))
        assert said == {"user": getpass.getuser(), "process": os.getpid()}

    with_operations(tmp_path, test, {"dns.who": whoami})


@pytest.mark.parametrize("farewell", [b"", b"x"], ids=["hangs up", "says something"])
def test_client_that_goes_away_ends_an_operation_that_waits(tmp_path: Path, farewell: bytes) -> None:
    ended = asyncio.Event()

    async def forever(_: Asker, __: Fields) -> AsyncGenerator[Fields, None]:
        try:
            yield {"begun": True}
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def test() -> None:
        with peers(tmp_path) as (peer,):
            calls = peer.call("dns.forever")
            assert await asyncio.to_thread(next, calls) == {"begun": True}
            if farewell:
                peer._sock.sendall(farewell)
                await ended.wait()
        await ended.wait()

    with_operations(tmp_path, test, {"dns.forever": forever})


def test_operation_that_nobody_answers_is_refused_in_words(tmp_path: Path) -> None:
    async def test() -> None:
        def call(operation: str) -> None:
            list(ask(tmp_path, operation))

        with pytest.raises(ServiceError, match=r"no operation dns\.dance"):
            await asyncio.to_thread(call, "dns.dance")
        with pytest.raises(ServiceError, match="nothing that plays acs runs"):
            await asyncio.to_thread(call, "acs.list")

    with_operations(tmp_path, test, {})


def test_service_of_another_version_is_told_as_that_and_not_as_silence(tmp_path: Path) -> None:
    """Old and new meet while a package is upgraded."""

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"version": 1, "process": 7, "error": ""}\n')
        writer.close()

    async def body() -> None:
        server = await asyncio.start_unix_server(old, sock=place.bind(tmp_path, ["dns"]))
        async with server:
            with pytest.raises(
                ServiceError,
                match="dns: speaks version 1 of the control protocol; this is 3: restart what is older",
            ):
                await asyncio.to_thread(lambda: list(ask(tmp_path, "dns.count")))

    asyncio.run(asyncio.wait_for(body(), 30))
