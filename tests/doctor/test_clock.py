from __future__ import annotations

import asyncio
import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.doctor.clock import ask, build_query, parse_reply
from netprov.errors import Malformed

COOKIE = 0x0123456789ABCDEF


def reply(
    seconds: int, *, first: int = 0x24, stratum: int = 2, cookie: int = COOKIE, fraction: int = 0
) -> bytes:
    head = struct.pack(">BBbb5I", first, stratum, 0, 0, 0, 0, 0, 0, 0)
    return head + cookie.to_bytes(8, "big") + struct.pack(">4I", 0, 0, seconds & 0xFFFFFFFF, fraction)


def test_a_query_is_a_clients_and_carries_the_cookie() -> None:
    query = build_query(COOKIE)
    assert (len(query), query[0], query[40:48]) == (48, 0x23, COOKIE.to_bytes(8, "big"))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (2_208_988_800, 0.0),
        (0xFFFFFFFF, 2_085_978_495.0),  # 2036-02-07 06:28:15, the last of the first era
        (1, 2_085_978_497.0),  # RFC 4330 section 3: the second era
    ],
)
def test_time_is_read_in_both_eras(seconds: int, expected: float) -> None:
    assert parse_reply(reply(seconds), COOKIE) == (expected, True)


def test_a_fraction_is_read() -> None:
    assert parse_reply(reply(2_208_988_800, fraction=1 << 31), COOKIE) == (0.5, True)


@pytest.mark.parametrize(("first", "stratum"), [(0xE4, 2), (0x24, 0), (0x24, 16)])
def test_a_server_that_does_not_know_the_time_says_so(first: int, stratum: int) -> None:
    assert parse_reply(reply(2_208_988_800, first=first, stratum=stratum), COOKIE) == (0.0, False)


@pytest.mark.parametrize(
    "data", [b"", reply(1)[:47], reply(1, first=0x23), reply(1, cookie=1), reply(0)], ids=str
)
def test_what_is_no_answer_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_reply(data, COOKIE)


@pytest.mark.fuzz
@given(st.binary(max_size=80))
def test_fuzz_arbitrary_octets_are_an_answer_or_malformed(data: bytes) -> None:
    try:
        time, _ = parse_reply(data, COOKIE)
    except Malformed:
        return
    assert -2_208_988_800 < time < 2**33


def test_strangers_answers_are_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            query, source = server.recvfrom(512)
            server.sendto(b"noise", source)
            server.sendto(reply(2_208_988_800, cookie=1), source)
            server.sendto(reply(2_208_988_860, cookie=int.from_bytes(query[40:48], "big")), source)

        thread = threading.Thread(target=serve)
        thread.start()
        told = asyncio.run(ask("127.0.0.1", port=server.getsockname()[1]))
        thread.join(10)
    assert told is not None
    assert (told.time, told.synchronised, told.server) == (60.0, True, "127.0.0.1")


def test_a_server_that_is_not_there_is_none() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert asyncio.run(ask("127.0.0.1", port=port)) is None
