"""The index of reasons: what `check` finds, what loading refuses, what `doctor` meets and what `explain` names.

A reason stands beside the code that finds it; here they are only gathered, so that any id that netprov prints can be
looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import ModuleType

from netprov.check import FAMILIES, lint
from netprov.doctor import agreement, dhcp, examination, road, web
from netprov.errors import Reason
from netprov.explain import who
from netprov.explain.cause import CAUSE_FAMILIES
from netprov.reason.loading import LOADING


def reasons_of(*modules: ModuleType) -> tuple[Reason, ...]:
    """Return the reasons that modules hold, in their order, each once."""
    held = (each for module in modules for each in vars(module).values() if isinstance(each, Reason))
    return tuple(dict.fromkeys(held))


CHECKED: Mapping[str, tuple[Reason, ...]] = {
    **{family: tuple(rule.reason for rule in rules) for family, rules in FAMILIES.items()},
    "The file itself": LOADING,
    "Profiles from elsewhere, by `netprov profile lint`": reasons_of(lint),
}
"""What `netprov check` finds, by family."""

EXAMINED: Mapping[str, tuple[Reason, ...]] = {
    "Asked of running services": reasons_of(dhcp, examination, road, web),
    "Several servers of one inventory": reasons_of(agreement),
}
"""What `netprov doctor` meets, beside the findings on certificates that it shares with `check`."""

EXPLAINED: Mapping[str, tuple[Reason, ...]] = {**CAUSE_FAMILIES, "What was asked for": reasons_of(who)}
"""Why a phone has no profile, as `netprov explain` names it."""


def _by_id(families: Iterable[Mapping[str, tuple[Reason, ...]]]) -> dict[str, Reason]:
    return {each.id: each for family in families for rows in family.values() for each in rows}


REASONS: Mapping[str, Reason] = _by_id((CHECKED, EXAMINED, EXPLAINED))
"""Every reason by its id."""


def nearest(unknown: str) -> tuple[str, ...]:
    """Return the ids that somebody may have meant, the most alike first."""
    return tuple(get_close_matches(unknown.strip().lower(), REASONS, n=3, cutoff=0.6))
