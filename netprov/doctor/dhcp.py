"""DHCP as `netprov doctor` asks it: a phone's DISCOVER, and no lease taken (RFC 2131 section 3.1, steps 1 and 2).

An OFFER is not a lease: the server forgets it. Asked by broadcast from an address of this machine, so that a server on
the same machine hears it too.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import random
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Self

from netprov.dhcp import message as dhcp
from netprov.dhcp.client import Client
from netprov.dhcp.client import Identity as ClientIdentity
from netprov.dhcp.message import Message, Type
from netprov.dhcp.option import table as code
from netprov.dhcp.option.provisioning import ACS_CODES, ORDER, SERVER_CODES
from netprov.dhcp.option.remark import HARMLESS, remarks
from netprov.errors import Malformed, Problem, Reason, ServiceError
from netprov.mac import parse_mac
from netprov.phone.action import Lease
from netprov.phone.handset.identity import Identity
from netprov.phone.source import Unusable, read_options
from netprov.plan.offer import OfferedOption, Preview
from netprov.runtime.net.frame import server_watch

WAITS_S = (1.0, 2.0, 4.0)
"""Seconds to wait after each DISCOVER; a server may ask for the address first, and datagrams get lost."""

LINGER_S = 0.7
"""Seconds to wait for further servers after the first OFFER; one that pings the address first needs more."""

WEIGHTY = {"srv": (code.DOMAIN, code.DNS), "dhcp": ORDER, "acs": ACS_CODES, "manual": ()}
"""The options without which a phone of each method cannot find its profile."""

_SIOCGIFADDR = 0x8915
"""netdevice(7): fails with EADDRNOTAVAIL for an interface without an IPv4 address."""

_FORMALITIES = (code.SERVER_ID, code.LEASE_TIME, code.T1, code.T2)

OPTION_MISSING = Reason(
    "doctor-option-missing",
    "error",
    "The inventory promises the phone an option that the offer lacks; on the options of its method a phone's way hangs.",
    "reload or restart the DHCP server; look for a relay or another server that strips it",
)
OPTION_DIFFERENT = Reason(
    "doctor-option-different",
    "error",
    "The phone gets another value than the inventory says, and goes where that leads.",
    "reload the DHCP server, or correct the inventory",
)
OPTION_EXTRA = Reason(
    "doctor-option-extra",
    "error",
    "DHCP comes before DNS SRV: an option that names a server keeps the phone from the SRV records.",
    "take it off the DHCP server, or make the phone's method dhcp",
)
OPTION_ODD = Reason(
    "doctor-option-odd",
    "warning",
    "Phones differ in what they make of a NUL, a blank, quotation marks or wrong lengths in an option.",
    "correct the option on the DHCP server; `netprov decode` shows its octets",
)
ADDRESS = Reason(
    "doctor-address",
    "warning",
    "The phone is offered another address than the inventory reserves for it.",
    "reload the DHCP server, or look who has the reserved address now",
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One server's OFFER."""

    server: str
    address: str
    message: Message

    def as_lease(self) -> Lease:
        """Return it as if it had been taken."""
        return Lease(self.address, self.server, self.message.options)


class Discoverer:
    """Asks one link for OFFERs; an async context manager."""

    def __init__(self, interface: str, *, waits: Sequence[float] = WAITS_S) -> None:
        self.interface = interface
        self._waits = waits
        self._socket = _socket(interface)
        self._own = _own_servers(interface)
        self._waiting: dict[int, list[Offer]] = {}
        self._heard = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._readable)
        if self._own is not None:
            loop.add_reader(self._own, self._own_readable, self._own)
        return self

    async def __aexit__(self, *_: object) -> None:
        for sock in (self._socket, self._own):
            if sock is not None:
                asyncio.get_running_loop().remove_reader(sock)
                sock.close()

    async def ask(self, phone: Identity, *, linger: float = 0.0) -> tuple[Offer, ...]:
        """Return what servers offer to a phone, in the order they answer; () if none does.

        Raises `ServiceError` if this machine cannot ask.
        """
        discover = _discover(phone)
        offers = self._waiting[discover.xid] = []
        try:
            for wait in self._waits:
                self._send(discover)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        while not offers:
                            self._heard.clear()
                            await self._heard.wait()
                if offers:
                    await asyncio.sleep(linger)
                    break
        finally:
            del self._waiting[discover.xid]
        return tuple(offers)

    def _send(self, discover: Message) -> None:
        try:
            self._socket.sendto(dhcp.encode(discover), ("255.255.255.255", dhcp.SERVER_PORT))
        except OSError as error:
            raise ServiceError(
                f"cannot ask for DHCP on {self.interface}: {error.strerror}",
                "give the interface an address of the network, and set it up",
            ) from error

    def _readable(self) -> None:
        with suppress(BlockingIOError):
            while True:
                self._take(self._socket.recv(4096))

    def _own_readable(self, sock: socket.socket) -> None:
        with suppress(BlockingIOError):
            while True:
                packet, (_, _, kind, *_) = sock.recvfrom(4096)
                if kind == socket.PACKET_OUTGOING and packet:  # what comes in is heard by the other socket
                    self._take(packet[(packet[0] & 15) * 4 + 8 :])

    def _take(self, data: bytes) -> None:
        try:
            reply = dhcp.decode(data)
        except Malformed:
            return
        if reply.xid in self._waiting and reply.type == Type.OFFER and reply.op == dhcp.BOOTREPLY:
            server = str(IPv4Address(reply.address(code.SERVER_ID)))
            offer = Offer(server, str(IPv4Address(reply.yiaddr)), reply)
            if offer not in self._waiting[reply.xid]:
                self._waiting[reply.xid].append(offer)
                self._heard.set()


