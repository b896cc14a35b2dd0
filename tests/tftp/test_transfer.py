"""Sender and download joined in memory over a bad link; the rules of RFC 1350, 2347-2349 and 7440 one by one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.machine import Datagram, Endpoint
from netprov.tftp.download import Download
from netprov.tftp.packet import Ack, Data, Error, ErrorCode, Opcode, OptionAck, TftpRequest, decode, encode
from netprov.tftp.sender import Sender
from netprov.tftp.transfer import Failed, Finished, Memory, Terms, TransferLimits, negotiate
from tests.tftp.link import CLIENT, SERVER, TID, Link

STRANGER = Endpoint("10.20.0.66", 6666)
PATTERN = bytes(range(251))
HEARD = 20
"""Octets of a request."""


def octets(length: int) -> bytes:
    return (PATTERN * (length // len(PATTERN) + 1))[:length]


def sender(
    content: bytes = b"x" * 1000, options: dict[str, str] | None = None, limits: TransferLimits | None = None
) -> Sender:
    request = TftpRequest(Opcode.RRQ, "f", "octet", options or {})
    return Sender(
        request, Memory(content), peer=CLIENT, now=0.0, limits=limits or TransferLimits(), heard=HEARD
    )


@pytest.mark.parametrize("length", [0, 1, 511, 512, 513, 1024, 5000])
@pytest.mark.parametrize(
    "options", [{}, {"blksize": "8"}, {"blksize": "1428", "windowsize": "4", "tsize": "0"}]
)
def test_file_arrives_whole(length: int, options: dict[str, str]) -> None:
    download, server = Link().fetch(octets(length), options)
    assert download.content() == octets(length)
    assert isinstance(download.outcome, Finished)
    assert isinstance(server.outcome, Finished)
    assert (server.outcome.octets, server.outcome.retransmissions) == (length, 0)


@pytest.mark.parametrize("rooms", [(1,), (13,), (12, 5), (16, 12, 11)])
def test_window_larger_than_the_clients_buffer_goes_on_from_what_arrived(rooms: tuple[int, ...]) -> None:
    """RFC 7440 section 4: after a timeout the receiver acknowledges the last block that came in order."""
    download, server = Link(rooms=rooms).fetch(octets(50 * 64), {"blksize": "64", "windowsize": "16"})
    assert isinstance(download.outcome, Finished)
    assert download.content() == octets(50 * 64)
    assert isinstance(server.outcome, Finished)


@given(
    length=st.integers(0, 6000),
    loss=st.floats(0, 0.3),
    repeat=st.floats(0, 0.3),
    jitter=st.floats(0, 0.01),
    seed=st.integers(0, 2**32),
    window=st.integers(1, 9),
)
def test_file_arrives_whole_over_a_bad_link_or_not_at_all(
    *, length: int, loss: float, repeat: float, jitter: float, seed: int, window: int
) -> None:
    link = Link(loss, repeat, jitter, seed)
    download, _ = link.fetch(octets(length), {"blksize": "64", "windowsize": str(window)})
    assert download.outcome is not None
    if isinstance(download.outcome, Finished):
        assert download.content() == octets(length)


def test_block_numbers_start_again_at_zero() -> None:
    content = octets(65536 * 8 + 20)
    download, _ = Link().fetch(content, {"blksize": "8", "windowsize": "64"})
    assert download.content() == content


def test_block_numbers_start_again_at_zero_over_a_lossy_link() -> None:
    content = octets(65536 * 8 + 20)
    download, _ = Link(loss=0.02, seed=7).fetch(content, {"blksize": "8", "windowsize": "16"})
    assert download.content() == content


def test_repeated_datagrams_do_not_multiply() -> None:
    """The Sorcerer's Apprentice (RFC 1123 section 4.2.3.1): every datagram twice, yet each block is sent once."""
    link = Link(repeat=1.0)
    link.fetch(octets(5120), {"blksize": "512"})
    blocks = [decode(data) for to, data in link.carried if to == "client"]
    numbers = [packet.block for packet in blocks if isinstance(packet, Data)]
    assert numbers == list(range(1, 12))


