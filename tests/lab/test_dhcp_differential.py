"""The same requests given to netprov and to Kea, configured alike: same message types, options and silence.

scapy builds and reads the packets. Where the two differ, `DIFFERENCES` says so, with the reason.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from netprov.lab.lan import Host, Lan
from netprov.lab.server import start_server
from tests.lab.conftest import MakeLan, needs

pytestmark = pytest.mark.lab

INVENTORY = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/24, pool: 10.20.0.100-10.20.0.199, clients: all, other_servers: allow,
          conflict_check: false, ntp: 10.20.0.1, lease: 1h, lease_min: 10m, lease_max: 2h}
classes:
  mpp: {match: {vendor_class: "CP-*"}, method: dhcp, options: {66: 10.20.0.1, 150: [10.20.0.1, 10.20.0.2],
        160: "http://h/$PSN.xml"}, force: 160}
phones:
  - {mac: 02:00:00:00:00:50, address: 10.20.0.50, method: dhcp}
"""

KEA: Mapping[str, Any] = {
    "interfaces-config": {"interfaces": ["lan0"]},
    "lease-database": {"type": "memfile", "persist": False},
    "valid-lifetime": 3600,
    "min-valid-lifetime": 600,
    "max-valid-lifetime": 7200,
    "calculate-tee-times": True,
    "option-def": [
        {"name": "tftp150", "code": 150, "type": "ipv4-address", "array": True},
        {"name": "url160", "code": 160, "type": "string"},
    ],
    "client-classes": [
        {
            "name": "mpp",
            "test": "substring(option[60].hex,0,3) == 'CP-'",
            "option-data": [
                {"name": "tftp-server-name", "data": "10.20.0.1"},
                {"name": "tftp150", "data": "10.20.0.1, 10.20.0.2"},
                {"name": "url160", "data": "http://h/$PSN.xml", "always-send": True},
            ],
        }
    ],
    "subnet4": [
        {
            "id": 1,
            "subnet": "10.20.0.0/24",
            "interface": "lan0",
            "pools": [{"pool": "10.20.0.100 - 10.20.0.199"}],
            "reservations": [{"hw-address": "02:00:00:00:00:50", "ip-address": "10.20.0.50"}],
            "option-data": [
                {"name": "routers", "data": "10.20.0.1"},
                {"name": "domain-name-servers", "data": "10.20.0.1"},
                {"name": "domain-name", "data": "example.com"},
                {"name": "ntp-servers", "data": "10.20.0.1"},
            ],
        }
    ],
    "loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "INFO"}],
}

DIFFERENCES: Mapping[str, str] = {
    "reboot of an unknown client to another network": "RFC 2131 4.3.2: NAK for the wrong network; Kea 2.2 is silent "
    "about clients it has no lease for, wherever they think they are",
    "renewal without a record": "RFC 2131 4.3.2 wants no record, no answer, as in INIT-REBOOT; Kea allocates the "
    "address if it is free and acknowledges",
    "no list of options": "RFC 2131 4.3.1 leaves it open; netprov sends everything it has, Kea the basics",
    "inform": "Kea 2.2 leaves out the subnet mask although it is asked for; RFC 2131 4.3.5 has the server send what "
    "is asked for",
    "a reply is not for a server": "RFC 2131 2: op 2 is a BOOTREPLY, from a server; Kea 2.2 does not look",
}

SERVER = "10.20.0.1"
WAIT_S = 0.7


@dataclass(frozen=True)
class Rig:
    """A host beside a server, and a socket that speaks raw frames there."""

    name: str
    host: Host
    raw: socket.socket
    quiet: socket.socket
    """Keeps the host itself from answering "port unreachable" to the relay agent's replies."""

    def close(self) -> None:
        self.raw.close()
        self.quiet.close()

    def ask(self, frame: bytes, xid: int) -> dict[str, Any] | None:
        """Send a frame and return the reply as scapy reads it, None for silence."""
        self.raw.send(frame)
        deadline = time.monotonic() + WAIT_S
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self.raw], [], [], left)[0]:
                return None
            reply = read(self.raw.recv(2048), xid)
            if reply is not None:
                return reply
        return None


