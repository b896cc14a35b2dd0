"""The order in which a client tries SRV targets: Cisco's guide and RFC 2782 read weights in opposite ways.

Guide, "DNS SRV for HTTP Provisioning", table 1: the lower weight of a priority first. RFC 2782, "Usage rules": a
weighted draw within a priority, in which the larger weight is likelier to come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Literal, Protocol, TypeVar


class Weighted(Protocol):
    """Anything with the two numbers of an SRV record."""

    @property
    def priority(self) -> int:
        """Lower is tried first."""
        ...

    @property
    def weight(self) -> int:
        """Decides within a priority."""
        ...


Each = TypeVar("Each", bound=Weighted)

SrvOrder = Literal["cisco", "rfc2782"]
"""Whose reading of the weight a client follows."""


def in_order(targets: Iterable[Each], order: SrvOrder, draw: Callable[[int], int]) -> list[Each]:
    """Return the targets in the order that a client tries them; `draw(n)` returns a random whole number below n."""
    targets = list(targets)
    return cisco_order(targets) if order == "cisco" else rfc2782_order(targets, draw)


def cisco_order(targets: Sequence[Each]) -> list[Each]:
    """Return the targets as the guide has phones try them: by priority, then weight, lowest first."""
    return sorted(targets, key=cisco_rank)


def cisco_rank(target: Weighted) -> tuple[int, int]:
    """Return what the guide has phones sort by, lowest first."""
    return target.priority, target.weight


def rfc2782_order(targets: Sequence[Each], draw: Callable[[int], int]) -> list[Each]:
    """Return one order as RFC 2782 draws it; `draw(n)` returns a random whole number below n."""
    ordered: list[Each] = []
    for priority in sorted({each.priority for each in targets}):
        # Weights of 0 stand first, where only a draw of 0 finds them while others are left.
        left = sorted(
            (each for each in targets if each.priority == priority), key=lambda each: each.weight > 0
        )
        while left:
            drawn, running = draw(sum(each.weight for each in left) + 1), 0
            for each in left:
                running += each.weight
                if running >= drawn:
                    break
            left.remove(each)
            ordered.append(each)
    return ordered


def rfc2782_shares(targets: Sequence[Weighted]) -> list[Fraction]:
    """Return for each target the chance to be tried first, as RFC 2782 has it, rounded to its weight's share.

    Beside greater weights a weight of 0 has a chance too, which RFC 2782 calls very small; here it is 0.
    """
    lowest = min((each.priority for each in targets), default=0)
    first = [each for each in targets if each.priority == lowest]
    total = sum(each.weight for each in first)

    def share(each: Weighted) -> Fraction:
        if each.priority != lowest:
            return Fraction(0)
        return Fraction(each.weight, total) if total else Fraction(1, len(first))

    return [share(each) for each in targets]


def readings_part(targets: Sequence[Weighted]) -> bool:
    """Return whether the two readings may send clients to different servers first."""
    lowest = min((each.priority for each in targets), default=0)
    return len({each.weight for each in targets if each.priority == lowest}) > 1
