"""What a server may answer, and how, by the octets alone: none of netprov's own codec is used here.

RFC 2131 sections 2, 4.1, 4.3; RFC 3011, 3046, 3396, 3527, 5107, 6842. It knows the networks and phones of `link.CONFIG`.
"""

from __future__ import annotations

from collections.abc import Container

from tests.dhcp.link import CONFIG

NETWORKS = {bytes([10, 20, 0]): "voice", bytes([10, 30, 0]): "far"}
SERVER = bytes([10, 20, 0, 1])
NOTHING = bytes(4)
PHONES = frozenset(CONFIG.phones)
FIXED = {mac: phone.address.to_bytes(4, "big") for mac, phone in CONFIG.phones.items() if phone.address}
POOLS = {"voice": range(100, 110), "far": range(10, 20)}
CISCO = (b"CP-", b"DP-", b"ATA1", b"Cisco", b"LINKSYS")

DISCOVER, OFFER, REQUEST, ACK, NAK, INFORM = 1, 2, 3, 5, 6, 8
ANSWERS = {DISCOVER: (OFFER,), REQUEST: (ACK, NAK), INFORM: (ACK,)}


class Unreadable(Exception):
    """These octets are no message."""


def options(data: bytes) -> dict[int, bytes]:
    """Return the options of a message, fragments joined: options field, then file, then sname (RFC 3396 5)."""
    found: dict[int, bytes] = {}
    _field(data[240:], found)
    overload = found.get(52)
    if overload is not None:
        if overload not in {b"\1", b"\2", b"\3"}:
            raise Unreadable
        for bit, start, end in ((1, 108, 236), (2, 44, 108)):
            if overload[0] & bit:
                _field(data[start:end], found)
    return found


def _field(data: bytes, found: dict[int, bytes]) -> None:
    while data and data[0] != 255:
        if data[0] == 0:
            data = data[1:]
            continue
        if len(data) < 2 or len(data) < 2 + data[1]:
            raise Unreadable
        found[data[0]] = found.get(data[0], b"") + data[2 : 2 + data[1]]
        data = data[2 + data[1] :]


def suboptions(data: bytes) -> dict[int, bytes]:
    """Return the sub-options of option 82 (RFC 3046 section 2.0); padding by 0 and a last 255 are read over."""
    found: dict[int, bytes] = {}
    while data and data != b"\xff":
        if data[0] == 0:
            data = data[1:]
            continue
        if len(data) < 2 or len(data) < 2 + data[1]:
            raise Unreadable
        found[data[0]] = found.get(data[0], b"") + data[2 : 2 + data[1]]
        data = data[2 + data[1] :]
    return found


def silence(data: bytes, known: Container[bytes] = ()) -> str:
    """Return why a datagram must not be answered, "" if it may be; `known` are clients that have an offer or a lease."""
    if len(data) < 240 or data[236:240] != b"\x63\x82\x53\x63":
        return "no DHCP message"
    if data[0] != 1:
        return "op is not BOOTREQUEST"
    if not 1 <= data[2] <= 16:
        return "hlen"
    try:
        asked = options(data)
        agent = suboptions(asked.get(82, b""))
    except Unreadable:
        return "options do not fit"
    kind = asked.get(53, b"")
    if len(kind) != 1 or kind[0] not in ANSWERS:
        return "message type"
    if network(data, asked, agent) is None:
        return "no network of ours"
    brief = kind[0] in {REQUEST, INFORM} and 60 not in asked and identity(data, asked) in known
    if not brief and not _served(data[28 : 28 + data[2]], asked):
        return "client is not served"
    named = asked.get(54, b"")
    if kind[0] == REQUEST and len(named) == 4 and named not in {NOTHING, _identifier(agent)}:
        return "another server's"
    if kind[0] == INFORM and data[12:16] == NOTHING:
        return "INFORM without ciaddr"
    return ""


def identity(data: bytes, asked: dict[int, bytes]) -> bytes:
    """Return who a client is (RFC 2131 4.2): option 61, else hardware type and address."""
    return asked.get(61) or data[1:2] + data[28 : 28 + data[2]]


def network(data: bytes, asked: dict[int, bytes], agent: dict[int, bytes]) -> str | None:
    """Return the network by link selection, subnet selection, giaddr, ciaddr, interface, in this order."""
    for chosen in (agent.get(5, b""), asked.get(118, b"")):
        if len(chosen) == 4:
            return NETWORKS.get(chosen[:3])
    if data[24:28] != NOTHING:
        return NETWORKS.get(data[24:27])
    return NETWORKS.get(data[12:15], "voice")