def test_no_answer_ends_the_transfer() -> None:
    server = sender(limits=TransferLimits(silence=7.0))
    server.begin(0.0)
    server.advance(encode(Ack(1)), 0.0)
    sent_at = []
    while (due := server.timer()) is not None:
        server.handle_timer(due)
        sent_at += [due for _ in server.datagrams_to_send()]
    assert sent_at == [1.0, 3.0]
    assert server.events() == (Failed("f", "10.20.0.50", "no answer after 3 tries at block 1"),)


def test_peer_that_is_away_for_seconds_on_a_fast_lan_is_waited_for() -> None:
    """A phone that writes a block to its flash: round trips of a millisecond must not shorten the patience."""
    server = sender(octets(20 * 512))
    server.begin(0.0)
    now = 0.0
    for block in range(1, 11):
        now += 0.001
        server.advance(encode(Ack(block)), now)
    back, sent = now + 10.0, 0
    while (due := server.timer()) is not None and due < back:
        server.handle_timer(due)
        sent += len(server.datagrams_to_send())
    assert not server.finished
    assert sent < 16
    assert [packet[3] for packet in server.advance(encode(Ack(11)), back)] == [12]


def test_waits_double_up_to_the_negotiated_timeout() -> None:
    server = sender(options={"timeout": "3"}, limits=TransferLimits(silence=15.0, unproven=15.0))
    server.begin(0.0)
    times = [0.0]
    while (due := server.timer()) is not None:
        times.append(due)
        server.handle_timer(due)
    assert [late - early for early, late in pairwise(times)] == [1.0, 2.0, 3.0, 3.0, 3.0, 3.0]


def test_stranger_gets_error_5_and_disturbs_nobody() -> None:
    server = sender()
    server.begin(0.0)
    server.receive(encode(Ack(1)), STRANGER, 0.1)
    assert server.datagrams_to_send() == [
        Datagram(encode(Error(ErrorCode.UNKNOWN_TRANSFER_ID, "unknown transfer ID")), STRANGER)
    ]
    assert not server.finished
    assert [packet[3] for packet in server.advance(encode(Ack(1)), 0.1)] == [2]


def test_acknowledgement_of_a_block_not_sent_is_ignored() -> None:
    server = sender()
    server.begin(0.0)
    assert server.advance(encode(Ack(2)), 0.1) == ()
    assert server.advance(encode(Ack(65535)), 0.1) == ()
    assert not server.finished


def test_garbage_during_a_transfer_is_ignored() -> None:
    server = sender()
    server.begin(0.0)
    for garbage in (
        b"",
        b"\0\4",
        b"\0\4\0",
        b"\xff" * 40,
        encode(Data(1, b"")),
        encode(TftpRequest(Opcode.RRQ, "f")),
    ):
        assert server.advance(garbage, 0.1) == ()
    assert not server.finished


def test_error_of_the_client_ends_the_transfer_without_an_answer() -> None:
    server = sender()
    server.begin(0.0)
    assert server.advance(encode(Error(8, "too big")), 0.1) == ()
    assert server.outcome == Failed("f", "10.20.0.50", "too big", 8)
    assert server.timer() is None
    assert server.advance(encode(Ack(1)), 0.2) == ()


def test_lost_option_acknowledgement_is_sent_again() -> None:
    server = sender(options={"tsize": "0"})
    first = server.begin(0.0)
    server.handle_timer(1.0)
    assert [Datagram(first[0], CLIENT)] == server.datagrams_to_send()
    assert decode(server.advance(encode(Ack(0)), 1.1)[0]) == Data(1, b"x" * 512)


class Broken:
    size = 1000

    def read(self, offset: int, length: int) -> bytes:
        raise OSError(5, "Input/output error")


