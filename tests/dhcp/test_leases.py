"""Lease life as a state machine: no address twice, a reservation wins, an expired lease is free, all in constant time."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from netprov.dhcp.config import ServerLimits
from netprov.dhcp.lease import Lease, LeaseState
from netprov.dhcp.leases import Leases
from netprov.dhcp.pool import Pool
from tests.dhcp.link import VOICE, ip

POOL = range(ip("10.20.0.100"), ip("10.20.0.104"))
RESERVED = ip("10.20.0.110")
FIXED = ip("10.20.0.50")
LISTED = 0
"""Client 0 is listed and has the fixed address; client 1 is listed; the others are not."""
NETWORK = VOICE.__class__(
    **{name: getattr(VOICE, name) for name in VOICE.__dataclass_fields__}
    | {"pool": ((POOL[0], POOL[-1]),), "reserved": ((RESERVED, RESERVED),)}
)
clients = st.integers(0, 6)


class LeaseLife(RuleBasedStateMachine):
    """Clients that come and go in any order; the model knows who was told what, until when."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Leases(NETWORK, {FIXED: b""}, ServerLimits(offer_hold=15, decline_hold=600))
        self.now = 1000.0
        self.held: dict[int, tuple[int, float]] = {}

    def holders(self) -> dict[int, int]:
        return {address: client for client, (address, until) in self.held.items() if until > self.now}

    @rule(client=clients, requested=st.sampled_from([0, *POOL, RESERVED, FIXED, 1]))
    def discover(self, client: int, requested: int) -> None:
        address = self.offer(client, requested)
        if not address:
            return
        assert self.holders().get(address, client) == client
        assert address != RESERVED or client <= 1
        assert address != FIXED or client == LISTED

    @rule(client=clients, seconds=st.integers(60, 600))
    def obtain(self, client: int, seconds: int) -> None:
        address = self.offer(client, 0)
        if address:
            self.bind(client, address, seconds)

    @rule(client=clients, address=st.sampled_from([*POOL, RESERVED, FIXED]), seconds=st.integers(60, 600))
    def demand(self, client: int, address: int, seconds: int) -> None:
        fixed = FIXED if client == LISTED else 0
        if self.table.may_have(address, self.key(client), self.now, listed=client <= 1, fixed=fixed):
            assert self.holders().get(address, client) == client
            self.bind(client, address, seconds)

    @rule(client=clients)
    def release(self, client: int) -> None:
        if client in self.held:
            self.table.release(self.held.pop(client)[0], self.key(client), self.now)

    @rule(client=clients)
    def decline(self, client: int) -> None:
        if client in self.held:
            address, until = self.held.pop(client)
            bad = self.table.decline(address, self.key(client), b"", self.now, hold=3600)
            assert bad is not None or until <= self.now

    @rule(seconds=st.floats(0.5, 700))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for lease in self.table.expire(self.now):
            assert lease.expires <= self.now

    @rule()
    def restart(self) -> None:
        leases = list(self.table)
        self.table = Leases(NETWORK, {FIXED: b""}, self.table.limits)
        self.table.load(leases)

    @invariant()
    def nobody_shares(self) -> None:
        held = [address for address, until in self.held.values() if until > self.now]
        assert len(held) == len(set(held))

    @invariant()
    def who_holds_a_lease_keeps_it(self) -> None:
        for client, (address, until) in self.held.items():
            lease = self.table.at(address)
            if until > self.now:
                assert lease is not None
                assert lease.active(self.now)
                assert lease.key == self.key(client)

    def offer(self, client: int, requested: int) -> int:
        fixed = FIXED if client == LISTED else 0
        return self.table.offer(
            self.key(client), self.now, listed=client <= 1, fixed=fixed, requested=requested
        )

    def bind(self, client: int, address: int, seconds: int) -> None:
        lease = Lease(address, "voice", self.key(client), b"", LeaseState.BOUND, self.now, self.now + seconds)
        self.table.bind(lease, self.now)
        self.held[client] = (address, self.now + seconds)

    @staticmethod
    def key(client: int) -> bytes:
        return bytes([client + 1])


TestLeaseLife = LeaseLife.TestCase
TestLeaseLife.settings = settings(settings.default, stateful_step_count=40)


def fill(table: Leases, count: int, now: float, seconds: float = 3600.0) -> list[int]:
    addresses = []
    for number in range(count):
        key = number.to_bytes(4, "big")
        address = table.offer(key, now, listed=False)
        assert address
        table.bind(Lease(address, "voice", key, b"", LeaseState.BOUND, now, now + seconds), now)
        addresses.append(address)
    return addresses


WIDE = NETWORK.__class__(
    **{name: getattr(NETWORK, name) for name in NETWORK.__dataclass_fields__}
    | {
        "prefix": ip("10.0.0.0"),
        "mask": ip("255.255.0.0"),
        "pool": ((ip("10.0.0.1"), ip("10.0.255.254")),),
        "reserved": (),
    }
)


def test_free_address_is_found_at_once_in_a_full_16() -> None:
    """Counted in looks, not in time: each address is looked at once in the life of a pool."""
    looks = 0

    def known(address: int) -> bool:
        nonlocal looks
        looks += 1
        return address % 100 != 0

    pool = Pool(WIDE.pool)
    free = [address for address in range(ip("10.0.0.1"), ip("10.0.255.255")) if not address % 100]
    assert [pool.take(known) for _ in free] == free
    assert pool.take(known) == 0
    assert looks == 0xFFFE
    pool.give(free[7])
    assert (pool.take(known), pool.take(known), looks) == (free[7], 0, 0xFFFE)


def test_address_longest_free_is_given_first() -> None:
    table = Leases(NETWORK, {}, ServerLimits())
    addresses = fill(table, 4, 0.0)
    for number in (2, 0, 1):
        table.release(addresses[number], number.to_bytes(4, "big"), 1.0)
    assert [table.offer(bytes([9, number]), 2.0, listed=False) for number in range(4)] == [
        addresses[2], addresses[0], addresses[1], 0,
    ]  # fmt: skip


def test_every_lease_of_a_full_pool_expires_once() -> None:
    table = Leases(WIDE, {}, ServerLimits())
    fill(table, 2000, 0.0, seconds=100.0)
    assert table.expire(99.0) == []
    assert len(table.expire(102.0)) == 2000
    assert table.expire(1000.0) == []
    assert table.next_expiry() is None


def test_renewed_lease_does_not_expire_early() -> None:
    table = Leases(NETWORK, {}, ServerLimits())
    (address,) = fill(table, 1, 0.0, seconds=100.0)
    lease = table.at(address)
    assert lease is not None
    table.bind(lease._replace(expires=190.0), 90.0)
    assert table.expire(150.0) == []
    assert [each.address for each in table.expire(192.0)] == [address]


def test_offer_not_taken_up_lapses() -> None:
    table = Leases(NETWORK, {}, ServerLimits(offer_hold=15))
    given = [table.offer(bytes([number]), 0.0, listed=False) for number in range(5)]
    assert given[-1] == 0
    assert table.offer(b"\x09", 14.0, listed=False) == 0
    assert table.offer(b"\x09", 15.0, listed=False) in given
