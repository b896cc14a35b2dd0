"""Whom a network serves: what other servers say of single pools, as `clients:` of an inventory has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from netprov.convert.draft import Draft
from netprov.convert.rule import (
    EVERYBODY,
    MEMBER,
    Admission,
    Rules,
    Section,
    Tag,
    Tags,
    members,
    mentioned,
    met,
)
from netprov.dhcp.contents import PHONE_CLASSES
from netprov.dhcp.option.vendor import ACS_MARK

KNOWN = "known"
"""The tag of all listed clients."""


def share_pools(draft: Draft, rules: Rules, pools: Sequence[tuple[Admission, str]]) -> None:
    """Give networks their ranges: one for listed clients alone is reserved where another is for more."""
    for each, range_ in pools:
        network = draft.networks[each.network]
        others = [one for one, _ in pools if one.network == each.network and not is_for_known(one)]
        if is_for_known(each) and others:
            network.setdefault("reserved", []).append(range_)
        else:
            network.setdefault("pool", []).append(range_)
            rules.admissions.append(each)
            if each.condition != EVERYBODY and any(one.condition != each.condition for one in others):
                reason = (
                    "a network's pools are for the same clients: those of all its pools get addresses of any"
                )
                draft.leave(each.line, each.text, reason)
    derived = KNOWN in {name for name, _ in rules.derived}
    if not derived and KNOWN in mentioned(rules.grants, rules.derived) | asked_by_pools(rules):
        rules.tag(KNOWN, 1).macs = [phone["mac"] for phone in draft.phones]


def is_for_known(each: Admission) -> bool:
    """Say whether a pool is for listed clients alone."""
    return each.condition in ({MEMBER: KNOWN}, {"all": [{MEMBER: KNOWN}]})


def asked_by_pools(rules: Rules) -> set[str]:
    """Return the tags that decide who is served, without those that only say which clients are phones."""
    found: set[str] = set()
    for each in rules.admissions:
        found |= set(members(each.condition))
    for name, condition in reversed(rules.derived):
        if name in found:
            found |= set(members(condition))
    return found - {name for name, tag in rules.tags.items() if _mark(tag)}


def admit(draft: Draft, rules: Rules, cells: Sequence[Tags]) -> dict[str, set[Tags]]:
    """Write whom each network serves; return the cells that it serves only if a class takes them, by network."""
    found: dict[str, set[Tags]] = {}
    marks: dict[str, set[str]] = {}
    for name, tag in rules.tags.items():
        marks.setdefault(_mark(tag), set()).add(name)
    strangers = [each for each in cells if all(rules.tags[name].alternatives for name in each)]
    for name, network in draft.networks.items():
        pools = [each for each in rules.admissions if each.network == name]
        if not pools:
            continue
        served = [each for each in strangers if _admitted(rules, pools, each, name)]
        if len(served) == len(strangers):
            continue
        phones = [
            mark in marks and _admitted(rules, pools, frozenset(marks[mark]), name)
            for mark in (*PHONE_CLASSES, ACS_MARK)
        ]
        if not served and not any(phones):
            network["clients"] = "known"
        elif all(phones):
            network["clients"] = "phones"
            bare = {each: _unlisted(rules.tags, each) for each in cells}
            found[name] = {
                each
                for each, said in bare.items()
                if _admitted(rules, pools, said, name) and not _is_phone(rules.tags, said)
            }
            for each in pools:
                inside = (_contained(rules.tags[tag], mark) for mark in PHONE_CLASSES for tag in marks[mark])
                if any(inside):
                    draft.leave(
                        each.line,
                        each.text,
                        f"{', '.join(PHONE_CLASSES)} are looked for at the beginning of the vendor class",
                    )
        else:
            for each in pools:
                needed = ", ".join(dict.fromkeys(members(each.condition)))
                draft.leave(
                    each.line, each.text, f"only clients of {needed} are served from it; here all are"
                )
    return found


def _admitted(rules: Rules, pools: Iterable[Admission], cell: Tags, network: str) -> bool:
    tags = rules.closure(cell, network)
    return any(met(each.condition, tags, network) for each in pools)


def _unlisted(tags: Mapping[str, Tag], cell: Tags) -> Tags:
    """Return a cell without what it has because it is listed."""
    return frozenset(name for name in cell if tags[name].alternatives)


def _mark(tag: Tag) -> str:
    """Return the text by which netprov knows phones too that a tag asks for, "" for none."""
    for mark in (*PHONE_CLASSES, ACS_MARK):
        if {"vendor_class": f"{mark}*"} in tag.alternatives or _contained(tag, mark):
            return mark
    if {"vendor_class": f"*{ACS_MARK}"} in tag.alternatives:
        return ACS_MARK
    return ""


def _contained(tag: Tag, mark: str) -> bool:
    return {"vendor_class_contains": mark} in tag.alternatives


def _is_phone(tags: Mapping[str, Tag], cell: Tags) -> bool:
    return any(all(map(_of_phones, tags[name].alternatives)) for name in cell)


def _of_phones(condition: Section) -> bool:
    """Say whether whoever meets a condition is a phone by its vendor class."""
    values = condition.get("vendor_class", ())
    patterns = [values] if isinstance(values, str) else values
    if patterns and all(each.startswith(PHONE_CLASSES) or ACS_MARK in each for each in patterns):
        return True
    return ACS_MARK in str(condition.get("vendor_class_contains", ""))
