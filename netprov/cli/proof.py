"""Exports proved: each engine with what was written for it, beside netprov with the inventory, asked the same."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from netprov.cli.site import Opened
from netprov.compare.answer import DnsAnswer, DnsQuestion
from netprov.compare.dns import ask_dns, dns_questions, over_sockets
from netprov.compare.report import Verdict, judge
from netprov.compare.web import web_questions
from netprov.dns.message.name import format_host
from netprov.dns.stub import Status
from netprov.export.written import Export, Left
from netprov.lab import exported
from netprov.lab.daemon import DAEMONS
from netprov.lab.lan import Host
from netprov.lab.process import wait_until
from netprov.lab.proof import prove
from netprov.lab.server import start_server
from netprov.lab.stage import Asked, hear
from netprov.plan import Plan
from netprov.runtime.web.tls import certificate_store
from netprov.state.catalog import load_catalog

Work = Callable[[str, Opened, Path], Export]
"""What makes an engine's export, with the CA and the secrets of a state directory."""


@dataclass(frozen=True, slots=True)
class Prover:
    """An inventory whose exports are proved, and a directory for the work."""

    opened: Opened
    scratch: Path

    def dhcp(self, engine: str, text: str, left: Sequence[Left]) -> Verdict:
        """Let a DHCP server serve what was exported to it, and compare all messages of all clients."""
        plan = self.opened.plan

        def theirs(host: Host, interfaces: Sequence[str], folder: Path) -> object:
            return DAEMONS[engine](host, text, interfaces, folder)

        approximate = {_label(plan, each) for each in left if each.path[:1] in {("classes",), ("phones",)}}
        servers = self._netprov("dhcp", self.scratch / "state"), theirs
        return prove(plan, self.opened.document.place, servers, self.scratch, approximate=approximate)

    def names(self, engine: str, export: Export) -> Verdict:
        """Let a name server serve the exported zones, and compare all names, types and transports."""
        asked = Asked((), (), names=dns_questions(self.opened.plan))
        return self._compared(engine, export, asked, self.scratch / "state", "dns")

    def paths(self, engine: str, make: Work) -> Verdict:
        """Let nginx or a TFTP server serve the exported tree, and compare every path at every socket."""
        plan, state = self.opened.plan, self.scratch / "state"
        state.mkdir(parents=True, exist_ok=True)
        certificate_store(state).ensure(plan.pki, time.time())
        load_catalog(plan.provision, state)
        export = make(engine, self.opened, state)
        first = next((each.address for each in plan.provision.listeners if each.scheme == "tftp"), "")
        lost = {each.path[-1] for each in export.left if each.path[:2] == ("provisioning", "statuses")}
        questions = [
            each
            for each in web_questions(plan)
            if (each.scheme == "tftp") == (engine == "tftp")
            and each.path not in lost
            # A tree of files has one file for all addresses: the first one's, and that is listed.
            and (engine != "tftp" or each.address == first)
        ]
        asked = Asked((), (), paths=tuple(questions))
        return self._compared(engine, export, asked, state, engine if engine == "tftp" else "http")

    def _compared(self, engine: str, export: Export, asked: Asked, state: Path, role: str) -> Verdict:
        def theirs(host: Host, _interfaces: Sequence[str], folder: Path) -> object:
            write(export, folder / engine)
            process = exported.start(engine, host, folder / engine)
            if asked.names:
                with host.entered():
                    wait_until(lambda: _answers(plan), what=f"the zones of {engine}")
            return process

        plan = self.opened.plan
        sides = (("left", self._netprov(role, state)), ("right", theirs))
        left, right = (hear(plan, start, asked, self.scratch / name) for name, start in sides)
        return judge(left, right)

    def _netprov(self, role: str, state: Path) -> Callable[[Host, Sequence[str], Path], object]:
        path = Path(self.opened.document.files[0]).resolve()
        return lambda host, _interfaces, _folder: start_server(host, path, state, roles=(role,))


def _answers(plan: Plan) -> bool:
    """Say whether a name server has loaded every zone: it may listen before."""
    questions = [DnsQuestion(format_host(each.origin), "TXT", tcp=False) for each in plan.dns.zones]
    answers = ask_dns(over_sockets(str(plan.site.networks[0].address)), questions).values()
    loaded = {Status.ANSWER.value, Status.NODATA.value}
    return all(isinstance(each, DnsAnswer) and each.status in loaded for each in answers)


def write(export: Export, folder: Path) -> None:
    """Write an export's files, the engine's folder being the one that is named."""
    shutil.rmtree(folder, ignore_errors=True)
    texts = {name: text.encode() for name, text in export.files.items()}
    for name, data in {**texts, **export.octets}.items():
        path = folder / name.partition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _label(plan: Plan, each: Left) -> str:
    """Return what the clients are called that an export takes only nearly."""
    section, member = each.path[:2]
    if section == "classes":
        return f"class {member}"
    declared = plan.site.phones[int(member)].declared
    return f"phone {declared.name or declared.mac}"
