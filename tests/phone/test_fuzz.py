"""Octets from strangers: a phone makes a result of them, and a reader of captures makes steps; nothing else happens."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dns.service import SERVICES
from netprov.errors import Malformed
from netprov.explain.capture.handshake import failure, is_tls13, read_side, server_name
from netprov.explain.capture.packet import Packet
from netprov.explain.capture.reading import read
from netprov.explain.capture.stream import exchanges
from netprov.explain.engine import explain
from netprov.phone.action import Failed, Fetch, Lease, Resolve, Response, Trouble, addresses
from netprov.phone.fetch.auth import authorization
from netprov.phone.fetch.exchange import MAX_CHALLENGES, MAX_REDIRECTS
from netprov.phone.fetch.http import ResponseReader, encode_request
from netprov.phone.handset.memory import Behaviour, Handset
from netprov.phone.rule.url import parse_url
from netprov.phone.source import Source, read_options
from tests.phone.world import PHONE, World, no_chance, travel

pytestmark = pytest.mark.fuzz

OCTETS = st.binary(max_size=300)
TLS_TROUBLES = {
    Trouble.NOT_TLS,
    Trouble.TLS,
    Trouble.EXPIRED,
    Trouble.NOT_YET,
    Trouble.WRONG_NAME,
    Trouble.UNTRUSTED,
}


VALUES = st.one_of(
    OCTETS,
    st.lists(
        st.sampled_from(
            [b"http://", b"tftp://", b"10.20.0.9", b"pr9.lab", b":99", b"/p", b"$MA", b";", b" ", b"\0"]
        ),
        max_size=6,
    ).map(b"".join),
)
"""Octets, and what looks like the value of a provisioning option."""


@given(st.dictionaries(st.sampled_from([15, 43, 60, 66, 125, 150, 159, 160]), VALUES))
def test_fuzz_a_phone_asks_only_hosts_that_the_options_name(options: dict[int, bytes]) -> None:
    for source in read_options(options):
        assert isinstance(source, Source) or source.reason
    outcome, steps, _ = travel(World(options), behaviour=Behaviour(fall_through=True))
    assert not outcome.provisioned
    assert explain(steps).cause
    domain = Lease("", "", options).domain
    said = b"\0".join(options.values()).decode("latin-1").replace("$MA", "001234ab45de").lower()
    said += " ".join(addresses(options.get(150, b"")))
    for step in steps:
        match step.action:
            case Resolve(name, "SRV"):
                assert name in {f"{label}.{domain}" for label in SERVICES.values()}
            case Resolve(name):
                assert name == domain or name.lower() in said
            case Fetch(url):
                assert url.host.lower() in said


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
    asked = [step.action.url for step in steps if isinstance(step.action, Fetch)]
    assert 3 <= len(asked) <= 3 * (1 + MAX_REDIRECTS) * (1 + MAX_CHALLENGES)
    ladder = ["/x", "/x/8851-3PCC.xml", "/x/Cisco/CP-8851-3PCC/001234ab45de.cfg"]
    assert [url.path for url in asked if url.path in ladder][:1] == ladder[:1]
    if not any(name == "Location" for name, _ in headers):
        assert list(dict.fromkeys(url.path for url in asked)) == ladder


def response_of(pieces: list[bytes]) -> tuple[int, bytes] | str:
    """Return status and body of what came, or the kind of error."""
    reader = ResponseReader("GET")
    try:
        for piece in [*filter(None, pieces), b""]:
            reader.feed(piece)
            if reader.response:
                return reader.response.status, reader.response.body
    except (Malformed, ConnectionResetError) as error:
        return type(error).__name__
    return "neither response nor error"


@given(
    st.sampled_from(
        [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            b"HTTP/1.1 404 x\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]
    ),
    st.lists(st.one_of(OCTETS, st.sampled_from([b"2\r\n", b"ab\r\n", b"0\r\n\r\n"])), max_size=4),
)
def test_fuzz_a_response_is_the_same_however_it_is_cut(head: bytes, pieces: list[bytes]) -> None:
    whole = response_of([head + b"".join(pieces)])
    assert whole != "neither response nor error"
    assert whole == response_of([head, *pieces])
    assert whole == response_of([bytes([octet]) for octet in head + b"".join(pieces)])


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
        failed = failure(*sides, wanted="example.com", now=0.0)
        assert failed is None or (failed.trouble in TLS_TROUBLES and failed.detail)
        for data, side in zip((asked, answered), sides, strict=True):
            assert side.hello in data
            assert sum(side.application) <= len(data)
            assert side.is_tls or not (side.hello or side.certificates or side.application)
            assert not is_tls13(side.hello) or b"\x03\x04" in data
            name = server_name(side.hello)
            assert "\ufffd" in name or name.encode() in side.hello


@given(OCTETS, OCTETS, st.booleans())
def test_fuzz_http_of_a_capture_is_read(asked: bytes, answered: bytes, closed: bool) -> None:
    for each in exchanges(asked, answered, closed=closed):
        assert each.method.encode("latin-1") in asked
        assert each.target.encode("latin-1") in asked
        assert each.body in asked
        assert each.answer in answered or b"chunked" in answered.lower()
    first, *others = exchanges(
        b"GET /x HTTP/1.1\r\nHost: pr1\r\n\r\n" + asked,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" + answered,
        closed=closed,
    )
    assert (first.method, first.target, first.headers) == ("GET", "/x", (("Host", "pr1"),))
    assert (first.status, first.answer, first.whole, first.offset) == (200, b"abc", True, 0)
    assert all(each.offset > 0 for each in others)


@given(st.text(max_size=120))
def test_fuzz_challenges_are_answered_by_their_own_scheme(challenge: str) -> None:
    for text in (challenge, f"Digest {challenge}", f"Basic {challenge}"):
        answer = authorization(text, user="u", password="secret", method="GET", path="/", draw=no_chance)
        scheme = text.strip().partition(" ")[0].lower()
        assert answer.partition(" ")[0].lower() in {"", scheme}
        assert "secret" not in answer
        assert bool(answer) or scheme != "basic"
        assert not answer or scheme in {"basic", "digest"}


@given(
    st.from_regex(r"[^\x00-\x1f\x7f\"\\\\]{0,20}", fullmatch=True),
    st.from_regex(r"[!-~]{1,20}", fullmatch=True),
)
def test_fuzz_digests_are_those_of_the_standard(realm: str, nonce: str) -> None:
    nonce = nonce.replace('"', "").replace("\\", "")
    answer = authorization(
        f'Digest realm="{realm}", nonce="{nonce}"',
        user="u",
        password="p",
        method="GET",
        path="/x",
        draw=no_chance,
    )
    first, second = (hashlib.md5(text.encode()).hexdigest() for text in (f"u:{realm}:p", "GET:/x"))
    assert f'realm="{realm}", nonce="{nonce}", uri="/x"' in answer
    assert f'response="{hashlib.md5(f"{first}:{nonce}:{second}".encode()).hexdigest()}"' in answer


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
    ack=st.integers(0, 0xFFFFFFFF),
    cut=st.booleans(),
    icmp_code=st.integers(0, 15),
    arp_operation=st.integers(1, 2),
    left=st.integers(0, 2000),
)


@given(st.lists(PACKETS, max_size=20))
def test_fuzz_stories_are_of_phones_and_packets_of_the_capture(packets: list[Packet]) -> None:
    found = read(packets).phones
    assert len({each.mac for each in found}) == len(found)
    times = [packet.time for packet in packets]
    numbers = {str(packet.number) for packet in packets}
    payloads = b"".join(packet.payload for packet in packets)
    for sighting in found:
        assert sighting.mac == "00:12:34:ab:45:de" or bytes.fromhex(sighting.mac.replace(":", "")) in payloads
        story = explain(sighting.steps)
        assert story.provisioned == (story.cause is None)
        told = re.sub(r"\d+\.\d+\.\d+\.\d+", "", story.evidence)  # addresses may stand in it
        assert set(re.findall(r"\d+", told)) <= numbers
        for step in sighting.steps:
            assert min(times) <= step.started <= max(times)
            assert step.seconds >= 0
