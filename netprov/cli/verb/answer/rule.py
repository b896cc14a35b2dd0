"""`netprov rule`: what a profile, upgrade or report rule means to a phone."""

from __future__ import annotations

import json
import re

import click

from netprov.dhcp.option.table import TFTP_NAME
from netprov.errors import Malformed
from netprov.phone.action import Lease
from netprov.phone.handset.identity import Identity, model_named
from netprov.phone.handset.memory import Handset
from netprov.phone.meaning import Choice, Meaning, meaning
from netprov.phone.rule.grammar import Alternative, RuleKind
from netprov.plan.phone import DEFAULT_FIRMWARE, DEFAULT_MODEL

EXAMPLE_MAC = "00:12:34:ab:45:de"


@click.command
@click.argument("text", metavar="RULE")
@click.option("--as", "model", default=DEFAULT_MODEL, help=f"The phone's model. Default: {DEFAULT_MODEL}.")
@click.option("--mac", default=EXAMPLE_MAC, help=f"Its MAC address. Default: {EXAMPLE_MAC}.")
@click.option("--serial", default="", help="Its serial number.")
@click.option("--firmware", default=DEFAULT_FIRMWARE, help=f"What it runs. Default: {DEFAULT_FIRMWARE}.")
@click.option(
    "--kind", type=click.Choice(["profile", "upgrade", "report"]), default="profile", help="Which rule."
)
@click.option(
    "--server", default="", metavar="HOST", help="Option 66 of its lease, for a URL without a server."
)
@click.option(
    "--set", "given", multiple=True, metavar="NAME=VALUE", help="A parameter of it, for $A, $SA, $UID1 …"
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    text: str,
    *,
    model: str,
    mac: str,
    serial: str,
    firmware: str,
    kind: RuleKind,
    server: str,
    given: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say what a rule means: macros expanded, the alternative that is taken, what is asked for where.

    Quote the rule, so that the shell leaves its $ alone:

    \b
        netprov rule '[--srv] https://example.com/$PSN.xml' --as CP-8851-3PCC
        netprov rule '/$MA.cfg' --server 10.20.0.1
        netprov rule '($SWVER lt sip88xx.11-3-1MPP-1)? http://pr1/a.loads | http://pr1/b.loads' --kind upgrade
        netprov rule '[--key "$SC"] https://pr1.example.com/$MA.xml' --set GPP_SC=secret

    Exit code 1: a phone refuses the rule; the reason is what it would show.
    """
    digits = re.sub(r"[^0-9a-f]", "", mac.lower())
    if len(digits) != 12:
        raise click.UsageError(f"{mac} is not a MAC address: six pairs of hexadecimal digits")
    mac = ":".join(digits[i : i + 2] for i in range(0, 12, 2))
    identity = Identity(mac, model_named(model), serial=serial, firmware=firmware)
    handset = Handset(identity, lambda _below: 0)
    if server:
        handset.lease = Lease("0.0.0.0", server, {TFTP_NAME: server.encode("ascii", "replace")})
    for setting in given:
        name, separator, value = setting.partition("=")
        if not separator:
            raise click.UsageError(f"--set {setting}: write NAME=VALUE, as GPP_A=ABC")
        handset.parameters[name] = value
    try:
        found = meaning(handset, text, kind)
    except Malformed as error:
        click.echo(json.dumps({"error": str(error)}) if as_json else str(error))
        return 1
    click.echo(json.dumps(_data(found), indent=2) if as_json else _text(found))
    return 0


def _text(found: Meaning) -> str:
    lines = [found.expanded]
    for number, choice in enumerate(found.choices, 1):
        lines.append(f"  alternative {number}: {_mark(choice)}")
        if choice.condition:
            lines.append(f"    if      {choice.condition}")
        if choice.fault:
            lines.append(f"    fault   {choice.fault}")
        each = choice.alternative or Alternative()
        for name, value in each.assignments:
            lines.append(f"    set     {name} = {value!r}")
        for name, value in each.options.items():
            shown = "(secret)" if name in {"key", "pwd"} else value
            lines.append(f"    option  --{name} {shown}".rstrip())
        if choice.url is not None:
            lines.append(f"    URL     {choice.url}  ({choice.url.scheme}, port {choice.url.port})")
    if not any(choice.taken for choice in found.choices):
        lines.append("  no condition holds: the rule is skipped")
    lines += [f"  -> {line}" for line in found.asks]
    return "\n".join(lines)


def _mark(choice: Choice) -> str:
    if choice.taken:
        return "taken"
    return "condition does not hold" if choice.holds is False else "not reached"


def _data(found: Meaning) -> dict[str, object]:
    return {
        "expanded": found.expanded,
        "alternatives": [
            {
                "condition": choice.condition,
                "holds": choice.holds,
                "taken": choice.taken,
                "assignments": dict(each.assignments),
                "options": sorted(each.options),
                "url": str(choice.url) if choice.url else None,
                "activation": each.activates,
                "fault": choice.fault or None,
            }
            for choice in found.choices
            for each in [choice.alternative or Alternative()]
        ],
        "asks": list(found.asks),
    }
