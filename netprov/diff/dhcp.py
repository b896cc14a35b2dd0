"""DHCP: what each listed phone, a client of each class and a stranger of each kind would be offered on each network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from netprov.compare.client import MADE, AskingClient, clients_of
from netprov.dhcp.config import NetworkConfig
from netprov.dhcp.message import dotted
from netprov.dhcp.option.table import name as option_name
from netprov.diff.seen import NOTHING, Change, compared
from netprov.mac import format_mac
from netprov.plan import Plan
from netprov.plan.offer import Offers, Preview

ANSWER = "answer"
"""The aspect of a client that is answered by one plan and not by the other."""


def dhcp_changes(old: Plan, new: Plan) -> Iterator[Change]:
    """Yield what clients would be offered differently."""
    if old.dhcp == new.dhcp:
        return
    before, after = _Side(old), _Side(new)
    for client in _clients(old, new):
        one, other = before.seen(client), after.seen(client)
        mac = format_mac(client.mac) if client.mac in new.dhcp.phones or client.mac in old.dhcp.phones else ""
        subject = _subject(client, mac)
        if one is not None and other is not None:
            yield from compared("dhcp", subject, one, other, mac)
        elif one is not None or other is not None:
            yield Change("dhcp", subject, ANSWER, _in_short(one), _in_short(other), mac)


class _Side:
    """One plan, asked."""

    def __init__(self, plan: Plan) -> None:
        self._config = plan.dhcp
        self._offers = Offers(plan.dhcp) if plan.dhcp.networks else None

    def seen(self, client: AskingClient) -> Mapping[str, str] | None:
        """Return what a client sees of its offer, aspect by aspect; None if it is offered nothing."""
        if self._offers is None or self._config.network(client.network) is None:
            return None
        found = self._offers.preview(
            client.mac,
            vendor_class=client.vendor_class,
            network=client.network,
            user_class=client.user_classes,
            hostname=client.host_name,
        )
        if not found.served:
            return None
        network = self._config.network(found.network)
        assert network is not None
        return _aspects(found, network)


def _aspects(found: Preview, network: NetworkConfig) -> dict[str, str]:
    seen = {"address": dotted(found.address) if found.address else _pools(found, network)}
    if found.reply.siaddr:
        seen["next server (siaddr)"] = dotted(found.reply.siaddr)
    for each in found.options:
        seen[f"option {each.code} ({option_name(each.code)})"] = each.text or f"0x{each.data.hex()}"
    return seen


def _pools(found: Preview, network: NetworkConfig) -> str:
    ranges = (*network.pool, *(network.reserved if found.phone is not None else ()))
    return "one of " + ", ".join(f"{dotted(first)}-{dotted(last)}" for first, last in ranges)


def _in_short(seen: Mapping[str, str] | None) -> str:
    return (
        NOTHING
        if seen is None
        else f"offered {seen['address']} with {sum(k.startswith('option') for k in seen)} options"
    )


def _clients(old: Plan, new: Plan) -> Iterator[AskingClient]:
    """Yield the clients of both plans; one that is made up for both is asked for once."""
    done: set[AskingClient] = set()
    for plan in (new, old):
        phones = plan.dhcp.phones
        for client in clients_of(plan):
            # The last two octets of an address that was made up only tell the samples of one plan apart.
            mac = client.mac if client.mac in phones else client.mac[:-2]
            known = replace(client, label="", fixed=0, pool=(), mac=mac)
            if known not in done:
                done.add(known)
                yield client


def _subject(client: AskingClient, mac: str) -> str:
    if mac:
        name = client.label.removeprefix("phone ")
        return f"{mac} on {client.network}" if name.lower() == mac else f"{name} ({mac}) on {client.network}"
    said = [] if client.mac.startswith(MADE) else [f"MAC {format_mac(client.mac)}"]
    said += [f"vendor class {client.vendor_class!r}"] if client.vendor_class else []
    said += [f"user class {each!r}" for each in client.user_classes]
    said += [f"host name {client.host_name!r}"] if client.host_name else []
    return f"a client with {' and '.join(said) or 'no vendor class'} on {client.network}"