class Reads:
    """A source that keeps what was read of it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.offsets: list[int] = []

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        self.offsets.append(offset)
        return self.content[offset : offset + length]


@pytest.mark.parametrize("window", ["1", "4"])
def test_packets_made_ahead_are_those_that_are_due_and_are_read_once(window: str) -> None:
    content = bytes(range(256)) * 5
    reads = Reads(content)
    request = TftpRequest(Opcode.RRQ, "f", "octet", {"windowsize": window})
    sender = Sender(request, reads, peer=CLIENT, now=0.0, limits=TransferLimits(), heard=30)
    sender.begin(0.0)
    came, acked = b"", 0
    while sender.outcome is None:
        packets = sender.advance(b"\0\4" + acked.to_bytes(2, "big"), 0.001)
        sender.look_ahead()
        sender.look_ahead()
        came += b"".join(packet[4:] for packet in packets)
        acked += len(packets)
    assert came == content
    assert reads.offsets == [0, 512, 1024]


def test_unreadable_file_ends_the_transfer_with_an_error() -> None:
    request = TftpRequest(Opcode.RRQ, "f")
    server = Sender(request, Broken(), peer=CLIENT, now=0.0, limits=TransferLimits(), heard=HEARD)
    assert [decode(packet) for packet in server.begin(0.0)] == [Error(0, "cannot read the file")]
    assert server.outcome == Failed("f", "10.20.0.50", "cannot read on: Input/output error")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, Terms()),
        ({"blksize": "1428"}, Terms(1428, accepted={"blksize": "1428"})),
        ({"blksize": "7"}, Terms()),
        ({"blksize": "99999"}, Terms(65464, accepted={"blksize": "65464"})),
        ({"blksize": "-8"}, Terms()),
        ({"blksize": "\u0663\u0663"}, Terms()),
        ({"timeout": "0"}, Terms()),
        ({"timeout": "255"}, Terms(timeout=255, accepted={"timeout": "255"})),
        ({"tsize": "0"}, Terms(accepted={"tsize": "5"})),
        ({"windowsize": "1000"}, Terms(window=64, accepted={"windowsize": "64"})),
        ({"windowsize": "0"}, Terms()),
        ({"multicast": ""}, Terms()),
    ],
)
def test_options_are_negotiated(options: dict[str, str], expected: Terms) -> None:
    assert expected == negotiate(TftpRequest(Opcode.RRQ, "f", "octet", options), 5, TransferLimits())


def test_size_is_not_told_in_netascii_where_it_is_another() -> None:
    assert (
        negotiate(TftpRequest(Opcode.RRQ, "f", "netascii", {"tsize": "0"}), 5, TransferLimits()).accepted
        is None
    )


def download(options: dict[str, str] | None = None, **more: int) -> Download:
    machine = Download("f", SERVER, 0.0, options=options, **more)  # type: ignore[arg-type]
    machine.datagrams_to_send()
    return machine


def test_download_takes_its_peer_from_the_first_answer() -> None:
    machine = download()
    machine.receive(encode(Data(1, b"x" * 512)), TID, 0.1)
    machine.receive(encode(Data(2, b"evil")), Endpoint(TID.address, 41000), 0.2)
    machine.receive(encode(Data(2, b"y")), TID, 0.3)
    assert machine.content() == b"x" * 512 + b"y"
    assert [decode(each.data) for each in machine.datagrams_to_send()] == [
        Ack(1),
        Error(5, "unknown transfer ID"),
        Ack(2),
    ]


def test_download_reports_the_servers_refusal_at_once() -> None:
    machine = download()
    machine.receive(encode(Error(1, "File not found")), SERVER, 0.1)
    assert machine.events() == (Failed("f", "10.20.0.1", "File not found", 1),)
    assert machine.events() == ()
    assert machine.timer() is None


def test_download_gives_up_without_an_answer() -> None:
    machine = download()
    while (due := machine.timer()) is not None:
        machine.handle_timer(due)
    assert machine.outcome == Failed("f", "10.20.0.1", "no answer")
    assert len(machine.datagrams_to_send()) == 6


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({}, {"blksize": "1024"}),
        ({"blksize": "1024"}, {"blksize": "2048"}),
        ({"blksize": "1024"}, {"blksize": "x"}),
        ({"windowsize": "4"}, {"windowsize": "5"}),
        ({"tsize": "0"}, {"tsize": "1000000000"}),
    ],
)
def test_download_refuses_options_it_did_not_ask_for(asked: dict[str, str], answered: dict[str, str]) -> None:
    machine = download(asked, max_octets=1000)
    machine.receive(encode(OptionAck(answered)), TID, 0.1)
    assert isinstance(machine.outcome, Failed)
    assert [packet[1] for packet in (each.data for each in machine.datagrams_to_send())] == [Opcode.ERROR]


def test_download_refuses_a_file_without_end() -> None:
    machine = download(max_octets=600)
    machine.receive(encode(Data(1, b"x" * 512)), TID, 0.1)
    machine.receive(encode(Data(2, b"x" * 512)), TID, 0.2)
    assert isinstance(machine.outcome, Failed)


def test_download_repeats_a_lost_last_acknowledgement() -> None:
    machine = download()
    machine.receive(encode(Data(1, b"end")), TID, 0.1)
    machine.datagrams_to_send()
    machine.receive(encode(Data(1, b"end")), TID, 0.2)
    assert [decode(each.data) for each in machine.datagrams_to_send()] == [Ack(1)]
    while (due := machine.timer()) is not None:
        machine.handle_timer(due)
    assert machine.datagrams_to_send() == []


PIECES = st.binary(max_size=20) | st.builds(
    lambda number, data: encode(Data(number, data)), st.integers(0, 3), st.binary(max_size=20)
)
REPLIES = st.binary(max_size=20) | st.integers(0, 9).map(lambda number: encode(Ack(number)))


@pytest.mark.fuzz
@given(st.lists(PIECES))
def test_fuzz_download_holds_only_blocks_in_order_from_one_sender(datagrams: list[bytes]) -> None:
    machine = download({"blksize": "16"})
    begun = [data[4:] for data in datagrams if data[:4] == b"\0\3\0\1"]
    for place, data in enumerate(datagrams):
        machine.receive(data, (TID, SERVER, STRANGER)[place % 3], float(place))
        machine.handle_timer(float(place))
        assert {each.destination for each in machine.datagrams_to_send()} <= {SERVER, TID, STRANGER}
    content = machine.content()
    assert not content or any(content.startswith(each) for each in begun)


@pytest.mark.fuzz
@given(st.lists(REPLIES), st.sampled_from([{}, {"blksize": "16"}, {"blksize": "16", "windowsize": "3"}]))
def test_fuzz_sender_sends_nothing_but_the_file_and_errors(
    replies: list[bytes], options: dict[str, str]
) -> None:
    content, size = octets(100), int(options.get("blksize", 512))
    machine = sender(content, options)
    sent = list(machine.begin(0.0))
    for place, data in enumerate(replies):
        machine.receive(data, (CLIENT, STRANGER)[place % 5 == 4], float(place))
        machine.handle_timer(float(place))
        sent += [each.data for each in machine.datagrams_to_send()]
    for packet in map(decode, sent):
        match packet:
            case Data(block, payload):
                assert payload == content[(block - 1) * size : block * size]
            case _:
                assert isinstance(packet, OptionAck | Error)
    last = len(content) // size + 1
    if isinstance(machine.outcome, Finished):
        assert encode(Ack(last)) in replies


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"blksize": "8"},
        {"blksize": "65464", "windowsize": "64", "timeout": "1", "tsize": "0"},
        {"timeout": "1"},
    ],
)
def test_peer_that_answers_nothing_is_sent_three_times_what_it_sent_or_one_packet(
    options: dict[str, str],
) -> None:
    request = TftpRequest(Opcode.RRQ, "f", "octet", options)
    heard = len(encode(request))
    limits = TransferLimits()
    server = Sender(request, Memory(octets(5_000_000)), peer=CLIENT, now=0.0, limits=limits, heard=heard)
    first = server.begin(0.0)
    assert len(first) == 1
    sent = len(first[0])
    assert sent <= max(516, 3 * heard)
    last = 0.0
    while (due := server.timer()) is not None:
        server.handle_timer(due)
        sent += sum(len(each.data) for each in server.datagrams_to_send())
        last = due
    assert sent <= max(len(first[0]), 3 * heard)
    assert isinstance(server.outcome, Failed)
    assert last < limits.unproven + limits.max_timeout


def test_request_that_comes_again_is_answered_again_but_not_each_copy() -> None:
    server = sender()
    first = server.begin(0.0)
    assert server.repeated(0.1) == ()
    assert server.repeated(1.5) == first
    assert server.repeated(1.6) == ()
    server.advance(encode(Ack(1)), 1.7)
    assert server.repeated(3.0) == ()


def test_what_is_sent_again_has_a_bound_until_the_peer_answers() -> None:
    options = {"blksize": "1024", "windowsize": "64"}
    server = sender(octets(1_000_000), options, TransferLimits(resent=100_000))
    server.begin(0.0)
    server.advance(encode(Ack(0)), 0.0)
    again: list[Datagram] = []
    while (due := server.timer()) is not None and due < 15.0:
        server.handle_timer(due)
        again += server.datagrams_to_send()
    assert len(again) == 64
    assert len(server.advance(encode(Ack(0)), 15.0)) == 64
