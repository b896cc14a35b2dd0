"""Rules about listed phones: each known once, each in a network, class and profile that exist."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from fnmatch import fnmatchcase
from ipaddress import IPv4Address

from netprov.check.match import matches_of
from netprov.check.rule import Finding, View, rule
from netprov.errors import Path
from netprov.inventory.model import Phone
from netprov.plan.reference import unknown


def _twice(view: View, field: str, value: Callable[[Phone], Hashable | None], what: str) -> Iterator[Finding]:
    seen: dict[Hashable, int] = {}
    for index, phone in enumerate(view.inventory.phones):
        key = value(phone)
        if key is None:
            continue
        first = seen.setdefault(key, index)
        if first != index:
            yield Finding(
                ("phones", index, field), f"{what} {key} is listed twice", (("phones", first, field),)
            )


@rule(
    "phone-mac-twice",
    "error",
    why="Only the first entry of a MAC address counts; what the second says never reaches the phone.",
    remedy="merge the two entries, or correct one MAC address",
)
def phone_mac_twice(view: View) -> Iterator[Finding]:
    yield from _twice(view, "mac", lambda phone: phone.mac, "phone")


@rule(
    "phone-address-twice",
    "error",
    why="Two phones with one address knock each other off the network.",
    remedy="give each phone an address of its own",
)
def phone_address_twice(view: View) -> Iterator[Finding]:
    yield from _twice(view, "address", lambda phone: phone.address, "address")


@rule(
    "phone-name-twice",
    "error",
    why="One name would get the addresses of both phones, and each is reached half of the time.",
    remedy="give each phone a name of its own",
)
def phone_name_twice(view: View) -> Iterator[Finding]:
    yield from _twice(view, "name", lambda phone: phone.name and phone.name.lower(), "name")


@rule(
    "phone-serial-twice",
    "warning",
    why=(
        "Serial numbers are unique: one of the two is mistyped, and a rule with $SN or a certificate check hits the "
        "wrong phone."
    ),
    remedy="read the number off the box again",
)
def phone_serial_twice(view: View) -> Iterator[Finding]:
    yield from _twice(view, "serial", lambda phone: phone.serial, "serial number")


@rule(
    "phone-mac-group",
    "error",
    why="No phone sends from a multicast, broadcast or zero MAC address, so the entry never applies.",
    remedy="read the MAC address off the box again",
)
def phone_mac_group(view: View) -> Iterator[Finding]:
    for index, phone in enumerate(view.inventory.phones):
        if int(phone.mac[1], 16) & 1 or phone.mac == "00:00:00:00:00:00":
            yield Finding(("phones", index, "mac"), f"{phone.mac} is no address of a single machine")


@rule(
    "phone-address-outside",
    "error",
    why="A DHCP server only gives addresses of the network that a phone is on.",
    remedy="take an address of the network, or correct `network:`",
)
def phone_address_outside(view: View) -> Iterator[Finding]:
    for phone in view.site.phones:
        address = phone.declared.address
        if address is None:
            continue
        network = view.networks_by_name.get(phone.declared.network or "")
        if network is None and phone.network is None:
            yield Finding(("phones", phone.index, "address"), f"{address} is in no network of this inventory")
        elif network is not None and address not in network.subnet:
            yield Finding(
                ("phones", phone.index, "address"),
                f"{address} is outside {network.subnet} of network {network.name}",
                (("networks", network.name, "subnet"),),
            )


@rule(
    "phone-address-taken",
    "error",
    why="The phone is offered an address that another machine answers for, declines it and asks again for ever.",
    remedy="give the phone another address",
)
def phone_address_taken(view: View) -> Iterator[Finding]:
    taken: dict[IPv4Address, tuple[str, Path]] = {}
    for name, host in view.inventory.hosts.items():
        taken.update(
            (each, (f"host {name}", ("hosts", name)))
            for each in host.addresses
            if isinstance(each, IPv4Address)
        )
    for network in view.site.networks:
        path: Path = ("networks", network.name)
        taken.update((each, ("a router", (*path, "router"))) for each in network.router)
        taken[network.address] = ("this server", (*path, "address"))
        if network.subnet.prefixlen <= 30:
            for each in (network.subnet.network_address, network.subnet.broadcast_address):
                taken[each] = ("the network or broadcast address", (*path, "subnet"))
    for index, phone in enumerate(view.inventory.phones):
        if phone.address in taken:
            what, where = taken[phone.address]
            yield Finding(("phones", index, "address"), f"{phone.address} is taken: it is {what}", (where,))


def _unknown(
    references: Iterable[tuple[str | None, Path]], known: Collection[str], section: str
) -> Iterator[Finding]:
    for path, text, remedy in unknown(references, known, section):
        yield Finding(path, text, remedy=remedy)


@rule(
    "class-unknown",
    "error",
    why="A phone of an unknown class gets no options of any class, and files for one are given to nobody.",
    remedy="name a class of this inventory",
)
def class_unknown(view: View) -> Iterator[Finding]:
    phones = ((each.class_, ("phones", i, "class")) for i, each in enumerate(view.inventory.phones))
    trees = (
        (each.class_, ("provisioning", "files", path, "class"))
        for path, each in view.inventory.provisioning.files.items()
        if not isinstance(each, str)
    )
    yield from _unknown((*phones, *trees), view.inventory.classes, "classes")


@rule(
    "network-class-unknown",
    "error",
    why="A network for clients of a class that there is not gives its addresses to nobody.",
    remedy="name a class of this inventory",
)
def network_class_unknown(view: View) -> Iterator[Finding]:
    named = (
        (each, ("networks", network.name, "classes", index))
        for network in view.site.networks
        for index, each in enumerate(network.declared.classes)
    )
    yield from _unknown(named, view.inventory.classes, "classes")


@rule(
    "network-unknown",
    "error",
    why="A phone tied to an unknown network is not served on any.",
    remedy="name a network of this inventory",
)
def network_unknown(view: View) -> Iterator[Finding]:
    phones = ((each.network, ("phones", i, "network")) for i, each in enumerate(view.inventory.phones))
    yield from _unknown(phones, view.inventory.networks, "networks")
    for name, each in view.inventory.classes.items():
        for path, match in matches_of(each.match, ("classes", name, "match")):
            wanted = ((network, (*path, "network", i)) for i, network in enumerate(match.network))
            yield from _unknown(wanted, view.inventory.networks, "networks")


@rule(
    "profile-unknown",
    "error",
    why="Without the profile there is nothing to provision the phone with.",
    remedy="name a profile of this inventory",
)
def profile_unknown(view: View) -> Iterator[Finding]:
    classes = ((each.profile, ("classes", name, "profile")) for name, each in view.inventory.classes.items())
    yield from _unknown(classes, view.inventory.profiles, "profiles")
    phones = ((each.profile, ("phones", i, "profile")) for i, each in enumerate(view.inventory.phones))
    yield from _unknown(phones, view.inventory.profiles, "profiles")


@rule(
    "phone-unlike-class",
    "warning",
    why="The phone names a class whose match it does not satisfy: by its DHCP request alone it would fall into another.",
    remedy="correct the model, the class, or the match",
)
def phone_unlike_class(view: View) -> Iterator[Finding]:
    cache: dict[tuple[str, str], bool] = {}
    for phone in view.site.phones:
        name, model = phone.declared.class_, phone.declared.model
        each = view.inventory.classes.get(name) if name else None
        if name is None or model is None or each is None or each.match is None:
            continue
        patterns = each.match.vendor_class
        fits = cache.get((name, model))
        if fits is None:
            fits = not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)
            cache[name, model] = fits
        if not fits:
            yield Finding(
                ("phones", phone.index, "model"),
                f"model {model} does not match class {name}, which the phone names",
                (("classes", name, "match", "vendor_class"),),
            )


@rule(
    "phone-model-unknown",
    "warning",
    why=(
        "File names are built from the model ($PN, $PSN): under another name the phone asks for files that are not "
        "there. Multiplatform models read CP-8851-3PCC or DP-9851."
    ),
    remedy="write the product name as on the box, with -3PCC",
)
def phone_model_unknown(view: View) -> Iterator[Finding]:
    seen: dict[str, bool] = {}
    for index, phone in enumerate(view.inventory.phones):
        model = phone.model
        if model is None:
            continue
        known = seen.get(model)
        if known is None:
            upper = model.upper()
            known = (upper.startswith("CP-") and "-3PCC" in upper) or upper.startswith("DP-")
            seen[model] = known
        if not known:
            yield Finding(("phones", index, "model"), f"{model} is not a multiplatform phone's product name")


@rule(
    "phone-model-missing",
    "info",
    why=(
        "The first file a factory phone asks for is named after its model ($PSN); without the model it cannot be "
        "checked that it is there."
    ),
    remedy="add `model:`",
)
def phone_model_missing(view: View) -> Iterator[Finding]:
    for phone in view.site.phones:
        if phone.declared.model is None and phone.method in {"srv", "dhcp"}:
            yield Finding(("phones", phone.index), f"phone {phone.declared.mac} has no model")