def read(frame: bytes, xid: int) -> dict[str, Any] | None:
    """Return what matters of a reply with that xid, None for any other frame."""
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.l2 import Ether

    packet = Ether(frame)
    if BOOTP not in packet or packet[BOOTP].op != 2 or packet[BOOTP].xid != xid or DHCP not in packet:
        return None
    bootp = packet[BOOTP]
    options = {each[0]: each[1:] for each in packet[DHCP].options if isinstance(each, tuple)}
    return {
        "type": options.pop("message-type")[0],
        "options": {str(name): value for name, value in options.items() if name != "error_message"},
        "to": (packet["IP"].dst == "255.255.255.255", packet["UDP"].dport),
        "yiaddr": bootp.yiaddr,
        "ciaddr": bootp.ciaddr,
        "giaddr": bootp.giaddr,
        "broadcast": bootp.flags.value == 0x8000,
    }


def frame(mac: str, xid: int, options: Sequence[Any], *, relay: str = "", **fields: Any) -> bytes:
    """Return a request as an Ethernet frame, from a client or from the relay agent at 10.20.0.2."""
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    hardware = bytes.fromhex(mac.replace(":", ""))
    source = relay or fields.get("ciaddr", "0.0.0.0")
    ip = IP(src=source, dst=SERVER if relay else "255.255.255.255", id=1)
    udp = UDP(sport=67 if relay else 68, dport=67)
    bootp = BOOTP(chaddr=hardware + bytes(10), xid=xid, giaddr=relay or "0.0.0.0", **fields)
    if not any(each[0] == "param_req_list" for each in options):
        options = [*options, ("param_req_list", [1, 3, 6, 15, 42])]
    options = [each for each in options if each != ("param_req_list", [])]
    return bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ip / udp / bootp / DHCP(options=[*options, "end"]))


@pytest.fixture(scope="module")
def rigs(make_module_lan: MakeLan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Rig]]:
    """Give a rig beside netprov and one beside Kea, each on a LAN of its own."""
    program = needs("kea-dhcp4")
    folder = tmp_path_factory.mktemp("differential")
    ours, theirs = (make_module_lan(server=["10.20.0.1/24"], clients=["02:00:00:00:00:02"]) for _ in range(2))
    (folder / "site.yaml").write_text(INVENTORY)
    start_server(ours["server"], folder / "site.yaml", folder / "state", roles=["dhcp"])
    (folder / "kea.json").write_text(json.dumps({"Dhcp4": KEA}))
    kea = theirs["server"].spawn(
        [program, "-c", str(folder / "kea.json")],
        environment={"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": "none", "PATH": os.environ["PATH"]},
    )
    kea.wait_for("DHCP4_STARTED")
    pair = [rig("netprov", ours), rig("kea", theirs)]
    yield pair
    for each in pair:
        each.close()


def rig(name: str, lan: Lan) -> Rig:
    host = lan["client0"]
    with host.links() as links:
        links.add_address("lan0", "10.20.0.2/24")
    with host.entered():
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        raw.bind(("lan0", 0x0800))
        quiet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        quiet.bind(("10.20.0.2", 67))
    return Rig(name, host, raw, quiet)


Case = tuple[str, Sequence[Any], Mapping[str, Any]]
PHONE = ("vendor_class_id", b"CP-8851-3PCC")
LIST = ("param_req_list", [150, 66, 42, 15, 6, 3, 1, 51])

ALONE: Sequence[Case] = [
    ("no list of options", [("message-type", "discover"), ("param_req_list", [])], {}),
    ("discover", [("message-type", "discover")], {}),
    ("discover with the broadcast flag", [("message-type", "discover")], {"flags": 0x8000}),
    ("discover of a phone, in its order", [("message-type", "discover"), PHONE, LIST], {}),
    ("discover with a client identifier", [("message-type", "discover"), ("client_id", b"\x00lab")], {}),
    ("discover with a wish within bounds", [("message-type", "discover"), ("lease_time", 800)], {}),
    ("discover with a wish too short", [("message-type", "discover"), ("lease_time", 5)], {}),
    ("discover with a wish too long", [("message-type", "discover"), ("lease_time", 999999)], {}),
    ("discover through a relay", [("message-type", "discover"), PHONE], {"relay": "10.20.0.2"}),
    (
        "discover through a relay with option 82",
        [("message-type", "discover"), ("relay_agent_information", b"\x01\x04port")],
        {"relay": "10.20.0.2"},
    ),
    (
        "reboot of an unknown client",
        [("message-type", "request"), ("requested_addr", "10.20.0.170")],
        {},
    ),
    (
        "reboot of an unknown client to another network",
        [("message-type", "request"), ("requested_addr", "192.168.7.7")],
        {},
    ),
    (
        "request to another server",
        [("message-type", "request"), ("server_id", "10.20.0.99"), ("requested_addr", "10.20.0.171")],
        {},
    ),
    ("renewal without a record", [("message-type", "request")], {"ciaddr": "10.20.0.172"}),
    ("inform", [("message-type", "inform"), LIST], {"ciaddr": "10.20.0.2"}),
    ("release of nothing", [("message-type", "release"), ("server_id", SERVER)], {"ciaddr": "10.20.0.173"}),
    (
        "decline of nothing",
        [("message-type", "decline"), ("server_id", SERVER), ("requested_addr", "10.20.0.174")],
        {},
    ),
    ("an offer is not for a server", [("message-type", "offer"), ("server_id", SERVER)], {}),
    ("a lease query", [("message-type", 10)], {"ciaddr": "10.20.0.100"}),
    ("a reply is not for a server", [("message-type", "discover")], {"op": 2}),
    ("no message type, BOOTP", [], {}),
]


