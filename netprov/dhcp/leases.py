"""The lease table of one network: offer, bind, release, decline, expire (RFC 2131 sections 2.2, 4.3.1).

Choice of an address: the fixed one, the current, the previous, the requested, then a free one. Absent: storage,
which the caller does from the events before it lets a reply go.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping

from netprov.dhcp.config import NetworkConfig, ServerLimits
from netprov.dhcp.lease import Lease, LeaseState
from netprov.dhcp.pool import Pool
from netprov.dhcp.relay import port
from netprov.dhcp.share import Shares

_BOUND, _DECLINED = LeaseState.BOUND, LeaseState.DECLINED


class Leases:
    """Every address of one network that was ever given out, until it goes to another client."""

    def __init__(
        self,
        network: NetworkConfig,
        fixed: Mapping[int, bytes],
        limits: ServerLimits,
        phones: Container[bytes] = frozenset(),
    ) -> None:
        """`phones` are the hardware addresses of listed phones; `fixed` are those that have an address of their own.

        A listed phone is one client by whichever option 61 its boot loader and its firmware call themselves.
        """
        self.network = network
        self.limits = limits
        self._fixed = fixed
        self._phones = phones
        self._settled = frozenset(fixed.values())
        self._by_phone: dict[bytes, int] = {}
        excluded = frozenset(fixed) | {
            network.address,
            network.prefix,
            network.prefix | ~network.mask & 0xFFFFFFFF,
        }
        self._open = Pool(network.pool, excluded)
        self._reserved = Pool(network.reserved, excluded)
        self.shares = Shares(len(self._open), kept=network.kept, per_port=network.per_port)
        self._by_address: dict[int, Lease] = {}
        self._declined = 0
        self._by_key: dict[bytes, int] = {}
        self._offers: dict[int, tuple[bytes, float, str, bytes]] = {}
        self._offered: dict[bytes, int] = {}
        self._lapses: deque[tuple[float, int]] = deque()
        self._alarms: list[int] = []
        self._armed: dict[int, int] = {}

    def __iter__(self) -> Iterator[Lease]:
        return iter(self._by_address.values())

    def __len__(self) -> int:
        return len(self._by_address)

    def load(self, leases: Iterable[Lease]) -> None:
        """Take in what was stored; of two leases of one client the later one is its current."""
        for lease in leases:
            self._by_address[lease.address] = lease
            if lease.mac in self._phones and lease.state is _BOUND:
                self._by_phone[lease.mac] = lease.address
            if lease.key:
                other = self._by_address.get(self._by_key.get(lease.key, 0))
                if other is None or other.expires <= lease.expires:
                    self._by_key[lease.key] = lease.address
            if lease.state in {_BOUND, _DECLINED}:
                self._arm(lease)
                self._declined += lease.state is _DECLINED
                self._hold(lease.address, self._behind(lease))
            else:
                self._give(lease.address)

    def of(self, key: bytes, phone: bytes = b"") -> Lease | None:
        """Return a client's current or previous lease, if its address went to no one else."""
        lease = self._by_address.get(self._by_key.get(key, 0))
        if lease is not None and lease.key == key:
            return lease
        lease = self._by_address.get(self._by_phone.get(phone, 0)) if phone else None
        return lease if lease is not None and lease.mac == phone else None

    def knows(self, key: bytes) -> bool:
        """Say whether a client has, or had, a lease, or has an offer."""
        return key in self._by_key or key in self._offered

    def at(self, address: int) -> Lease | None:
        """Return the lease on an address, whatever its state."""
        return self._by_address.get(address)

    def told(self, key: bytes) -> str:
        """Return the vendor class that a client told when it got its lease or offer, "" if it has neither."""
        lease = self._by_address.get(self._by_key.get(key, 0))
        if lease is not None and lease.key == key and lease.vendor_class:
            return lease.vendor_class
        offer = self._offers.get(self._offered.get(key, 0))
        return offer[2] if offer is not None else ""

    def misplaced(self) -> Iterator[Lease]:
        """Yield the leases on addresses that this network gives to nobody, or not to their clients."""
        for lease in self._by_address.values():
            if lease.state is not _BOUND or lease.address in self._open or lease.address in self._reserved:
                continue
            if self._fixed.get(lease.address) not in {lease.mac, lease.key[1:]}:
                yield lease

    def free(self, now: float) -> int:
        """Count the addresses of the pool that may be offered to anybody."""
        held = [
            address
            for address, lease in self._by_address.items()
            if address in self._open and lease.state in {_BOUND, _DECLINED} and lease.expires > now
        ]
        offered = [address for address in self._offers if address in self._open]
        return len(self._open) - len({*held, *offered})

    def offer(
        self,
        key: bytes,
        now: float,
        *,
        listed: bool,
        fixed: int = 0,
        requested: int = 0,
        phone: bytes = b"",
        vendor_class: str = "",
        behind: bytes | None = b"",
    ) -> int:
        """Choose an address and keep it for the client a while; return 0 if there is none.

        `behind` is the port of a switch that a client is behind for which no addresses are kept, b"" if the port is not
        known; None for one that they are kept for.
        """
        self._lapse(now)
        address = self._choose(
            key, now, listed=listed, fixed=fixed, requested=requested, phone=phone, behind=behind
        )
        if address:
            previous = self._offered.get(key)
            if previous is not None and previous != address:
                self.withdraw(key)
            self._claim(address)
            self._hold(address, behind)
            until = now + self.limits.offer_hold
            self._offers[address] = (key, until, vendor_class, phone)
            self._offered[key] = address
            if previous != address:
                self._lapses.append((until, address))
        return address

    def withdraw(self, key: bytes) -> None:
        """Forget what was offered to a client: it took another server's offer."""
        address = self._offered.pop(key, None)
        if address is not None:
            self._offers.pop(address, None)
            self._free(address)

    def may_have(
        self,
        address: int,
        key: bytes,
        now: float,
        *,
        listed: bool,
        fixed: int = 0,
        phone: bytes = b"",
        behind: bytes | None = b"",
    ) -> bool:
        """Say whether a client may be bound to an address: it is of its pool or its own, and no one else's."""
        allowed = address == fixed or address in self._open or (listed and address in self._reserved)
        if not allowed or not self._usable(address, key, now, phone):
            return False
        return address == fixed or address in self.shares or not self.shares.refusal(behind)

    def bind(self, lease: Lease, now: float) -> tuple[Lease | None, bool]:
        """Record a lease; return the client's former lease on another address, now released, and whether it renews."""
        address, key = lease.address, lease.key
        offered = self._offered.pop(key, None)
        if offered is not None:
            self._offers.pop(offered, None)
            if offered != address:
                self._free(offered)
        before = self._by_address.get(address)
        self._declined -= before is not None and before.state is _DECLINED
        if before is not None and before.key != key and self._by_key.get(before.key) == address:
            del self._by_key[before.key]
        renewed = before is not None and before.key == key and before.active(now)
        self._by_address[address] = lease
        former = self._by_key.get(key)
        self._by_key[key] = address
        if lease.mac in self._phones:
            former = former or self._by_phone.get(lease.mac)
            self._by_phone[lease.mac] = address
        self._claim(address)
        self._hold(address, None if self.shares.holder(address) is None else self._behind(lease))
        self._arm(lease)
        if former is None or former == address:
            return None, renewed
        return self._leave(former, lease, now), renewed

    def release(self, address: int, key: bytes, now: float) -> Lease | None:
        """End a lease but remember whose it was (RFC 2131 4.3.4); return None if it is not the client's."""
        lease = self._by_address.get(address)
        if lease is None or lease.key != key or not lease.active(now):
            return None
        ended = lease._replace(state=LeaseState.RELEASED, expires=now)
        self._by_address[address] = ended
        self._give(address)
        return ended

    def is_of(self, address: int, key: bytes, now: float) -> bool:
        """Say whether an address is leased or offered to a client."""
        lease, offer = self._by_address.get(address), self._offers.get(address)
        return (lease is not None and lease.key == key and lease.active(now)) or (
            offer is not None and offer[0] == key
        )

    @property
    def may_decline(self) -> bool:
        """Whether fewer than a quarter of the pool's addresses are held as in use by strangers.

        One host can answer for every address. Beyond, clients get what is free and find out themselves.
        """
        return self._declined * 4 < len(self._open)

    def is_doubted(self, address: int) -> bool:
        """Say whether an address was found taken, and bound to nobody since."""
        lease = self._by_address.get(address)
        return lease is not None and not lease.key

    def decline(self, address: int, key: bytes, mac: bytes, now: float, *, hold: float) -> Lease | None:
        """Take an address out of use that its client found taken (RFC 2131 4.3.3), for `hold` seconds.

        Returns None if it was not the client's.
        """
        if not self.is_of(address, key, now):
            return None
        self._offers.pop(address, None)
        self._offered.pop(key, None)
        if self._by_key.get(key) == address:
            del self._by_key[key]
        bad = Lease(address, self.network.name, b"", mac, _DECLINED, now, now + hold)
        self._declined += 1
        self._claim(address)
        self._hold(address, b"")
        self._by_address[address] = bad
        self._arm(bad)
        return bad

    def next_expiry(self) -> float | None:
        """Return when the next lease may run out."""
        return float(self._alarms[0] >> 32) if self._alarms else None

    def expire(self, now: float) -> list[Lease]:
        """End the leases that have run out, and the holds on declined addresses."""
        ended = []
        while self._alarms and self._alarms[0] >> 32 <= now:
            alarm = heapq.heappop(self._alarms)
            address = alarm & 0xFFFFFFFF
            if self._armed.get(address) != alarm:
                continue
            del self._armed[address]
            lease = self._by_address[address]
            if lease.state not in {_BOUND, _DECLINED}:
                continue
            if lease.expires > now:
                self._arm(lease)
                continue
            over = lease._replace(state=LeaseState.EXPIRED)
            self._declined -= lease.state is _DECLINED
            self._by_address[address] = over
            self._give(address)
            ended.append(over)
        return ended

    def _leave(self, address: int, successor: Lease, now: float) -> Lease | None:
        """End a client's lease on the address it had before."""
        lease = self._by_address.get(address)
        if lease is None or lease.state is not _BOUND:
            return None
        if lease.key != successor.key and lease.mac != successor.mac:
            return None
        ended = lease._replace(state=LeaseState.RELEASED, expires=min(now, lease.expires))
        self._by_address[address] = ended
        self._give(address)
        return ended

    def _choose(
        self,
        key: bytes,
        now: float,
        *,
        listed: bool,
        fixed: int,
        requested: int,
        phone: bytes,
        behind: bytes | None,
    ) -> int:
        if fixed and self._usable(fixed, key, now, phone):
            return fixed
        current = self._by_key.get(key) or self._by_phone.get(phone, 0)
        for address in (current, self._offered.get(key, 0), requested):
            if address and self.may_have(address, key, now, listed=listed, phone=phone, behind=behind):
                return address
        own = self._reserved.take(self._known) if listed else 0
        return own or (0 if self.shares.refusal(behind) else self._open.take(self._known))

    def _known(self, address: int) -> bool:
        return address in self._by_address or address in self._offers

    def _usable(self, address: int, key: bytes, now: float, phone: bytes) -> bool:
        """Say whether nobody else has an address or its offer."""
        offer = self._offers.get(address)
        if offer is not None and offer[0] != key and offer[1] > now and (not phone or offer[3] != phone):
            return False
        lease = self._by_address.get(address)
        if lease is None:
            return True
        if lease.state is not _DECLINED and (lease.key == key or (phone and lease.mac == phone)):
            return True
        return lease.state not in {_BOUND, _DECLINED} or lease.expires <= now

    def _lapse(self, now: float) -> None:
        """Forget offers that were not taken up."""
        lapses = self._lapses
        while lapses and lapses[0][0] <= now:
            _, address = lapses.popleft()
            offer = self._offers.get(address)
            if offer is None:
                continue
            if offer[1] > now:
                lapses.append((offer[1], address))
                continue
            del self._offers[address]
            if self._offered.get(offer[0]) == address:
                del self._offered[offer[0]]
            self._free(address)

    def _free(self, address: int) -> None:
        """Give an offered address back, unless a lease still stands on it."""
        lease = self._by_address.get(address)
        if lease is None or lease.state not in {_BOUND, _DECLINED}:
            self._give(address, first=True)

    def _hold(self, address: int, behind: bytes | None) -> None:
        if address in self._open:
            self.shares.hold(address, behind)

    def _behind(self, lease: Lease) -> bytes | None:
        """Return the port that a lease's client is behind, None if addresses are kept for it."""
        if lease.mac in self._phones and lease.mac not in self._settled:
            return None
        return port(lease.relay)

    def _give(self, address: int, *, first: bool = False) -> None:
        self.shares.free(address)
        (self._reserved if address in self._reserved else self._open).give(address, first=first)

    def _claim(self, address: int) -> None:
        self._open.claim(address)
        self._reserved.claim(address)

    def _arm(self, lease: Lease) -> None:
        """Set the alarm of a lease; a renewed one is set anew when its former alarm goes off."""
        alarm = int(lease.expires + 1) << 32 | lease.address
        armed = self._armed.get(lease.address)
        if armed is None or alarm < armed:
            self._armed[lease.address] = alarm
            heapq.heappush(self._alarms, alarm)
