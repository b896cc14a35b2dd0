"""The verbs of `netprov acs` that make devices do something: one a method of TR-069, and `call` for those without arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import click

from netprov.cli.verb.service.acs.choice import Choice, choice_options

if TYPE_CHECKING:
    from netprov.cwmp import rpc

NOTIFICATIONS = ("off", "passive", "active")
"""How a device tells of a change (annex A.3.2.4), by number: not, in its next Inform, at once."""

TYPES = ("string", "boolean", "int", "unsignedInt", "dateTime", "base64")


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of every verb that asks something of devices."""
    options = (
        choice_options,
        click.option("--expires", metavar="TIME", default="7d", show_default=True, help="Give up after so long: 90s, 1h."),
        click.option("--now", is_flag=True, help="Ask each device for a session at once (connection request), not at its next Inform."),
        click.option("--wait", is_flag=True, help="Wait until it has ended on every device; exit code 1 if not all is done."),
        click.option("--yes", is_flag=True, help="Do not ask before it goes to more than one device."),
        click.option("--json", "as_json", is_flag=True, help="For programs."),
    )  # fmt: skip
    return reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def _order(call: rpc.Rpc, said: dict[str, Any], untyped: tuple[str, ...] = (), **more: Any) -> int:
    from netprov.cli.verb.service.acs.order import Order, carry_out

    own = {name: said.pop(name) for name in ("expires", "now", "wait", "yes", "as_json")}
    return carry_out(Order(call, Choice(**said), untyped=untyped, **own, **more))


@click.command("get")
@click.argument("names", nargs=-1, required=True, metavar="PARAMETER...")
@asking
def get(names: tuple[str, ...], **said: Any) -> int:
    """Ask for values; a PARAMETER that ends in a dot is everything under it (GetParameterValues)."""
    from netprov.cwmp import rpc

    return _order(rpc.GetParameterValues(names), said)


@click.command("set")
@click.argument("values", nargs=-1, required=True, metavar="PARAMETER[:TYPE]=VALUE...")
@asking
def set_values(values: tuple[str, ...], **said: Any) -> int:
    """Set values, all or none (SetParameterValues).

    TYPE is string, boolean, int, unsignedInt, dateTime or base64. Left out, it is the one that the device has reported.
    """
    from netprov.cwmp import rpc

    given, untyped = [], []
    for each in values:
        left, equals, value = each.partition("=")
        name, colon, kind = left.partition(":")
        if not equals or not name or (colon and kind not in TYPES):
            raise click.UsageError(
                f"{left!r}: write PARAMETER=VALUE or PARAMETER:TYPE=VALUE; TYPE is {', '.join(TYPES)}"
            )
        if not colon:
            untyped.append(name)
        given.append(rpc.ParameterValue(name, value, f"xsd:{kind or 'string'}"))
    return _order(rpc.SetParameterValues(tuple(given)), said, tuple(untyped))


@click.command("names")
@click.argument("path", default="")
@click.option("--next-level", is_flag=True, help="Only what is directly under it.")
@asking
def names(path: str, *, next_level: bool, **said: Any) -> int:
    """Ask which parameters are under PATH, and whether they can be set (GetParameterNames)."""
    from netprov.cwmp import rpc

    return _order(rpc.GetParameterNames(path, next_level), said)


@click.command("attributes")
@click.argument("names", nargs=-1, required=True, metavar="PARAMETER...")
@click.option(
    "--notify", type=click.Choice(NOTIFICATIONS), help="Have changes told: not, in the next Inform, at once."
)
@asking
def attributes(names: tuple[str, ...], notify: str | None, **said: Any) -> int:
    """Ask how changes of parameters are told, or say it (GetParameterAttributes, SetParameterAttributes)."""
    from netprov.cwmp import rpc

    if notify is None:
        return _order(rpc.GetParameterAttributes(names), said)
    number = NOTIFICATIONS.index(notify)
    return _order(rpc.SetParameterAttributes(tuple(rpc.NewAttributes(name, number) for name in names)), said)


@click.command("add")
@click.argument("path", metavar="OBJECT.")
@asking
def add(path: str, **said: Any) -> int:
    """Make an instance of an object, a line, say; its number is in the answer (AddObject)."""
    from netprov.cwmp import rpc

    return _order(rpc.AddObject(_object(path)), said)


@click.command("delete")
@click.argument("path", metavar="OBJECT.NUMBER.")
@asking
def delete(path: str, **said: Any) -> int:
    """Remove an instance of an object (DeleteObject)."""
    from netprov.cwmp import rpc

    return _order(rpc.DeleteObject(_object(path)), said)


def _object(path: str) -> str:
    if not path.endswith("."):
        raise click.UsageError(f"the name of an object ends in a dot: {path}.")
    return path


@click.command("reboot")
@asking
def reboot(**said: Any) -> int:
    """Restart devices (Reboot): once each, also if the ACS dies meanwhile."""
    from netprov.cwmp import rpc

    return _order(rpc.Reboot(), said)


@click.command("factory-reset")
@asking
def factory_reset(**said: Any) -> int:
    """Have devices forget everything, and begin again (FactoryReset)."""
    from netprov.cwmp import rpc

    return _order(rpc.FactoryReset(), said)


@click.command("download")
@click.argument("url")
@click.option(
    "--type", "kind", required=True, type=click.Choice(["firmware", "config", "ca"]), help="What the file is.",
)  # fmt: skip
@click.option("--window", metavar="HH:MM-HH:MM", help="Only at this time of the day, by the ACS's clock.")
@click.option(
    "--at-once",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="So many devices at a time; 0: any number.",
)
@asking
def download(url: str, kind: str, window: str | None, at_once: int, **said: Any) -> int:
    """Have devices fetch the file at URL, and tell how that ended (Download, TransferComplete)."""
    from netprov.cli.verb.service.acs.order import read_window
    from netprov.cwmp import rpc

    types = {"firmware": rpc.FIRMWARE, "config": rpc.CONFIGURATION, "ca": rpc.CUSTOM_CA}
    return _order(rpc.Download("", types[kind], url), said, window=read_window(window), at_once=at_once)


@click.command("call")
@click.argument("method", type=click.Choice(["GetRPCMethods", "Reboot", "FactoryReset"]))
@asking
def call(method: str, **said: Any) -> int:
    """Make a call that has no arguments; GetRPCMethods asks which methods a device knows."""
    from netprov.cwmp import rpc

    calls: dict[str, rpc.Rpc] = {
        "GetRPCMethods": rpc.GetRPCMethods(),
        "Reboot": rpc.Reboot(),
        "FactoryReset": rpc.FactoryReset(),
    }
    return _order(calls[method], said)


COMMANDS = (get, set_values, names, attributes, add, delete, reboot, factory_reset, download, call)
