"""Whom `netprov doctor` asks for: every listed phone, and for every class a phone that would fall into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from netprov.mac import parse_mac
from netprov.phone.handset.identity import MODELS, Identity, model_named
from netprov.plan import Plan
from netprov.plan.offer import Offers, Preview
from netprov.plan.phone import identity_of
from netprov.plan.site import SitePhone

_STRANGERS = "02:00:5e:00:53:{:02x}"
"""Locally administered addresses (RFC 7042 2.1.2's documentation range) for phones that no inventory lists."""

_USUAL = ("CP-8851-3PCC", "CP-7832-3PCC", "CP-6841-3PCC", "DP-9871")


@dataclass(frozen=True, slots=True)
class DoctorClient:
    """One phone to ask for, real or typical of its class, and what the inventory says it gets."""

    name: str
    identity: Identity
    network: str
    expected: Preview
    listed: bool


def of_phones(plan: Plan, networks: Sequence[str]) -> Iterator[DoctorClient]:
    """Yield every listed phone that is on one of these networks, or on none in particular."""
    offers = Offers(plan.dhcp)
    for phone in plan.site.phones:
        if phone.network is None or phone.network in networks:
            yield of_phone(phone, offers, networks)


def of_phone(phone: SitePhone, offers: Offers, networks: Sequence[str]) -> DoctorClient:
    """Return one listed phone, on its own network if it is one of these, else on the first of them."""
    identity = identity_of(phone)
    network = next((each for each in networks if each == phone.network), networks[0])
    name = f"phone {phone.declared.name or phone.declared.mac} ({identity.model.name})"
    return DoctorClient(name, identity, network, _expected(offers, identity, network), listed=True)


def of_classes(plan: Plan, networks: Sequence[str]) -> Iterator[DoctorClient]:
    """Yield a typical phone for every class that takes clients by what they say, on the first of these networks that serves it.

    A class that no phone of the catalogue falls into is passed over.
    """
    offers = Offers(plan.dhcp)
    for number, name in enumerate(plan.site.inventory.classes):
        if found := _typical(offers, networks, name, number):
            yield found
    if not plan.site.inventory.classes and not plan.site.phones:
        yield from _anyone(offers, networks)


def _typical(offers: Offers, networks: Sequence[str], name: str, number: int) -> DoctorClient | None:
    names = (*_USUAL, *(model for model in MODELS if model not in _USUAL))
    for model, tr069, network in product(names, (False, True), networks):
        identity = Identity(_STRANGERS.format(number), model_named(model), tr069=tr069)
        expected = _expected(offers, identity, network)
        if expected.served and expected.class_name == name:
            return DoctorClient(f"class {name} (as {model})", identity, network, expected, listed=False)
    return None


def _anyone(offers: Offers, networks: Sequence[str]) -> Iterator[DoctorClient]:
    identity = Identity(_STRANGERS.format(0xFF), model_named(_USUAL[0]))
    for network in networks:
        expected = _expected(offers, identity, network)
        if expected.served:
            yield DoctorClient(
                f"any phone on {network} (as {_USUAL[0]})",
                identity,
                network,
                expected,
                listed=False,
            )


def _expected(offers: Offers, identity: Identity, network: str) -> Preview:
    return offers.preview(
        parse_mac(identity.mac),
        vendor_class=identity.option_60,
        network=network,
        asks=bytes(identity.requested),
    )