def compared(reply: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Leave out the address, which either server may choose as it likes."""
    return None if reply is None else {key: value for key, value in reply.items() if key != "yiaddr"}


@pytest.mark.parametrize(("name", "options", "fields"), ALONE, ids=[case[0] for case in ALONE])
def test_single_request_is_answered_alike(
    rigs: Sequence[Rig], name: str, options: Sequence[Any], fields: Mapping[str, Any]
) -> None:
    number = [case[0] for case in ALONE].index(name)
    mac, xid = f"02:00:00:01:00:{number:02x}", 0x1000 + number
    ours, theirs = (compared(each.ask(frame(mac, xid, options, **fields), xid)) for each in rigs)
    if name in DIFFERENCES:
        assert ours != theirs, f"no longer a difference: {DIFFERENCES[name]}"
    else:
        assert ours == theirs


def walk(each: Rig, mac: str, *, extra: Sequence[Any] = (), wrong: str = "192.0.2.1") -> list[Any]:
    """Lead a client from DISCOVER to its second lease; return each reply, addresses told as offered or not."""
    step = iter(range(0x2000, 0x3000))
    said: list[Any] = []
    offered = ""

    def ask(kind: str, *options: Any, **fields: Any) -> None:
        nonlocal offered
        xid = next(step)
        reply = each.ask(frame(mac, xid, [("message-type", kind), *options, *extra], **fields), xid)
        if reply is not None:
            offered = offered or reply["yiaddr"]
            for key in ("yiaddr", "ciaddr"):
                reply[key] = {offered: "offered", "0.0.0.0": "none"}.get(reply[key], reply[key])
        said.append(reply)

    ask("discover")
    ask("discover", ("requested_addr", offered))
    ask("request", ("server_id", SERVER), ("requested_addr", offered))
    ask("request", ("requested_addr", offered))  # INIT-REBOOT
    ask("request", ("requested_addr", wrong))  # INIT-REBOOT, wrong
    ask("discover")
    ask("request", ("server_id", SERVER), ("requested_addr", offered))
    with each.host.links() as links:
        links.add_address("lan0", f"{offered}/24")  # so that unicast finds the client
    ask("request", ciaddr=offered)  # REBINDING
    ask("release", ("server_id", SERVER), ciaddr=offered)
    # Unasked, netprov would offer the previous address too (RFC 2131 4.3.1), Kea 2.2 the next free one.
    ask("discover", ("requested_addr", offered))
    ask("request", ("server_id", SERVER), ("requested_addr", offered))
    ask("decline", ("server_id", SERVER), ("requested_addr", offered))
    return said


@pytest.mark.parametrize(
    ("mac", "extra"),
    [
        ("02:00:00:02:00:01", []),
        ("02:00:00:02:00:02", [PHONE, LIST]),
        ("02:00:00:02:00:03", [("client_id", b"\x01\x02\x00\x00\x02\x00\x03")]),
        ("02:00:00:00:00:50", []),
    ],
    ids=["plain", "phone", "client identifier", "reservation"],
)
def test_life_of_a_client_is_answered_alike(rigs: Sequence[Rig], mac: str, extra: Sequence[Any]) -> None:
    ours, theirs = (walk(each, mac, extra=extra) for each in rigs)
    for number, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        assert our == their, f"step {number}"
