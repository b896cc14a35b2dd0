"""A capture file read as the boots of phones: for each, the same steps that the emulator would have noted.

Reads what tcpdump and Wireshark write, taken at the phone, at the server or on a mirror port. A phone is whoever asks DHCP,
or asks for the provisioning services. What HTTPS carries stays hidden: its answers have status SEALED.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from netprov.dhcp import message as dhcp
from netprov.dhcp.option import table as code
from netprov.errors import LabError, Malformed
from netprov.explain.capture.conversation import steps_of
from netprov.explain.capture.dialogue import Lookups, Transfers, connections
from netprov.explain.capture.packet import Packet, read_packets
from netprov.explain.capture.stream import numbers
from netprov.explain.verdict import SEALED
from netprov.hostport import DHCP_PORT, PORTS, Scheme
from netprov.mac import format_mac
from netprov.phone.action import AskDhcp, Failed, Fetch, Found, Lease, Resolve, Response, Step, Trouble
from netprov.phone.rule.url import Url
from netprov.phone.source import Source, read_options
from netprov.provision.event import PROBE

SERVICE_MARK = "_ciscoprov-"
_MARK = f"\r\n{PROBE}: ".encode()
LONGEST_ERROR_PAGE = 1024
"""Octets of a 404 with its TLS record, at most; profiles are longer as a rule."""


@dataclass(slots=True)
class Sighting:
    """One phone's boot as seen: `steps` in order; `boots` is how many times it asked DHCP for a lease."""

    mac: str
    address: str = ""
    vendor_class: str = ""
    boots: int = 1
    steps: list[Step] = field(default_factory=list)


def read_capture(path: str, known: Collection[str] = ()) -> tuple[Sighting, ...]:
    """Read a capture file; the last boot of each phone in it, also of those `known` by their MAC addresses. Raises `LabError`."""
    packets = list(read_packets(path))
    cut = sum(1 for each in packets if each.cut)
    if cut and any(each.cut and DHCP_PORT in {each.sport, each.dport} for each in packets):
        raise LabError(
            f"{path}: {cut} of {len(packets)} packets are cut short, DHCP among them\n    capture them whole: tcpdump -s 0"
        )
    return sightings(packets, known)


def sightings(packets: Iterable[Packet], known: Collection[str] = ()) -> tuple[Sighting, ...]:
    """Sort packets by phone and put them into steps; a capture of several queues may have them out of order."""
    every = sorted(packets, key=lambda packet: packet.time)
    found: dict[str, Sighting] = {}
    for mac, exchange in _leases(every).items():
        if exchange.tells:
            found[mac] = _sight(mac, exchange, every)
    taken = {each.address for each in found.values()} | probers(every)
    for address, mac in _askers(every, known).items():
        if address not in taken and mac not in found:
            found[mac or address] = _sight(mac or address, _Dhcp(address=address), every)
    return tuple(found.values())


@dataclass(slots=True)
class _Dhcp:
    """What DHCP said about one client since its last DISCOVER."""

    packets: list[Packet] = field(default_factory=list)
    lease: Lease | None = None
    offered: Lease | None = None
    """What the last OFFER named."""
    address: str = ""
    vendor_class: str = ""
    requested: tuple[int, ...] = ()
    offers: list[str] = field(default_factory=list)
    refused: str = ""
    discovers: int = 0
    requests: int = 0
    boots: int = 0

    @property
    def tells(self) -> bool:
        """Whether it shows how a boot went: one DISCOVER that got its offer, and no more, shows nothing amiss."""
        return not self.packets or self.requests > 0 or self.discovers > 1 or not self.offers


def probers(packets: Iterable[Packet]) -> set[str]:
    """Return the addresses that our own checks ask from: they mark their requests, and have an address when they DISCOVER."""
    marked = {
        packet.source
        for packet in packets
        if (packet.kind == "tcp" and _MARK in packet.payload)
        or (packet.kind == "udp" and packet.payload[:2] == b"\0\1" and PROBE.encode() in packet.payload)
    }
    return marked | {
        packet.source
        for packet in packets
        if packet.kind == "udp"
        and packet.dport == dhcp.SERVER_PORT
        and packet.source != "0.0.0.0"
        and _is_probe(packet)
    }


def _is_probe(packet: Packet) -> bool:
    """Tell whether a packet is a DISCOVER of somebody who has an address already, and is no relay agent."""
    try:
        message = dhcp.decode(packet.payload)
    except Malformed:
        return False
    return message.type == dhcp.Type.DISCOVER and not message.giaddr and not message.ciaddr


