"""`netprov check`: every reason a phone would not provision that can be seen before it is plugged in."""

from __future__ import annotations

import gc
import time

import click

from netprov.check import RULES, check
from netprov.cli import findings
from netprov.cli.environment import environment
from netprov.cli.site import find, inventory_option
from netprov.errors import InventoryError, Problem, Reason
from netprov.inventory.ignore import apply
from netprov.inventory.load import Document, load
from netprov.reason.index import CHECKED, EXAMINED, EXPLAINED, REASONS, nearest
from netprov.reason.page import chapters

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
SARIF 2.1.0 log for editors and CI. `doctor`, `explain`, `profile lint` and `cert` print their findings in the same
form. `--explain ID` prints one entry of this page or of [causes.md](causes.md), whichever verb named it;
`netprov check --markdown` writes this page, `netprov check --markdown=causes` the other.
"""

_CAUSES = """\
# Why a phone has no profile

What `netprov explain` names as the cause ([explain.md](explain.md)), and what `netprov doctor` meets
([doctor.md](doctor.md)). `netprov check --explain ID` prints one entry; `netprov check --markdown=causes` writes this
page.
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
@click.option("--list", "listed", is_flag=True, help="List every reason.")
@click.option(
    "--markdown",
    is_flag=False,
    flag_value="check",
    type=click.Choice(["check", "causes"]),
    help="Print every entry, as in docs/check.md or docs/causes.md.",
)
@click.option(
    "--explain", metavar="ID", help="Say why a phone fails by a reason of any verb, and what to do."
)
def command(
    inventory: str | None,
    file: str | None,
    form: str | None,
    explain: str | None,
    markdown: str | None,
    *,
    strict: bool,
    quiet: bool,
    everything: bool,
    listed: bool,
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
        click.echo(pages() if markdown == "check" else causes(), nl=False)
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


def _explain(wanted: str) -> int:
    reason = REASONS.get(wanted)
    if reason is None:
        meant = ", ".join(nearest(wanted))
        hint = f"did you mean {meant}?" if meant else "`netprov check --list` names them all"
        raise click.UsageError(f"there is no reason {wanted}; {hint}")
    for line in explanation(reason):
        click.echo(line)
    return 0


def explanation(reason: Reason) -> list[str]:
    """Return a reason's entry for people."""
    paragraphs = [reason.why, f"What to do: {reason.remedy}."]
    if reason.title:
        paragraphs.insert(0, f"{reason.title[:1].upper()}{reason.title[1:]}.")
    severity = click.style(reason.severity, fg=findings.COLOURS[reason.severity])
    lines = [f"{click.style(reason.id, bold=True)} ({severity})"]
    for paragraph in paragraphs:
        lines += ["", *click.wrap_text(paragraph, 90, "  ", "  ").split("\n")]
    return lines


def pages() -> str:
    """Return docs/check.md: an entry for everything that `check` finds, by family."""
    return f"{_INTRODUCTION}\n{chapters(CHECKED)}"


def causes() -> str:
    """Return docs/causes.md: an entry for everything that `explain` and `doctor` name."""
    return f"{_CAUSES}\n{chapters(EXPLAINED)}\n{chapters(EXAMINED)}"


def _list() -> int:
    for families in (CHECKED, EXPLAINED, EXAMINED):
        for family, reasons in families.items():
            click.echo(click.style(family, bold=True))
            for reason in reasons:
                short = reason.title or reason.why.partition(". ")[0].rstrip(".")
                click.echo(f"  {reason.id:30} {reason.severity:8} {short}.")
    return 0
