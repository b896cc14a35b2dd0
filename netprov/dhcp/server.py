"""The DHCP server as a machine: DISCOVER, REQUEST in its four states, DECLINE, RELEASE, INFORM (RFC 2131 section 4.3).

A request that is not for us, or from a client that the inventory does not serve, is dropped with its reason:
the server is not authoritative unless told so. Absent: leasequery (RFC 4388), FORCERENEW (RFC 3203), rapid
commit (RFC 4039), which are dropped or ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from netprov.dhcp import message as dhcp
from netprov.dhcp.config import DhcpConfig
from netprov.dhcp.intake import Intake
from netprov.dhcp.lease import (
    Bound,
    Declined,
    Expired,
    Lease,
    LeaseState,
    Nak,
    PoolUsedUp,
    Released,
)
from netprov.dhcp.lease_tables import LeaseTables
from netprov.dhcp.message import Message, Type, dotted
from netprov.dhcp.option import table as code
from netprov.dhcp.other import AGAIN, OtherServers
from netprov.dhcp.placement import Placement
from netprov.dhcp.probe import TRIES, Probe, Probing
from netprov.dhcp.quiet import QuietLinks
from netprov.dhcp.reply import Incoming, bootp, destination, grant, lease_time, refusal
from netprov.errors import Malformed
from netprov.machine import Datagram, Dropped, Endpoint, Event
from netprov.rate import RateLimit

NOWHERE = "0.0.0.0"
BOOTP = 0
"""What stands for the type of a message without option 53."""


class Server:
    """Serves one plan; a new plan is a new server, loaded with the leases of the old one."""

    def __init__(self, config: DhcpConfig, leases: Iterable[Lease] = ()) -> None:
        self.config = config
        self._tables = LeaseTables(config, leases)
        self._events: list[Event] = [*self._tables.misplaced()]
        self.intake = Intake(config)
        self._placement = Placement(self.intake, self._tables)
        self._limit = RateLimit(config.limits.client_rate, config.limits.total_rate)
        self._overheard = OtherServers(config)
        self._probing = Probing()
        self._used_up: dict[str, float] = {}
        self._quiet = QuietLinks()
        self._outbox: list[Datagram] = []
        self._handlers: Mapping[int, Callable[[Incoming, float], None]] = {
            Type.DISCOVER: self._discover,
            Type.REQUEST: self._request,
            Type.DECLINE: self._decline,
            Type.RELEASE: self._release,
            Type.INFORM: self._inform,
            BOOTP: self._bootp,
        }

    def leases(self) -> Iterable[Lease]:
        """Return every lease on record, active or not, those of networks that are not in the plan included."""
        return self._tables

    def knows(self, mac: bytes) -> bool:
        """Say whether a hardware address is a listed phone's, or of a client that has a lease or offer."""
        return mac in self.config.phones or self._tables.knows(b"\x01" + mac)

    def hush(self, interface: str, reason: str, now: float) -> None:
        """Offer nothing on a link for a reason; for none, "", offer again, to those too who have just asked.

        Leases and offers that are out are confirmed as ever.
        """
        for incoming in self._quiet.set(interface, reason, now):
            self._discover(incoming, now)

    def hushed(self) -> Mapping[str, str]:
        """Return the links on which nothing is offered, and why."""
        return self._quiet.reasons

    def free(self, now: float) -> Mapping[str, int]:
        """Count the addresses of each network that may be offered to anybody."""
        return self._tables.free(now)

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> None:
        """Answer one request, or drop it with its reason."""
        try:
            request = dhcp.decode(datagram)
        except Malformed as error:
            self._drop(str(error), source)
            return
        if request.op != dhcp.BOOTREQUEST:
            self._drop("not a BOOTREQUEST", source)
        elif not request.chaddr:
            self._drop("no hardware address", source)
        elif not self._limit.admit(request.chaddr, now):
            self._drop("too many messages each second", source)
        else:
            self._answer(request, source, now)

    def take_over(self, before: Server, now: float) -> None:
        """Answer by this configuration what waits for a probe in the server before: its clients would wait for nothing."""
        for incoming in before._probing.waiting():
            self._answer(incoming.request, incoming.source, now)

    def handle_timer(self, now: float) -> None:
        """End what has run out: leases, and the wait for probes that nobody answered."""
        self._events += map(Expired, self._tables.expire(now))
        for address in self._probing.due(now):
            self.conclude(dotted(address), taken=False, now=now)

    def timer(self) -> float | None:
        """Return when the next lease or probe runs out."""
        due = (self._tables.next_expiry(), self._probing.next_due())
        return min((when for when in due if when is not None), default=None)

    def probes_to_send(self) -> Sequence[Probe]:
        """Return and forget the probes to send; report answers with `conclude`."""
        return self._probing.probes()

    def conclude(self, address: str, *, taken: bool, now: float, by: bytes = b"") -> None:
        """Take in a probe's outcome: offer the address, or hold it back and try another.

        `by` is the hardware address that answered, b"" where that is not known.
        """
        number = int.from_bytes(bytes(map(int, address.split("."))), "big")
        parked = self._probing.take(number)
        if parked is None:
            return
        incoming = parked.incoming
        if incoming.request.type == Type.DECLINE:
            self._settle(incoming, number, now, taken=taken, by=by)
            if parked.then is not None:
                self._discover(parked.then, now)
            return
        table, hold = self._tables[incoming.network], self.config.limits.decline_hold
        self._probing.note(number, incoming.key, now, free=not taken)
        if not taken or not table.may_decline:
            self._offer(incoming, number)
            return
        bad = table.decline(number, incoming.key, incoming.request.chaddr, now, hold=hold)
        if bad is not None:
            self._events.append(Declined(bad, "probe"))
        if parked.tries < TRIES:
            self._discover(incoming, now, tries=parked.tries + 1)

    def release(self, address: int, now: float) -> bool:
        """End a lease on the operator's word; say whether there was one."""
        ended = self._tables.release(address, now)
        if ended is not None:
            self._events.append(Released(ended))
        return ended is not None

    def events(self) -> list[Event]:
        """Return and forget what happened."""
        events, self._events = self._events, []
        return events

    def datagrams_to_send(self) -> list[Datagram]:
        """Return and forget the replies; they may leave once the events are on disk (RFC 2131 3.1)."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def _answer(self, request: Message, source: Endpoint, now: float) -> None:
        incoming = self._placement.accept(request, source)
        if isinstance(incoming, str):
            self._drop(incoming, source, request.chaddr)
            self._overhear(request, source, now)
            return
        kind = request.type
        handle = self._handlers.get(kind)
        if handle is None:
            self._drop(f"message type {kind} is not for a server", source)
        else:
            handle(incoming, now)

    def _discover(self, incoming: Incoming, now: float, tries: int = 1) -> None:
        """RFC 2131 4.3.1: of the first network on the link that has an address for the client."""
        chaddr = incoming.request.chaddr
        if why := self._quiet.hold(incoming, now):
            self._drop(why, incoming.source, chaddr)
            return
        choices = self._placement.choices(incoming, now)
        for each in choices:
            if self._offer_on(each, now, tries):
                return
        first = choices[0] if choices else incoming
        name = first.network.name
        others = f" or {len(choices) - 1} more on this link" if len(choices) > 1 else ""
        kept = self._tables[first.network].shares.refusal(first.behind)
        why = f": {kept}" if kept else ""
        self._drop(f"no free address on network {name}{others}{why}", incoming.source, chaddr)
        if now - self._used_up.get(name, -AGAIN) >= AGAIN:
            self._used_up[name] = now
            self._events.append(PoolUsedUp(name, chaddr, kept))

    def _offer_on(self, incoming: Incoming, now: float, tries: int) -> bool:
        """Offer an address of one network, once it was probed; say whether there is one."""
        network, table = incoming.network, self._tables[incoming.network]
        previous = table.of(incoming.key, incoming.owner)
        address = table.offer(
            incoming.key,
            now,
            listed=incoming.listed,
            fixed=incoming.fixed,
            requested=incoming.request.address(code.REQUESTED_ADDRESS),
            phone=incoming.owner,
            vendor_class=incoming.serving.client.vendor_class or "",
            behind=incoming.behind,
        )
        if not address:
            return False
        if self._probing.defer(address, incoming):
            return True
        known = address == incoming.fixed or (previous is not None and previous.address == address)
        known = known or self._probing.is_free(address, incoming.key, now)
        known = known and not table.is_doubted(address)
        if known or not network.probe or self._probing.full:
            self._offer(incoming, address)
        else:
            self._probing.park(address, incoming, now, tries)
        return True

    def _offer(self, incoming: Incoming, address: int) -> None:
        seconds = lease_time(incoming)
        data = grant(incoming, Type.OFFER, yiaddr=address, lease_time=seconds)
        self._send(incoming, data, yiaddr=address)

    def _request(self, incoming: Incoming, now: float) -> None:
        """Tell the client's state by what it fills in (RFC 2131 4.3.2, table 4)."""
        request = incoming.request
        chosen = request.address(code.SERVER_ID)
        requested = request.address(code.REQUESTED_ADDRESS)
        table = self._tables[incoming.network]
        if chosen and chosen != incoming.server_id:
            table.withdraw(incoming.key)
            self._overhear(request, incoming.source, now)
        elif chosen and requested:
            self._bind_or_refuse(incoming, requested, now)
        elif requested:
            self._reboot(incoming, requested, now)
        elif request.ciaddr:
            self._extend(incoming, now)
        else:
            self._drop("request names no address", incoming.source)

    def _bind_or_refuse(self, incoming: Incoming, address: int, now: float) -> None:
        """SELECTING: the client took our offer."""
        table = self._tables[incoming.network]
        if table.may_have(
            address,
            incoming.key,
            now,
            listed=incoming.listed,
            fixed=incoming.fixed,
            phone=incoming.owner,
            behind=incoming.behind,
        ):
            self._bind(incoming, address, now)
        else:
            self._refuse(incoming, f"{dotted(address)} is not yours")

    def _reboot(self, incoming: Incoming, address: int, now: float) -> None:
        """INIT-REBOOT: silent if nothing is known of the client, unless authoritative."""
        network = incoming.network
        if not network.contains(address):
            self._refuse(incoming, f"{dotted(address)} is not on network {network.name}")
            return
        self._confirm(incoming, address, now, rebooting=True)

    def _extend(self, incoming: Incoming, now: float) -> None:
        """RENEWING or REBINDING."""
        address = incoming.request.ciaddr
        if not incoming.network.contains(address):
            self._refuse(incoming, f"{dotted(address)} is not on network {incoming.network.name}")
            return
        self._confirm(incoming, address, now)

    def _confirm(self, incoming: Incoming, address: int, now: float, *, rebooting: bool = False) -> None:
        """Confirm an address that a client says it has."""
        table = self._tables[incoming.network]
        lease = table.of(incoming.key, incoming.owner)
        if lease is None and incoming.fixed != address:
            holder = table.at(address)
            # RFC 2131 4.3.2, INIT-REBOOT: "If the DHCP server has no record of this client, then it MUST remain silent".
            others = not rebooting and holder is not None and holder.active(now)
            if incoming.network.authoritative or incoming.fixed or others:
                self._refuse(incoming, f"no lease on {dotted(address)}")
            else:
                chaddr = incoming.request.chaddr
                self._drop(f"nothing known of a lease on {dotted(address)}", incoming.source, chaddr)
            return
        right = incoming.fixed == address or (lease is not None and lease.address == address)
        if incoming.fixed not in {0, address} and table.may_have(
            incoming.fixed, incoming.key, now, listed=True, fixed=incoming.fixed, phone=incoming.owner
        ):
            # A reservation made after the lease: the refusal moves the phone to its own address.
            right = False
        if right and table.may_have(
            address,
            incoming.key,
            now,
            listed=incoming.listed,
            fixed=incoming.fixed,
            phone=incoming.owner,
            behind=incoming.behind,
        ):
            self._bind(incoming, address, now)
        else:
            self._refuse(incoming, f"{dotted(address)} is not yours")

    def _bind(self, incoming: Incoming, address: int, now: float) -> None:
        request = incoming.request
        table = self._tables[incoming.network]
        seconds = lease_time(incoming)
        before = table.at(address)
        again = before is not None and before.key == incoming.key and before.state is LeaseState.BOUND
        lease = Lease(
            address,
            incoming.network.name,
            incoming.key,
            request.chaddr,
            LeaseState.BOUND,
            before.started if again and before is not None else now,
            now + seconds,
            *self.intake.remembered(incoming),
        )
        if again and before is not None and request.ciaddr and not lease.relay:
            lease = lease._replace(relay=before.relay)  # a renewal passes the relay by: it is where it was
        former, renewed = table.bind(lease, now)
        if former is not None:
            self._events.append(Released(former))
        self._events.append(Bound(lease, renewed))
        self._probing.take(address)
        data = grant(incoming, Type.ACK, yiaddr=address, lease_time=seconds)
        self._send(incoming, data, yiaddr=address)

    def _refuse(self, incoming: Incoming, text: str) -> None:
        self._events.append(Nak(incoming.request.chaddr, incoming.network.name, text))
        data = refusal(incoming.request, incoming.server_id, text)
        to = destination(incoming.request, incoming.source.interface, yiaddr=0, refused=True)
        self._outbox.append(Datagram(data, to, dotted(incoming.network.address)))

    def _decline(self, incoming: Incoming, now: float) -> None:
        """RFC 2131 4.3.3: no reply.

        It names its sender, and proves nothing: the network is asked who answers at the address.
        """
        request = incoming.request
        if request.address(code.SERVER_ID) not in {0, incoming.server_id}:
            self._drop("declined to another server", incoming.source)
            return
        address = request.address(code.REQUESTED_ADDRESS)
        if not self._tables[incoming.network].is_of(address, incoming.key, now):
            self._drop(f"declined {dotted(address)}, which was not its own", incoming.source)
        elif incoming.network.probe and not self._probing.full and address not in self._probing:
            self._probing.park(address, incoming, now, TRIES)
        else:
            self._settle(incoming, address, now, taken=False)

    def _settle(self, incoming: Incoming, address: int, now: float, *, taken: bool, by: bytes = b"") -> None:
        """Take an address out of use that was declined, as long as there is evidence for.

        Deviation: RFC 2131 4.3.3 believes the client. An hour for a stranger who answers there; where nobody does, a
        minute, and a phone's fixed address stays its own: it is probed before it is offered again.
        """
        chaddr = incoming.request.chaddr
        self._probing.note(address, incoming.key, now, free=False)
        if taken and by == chaddr:
            self._drop(f"declined {dotted(address)}, and answers there itself", incoming.source, chaddr)
            return
        # Behind a relay an answer to a ping may be the client's own.
        seen = taken and not incoming.request.giaddr
        limits = self.config.limits
        hold = limits.decline_hold if seen else min(limits.unseen_hold, limits.decline_hold)
        if not seen and address == incoming.fixed and incoming.network.probe:
            hold = 0
        bad = self._tables[incoming.network].decline(address, incoming.key, chaddr, now, hold=hold)
        if bad is not None:
            self._events.append(Declined(bad, "client, and a probe" if seen else "client"))

    def _release(self, incoming: Incoming, now: float) -> None:
        """RFC 2131 4.3.4: no reply; the binding is kept for the same client."""
        request = incoming.request
        # Quirk: systemd-networkd 252 names no server (table 5: MUST); what it releases is checked all the same.
        if request.address(code.SERVER_ID) not in {0, incoming.server_id}:
            self._drop("released to another server", incoming.source)
            return
        ended = self._tables[incoming.network].release(request.ciaddr, incoming.key, now)
        if ended is None:
            self._drop(f"released {dotted(request.ciaddr)}, which was not its own", incoming.source)
        else:
            self._events.append(Released(ended))

    def _inform(self, incoming: Incoming, now: float) -> None:
        """RFC 2131 4.3.5: options without an address; the reply goes to ciaddr whatever the relay.

        A client that leaves ciaddr out is answered where it sent from, by its relay if it has one.
        """
        del now
        request, source = incoming.request, incoming.source
        if request.ciaddr:
            to = Endpoint(dotted(request.ciaddr), dhcp.CLIENT_PORT, source.interface)
        elif request.giaddr:
            to = destination(request, source.interface, yiaddr=0)
        elif source.address not in {"", NOWHERE}:
            to = Endpoint(source.address, dhcp.CLIENT_PORT, source.interface)
        else:
            self._drop("INFORM without ciaddr", source)
            return
        data = grant(incoming, Type.ACK, yiaddr=0, lease_time=0)
        self._outbox.append(Datagram(data, to, dotted(incoming.network.address)))

    def _bootp(self, incoming: Incoming, now: float) -> None:
        """RFC 1534: a client without option 53 gets its fixed address for good, if the inventory says so."""
        del now
        if not incoming.network.bootp:
            self._drop("BOOTP is not served on this network", incoming.source)
        elif not incoming.fixed:
            self._drop("BOOTP client without a fixed address", incoming.source)
        else:
            self._send(incoming, bootp(incoming), yiaddr=incoming.fixed)

    def _send(self, incoming: Incoming, data: bytes, *, yiaddr: int) -> None:
        to = destination(incoming.request, incoming.source.interface, yiaddr=yiaddr)
        self._outbox.append(Datagram(data, to, dotted(incoming.network.address)))

    def _overhear(self, request: Message, source: Endpoint, now: float) -> None:
        other = self._overheard.server(request, source, now)
        if other is not None:
            self._events.append(other)

    def _drop(self, reason: str, source: Endpoint, chaddr: bytes = b"") -> None:
        if chaddr:
            source = Endpoint(source.address, source.port, source.interface, chaddr)
        self._events.append(Dropped(reason, source))
