"""Every reason that netprov gives, for people: one entry, the list, the pages of the documentation."""

from __future__ import annotations

import click

from netprov.cli import findings
from netprov.errors import Reason
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


def show(*, explain: str | None, listed: bool, page: str | None) -> int:
    """Print an entry, the list or a page, what was asked for; return the exit code."""
    if explain is not None:
        return _explain(explain)
    if listed:
        return _list()
    click.echo(pages() if page == "check" else causes(), nl=False)
    return 0


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
