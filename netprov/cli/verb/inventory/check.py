"""`netprov check`: every reason a phone would not provision that can be seen before it is plugged in."""

from __future__ import annotations

import click

from netprov.cli import findings
from netprov.cli.judge import judge
from netprov.cli.site import find, inventory_option


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
    if explain is not None or listed or markdown:
        # Gathers the reasons of every verb, which a check does not need.
        from netprov.cli import reference

        return reference.show(explain=explain, listed=listed, page=markdown)
    name = find(inventory or file)
    standing, ignored, summary = judge(name)
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


def _version() -> str:
    from importlib import metadata

    return metadata.version("netprov")
