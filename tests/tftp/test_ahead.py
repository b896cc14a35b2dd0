"""A sender that makes its next block ahead says and waits exactly as one that does not, whatever its peer sends and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netprov.machine import Endpoint
from netprov.tftp.packet import Error, ErrorCode, TftpRequest, decode, encode
from netprov.tftp.sender import Sender
from netprov.tftp.transfer import Memory, TransferLimits

PEER = Endpoint("10.20.0.50", 2000)
CONTENT = bytes(range(256)) * 20

_ACKNOWLEDGED = st.integers(-3, 3).map(lambda ahead: ("ack", ahead))
_OTHER = st.sampled_from(
    [b"", b"\0", b"\0\4\0", b"\0\4\0\1more", encode(Error(ErrorCode.NOT_DEFINED, "enough"))]
)
STEPS = st.lists(
    st.tuples(
        st.one_of(
            st.just(("ack", 0)),
            st.just(("ack", 0)),
            st.just(("ack", 1)),
            _ACKNOWLEDGED,
            _OTHER.map(lambda octets: ("octets", octets)),
            st.just(("time", 0)),
        ),
        st.sampled_from([0.0, 0.0005, 0.004, 0.02, 1.5]),
    ),
    min_size=25,
    max_size=80,
)


def sender(options: str, content: bytes) -> Sender:
    request = decode(b"\0\1x\0octet\0" + options.encode())
    assert isinstance(request, TftpRequest)
    return Sender(request, Memory(content), peer=PEER, now=0.0, limits=TransferLimits(resent=20), heard=40)


@given(
    steps=STEPS,
    options=st.sampled_from(["blksize\08\0", "blksize\08\0", "", "blksize\08\0windowsize\0003\0"]),
    size=st.sampled_from([5120, 1024, 100, 0]),
)
def test_block_made_ahead_changes_nothing_but_when_it_is_made(
    steps: list[tuple[tuple[str, int | bytes], float]], options: str, size: int
) -> None:
    plain, ahead = sender(options, CONTENT[:size]), sender(options, CONTENT[:size])
    now, newest = 0.0, 0
    packets = [list(each.begin(now)) for each in (plain, ahead)]
    for (kind, value), after in steps:
        assert packets[0] == packets[1]
        assert _state(plain) == _state(ahead)
        ahead.look_ahead()
        for packet in packets[0]:
            newest = int.from_bytes(packet[2:4], "big") if packet[:2] == b"\0\3" else newest
        now += after
        if kind == "time":
            now = max(now, plain.timer() or now)
            packets = [list(each.expire(now)) for each in (plain, ahead)]
        else:
            octets = (
                value if isinstance(value, bytes) else b"\0\4" + (newest + value & 0xFFFF).to_bytes(2, "big")
            )
            packets = [list(each.advance(octets, now)) for each in (plain, ahead)]
    assert packets[0] == packets[1]


def _state(sender: Sender) -> tuple[object, ...]:
    return sender.timer(), sender.outcome, sender.retransmissions, sender.proven
