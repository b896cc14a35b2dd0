"""TR-069: what the ACS makes each listed device load, and how often devices report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netprov.cwmp.config import AcsConfig, Target
from netprov.diff.seen import Change, compared
from netprov.plan.cwmp import CwmpPlan


def acs_changes(old: CwmpPlan, new: CwmpPlan) -> Iterator[Change]:
    """Yield what devices are made to do differently."""
    before, after = old.config, new.config
    for mac in dict.fromkeys((*after.targets, *before.targets)):
        one, other = before.targets.get(mac), after.targets.get(mac)
        if one != other:
            yield from compared("acs", mac, _target(one), _target(other), mac)
        if (
            one is not None
            and other is not None
            and one.url
            and one.url == other.url
            and one.revision != other.revision
        ):
            yield Change("acs", mac, "profile", f"{one.url}, as it was", f"{other.url}, loaded again", mac)
    yield from compared("acs", "every device", _site(before), _site(after))
    yield from compared("acs", "the ACS", _asks(old), _asks(new))


def _target(target: Target | None) -> Mapping[str, str]:
    if target is None:
        return {}
    return {"profile": target.url, "provisioning code": target.provisioning_code}


def _site(config: AcsConfig) -> Mapping[str, str]:
    return {
        "inform interval": f"{config.inform_interval} s",
        "profile of unlisted devices": config.bootstrap_url,
    }


def _asks(plan: CwmpPlan) -> Mapping[str, str]:
    return {"asks for credentials": "yes" if plan.credentials is not None else ""} if plan.listeners else {}