def _leases(packets: list[Packet]) -> dict[str, _Dhcp]:
    found: dict[str, _Dhcp] = {}
    ours: set[int] = set()
    for packet in packets:
        if packet.kind != "udp" or not {packet.sport, packet.dport} <= {67, 68}:
            continue
        try:
            message = dhcp.decode(packet.payload)
        except Malformed:
            continue
        if packet.source != "0.0.0.0" and packet.dport == dhcp.SERVER_PORT and _is_probe(packet):
            ours.add(message.xid)
        if message.xid in ours:
            continue
        mac = format_mac(message.chaddr)
        client = found.setdefault(mac, _Dhcp())
        if message.type == dhcp.Type.DISCOVER and client.lease is not None:
            client = found[mac] = _Dhcp(boots=client.boots)
        _note(client, message, packet)
    return found


def _note(client: _Dhcp, message: dhcp.Message, packet: Packet) -> None:
    client.packets.append(packet)
    server = _dotted(message.options.get(code.SERVER_ID, b""))
    match message.type:
        case dhcp.Type.DISCOVER | dhcp.Type.REQUEST:
            client.vendor_class = message.options.get(code.VENDOR_CLASS, b"").decode("ascii", "replace")
            client.requested = tuple(message.options.get(code.REQUEST_LIST, b""))
            client.requests += message.type == dhcp.Type.REQUEST
            if message.type == dhcp.Type.DISCOVER:
                client.discovers += 1
                client.boots += client.discovers == 1
        case dhcp.Type.OFFER:
            client.offered = _lease_of(message, server)
            client.offers += [] if server in client.offers else [server]
        case dhcp.Type.NAK:
            client.refused = (
                message.options.get(code.MESSAGE, b"").decode("ascii", "replace") or "without a reason"
            )
        case dhcp.Type.ACK if message.yiaddr and client.lease is None:
            client.lease = _lease_of(message, server)
            client.address = client.lease.address


def _lease_of(message: dhcp.Message, server: str) -> Lease:
    sname = message.sname.rstrip(b"\0").decode("ascii", "replace")
    return Lease(_dotted(message.yiaddr.to_bytes(4, "big")), server, dict(message.options), sname)


def _in_use(client: _Dhcp, mac: str, packets: list[Packet]) -> str:
    """Return the address from which a client speaks though its ACK is not in the capture, "" if it does not."""
    if not client.packets or client.lease is not None:
        return client.address
    asked = client.offered.address if client.offered else ""
    since = client.packets[0].number
    for packet in packets:
        speaks = packet.kind != "icmp" and packet.number > since and packet.dport != dhcp.SERVER_PORT
        if speaks and packet.source != "0.0.0.0" and (packet.source == asked or packet.mac == mac):
            return packet.source
    return ""


def _dhcp_step(client: _Dhcp, mac: str) -> Step | None:
    if not client.packets:
        return None
    action = AskDhcp(client.vendor_class.rstrip("\0"), client.requested, mac)
    result: Lease | Failed
    if client.lease is not None:
        rivals = tuple(each for each in client.offers if each != client.lease.server)
        result = replace(client.lease, rivals=rivals)
    elif client.refused:
        result = Failed(Trouble.DHCP_NAK, client.refused)
    elif client.offers:
        result = Failed(Trouble.DHCP_NO_ACK, f"the offer was of {', '.join(client.offers)}")
    else:
        result = Failed(Trouble.TIMEOUT, f"{client.discovers} DISCOVER without an answer")
    first, last = client.packets[0], client.packets[-1]
    return Step(action, result, first.time, last.time - first.time, evidence=numbers(client.packets))


def _askers(packets: list[Packet], known: Collection[str]) -> dict[str, str]:
    """Return who asks for the provisioning services, names itself a phone or is known as one, where DHCP was not captured."""
    found: dict[str, str] = {}
    for packet in packets:
        asks = packet.kind == "udp" and packet.dport == 53 and SERVICE_MARK.encode() in packet.payload
        names = packet.kind == "tcp" and b"\r\nUser-Agent: Cisco-" in packet.payload
        listed = packet.mac in known and packet.kind in {"tcp", "udp"} and packet.source != "0.0.0.0"
        if asks or names or listed:
            found.setdefault(packet.source, packet.mac)
    return found


def _sight(mac: str, client: _Dhcp, packets: list[Packet]) -> Sighting:
    client.address = _in_use(client, mac, packets)
    if client.lease is None and client.offered and client.offered.address == client.address:
        client.lease = client.offered  # a server confirms what it has offered
    sighting = Sighting(mac, client.address, client.vendor_class.rstrip("\0"), max(1, client.boots))
    step = _dhcp_step(client, mac)
    since = client.packets[0].number if client.packets else 0
    if client.address:
        mine = [p for p in packets if p.number >= since and client.address in {p.source, p.destination}]
        sighting.steps = _dialogue(mine, client)
    if step:
        sighting.steps.insert(0, step)
    return sighting


