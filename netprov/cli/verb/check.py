"""`netprov check`: every reason a phone would not provision that can be seen before it is plugged in."""

from __future__ import annotations

import gc
import time

import click

from netprov.check import FAMILIES, RULES, check
from netprov.check.loading import FAULTS
from netprov.cli import findings
from netprov.cli.environment import environment
from netprov.cli.site import find, inventory_option
from netprov.errors import InventoryError, Problem, Reason
from netprov.inventory.ignore import apply
from netprov.inventory.load import Document, load

_INTRODUCTION = """\
# What `netprov check` finds

`netprov check [FILE]` reads an inventory, derives everything that would be served, and looks for each reason a phone
would not provision by it. Nothing is contacted. It exits with 1 if there is an error (with `--strict`, a warning).

Problems of the file itself come first, all at once with their places: YAML syntax, duplicate and unknown keys, wrong
types and values. Only a file without them is checked by the rules below.

A finding can be accepted by a comment with a reason, on the line of the entry or on a line above it; `ignore-file`
accepts it in the whole file. A comment that is not needed, or that gives no reason, is a finding itself.

    # netprov: ignore srv-weights: the guide prints it so

`--json` prints an array of objects (rule, severity, message, remedy, path, file, line, column, related), `--sarif` a
SARIF 2.1.0 log for editors and CI. `--explain RULE` prints one entry of this page, which `netprov check --markdown`
writes.
"""


@click.command(epilog="Exit code: 0 nothing wrong, 1 an error (with --strict: a warning), 2 usage.")
@click.argument("inventory", metavar="[FILE]", required=False)
@inventory_option
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--quiet", "-q", is_flag=True, help="Show errors and warnings only, no notes.")
@click.option(
    "--all", "everything", is_flag=True, help=f"Show more than {findings.SHOWN} findings of a rule."
)
@click.option("--json", "form", flag_value="json", help="Print a JSON array.")
@click.option("--sarif", "form", flag_value="sarif", help="Print SARIF 2.1.0, for editors and CI.")
@click.option("--list", "listed", is_flag=True, help="List the rules.")
@click.option("--markdown", is_flag=True, help="Print every rule's entry, as in docs/check.md.")
@click.option("--explain", metavar="RULE", help="Say why a phone fails by a rule, and what to do.")
def command(
    inventory: str | None,
    file: str | None,
    form: str | None,
    explain: str | None,
    *,
    strict: bool,
    quiet: bool,
    everything: bool,
    listed: bool,
    markdown: bool,
) -> int:
    """Find every reason a phone would not provision, before it is plugged in.

    \b
      netprov check                           netprov.yaml here, or /etc/netprov/netprov.yaml
      netprov check config/staging.yaml       that file
      netprov check --explain srv-weights     why, and what to do
      netprov check --strict --sarif          for CI

    Accept a finding by a comment on the entry's line or above it:

    \b
      # netprov: ignore srv-weights: the guide prints it so
    """
    if explain is not None:
        return _explain(explain)
    if listed:
        return _list()
    if markdown:
        click.echo(pages(), nl=False)
        return 0
    name = find(inventory or file)
    standing, ignored, summary = _run(name)
    if quiet:
        standing = [problem for problem in standing if problem.severity != "info"]
    if form == "json":
        click.echo(findings.as_json(standing))
    elif form == "sarif":
        click.echo(findings.as_sarif(standing, _version()))
    else:
        for line in findings.text(standing, everything=everything):
            click.echo(line)
        click.echo(f"{name}: {findings.counted(standing, ignored)}{summary}")
    fatal = {"error", "warning"} if strict else {"error"}
    return int(any(problem.severity in fatal for problem in standing))


def _run(name: str) -> tuple[list[Problem], int, str]:
    """Load and check; return the findings that stand, how many are ignored, and what was looked at."""
    # This process ends soon and makes no cycles worth collecting; at 10,000 phones collecting takes a third of the time.
    gc.disable()
    try:
        document = load(name)
    except InventoryError as error:
        return list(error.problems), 0, "; nothing else was checked"
    problems = map(document.locate, check(document.inventory, time.time(), environment(document.inventory)))
    standing, ignored = apply(document.ignores, problems, document.places, RULES)
    return standing, len(ignored), f" in {_size(document)}"


def _version() -> str:
    from importlib import metadata

    return metadata.version("netprov")


def _size(document: Document) -> str:
    inventory = document.inventory
    counts = (
        (len(inventory.networks), "network"),
        (len(inventory.classes), "class"),
        (len(inventory.phones), "phone"),
    )
    return ", ".join(
        f"{count} {word if count == 1 else word + ('es' if word.endswith('s') else 's')}"
        for count, word in counts
    )


def _explain(rule_id: str) -> int:
    if rule_id in FAULTS and rule_id not in RULES:
        click.echo(f"{click.style(rule_id, bold=True)} (the file itself)\n\n  {FAULTS[rule_id]}")
        return 0
    rule = RULES.get(rule_id)
    if rule is None:
        raise click.UsageError(f"there is no rule {rule_id}; `netprov check --list` names them all")
    for line in explanation(rule.reason):
        click.echo(line)
    return 0


def explanation(rule: Reason) -> list[str]:
    """Return a rule's entry for people."""
    return [
        f"{click.style(rule.id, bold=True)} ({click.style(rule.severity, fg=findings.COLOURS[rule.severity])})",
        "",
        *click.wrap_text(rule.why, 90, "  ", "  ").split("\n"),
        "",
        *click.wrap_text(f"What to do: {rule.remedy}.", 90, "  ", "  ").split("\n"),
    ]


def pages() -> str:
    """Return docs/check.md: an entry a rule, by family."""
    parts = [_INTRODUCTION]
    for family, rules in FAMILIES.items():
        parts.append(f"## {family}\n")
        for rule in (each.reason for each in rules):
            parts.append(f"### {rule.id}\n\n*{rule.severity}.* {rule.why}\n\nWhat to do: {rule.remedy}.\n")
    parts.append("## The file itself\n")
    parts += [f"### {fault}\n\n{why}\n" for fault, why in FAULTS.items() if fault not in RULES]
    return "\n".join(parts)


def _list() -> int:
    for family, rules in FAMILIES.items():
        click.echo(click.style(family, bold=True))
        for rule in (each.reason for each in rules):
            click.echo(f"  {rule.id:30} {rule.severity:8} {rule.why.partition('. ')[0].rstrip('.')}.")
    return 0
