"""Octets from strangers: a phone makes a result of them, and a reader of captures makes steps; nothing else happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.lab.capture import sightings
from netprov.lab.handshake import failure, is_tls13, read_side, server_name
from netprov.lab.packet import Packet
from netprov.lab.stream import exchanges
from netprov.phone.action import Failed, Fetch, Lease, Response, Trouble
from netprov.phone.auth import authorization
from netprov.phone.explain import explain
from netprov.phone.handset import Habits, Handset
from netprov.phone.http import ResponseReader, encode_request
from netprov.phone.source import Source, read_options
from netprov.phone.url import parse_url
from tests.phone.world import PHONE, World, no_chance, travel

OCTETS = st.binary(max_size=300)


@given(st.dictionaries(st.sampled_from([15, 43, 60, 66, 125, 150, 159, 160]), OCTETS))
def test_fuzz_options_are_used_or_say_why_not(options: dict[int, bytes]) -> None:
    for source in read_options(options):
        assert isinstance(source, Source) or source.reason
    lease = Lease("10.20.0.5", "10.20.0.1", options)
    assert isinstance(lease.domain, str)
    outcome, steps, _ = travel(World(options), habits=Habits(fall_through=True))
    assert not outcome.provisioned
    assert explain(steps).cause


@given(
    st.integers(0, 999),
    OCTETS,
    st.lists(
        st.tuples(
            st.sampled_from(["Location", "WWW-Authenticate", "Content-Encoding"]), st.text(max_size=40)
        ),
        max_size=3,
    ),
)
def test_fuzz_answers_of_servers_never_raise(
    status: int, body: bytes, headers: list[tuple[str, str]]
) -> None:
    def world(action: object) -> Lease | Response | Failed:
        if isinstance(action, Fetch):
            return Response(status, body, tuple(headers))
        return (
            Lease("10.20.0.5", "10.20.0.1", {160: b"http://10.20.0.1/x"})
            if "AskDhcp" in repr(action)
            else Failed(Trouble.NXDOMAIN)
        )

    from netprov.phone.boot import boot
    from netprov.phone.walk import walk

    handset = Handset(PHONE, no_chance)
    outcome, steps = walk(handset, boot(handset), world)
    assert explain(steps).provisioned == outcome.provisioned


@given(st.lists(OCTETS, max_size=4))
def test_fuzz_responses_are_read_or_refused(pieces: list[bytes]) -> None:
    reader = ResponseReader("GET")
    try:
        for piece in [*pieces, b""]:
            reader.feed(piece)
            if reader.response:
                break
    except (Malformed, ConnectionResetError):
        return
    assert reader.response is not None


HEADS = (
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello", True),
    (b"HTTP/1.0 200 OK\r\n\r\nhello", 200, b"hello", False),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
        200,
        b"hello",
        True,
    ),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        404,
        b"",
        False,
    ),
)


@pytest.mark.parametrize(("data", "status", "body", "keeps"), HEADS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_responses_are_read_whole_or_in_pieces(
    data: bytes, status: int, body: bytes, keeps: bool, size: int
) -> None:
    reader = ResponseReader("GET")
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    if reader.response is None:
        reader.feed(b"")
    assert reader.response is not None
    assert (reader.response.status, reader.response.body, reader.keeps) == (status, body, keeps)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"x" * 70_000,
    ],
)
def test_what_is_no_response_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        ResponseReader("GET").feed(data)


@pytest.mark.parametrize("data", [b"", b"HTT", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"])
def test_an_early_end_is_a_reset(data: bytes) -> None:
    reader = ResponseReader("GET")
    with pytest.raises(ConnectionResetError):
        reader.feed(data)
        reader.feed(b"")


def test_requests_name_the_host_and_their_length() -> None:
    request = encode_request("PUT", parse_url("http://pr1:8080/x"), {"A": "b"}, b"hi")
    assert request == b"PUT /x HTTP/1.1\r\nHost: pr1:8080\r\nA: b\r\nContent-Length: 2\r\n\r\nhi"


@given(OCTETS, OCTETS)
def test_fuzz_both_sides_of_tls_are_read(client: bytes, server: bytes) -> None:
    for asked, answered in ((client, server), (b"\x16\x03\x01" + client, b"\x16\x03\x03" + server)):
        sides = read_side(asked), read_side(answered)
        failure(*sides, wanted="example.com", now=0.0)
        for side in sides:
            server_name(side.hello)
            is_tls13(side.hello)


@given(OCTETS, OCTETS, st.booleans())
def test_fuzz_http_of_a_capture_is_read(asked: bytes, answered: bytes, closed: bool) -> None:
    exchanges(asked, answered, closed=closed)
    head = b"GET /x HTTP/1.1\r\nHost: pr1\r\n\r\n"
    assert exchanges(
        head + asked, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" + answered, closed=closed
    )


@given(st.text(max_size=120))
def test_fuzz_challenges_are_answered_or_not(challenge: str) -> None:
    for text in (challenge, f"Digest {challenge}", f"Basic {challenge}"):
        answer = authorization(text, user="u", password="p", method="GET", path="/", draw=no_chance)
        assert isinstance(answer, str)


PACKETS = st.builds(
    Packet,
    number=st.integers(1, 50),
    time=st.floats(0, 100),
    kind=st.sampled_from(["udp", "tcp", "icmp", "arp"]),
    mac=st.just("00:12:34:ab:45:de"),
    source=st.sampled_from(["10.20.0.50", "10.20.0.1", "0.0.0.0"]),
    destination=st.sampled_from(["10.20.0.50", "10.20.0.1", "255.255.255.255"]),
    sport=st.sampled_from([67, 68, 53, 69, 80, 443, 40000]),
    dport=st.sampled_from([67, 68, 53, 69, 80, 443, 40000]),
    payload=st.one_of(
        OCTETS,
        OCTETS.map(
            lambda data: b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x12_ciscoprov-https\x04_tls\0\0\x21\0\x01" + data
        ),
        OCTETS.map(lambda data: b"GET / HTTP/1.1\r\nUser-Agent: Cisco-CP\r\n\r\n" + data),
        OCTETS.map(lambda data: b"\0\x01x\0octet\0" + data),
        OCTETS.map(lambda data: b"\x16\x03\x01" + data),
    ),
    flags=st.sampled_from([0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 1, 3]),
    seq=st.integers(0, 0xFFFFFFFF),
)


@given(st.lists(PACKETS, max_size=20))
def test_fuzz_any_packets_make_stories(packets: list[Packet]) -> None:
    for sighting in sightings(packets):
        assert explain(sighting.steps)