def _dialogue(packets: list[Packet], client: _Dhcp) -> list[Step]:
    """Put everything but DHCP into steps, by the time of their first packets."""
    lookups, transfers = Lookups(client.address), Transfers(client.address)
    for packet in packets:
        lookups.add(packet)
        transfers.add(packet)
    names = lookups.names()
    domain = client.lease.domain if client.lease else ""
    steps = lookups.steps() + transfers.steps(names)
    for connection in connections(packets, client.address):
        if connection.server_port != 53:
            steps += steps_of(connection, names.get(connection.server, connection.server), domain)
    steps += _unheard(packets, client, steps, names)
    heard = any(p.destination == client.address and p.kind != "icmp" for p in packets)
    if not client.offers and not client.lease and not heard:
        steps = [_unseen(step) for step in steps]
    steps.sort(key=lambda step: step.started)
    return _unsealed(steps)


def _unheard(packets: list[Packet], client: _Dhcp, steps: list[Step], names: dict[str, str]) -> list[Step]:
    """Find the servers that ARP did not find: no packet was ever sent to them."""
    answered = {p.source for p in packets if p.kind == "arp" and p.arp_operation == 2}
    asked: dict[str, list[Packet]] = {}
    for packet in packets:
        if packet.kind == "arp" and packet.arp_operation == 1 and packet.source == client.address:
            asked.setdefault(packet.destination, []).append(packet)
    reached = {p.destination for p in packets if p.kind != "arp" and p.source == client.address}
    found = []
    for address, questions in asked.items():
        if address in answered or address in reached or address == client.address:
            continue
        dns = client.lease.dns if client.lease else ()
        evidence = f"{numbers(questions)}: nobody answers ARP for {address}"
        if address in dns:
            name = client.lease.domain if client.lease else ""
            failed = Failed(Trouble.TIMEOUT, evidence)
            found.append(
                Step(Resolve(name or address, "SRV", dns), failed, questions[0].time, evidence=evidence)
            )
            continue
        url = _expected(address, client, steps, names)
        failed = Failed(Trouble.UNREACHABLE, evidence)
        found.append(Step(Fetch(url, address), failed, questions[0].time, evidence=evidence))
    return found


def _expected(address: str, client: _Dhcp, steps: list[Step], names: dict[str, str]) -> Url:
    """Guess the URL that a phone wanted of a server that was never reached, by what DHCP and DNS said of it."""
    host = names.get(address, address)
    for step in steps:
        if isinstance(step.action, Resolve) and isinstance(step.result, Found):
            for record in step.result.records:
                if record.target == host:
                    scheme: Scheme = "https" if "-https." in step.action.name else "http"
                    return Url(scheme, host, record.port, "/")
    for source in read_options(client.lease.options) if client.lease else ():
        if isinstance(source, Source) and any(
            "://" not in value and address == value for value in source.values
        ):
            return Url("tftp", host, PORTS["tftp"], "/")
    return Url("http", host, PORTS["http"], "/")


def _unsealed(steps: list[Step]) -> list[Step]:
    """Infer which hidden answers of HTTPS were error pages.

    A phone asks the same server again for many reasons: the first was missing, or led on to the next, or named a CA. Only
    short answers that are all of one length look like the same error page.
    """
    told = list(steps)
    of_server: dict[tuple[str, int], list[int]] = {}
    for place, step in enumerate(steps):
        if _is_sealed(step):
            of_server.setdefault(_server(step), []).append(place)
    for places in of_server.values():
        sizes = {steps[place].answered for place in places}
        if len(places) > 1 and len(sizes) == 1 and max(sizes) <= LONGEST_ERROR_PAGE:
            for place in places:
                told[place] = _missing(steps[place], f"{len(places)} answers of one length")
    return told


def _unseen(step: Step) -> Step:
    """Return a step of a capture that has nothing of what was sent to the phone: that it failed does not follow."""
    failed = Failed(Trouble.UNSEEN, "nothing that was sent to the phone is in the capture")
    return replace(step, result=failed) if isinstance(step.result, Failed) else step


def _is_sealed(step: Step) -> bool:
    return isinstance(step.result, Response) and step.result.status == SEALED


def _server(step: Step) -> tuple[str, int]:
    assert isinstance(step.action, Fetch)
    return step.action.address, step.action.url.port


def _missing(step: Step, why: str) -> Step:
    return replace(step, result=Response(404), evidence=f"{step.evidence}; encrypted, inferred: {why}")


def _dotted(data: bytes) -> str:
    return ".".join(map(str, data))
