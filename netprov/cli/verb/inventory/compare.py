"""`netprov compare`: the same clients asked of two servers, and every difference explained or reported."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import netprov
from netprov.cli.say import say
from netprov.compare.client import clients_of
from netprov.compare.dhcp import option_lists
from netprov.compare.dns import dns_questions
from netprov.compare.report import Verdict, as_json, as_junit, as_text, judge
from netprov.compare.web import web_questions


@click.command()
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@click.option(
    "-f", "--file", metavar="FILE", help="The inventory whose clients are asked for. Default: of A or B."
)
@click.option("--json", "form", flag_value="json", help="As JSON.")
@click.option("--junit", "form", flag_value="junit", help="As JUnit XML, for CI.")
@click.option("--all", "everything", is_flag=True, help="Show every difference.")
def command(left: str, right: str, file: str | None, form: str | None, everything: bool) -> int:
    """Ask two servers the same, as every phone and as strangers, and say where the answers differ.

    \b
      netprov compare old.yaml new.yaml                  two inventories, each on a virtual LAN
      netprov compare /etc/kea/kea-dhcp4.conf site.yaml  Kea by its configuration against netprov
      netprov compare 10.20.0.1%lan0 10.20.0.2%lan0 -f site.yaml     two that run

    All listed phones are asked for, clients of every class on every network, and strangers; each asks for every
    option, for next to none, and without a list. On a virtual LAN each takes a lease, also asks through a relay agent, renews,
    asks for another's, sends INFORM, gives it back; one on each network declines. Of servers that run only offers are asked.
    Names are asked over UDP and TCP, and every path of every phone by TFTP, HTTP and HTTPS. Exits 1 for a difference
    that nothing explains.
    """
    from netprov.cli import side
    from netprov.lab.enclosure import run_enclosed
    from netprov.lab.proof import own_names, places_of
    from netprov.lab.stage import Asked

    sides = [side.side_of(left), side.side_of(right)]
    document, plan = side.opened(sides, file)
    further = [each for one in sides for each in one.conditions()]
    names = dns_questions(plan) if all(each.names for each in sides) else ()
    running = [each for each in sides if each.form == "running"]
    clients = clients_of(plan, further)
    paths = web_questions(plan) if all(each.paths for each in sides) else ()
    asked = Asked(clients, option_lists(plan), names, paths, first=bool(running))

    def work(scratch: Path) -> int:
        one, other = (each.hear(plan, asked, scratch / str(number)) for number, each in enumerate(sides))
        if running:
            one, other = ({key: each[key] for key in one.keys() & other.keys()} for each in (one, other))
        alike = {each.form for each in sides} == {"inventory"}
        own = frozenset[str]() if alike else own_names(plan)
        verdict = judge(one, other, places=places_of(document.place, plan, clients), own=own)
        return tell(verdict, form, everything=everything, name=f"{left} against {right}")

    if len(running) == len(sides):
        return work(Path())
    visible = [Path(each.name).resolve() for each in sides if each.form != "running"]
    visible += [
        *map(Path, document.files if file else ()),
        Path(netprov.__file__),
        Path(sys.prefix),
        Path(sys.base_prefix),
    ]
    return run_enclosed(work, visible=visible)


def tell(verdict: Verdict, form: str | None, *, everything: bool, name: str) -> int:
    """Print a verdict; return the exit code."""
    match form:
        case "json":
            click.echo(as_json(verdict))
        case "junit":
            click.echo(as_junit(verdict, name))
        case _:
            for line in as_text(verdict, everything=everything):
                say(line)
    return 1 if verdict.unexplained else 0
