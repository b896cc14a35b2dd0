"""`netprov query`: ask the plan offline, or a server, and show how phones and others read SRV records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import ip_address

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from netprov.cli.say import say
from netprov.cli.site import inventory_option, open_plan
from netprov.dns.iana.rcode import format_rcode
from netprov.dns.iana.rrtype import CNAME, PTR, A, format_type, parse_type
from netprov.dns.message.name import format_host, reverse_name
from netprov.dns.order import cisco_order, readings_part, rfc2782_shares
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.dns.service import SERVICES
from netprov.dns.stub import Found, Reply, Soa, Status, Target, build_query, parse_reply
from netprov.hostport import scheme_of
from netprov.runtime.dns.ask import ask
from netprov.text import visible

FINDINGS = 1


@click.command(
    epilog="Exit code: 0 found, 1 no such name or record, refused, or an SRV target that is an alias; 2 usage; 3 no answer."
)
@click.argument("words", nargs=-1, metavar="NAME [TYPE] [@SERVER]", required=True)
@inventory_option
@click.option("-p", "--port", default=53, show_default=True, help="The server's port.")
@click.option("--tcp", is_flag=True, help="Ask over TCP.")
def command(words: tuple[str, ...], file: str | None, port: int, *, tcp: bool) -> int:
    """Ask what DNS says: the inventory's plan, offline, or a server if one is named with @.

    \b
    Examples:
      netprov query https                                the SRV records of _ciscoprov-https._tls
      netprov query -f site.yaml pr1                     the addresses of a host of the inventory
      netprov query _ciscoprov-https._tls.example.com SRV @10.20.0.1
      netprov query 10.20.0.11 @10.20.0.1                the name of an address

    For SRV records it shows the order in which phones try the targets (Cisco's guide: of one priority the lower weight
    first) beside the share of first tries that RFC 2782 gives each (the larger weight the more), and warns where
    the two send clients to different servers.
    """
    servers = [word[1:] for word in words if len(word) > 1 and word.startswith("@")]
    names = [word for word in words if word == "@" or not word.startswith("@")]
    if not 1 <= len(names) <= 2 or len(servers) > 1:
        raise click.UsageError("give a name, a type if it is not A, and one @server at most")
    name, type_ = _question(names, file, offline=not servers)

    def put(asked: str, of_type: int) -> Reply:
        if servers:
            return asyncio.run(
                ask(asked, of_type, _server(servers[0]), port, tcp=tcp, waiting=partial(_wait, servers[0]))
            )
        return ask_plan(asked, of_type, file)

    try:
        reply = put(name, type_)
        aliases = _aliases(reply, put)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return show(name, type_, reply, aliases, Console())


def _wait(server: str, tried: int, tries: int) -> None:
    say(f"… {server} has not answered yet; asking again ({tried + 1} of {tries})", err=True, dim=True)


def _aliases(reply: Reply, put: Callable[[str, int], Reply]) -> dict[str, str]:
    """Return the SRV targets of a reply that are aliases, which they must not be (RFC 2782), and of what."""
    told = {each.name.lower() for each in reply.additional}
    found = {}
    for target in dict.fromkeys(each.target for each in reply.targets() if each.target != "."):
        if target.lower() not in told:
            records = put(target, A).records
            if records and records[0].type == CNAME:
                found[target] = str(records[0].data)
    return found


def ask_plan(name: str, type_: int, file: str | None) -> Reply:
    """Ask what `netprov serve dns` would answer, without a server."""
    dns = open_plan(file).plan.dns
    responder = Responder(dns.zones, failed=[zone.origin for zone in dns.failed])
    query = build_query(name, type_, id_=0)
    message = responder.respond(query, Client(tcp=True))
    assert message is not None
    reply = parse_reply(message, query)
    assert reply is not None
    return reply


def show(name: str, type_: int, reply: Reply, aliases: Mapping[str, str], console: Console) -> int:
    """Print a reply, and return the exit code."""
    console.print(
        f"{name} {format_type(type_)}: {_verdict(reply)}", highlight=False, markup=False, soft_wrap=True
    )
    for record in reply.records:
        if not isinstance(record.data, Target):
            console.print(f"  {_line(record)}", highlight=False, markup=False, soft_wrap=True)
    if reply.targets():
        _show_targets(reply, console)
    for target, other in aliases.items():
        text = f"error: SRV target {target} is an alias of {other}, which RFC 2782 forbids: write the host's own name"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    return 0 if reply.status is Status.ANSWER and not aliases else FINDINGS


def _question(names: list[str], file: str | None, *, offline: bool) -> tuple[str, int]:
    name = names[0]
    try:
        type_ = parse_type(names[1]) if len(names) == 2 else 0
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        reverse = reverse_name(ip_address(name))
    except ValueError:
        pass
    else:
        return format_host(reverse), type_ or PTR
    scheme = scheme_of(name)
    if scheme and scheme in SERVICES:
        return f"{SERVICES[scheme]}.{open_plan(file).plan.site.domain}", type_ or parse_type("SRV")
    if offline and ("." not in name or name.rpartition(".")[2].startswith("_")):
        domain = open_plan(file).plan.site.domain
        name = domain if name == "@" else f"{name}.{domain}"
    return name, type_ or parse_type("SRV" if name.startswith("_") else "A")


def _server(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise click.UsageError(f"{text!r} is not an IP address: name the server as @10.20.0.1") from error


def _verdict(reply: Reply) -> str:
    text = reply.status.value if reply.status is not Status.OTHER else f"error {format_rcode(reply.rcode)}"
    ttl = reply.negative_ttl()
    if reply.status in {Status.NXDOMAIN, Status.NODATA} and ttl is not None:
        text += f", which clients remember for {ttl} s"
    return text


def _line(record: Found) -> str:
    data = record.data
    if isinstance(data, Soa):
        data = f"{data.primary} {data.contact} serial {data.serial} minimum {data.minimum}"
    return visible(f"{record.name} {record.ttl} {format_type(record.type)} {data}")


def _show_targets(reply: Reply, console: Console) -> None:
    targets = cisco_order(reply.targets())
    shares = rfc2782_shares(targets)
    addresses: dict[str, list[str]] = {}
    for each in reply.additional:
        addresses.setdefault(each.name.lower(), []).append(str(each.data))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("phones", "others", "priority", "weight", "port", "target", "address"):
        table.add_column(heading, overflow="fold")
    for place, (target, share) in enumerate(zip(targets, shares, strict=True), 1):
        table.add_row(
            f"{place}.",
            f"{float(share):.0%}",
            str(target.priority),
            str(target.weight),
            str(target.port),
            Text(visible(target.target)),
            ", ".join(addresses.get(target.target.lower(), ["not told"])),
        )
    console.print(table)
    console.print(
        "phones: the order of Cisco's guide; others: the share of first tries that RFC 2782 gives",
        soft_wrap=True,
    )
    if readings_part(targets):
        best = max(zip(shares, targets, strict=True), key=lambda pair: pair[0])[1]
        if best.target != targets[0].target:
            console.print(
                f"warning: phones go to {targets[0].target} first, most other clients to {best.target}; "
                "`srv: {order: strict}` publishes an order that both read alike",
                highlight=False,
                soft_wrap=True,
            )
