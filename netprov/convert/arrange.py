"""Rules of another server, arranged as an inventory has them: networks, and classes of which the first that matches wins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from netprov.convert.classes import Arrangement, method_of
from netprov.convert.draft import Draft, Section
from netprov.convert.rule import NETWORK_KEYS, Given, Grant, Rules
from netprov.convert.value import addresses, reason_against, written
from netprov.dhcp.option import table as code


def arrange(draft: Draft, rules: Rules, *, own: Iterable[int] = ()) -> None:
    """Fill in a draft's networks and classes; `own` are options that the server fills in with its own address."""
    draft.conditions = [condition for tag in rules.tags.values() for condition in tag.alternatives]
    rules.grants = list(_reachable(draft, rules))
    arrangement = Arrangement(draft, rules, frozenset(own))
    for name, network in draft.networks.items():
        _network(draft, network, arrangement.bases[name], rules.refused(name), frozenset(own))
    arrangement.classes()
    for phone in draft.phones:
        settle_method(phone)


def settle_method(section: Section) -> None:
    """Say how clients find their profile, where options decide it."""
    method = method_of(
        {int(key): _octets(int(key), value) for key, value in section.get("options", {}).items()}
    )
    if method and "method" not in section:
        section["method"] = method


def put(draft: Draft, section: Section, grants: Iterable[Grant]) -> None:
    """Put a phone's own options into its entry; what cannot be there is left with its line."""
    for each in grants:
        if each.code == code.HOST_NAME and each.data:
            section.setdefault("name", each.data.decode("latin-1"))
        elif reason := reason_against(each.code, each.data or b""):
            draft.leave(each.line, each.text, reason, each.code)
        else:
            section.setdefault("options", {})[each.code] = written(each.code, each.data or b"")


def _octets(option: int, value: Any) -> bytes:
    try:
        return code.encode(option, value)
    except ValueError:
        return b""


def _reachable(draft: Draft, rules: Rules) -> Iterator[Grant]:
    """Yield the grants that some client can get; the others are left with their lines."""
    derived = {name for name, _ in rules.derived}
    settable = {name for name, tag in rules.tags.items() if tag.alternatives or tag.macs} | derived
    for each in rules.grants:
        missing = sorted(each.needs - settable)
        unsure = sorted(name for name in each.lacks if name in rules.tags and rules.tags[name].unknown)
        if missing:
            draft.leave(
                each.line, each.text, f"nothing that is carried over sets {', '.join(missing)}", each.code
            )
        elif unsure:
            draft.leave(
                each.line,
                each.text,
                f"not everything that sets {', '.join(unsure)} is carried over",
                each.code,
            )
        else:
            yield each


def _network(
    draft: Draft, network: Section, base: Mapping[int, Given], refused: set[int], own: frozenset[int]
) -> None:
    """Write the options of a network that hold for all its clients."""
    for option, given in base.items():
        grant = given.grants[-1]
        if option == code.DOMAIN:
            domain = given.data.decode("latin-1").rstrip("\0").rstrip(".")
            draft.domain = draft.domain or domain
            if domain != draft.domain:
                network["domain"] = domain
        elif option in NETWORK_KEYS and given.data and not len(given.data) % 4:
            network[NETWORK_KEYS[option]] = addresses(given.data)
        elif reason := reason_against(option, given.data):
            draft.leave(grant.line, grant.text, reason, option)
        elif option == code.STATIC_ROUTES and _plain_routes(network, written(option, given.data)):
            continue
        else:
            network.setdefault("options", {})[option] = written(option, given.data)
    for option in (code.ROUTER, code.DNS):
        if option not in base and (option in refused or option not in own):
            network[NETWORK_KEYS[option]] = []
    if code.DOMAIN not in base and "domain" not in network and not draft.sends_domain:
        draft.leave(
            draft.line_of(network),
            f"network {network['subnet']}",
            "it sends no domain; netprov always sends one (option 15)",
            code.DOMAIN,
        )


def _plain_routes(network: Section, value: Any) -> bool:
    """Write routes as a network has them, if the default route that is added is the one they end with."""
    default = {"to": "0.0.0.0/0", "via": next(iter(network.get("router") or [""]), "")}
    if not isinstance(value, list) or len(value) < 2 or value[-1] != default:
        return False
    if any(route["to"] == "0.0.0.0/0" for route in value[:-1]):
        return False
    network["routes"] = value[:-1]
    return True
