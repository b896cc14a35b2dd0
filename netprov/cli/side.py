"""A server as `netprov compare` is told of it: an inventory, another server's configuration, or one that runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_network
from pathlib import Path

import click

from netprov.compare.answer import Answer, Question
from netprov.compare.dhcp import ask_dhcp
from netprov.compare.dns import ask_dns, over_sockets
from netprov.compare.link import Links
from netprov.compare.report import Verdict
from netprov.compare.web import WebSockets, ask_web
from netprov.convert.draft import Draft, prepared
from netprov.convert.form import FORMATS, guess, is_inventory, refuse_hostile
from netprov.dhcp.match import Condition
from netprov.errors import Problem
from netprov.inventory.load import Document, load, parse
from netprov.inventory.model import Match
from netprov.inventory.yaml.source import read
from netprov.lab.daemon import DAEMONS
from netprov.lab.lan import Host
from netprov.lab.proof import prove
from netprov.lab.server import start_server
from netprov.lab.stage import Asked, hear
from netprov.plan import Plan, derive
from netprov.plan.condition import condition

ROLES = ("dhcp", "dns")
WEB_ROLES = (*ROLES, "http", "tftp")


@dataclass(frozen=True, slots=True)
class Side:
    """One of two servers."""

    name: str
    form: str
    """inventory, running, or a format of `import`."""
    text: str = ""
    draft: Draft | None = None
    address: str = ""
    interface: str = ""

    @property
    def names(self) -> bool:
        """Whether the server serves names, as far as is known."""
        return self.draft is None or bool(self.draft.hosts or self.draft.srv or self.draft.records)

    @property
    def paths(self) -> bool:
        """Whether it serves profiles."""
        return self.draft is None

    def conditions(self) -> list[Condition]:
        """Return the conditions of clients that it speaks of."""
        problems: list[Problem] = []
        found = self.draft.conditions if self.draft else []
        return [condition(Match.model_validate(each), (), problems) for each in found]

    def hear(self, plan: Plan, asked: Asked, scratch: Path) -> dict[Question, Answer]:
        """Ask it everything: on a LAN of its own if it does not run yet."""
        match self.form:
            case "running":
                return _ask_running(self, plan, asked)
            case "inventory":
                return hear(derive(load(self.name).inventory), self._start, asked, scratch)
            case _:
                return hear(plan, self._start, asked, scratch)

    def _start(self, host: Host, interfaces: Sequence[str], scratch: Path) -> None:
        if self.form != "inventory":
            DAEMONS[self.form](host, self.text, interfaces, scratch)
            return
        start_server(host, Path(self.name).resolve(), scratch / "state", roles=WEB_ROLES)


def side_of(text: str) -> Side:
    """Return the server that an argument names: a file, or ADDRESS%INTERFACE for one that runs."""
    address, percent, interface = text.partition("%")
    if percent and not Path(text).exists():
        try:
            IPv4Address(address)
        except ValueError:
            raise click.UsageError(f"{text} is neither a file nor ADDRESS%INTERFACE") from None
        return Side(text, "running", address=address, interface=interface)
    content = read(Path(text), text)
    if is_inventory(content):
        return Side(text, "inventory", content)
    form = guess(Path(text).name, content)
    if form not in DAEMONS:
        raise click.UsageError(
            f"{text} is neither an inventory nor a configuration of {', '.join(DAEMONS)}, nor ADDRESS%INTERFACE"
        )
    return Side(text, form, content, drafted(text, content, form))


def drafted(name: str, text: str, form: str) -> Draft:
    """Return the draft of a configuration, complete."""
    refuse_hostile(text, name)
    draft = FORMATS[form](text, name)
    draft.complete()
    return draft


def opened(sides: Sequence[Side], file: str | None) -> tuple[Document, Plan]:
    """Return the inventory by which clients are chosen: the one that is named, a side, or the draft of a side."""
    named = file or next((each.name for each in sides if each.form == "inventory"), None)
    if named is not None:
        document = load(named)
    else:
        draft = next((each.draft for each in sides if each.draft is not None), None)
        if draft is None:
            raise click.UsageError("say by -f FILE which clients to ask for: two running servers do not tell")
        document = parse(lab_text(draft), f"draft of {draft.source}")
    return document, derive(document.inventory)


def lab_text(draft: Draft) -> str:
    """Return a draft for a lab: every network on an interface of its own."""
    names = {
        name: network.get("interface", f"lan{number}")
        for number, (name, network) in enumerate(draft.networks.items())
    }
    return prepared(draft, names)


def _ask_running(side: Side, plan: Plan, asked: Asked) -> dict[Question, Answer]:
    """Ask a server that runs, on the network that its address is of; no lease is taken."""
    here = next(
        (each.name for each in plan.site.networks if IPv4Address(side.address) in ip_network(each.subnet)),
        None,
    )
    if here is None:
        raise click.UsageError(f"{side.address} is on none of the inventory's networks")
    interfaces: Mapping[str, str] = {here: side.interface}
    clients = [each for each in asked.clients if each.network == here]
    with Links(interfaces, server=int(IPv4Address(side.address))) as links:
        found = ask_dhcp(links, clients, asked.lists)
    if asked.names:
        found |= ask_dns(over_sockets(side.address), asked.names)
    own = {str(each.address) for each in plan.site.networks}
    with closing(WebSockets(side.address)) as web:
        found |= ask_web(web.get, [each for each in asked.paths if each.address in own])
    return found


def can_run(form: str) -> bool:
    """Say whether there is a server for configurations of a format."""
    return form in DAEMONS


def prove_draft(source: Side, scratch: Path) -> Verdict:
    """Let the source's own server run it and netprov its draft, and compare."""
    assert source.draft is not None
    text = lab_text(source.draft)
    document = parse(text, f"draft of {source.name}")
    path = scratch / "draft.yaml"
    path.write_text(text)

    def netprov(host: Host, _interfaces: Sequence[str], folder: Path) -> object:
        return start_server(host, path, folder / "state", roles=ROLES)

    def theirs(host: Host, interfaces: Sequence[str], folder: Path) -> object:
        return DAEMONS[source.form](host, source.text, interfaces, folder)

    return prove(
        derive(document.inventory),
        document.place,
        (theirs, netprov),
        scratch,
        further=source.conditions(),
        listed={each.option for each in source.draft.leftovers if each.option},
        names=source.names,
    )
