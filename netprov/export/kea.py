"""Kea's kea-dhcp4.conf from a plan, for Kea 2.2 (Debian 12) and 3.

In Kea a subnet's options beat a class's, and classes add up. So subnets hold no options: each has a list of classes that are
looked at once the subnet is known (`require-client-classes`), one a class of the inventory, each with everything that its
clients get there, and each for those that no earlier one took. Phones that name their class are told by their reservation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from netprov.dhcp.config import ClassConfig, DhcpConfig, NetworkConfig, PhoneConfig, Setting
from netprov.dhcp.contents import ALWAYS, PHONE_CLASSES, Contents, compose
from netprov.dhcp.message import dotted
from netprov.dhcp.option import table as code
from netprov.dhcp.option.vendor import ACS_MARK
from netprov.export.kea_machine import Machine, shared_pools
from netprov.export.kea_test import TRUE, contains, prefix, test_of
from netprov.export.written import Export, Placed
from netprov.mac import format_mac
from netprov.plan import Plan

FILE = "kea/kea-dhcp4.conf"
PARTNER_FILE = "kea/partner/kea-dhcp4.conf"
NAMED, LISTED = "named", "listed"
"""Classes of phones that name their class, and of others: Kea takes no reservation that says nothing."""

_KEYS_OF_3 = {
    "require-client-classes": "evaluate-additional-classes",
    "only-if-required": "only-in-additional-list",
}
"""Names that Kea 3.0 has instead (release notes, "Renamed parameters")."""

_STANDARD = frozenset(
    {
        *range(2, 55),
        *range(56, 81),
        *range(85, 102),
        112,
        113,
        114,
        *range(116, 120),
        code.VENDOR_CLASS_LIST,
        code.VENDOR_IDENTIFYING,
        136,
    }
)
"""Options that Kea 2.2 knows by itself; the others are defined."""


def export_kea(plan: Plan, place: Placed, version: int = 2) -> Export:
    """Return the configuration, and that of the partner if there is one."""
    export = Export()
    partner = plan.site.inventory.dhcp.partner
    address = str(plan.site.networks[0].address)
    for index, file in enumerate((FILE, PARTNER_FILE) if partner else (FILE,)):
        machine = Machine(version, address, partner, index)
        export.files[file] = _configuration(plan, place, machine, export)
    return export


def _configuration(plan: Plan, place: Placed, machine: Machine, export: Export) -> str:
    """Return the configuration of one server."""
    config = plan.dhcp
    both_serve = machine.partner is not None and machine.partner.mode == "load-balancing"
    classes: list[dict[str, Any]] = [
        {"name": NAMED},
        {"name": LISTED},
        *({"name": f"{mark}-{each.name}"} for each in config.classes for mark in ("named", "model")),
    ]
    subnets = []
    for number, network in enumerate(config.networks, 1):
        own = list(_classes(config, network, export, place))
        served = _served(config, network, export)
        classes += [*([served] if served else []), *own]
        subnet = _subnet(config, network, served, export, place)
        if both_serve:
            subnet["pools"], shared = shared_pools(network.name, _pools(network, served))
            classes += shared
        subnets.append({"id": number, **subnet, "require-client-classes": [each["name"] for each in own]})
    interfaces = list(dict.fromkeys(each.interface for each in config.networks if each.interface))
    body = {
        "interfaces-config": {"interfaces": interfaces},
        **machine.settings(),
        "calculate-tee-times": True,
        "t1-percent": 0.5,
        "t2-percent": 0.875,
        "option-def": list(_definitions(classes, subnets)),
        "client-classes": classes,
        "subnet4": subnets,
    }
    text = json.dumps({"Dhcp4": body}, indent=2, ensure_ascii=False)
    if machine.version >= 3:
        for old, new in _KEYS_OF_3.items():
            text = text.replace(f'"{old}"', f'"{new}"')
    return f"// Made by `netprov export kea`. Test it with: kea-dhcp4 -t {FILE.rpartition('/')[2]}\n{text}\n"


def _classes(
    config: DhcpConfig, network: NetworkConfig, export: Export, place: Placed
) -> Iterator[dict[str, Any]]:
    """Yield the classes of a network: those of the inventory in their order, then the one of all other clients."""
    earlier: list[str] = []
    for each in config.classes:
        test = _test(each, network, export)
        name = f"{network.name}/{each.name}"
        parts = [f"member('named-{each.name}')"]
        if test:
            before = "".join(f" and not member('{other}')" for other in earlier)
            parts.append(f"(not member('{NAMED}') and ({test}){before})")
        yield _class(name, " or ".join(parts), compose(network, each, None), place)
        earlier.append(name)
    # A listed phone that no class takes has the class of its model, if the plan found one.
    nobodys = "".join(f" and not member('{other}')" for other in earlier)
    for each in config.classes:
        if any(_of_model(phone) == each.name for phone in config.phones.values()):
            name = f"{network.name}/{each.name}/model"
            yield _class(name, f"member('model-{each.name}'){nobodys}", compose(network, each, None), place)
            earlier.append(name)
    rest = " and ".join(f"not member('{other}')" for other in earlier) or TRUE
    yield _class(f"{network.name}/others", rest, compose(network, None, None), place)


def _of_model(phone: PhoneConfig) -> str:
    """Return the class that a listed phone has by its model alone, "" for none."""
    return "" if phone.named else phone.class_name


def _test(each: ClassConfig, network: NetworkConfig, export: Export) -> str:
    """Return the condition of a class on one network as Kea has it, "" for one that takes nobody there."""
    at = ("classes", each.name, "match")
    if each.condition is None:
        return ""
    try:
        return test_of(each.condition, network.name, lambda text, reason: export.leave(at, text, reason))
    except ValueError as error:
        export.leave(at, f"match of {each.name}", str(error))
        return ""


def _class(name: str, test: str, contents: Contents, place: Placed) -> dict[str, Any]:
    data = [
        _option(each, place, force=each.code in contents.force or each.code in ALWAYS)
        for each in contents.settings.values()
        if each.code != code.MASK
    ]
    return {"name": name, "only-if-required": True, "test": test, "option-data": data}


def _option(each: Setting, place: Placed, *, force: bool = False) -> dict[str, Any]:
    option: dict[str, Any] = {
        "code": each.code,
        "csv-format": False,
        "data": each.data.hex().upper(),
        "user-context": {
            "comment": f"{code.name(each.code)} {code.show(each.code, each.data)}, {place(each.origin)}"
        },
    }
    return option | ({"always-send": True} if force else {})


def _served(config: DhcpConfig, network: NetworkConfig, export: Export) -> dict[str, Any] | None:
    """Return the class of clients that may have an address of the pool, None for all."""
    if network.clients == "all":
        return None
    parts = ["member('KNOWN')"]
    if network.clients == "phones":
        parts += [prefix("option[60].hex", each) for each in PHONE_CLASSES]
        parts.append(contains("option[60].hex", ACS_MARK))
        parts += [f"({test})" for each in config.classes if (test := _test(each, network, export))]
    return {"name": f"{network.name}/served", "test": " or ".join(parts)}


def _subnet(
    config: DhcpConfig,
    network: NetworkConfig,
    served: Mapping[str, Any] | None,
    export: Export,
    place: Placed,
) -> dict[str, Any]:
    at = ("networks", network.name)
    for what, held in (("gateway", network.gateway is not None), ("bootp", network.bootp)):
        if held:
            export.leave((*at, what), what, "Kea has no such setting")
    if network.probe:
        export.leave(
            (*at, "conflict_check"), "conflict_check", "Kea 2.2 looks for conflicts only with its ping hook"
        )
    pools = [
        _range(low, high) | ({"client-class": class_} if class_ else {})
        for low, high, class_ in _pools(network, served)
    ]
    subnet = {
        "subnet": f"{dotted(network.prefix)}/{network.mask.bit_count()}",
        "user-context": {"comment": f"network {network.name}, {place(at)}"},
        "valid-lifetime": network.lease,
        "min-valid-lifetime": network.lease_min,
        "max-valid-lifetime": network.lease_max,
        "authoritative": network.authoritative,
        "pools": pools,
        "reservations": [
            _reservation(config, network, phone, export, place)
            for phone in config.phones.values()
            if phone.network in {"", network.name}
        ],
    }
    return subnet | ({"interface": network.interface} if network.interface else {})


def _pools(network: NetworkConfig, served: Mapping[str, Any] | None) -> list[tuple[int, int, str]]:
    """Return the ranges of a network, each with the class of clients that it is for, "" for all."""
    found = [(low, high, served["name"] if served else "") for low, high in network.pool]
    return found + [(low, high, "KNOWN") for low, high in network.reserved]


def _range(low: int, high: int) -> dict[str, Any]:
    return {"pool": f"{dotted(low)}-{dotted(high)}"}


def _reservation(
    config: DhcpConfig, network: NetworkConfig, phone: PhoneConfig, export: Export, place: Placed
) -> dict[str, Any]:
    """Return a phone's entry: its address, its class if it names one, its own options."""
    found: dict[str, Any] = {"hw-address": format_mac(phone.mac)}
    if phone.address and network.contains(phone.address):
        found["ip-address"] = dotted(phone.address)
    if phone.named:
        found["client-classes"] = [NAMED, f"named-{phone.class_name}"]
    else:
        found["client-classes"] = [LISTED, *([f"model-{phone.class_name}"] if phone.class_name else [])]
    class_ = config.class_named(phone.class_name)
    contents = compose(network, class_, phone)
    for option in compose(network, class_, None).settings.keys() - contents.settings.keys():
        export.leave(
            phone.origin,
            f"option {option}",
            "the phone's method keeps it from what its class gets; Kea does not",
        )
    own = [each for each in contents.settings.values() if each.code in phone.settings]
    if own:
        found["option-data"] = [_option(each, place, force=each.code in contents.force) for each in own]
    return found


def _definitions(classes: list[dict[str, Any]], subnets: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield definitions of the options that Kea does not know."""
    holders = [*classes, *(phone for subnet in subnets for phone in subnet["reservations"])]
    codes = {each["code"] for holder in holders for each in holder.get("option-data", ())}
    for number in sorted(codes - _STANDARD):
        yield {"name": f"option-{number}", "code": number, "space": "dhcp4", "type": "binary"}
