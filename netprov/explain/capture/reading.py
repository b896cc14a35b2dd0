"""A capture file read as the boots of phones: for each, the same steps that the emulator would have noted.

Reads what tcpdump and Wireshark write, taken at the phone, at the server or on a mirror port. A phone is whoever asks DHCP,
or asks for the provisioning services. What HTTPS carries stays hidden: its answers have status SEALED.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from netprov.errors import LabError
from netprov.explain.capture.client import MOST_OTHERS, Client, Survey, survey
from netprov.explain.capture.conversation import steps_of
from netprov.explain.capture.dialogue import Lookups, Transfers, connections
from netprov.explain.capture.keep import Kept, keep
from netprov.explain.capture.packet import Packet, read_packets
from netprov.explain.capture.stream import numbers
from netprov.explain.verdict import SEALED
from netprov.hostport import PORTS, Scheme
from netprov.phone.action import AskDhcp, Failed, Fetch, Found, Lease, Resolve, Response, Step, Trouble
from netprov.phone.rule.url import Url
from netprov.phone.source import Source, read_options

MOST_STEPS = 2000
"""Steps that are told of one phone: of more, the first and the last."""
MOST_UNHEARD = 100
"""Addresses without an answer to ARP that are looked into."""
LONGEST_ERROR_PAGE = 1024
"""Octets of a 404 with its TLS record, at most; profiles are longer as a rule."""


@dataclass(slots=True)
class Sighting:
    """One phone's boot as seen: `steps` in order; `boots` is how many times it asked DHCP for a lease.

    `shed` is how many of its packets were too many to be looked at.
    """

    mac: str
    address: str = ""
    vendor_class: str = ""
    boots: int = 1
    steps: list[Step] = field(default_factory=list)
    shed: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """The phones of a capture, and how many clients there are beside them that it does not tell of."""

    phones: tuple[Sighting, ...]
    others: int = 0

    @property
    def others_text(self) -> str:
        """Return how many others there are, in words."""
        return f"more than {self.others}" if self.others >= MOST_OTHERS else str(self.others)


def read_capture(path: str, known: Collection[str] = ()) -> Reading:
    """Read a capture file; the last boot of each phone in it, those in `known` first. Raises `LabError`.

    The file is read twice, so that what nobody wants of it is never held.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise LabError(f"{path} can be read only once\n    write the capture to a file, and name that")
    packets = _File(path)
    found = survey(packets, known)
    if found.dhcp_is_cut:
        raise LabError(
            f"{path}: {found.cut} of {found.packets} packets are cut short, DHCP among them\n    capture them whole: tcpdump -s 0"
        )
    return _told(packets, found)


def read(packets: Iterable[Packet], known: Collection[str] = ()) -> Reading:
    """Sort packets, which are gone through twice, by phone and put them into steps."""
    return _told(packets, survey(packets, known))


def _told(packets: Iterable[Packet], found: Survey) -> Reading:
    since: dict[str, int] = {}
    for client in found.clients.values():
        if client.address:
            since[client.address] = min(since.get(client.address, _number(client)), _number(client))
    unconfirmed = {mac: each for mac, each in found.clients.items() if each.first and not each.lease}
    kept = keep(packets, since, unconfirmed)
    phones = tuple(_sight(mac, client, kept.get(client.address)) for mac, client in found.clients.items())
    return Reading(phones, found.others)


def _number(client: Client) -> int:
    return client.first.number if client.first else 0


@dataclass(frozen=True, slots=True)
class _File:
    """A file's packets, read anew by whoever goes through them."""

    path: str

    def __iter__(self) -> Iterator[Packet]:
        return read_packets(self.path)


def _dhcp_step(client: Client, mac: str) -> Step | None:
    first, last = client.first, client.last
    if first is None or last is None:
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
    return Step(action, result, first.time, last.time - first.time, evidence=numbers((first, last)))


def _sight(mac: str, client: Client, kept: Kept | None) -> Sighting:
    if client.lease is None and client.offered and client.offered.address == client.address:
        client.lease = client.offered  # a server confirms what it has offered
    sighting = Sighting(mac, client.address, client.vendor_class.rstrip("\0"), max(1, client.boots))
    step = _dhcp_step(client, mac)
    if kept is not None:
        steps = _dialogue([p for p in kept.packets if p.number >= _number(client)], client)
        sighting.shed = kept.shed
        sighting.steps = (
            steps if len(steps) <= MOST_STEPS else steps[: MOST_STEPS // 2] + steps[-MOST_STEPS // 2 :]
        )
    if step:
        sighting.steps.insert(0, step)
    return sighting


def _dialogue(packets: list[Packet], client: Client) -> list[Step]:
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


def _unheard(packets: list[Packet], client: Client, steps: list[Step], names: dict[str, str]) -> list[Step]:
    """Find the servers that ARP did not find: no packet was ever sent to them."""
    answered = {p.source for p in packets if p.kind == "arp" and p.arp_operation == 2}
    asked: dict[str, list[Packet]] = {}
    for packet in packets:
        if packet.kind == "arp" and packet.arp_operation == 1 and packet.source == client.address:
            asked.setdefault(packet.destination, []).append(packet)
    reached = {p.destination for p in packets if p.kind != "arp" and p.source == client.address}
    found = []
    for address, questions in islice(asked.items(), MOST_UNHEARD):
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


def _expected(address: str, client: Client, steps: list[Step], names: dict[str, str]) -> Url:
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
