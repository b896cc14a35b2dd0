"""What the pumps answer with, made from a DNS section of the plan: swapped whole on a reload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netprov.dns.config import DnsConfig
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Access, Policy
from netprov.dns.server.rate import Limiter
from netprov.dns.zone.journal import Journal
from netprov.runtime.dns.forward import Relay


@dataclass(frozen=True, slots=True)
class ServingState:
    """The responder and what surrounds it; `limiter` is None where nobody is limited."""

    responder: Responder
    is_local: Callable[[bytes], bool]
    limiter: Limiter | None = None
    limit_lan: bool = False
    relay: Relay | None = None


def make(config: DnsConfig, secret: bytes, journals: Mapping[bytes, Journal] | None = None) -> ServingState:
    """Make what a process answers with; `secret` is that of the cookies, shared by all workers."""
    policy = Policy(
        version=config.version,
        identity=config.identity,
        cookies=secret if config.cookies else b"",
        cookies_required=config.cookies == "required",
        forwards=bool(config.forward),
        blackhole=frozenset(config.blackhole),
    )
    secondaries = frozenset((each.address.packed, each.key) for each in config.secondaries)
    return ServingState(
        responder=Responder(
            config.zones,
            policy,
            access=Access(config.keys, secondaries),
            journals=journals,
            failed=[zone.origin for zone in config.failed],
        ),
        is_local=_local_test(config),
        limiter=Limiter(config.limit) if config.limit else None,
        limit_lan=config.limit_lan,
        relay=Relay(config.forward) if config.forward else None,
    )


def _local_test(config: DnsConfig) -> Callable[[bytes], bool]:
    """Return the test whether a packed source address is one of the LAN's own, or of this machine itself."""
    ranges = [
        (network.max_prefixlen // 8, int(network.network_address), int(network.broadcast_address))
        for network in config.networks
    ]
    ranges += [(4, 0x7F000000, 0x7FFFFFFF), (16, 1, 1)]

    def is_local(packed: bytes) -> bool:
        size, address = len(packed), int.from_bytes(packed, "big")
        return any(size == length and low <= address <= high for length, low, high in ranges)

    return is_local