def wrong(data: bytes, reply: bytes, to: tuple[str, int]) -> str:
    """Return what is wrong about a reply to a datagram that may be answered, "" if nothing is."""
    asked, given = options(data), options(reply)
    kind, answer = asked[53][0], given.get(53, b"\0")[0]
    hardware = data[28 : 28 + data[2]]
    yiaddr = reply[16:20]
    if answer not in ANSWERS[kind]:
        return f"a {answer} to a {kind}"
    if (reply[0], reply[3], reply[8:10]) != (2, 0, b"\0\0") or not 300 <= len(reply) <= 1472:
        return "header"
    if reply[1:3] + reply[4:8] + reply[24:28] != data[1:3] + data[4:8] + data[24:28]:
        return "xid, htype, hlen or giaddr is not the client's"
    if reply[28:44] != hardware.ljust(16, b"\0"):
        return "chaddr is not the client's"
    agent = suboptions(asked.get(82, b""))
    if given.get(54) != _identifier(agent):
        return "server identifier"
    if {50, 55, 57, 60} & set(given):
        return "a client's option"
    if asked.get(61) != given.get(61) or asked.get(82) != given.get(82):
        return "option 61 or 82 is not echoed"
    if answer != NAK and asked.get(118) != given.get(118):
        return "option 118 is not echoed"
    if answer != NAK and (fault := _fqdn(asked.get(81, b""), given.get(81))):
        return fault
    if 82 in given and list(given)[-1] != 82:
        return "option 82 is not last"
    if bool({51, 58, 59} & set(given)) != (kind != INFORM and answer != NAK):
        return "times"
    if kind == INFORM or answer == NAK:
        if yiaddr != NOTHING:
            return "yiaddr without a lease"
    elif not _may_have(yiaddr, network(data, asked, agent), hardware, asked):
        return f"yiaddr {yiaddr.hex()}"
    return "" if to == _destination(data, reply, kind, answer) else f"sent to {to}"


def _fqdn(asked: bytes, given: bytes | None) -> str:
    """Hold an answered option 81 against RFC 4702 4: S or N, O where S differs from the client's, E as it came."""
    if len(asked) < 3:
        return "" if given is None else "option 81 unasked"
    if given is None or given[1:3] != b"\xff\xff":
        return "option 81 is not answered"
    ours = given[0] & 1
    if (given[0] & 8 != 0) == bool(ours) or (ours and asked[0] & 8):
        return "option 81 updates against the client's wish"
    if (given[0] & 2 != 0) != (ours != asked[0] & 1) or (given[0] ^ asked[0]) & 4 or given[0] & 0xF0:
        return "flags of option 81"
    return ""


def _served(hardware: bytes, asked: dict[int, bytes]) -> bool:
    identifier, vendor = asked.get(61, b""), asked.get(60, b"").rstrip(b"\0")
    listed = hardware in PHONES or (identifier[:1] == b"\1" and identifier[1:] in PHONES)
    return listed or vendor.startswith(CISCO) or b"dslforum.org" in vendor


def _identifier(agent: dict[int, bytes]) -> bytes:
    """Return option 54 of ours, or what the relay agent wants there (RFC 5107)."""
    override = agent.get(11, b"")
    return override if len(override) == 4 else SERVER


def _may_have(yiaddr: bytes, name: str | None, hardware: bytes, asked: dict[int, bytes]) -> bool:
    if yiaddr in FIXED.values():
        return FIXED.get(hardware) == yiaddr or FIXED.get(asked.get(61, b"\0")[1:]) == yiaddr
    return name is not None and NETWORKS.get(yiaddr[:3]) == name and yiaddr[3] in POOLS[name]


def _destination(data: bytes, reply: bytes, kind: int, answer: int) -> tuple[str, int]:
    """Say where a reply goes (RFC 2131 section 4.1; an INFORM's always to ciaddr, 4.3.5)."""
    giaddr, ciaddr = data[24:28], data[12:16]
    if kind == INFORM:
        return _dotted(ciaddr), 68
    if giaddr != NOTHING:
        return _dotted(giaddr), 67
    if answer == NAK:
        return "255.255.255.255", 68
    if ciaddr != NOTHING:
        return _dotted(ciaddr), 68
    if data[10] & 0x80 or data[1:3] != b"\1\6":
        return "255.255.255.255", 68
    return _dotted(reply[16:20]), 68


def _dotted(address: bytes) -> str:
    return ".".join(map(str, address))
