"""`netprov init`: a first inventory, from what this machine and its links show and from a few answers."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, NetmaskValueError
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.cli.say import say
from netprov.cli.site import DEFAULTS, packaged, plan_of
from netprov.errors import InventoryError, ServiceError

if TYPE_CHECKING:
    from netprov.cli.proposal import Proposal
    from netprov.runtime.dhcp.look import Heard
    from netprov.runtime.net.interface import MachineInterface

SCHEMA = "netprov.schema.json"
NTP_PORT = 123


@click.command
@click.argument("target", metavar="[FILE]", required=False)
@click.option(
    "--domain", metavar="NAME", help="The domain of the phones: option 15, SRV records, certificates."
)
@click.option("-i", "--interface", metavar="IF", help="Where the phones are plugged in.")
@click.option(
    "--address", metavar="IP/LENGTH", help="This server's address there. Default: the one that it has."
)
@click.option("--ntp", metavar="IP", help="Time server for the phones. Default: this machine, if it is one.")
@click.option("--no-look", is_flag=True, help="Do not ask the links for DHCP servers.")
@click.option("--yes", "-y", is_flag=True, help="Take what is proposed, and ask nothing.")
def command(
    *,
    target: str | None,
    domain: str | None,
    interface: str | None,
    address: str | None,
    ntp: str | None,
    no_look: bool,
    yes: bool,
) -> int:
    """Write a first inventory for this machine, with comments; a file that is there is never overwritten.

    \b
      netprov init                                          asks, on a terminal
      netprov init --domain voice.example.com -i lan0       asks nothing elsewhere
      netprov init site.yaml --domain example.com -i lan0 --address 10.20.0.1/24

    It looks at the interfaces of this machine and asks their links for DHCP servers, for five seconds, without taking an
    offer. FILE is /etc/netprov/netprov.yaml where that directory can be written, else netprov.yaml here.
    """
    from netprov.cli.proposal import Proposal, choose, free_address, inventory_text
    from netprov.runtime.net.interface import machine_interfaces

    path = _target(target)
    here = machine_interfaces()
    named = [each for each in here if interface is None or each.name == interface]
    if not named:
        raise ServiceError(
            _no_interface(interface), f"name one with -i: {_listed(here)}" if here else "plug one in"
        )
    heard = {} if no_look else _look(named)
    asks = sys.stdin.isatty() and not yes
    found, why = (named[0], "") if interface else choose(here, heard)
    if asks or not found:
        _show(here, heard)
    if found is None and not asks:
        raise click.UsageError(f"-i IF: where are the phones plugged in? {why}: {_listed(here)}")
    chosen = found if not asks or interface else _ask_interface(here, found, why)
    assert chosen is not None
    own = _host(address) if address else next(iter(chosen.addresses), None)
    if own is None:
        own = free_address(here)
        if asks:
            own = click.prompt(f"Address of this server on {chosen.name}", str(own), value_proc=_host)
    assert own is not None
    if domain is None:
        guess = socket.getfqdn().partition(".")[2] or None
        if not asks and not guess:
            raise click.UsageError("--domain NAME: the domain of the phones, such as voice.example.com")
        domain = click.prompt("Domain of the phones", guess) if asks else guess
    assert domain is not None
    time_server = _ip(ntp) if ntp else own.ip if _serves_time() else None
    beside = heard[chosen.name].servers if chosen.name in heard else ()
    proposal = Proposal(domain, chosen.name, own, chosen.router, time_server, beside)
    _written(path, inventory_text(proposal, _schema()))
    _tell(path, proposal, there=own in chosen.addresses)
    return 0


def _target(name: str | None) -> Path:
    """Return the file to write. Raises `ServiceError` if it is there."""
    system = Path(DEFAULTS[-1])
    path = Path(name) if name else system if os.access(system.parent, os.W_OK) else Path(DEFAULTS[0])
    if path.exists():
        raise ServiceError(
            f"{path} is there already, and stays as it is", "name another file, or move it away"
        )
    return path


def _look(interfaces: Sequence[MachineInterface]) -> Mapping[str, Heard]:
    from netprov.dhcp.other import LOOK_S
    from netprov.runtime.dhcp.look import look

    names = [each.name for each in interfaces if each.up]
    if names:
        say(f"Asking {', '.join(names)} for DHCP servers, for {LOOK_S:.0f} s ...", err=True)
    return look(names)


def _show(interfaces: Sequence[MachineInterface], heard: Mapping[str, Heard]) -> None:
    """Print what this machine and its links show."""
    from netprov.cli.table import print_table

    rows = [
        (
            each.name,
            ", ".join(map(str, each.addresses)) or "no address",
            f"default route by {each.router}" if each.router else "",
            _servers(each, heard),
        )
        for each in interfaces
    ]
    print_table(("interface", "addresses", "way out", "DHCP servers"), rows)


def _servers(interface: MachineInterface, heard: Mapping[str, Heard]) -> str:
    if not interface.up:
        return "not asked: it is down"
    if interface.name not in heard:
        return "not asked"
    answer = heard[interface.name]
    return (
        f"not asked: {answer.obstacle}" if answer.obstacle else ", ".join(answer.servers) or "none answered"
    )


def _ask_interface(
    here: Sequence[MachineInterface], proposed: MachineInterface | None, why: str
) -> MachineInterface:
    by_name = {each.name: each for each in here}
    if proposed:
        say(f"{proposed.name}: {why}")
    name = click.prompt(
        "Interface that the phones are on",
        proposed.name if proposed else None,
        type=click.Choice(list(by_name)),
    )
    return by_name[name]


def _written(path: Path, text: str) -> None:
    """Write a new file that the group of its directory may read, and that gives a plan; one that does not goes again."""
    from netprov.inventory.load import load

    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(handle, "w") as file:
            if os.geteuid() == 0:
                os.fchown(handle, -1, path.absolute().parent.stat().st_gid)
            file.write(text)
    except OSError as error:
        raise ServiceError(
            f"cannot write {path}: {error.strerror}", "name a file: netprov init FILE"
        ) from error
    try:
        plan_of(load(str(path)))
    except InventoryError:
        path.unlink()
        raise


def _tell(path: Path, proposal: Proposal, *, there: bool) -> None:
    """Say what was written, and what is to be done next."""
    pool = ", ".join(f"{first}-{last}" for first, last in proposal.pool)
    say(
        f"Wrote {path}: {proposal.domain}, served at {proposal.address} on {proposal.interface}, phones get {pool}."
    )
    if proposal.beside:
        say(
            f"Another DHCP server answers on {proposal.interface}: {', '.join(proposal.beside)}. "
            "Nothing is offered beside it: stop it, or write `other_servers: allow` under the network."
        )
    if proposal.ntp is None:
        say(
            "Phones are told no time, and check certificates by it: install chrony here, or name a server under `ntp:`."
        )
    system = str(path) == DEFAULTS[-1]
    named = "" if system or str(path) == DEFAULTS[0] else f" -f {path}"
    steps = [] if there else [f"ip address add {proposal.address} dev {proposal.interface}"]
    steps.append(f"netprov check{named}")
    units = any(
        Path(folder, "netprov.target").exists() for folder in ("/lib/systemd/system", "/etc/systemd/system")
    )
    steps.append("systemctl start netprov.target" if system and units else f"netprov serve{named}")
    say("Next:")
    for step in steps:
        say(f"  {step}")


def _schema() -> str:
    """Return where editors find the schema: what is installed, else beside the file, where the operator puts it."""
    found = packaged(SCHEMA)
    return str(found) if found else SCHEMA


def _serves_time() -> bool:
    """Say whether a program of this machine has the NTP port: the kernel's own judgement."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        try:
            probe.bind(("", NTP_PORT))
        except PermissionError:
            return False
        except OSError:
            return True
    return False


def _host(text: str) -> IPv4Interface:
    """Read an address with its prefix length; raise `UsageError` for anything else."""
    try:
        read = IPv4Interface(text)
        ends = {read.network.network_address, read.network.broadcast_address}
    except (AddressValueError, NetmaskValueError, ValueError):
        ends = None
    if not ends or read.network.prefixlen > 30 or read.ip in ends:
        raise click.UsageError(
            f"{text}: write the address of a host with its prefix length, such as 10.20.0.1/24"
        )
    return read


def _ip(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError as error:
        raise click.UsageError(f"--ntp {text}: {error}") from error


def _no_interface(name: str | None) -> str:
    return f"there is no Ethernet interface {name}" if name else "this machine has no Ethernet interface"


def _listed(interfaces: Sequence[MachineInterface]) -> str:
    return ", ".join(each.name for each in interfaces)
