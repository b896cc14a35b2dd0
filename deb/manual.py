"""Write netprov's manual pages, from what the verbs say of themselves: `manual.py FOLDER VERSION`.

The same text as --help: man(7), a page for the command, and one a verb with its subcommands as sections.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from netprov.cli import EXIT_CODES, SECTIONS, TITLES, VERBS, group

FILES = (
    ("/etc/netprov/netprov.yaml", "The inventory that services run, and verbs read where none is named."),
    ("/var/lib/netprov", "What servers keep: certificates, leases, records, secrets."),
)


def main() -> None:
    """Write every page."""
    folder, version = Path(sys.argv[1]), sys.argv[2]
    context = click.Context(group, info_name="netprov")
    (folder / "netprov.1").write_text("\n".join([*_head("netprov", version), *_overview(context)]) + "\n")
    for verb in VERBS:
        command = group.get_command(context, verb)
        assert command is not None
        inner = click.Context(command, info_name=verb, parent=context)
        title = f"netprov-{verb}"
        lines = [*_head(title, version), *_page(inner, title), *_tail("netprov(1)")]
        (folder / f"{title}.1").write_text("\n".join(lines) + "\n")


def _head(title: str, version: str) -> list[str]:
    return [f'.TH {title.upper()} 1 "" "netprov {version}" "netprov"']


def _overview(context: click.Context) -> Iterator[str]:
    yield from (".SH NAME", f"netprov \\- {_one_line(group.help or '')}")
    yield from (".SH SYNOPSIS", r"\fBnetprov\fR \fIVERB\fR [\fIOPTION\fR]... [\fIARGUMENT\fR]...")
    yield from _options(context, ".SH")
    for folder, verbs in SECTIONS.items():
        yield f".SH {TITLES[folder].upper()}"
        for verb, line in verbs.items():
            yield from (".TP", rf"\fBnetprov\-{_text(verb)}\fR(1)", _text(line))
    yield from _tail(*(f"netprov-{verb}(1)" for verb in VERBS))


def _page(context: click.Context, title: str) -> Iterator[str]:
    command = context.command
    yield from (".SH NAME", f"{_text(title)} \\- {_one_line(command.help or '')}")
    yield from (".SH SYNOPSIS", *_usage(context), ".SH DESCRIPTION", *_description(command))
    yield from _options(context, ".SH")
    if isinstance(command, click.Group):
        yield ".SH SUBCOMMANDS"
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            below = click.Context(inner, info_name=name, parent=context)
            yield from (f".SS {_text(name)}", *_usage(below), *_description(inner), *_options(below, ".PP"))


def _usage(context: click.Context) -> list[str]:
    words = " ".join(context.command.collect_usage_pieces(context))
    return [rf"\fB{_text(context.command_path)}\fR {_text(words)}"]


def _description(command: click.Command) -> Iterator[str]:
    """Yield the help, whose paragraphs that begin with a backspace keep their lines, as click has it."""
    for paragraph in re.split(r"\n\s*\n", "\n\n".join(filter(None, (command.help, command.epilog)))):
        lines = paragraph.strip("\n").split("\n")
        if lines[0].strip() == "\b":
            yield from (".PP", ".nf", *map(_text, lines[1:]), ".fi")
        else:
            yield from (".PP", *(_text(line.strip()) for line in lines))


def _options(context: click.Context, heading: str) -> Iterator[str]:
    records = [each.get_help_record(context) for each in context.command.get_params(context)]
    shown = [each for each in records if each]
    if shown:
        yield f"{heading} OPTIONS" if heading == ".SH" else ".PP\nOptions:"
    for words, text in shown:
        yield from (".TP", rf"\fB{_text(words)}\fR", *(_text(text or " ").split("\n")))


def _tail(*others: str) -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code, meaning in EXIT_CODES.items():
        yield from (".TP", rf"\fB{code}\fR", _text(meaning))
    yield ".SH FILES"
    for path, meaning in FILES:
        yield from (".TP", rf"\fI{_text(path)}\fR", _text(meaning))
    yield from (".SH SEE ALSO", ", ".join(map(_text, others)))


def _one_line(text: str) -> str:
    first = text.strip().split("\n\n")[0]
    return _text(" ".join(first.split()).rstrip("."))


def _text(text: str) -> str:
    """Return text as roff takes it: no line is a request, a hyphen can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("\b", "")
    return re.sub(r"(?m)^(?=[.'])", r"\\&", escaped)


if __name__ == "__main__":
    main()