def compare(expected: Preview, offer: Offer) -> list[Problem]:
    """Return where an OFFER differs from what the inventory says; errors keep the phone from its profile."""
    wanted = {each.code: each for each in expected.options if each.code not in _FORMALITIES}
    found = []
    for number, option in wanted.items():
        if problem := _unlike(option, offer):
            weighty = number in WEIGHTY[expected.method]
            found.append(problem if weighty else replace(problem, severity="warning"))
    if expected.method == "srv":
        given = offer.message.options
        unusable = {each.option for each in read_options(given) if isinstance(each, Unusable)}
        found += [
            _astray(number, offer, usable=number not in unusable)
            for number in SERVER_CODES
            if number in given and number not in wanted
        ]
    found += _odd(offer)
    if expected.address and str(IPv4Address(expected.address)) != offer.address:
        found.append(
            ADDRESS.problem(
                f"{offer.server} offers {offer.address}; the inventory reserves {IPv4Address(expected.address)}",
                severity="warning",
            )
        )
    return found


def _unlike(option: OfferedOption, offer: Offer) -> Problem | None:
    label = f"option {option.code} ({option.name})"
    given = offer.message.options.get(option.code)
    if given is None:
        return OPTION_MISSING.problem(
            f"{label} is missing from the offer of {offer.server}; the inventory says {option.text}",
            path=option.origin,
        )
    # A NUL at the end is no other value; it is told for itself.
    if given.rstrip(b"\0") == option.data.rstrip(b"\0"):
        return None
    return OPTION_DIFFERENT.problem(
        f"{label} from {offer.server} is {code.show(option.code, given)}; the inventory says {option.text}",
        path=option.origin,
    )


def _odd(offer: Offer) -> Iterator[Problem]:
    """Tell what is odd about the octets of the options that matter to provisioning."""
    for number in (code.DOMAIN, *ORDER):
        for remark in (
            remarks(number, offer.message.options[number]) if number in offer.message.options else ()
        ):
            if remark.oddity not in HARMLESS:
                yield OPTION_ODD.problem(f"{offer.server} sends option {number}: {remark.clause}")


def _astray(number: int, offer: Offer, *, usable: bool) -> Problem:
    said = f"{offer.server} sends option {number} ({code.name(number)}): {code.show(number, offer.message.options[number])}"
    if not usable:
        return OPTION_EXTRA.problem(f"{said}; no phone can use it, and goes on to SRV", severity="warning")
    return OPTION_EXTRA.problem(f"{said}; a phone that has it does not ask for SRV")


def _discover(phone: Identity) -> Message:
    client = Client(
        ClientIdentity(
            parse_mac(phone.mac),
            vendor_class=phone.option_60,
            request_list=phone.requested,
            broadcast=True,
        ),
        random.getrandbits,
    )
    client.start(0.0)
    (datagram,) = client.datagrams_to_send()
    return dhcp.decode(datagram.data)


def _own_servers(interface: str) -> socket.socket | None:
    """Return what hears a server on this machine, which answers below UDP; None where that is not permitted."""
    try:
        return server_watch(interface, own=True)
    except OSError:
        return None


def _socket(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        fcntl.ioctl(sock, _SIOCGIFADDR, struct.pack("256s", interface[:15].encode()))
        sock.bind(("0.0.0.0", dhcp.CLIENT_PORT))
    except OSError as error:
        sock.close()
        remedy = {
            errno.EADDRNOTAVAIL: "give the interface an address of the phones' network: DNS and files are asked from it",
            errno.EADDRINUSE: "stop the DHCP client on this interface, or leave DHCP out: --no-dhcp",
            errno.ENODEV: "`ip link` lists the interfaces",
        }.get(error.errno or 0, "run as root, or leave DHCP out: --no-dhcp")
        raise ServiceError(f"cannot ask for DHCP on {interface}: {error.strerror}", remedy) from error
    return sock
