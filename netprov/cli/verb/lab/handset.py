"""`netprov handset`: look at an emulated phone that lives, and press its keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from netprov.cli.say import say
from netprov.emulator.console import ask
from netprov.phone.life.command import COMMANDS

_WORDS = "\n".join(f"  {f'{name} {each.takes}'.strip():18} {each.help}" for name, each in COMMANDS.items())


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog=f"\b\nCommands:\n{_WORDS}",
)
@click.argument("console", metavar="SOCKET", type=click.Path(path_type=Path))
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND]...")
@click.option("--as", "phone", default="", metavar="MAC", help="Which phone, where several live there.")
def command(console: Path, words: tuple[str, ...], phone: str) -> int:
    """Look at an emulated phone that lives, and press its keys.

    SOCKET is where `netprov phone --stay --console SOCKET` put it. With a command that one is done, and the phone's
    screen is shown once it rests; without one, lines are read from standard input until it ends.

    \b
    Examples:
      netprov handset desk1.sock factory-reset
      netprov handset desk1.sock rule '[--srv] https://example.com/$PSN.xml'
      netprov handset desk1.sock resync
      netprov handset desk1.sock status

    Exit code 1: the command was refused.
    """
    for line in [" ".join(words)] if words else _typed():
        for shown, error in ask(console, phone, [line]):
            for each in shown:
                say(each)
            if error:
                say(error, err=True, fg="red")
                if words or not sys.stdin.isatty():
                    return 1
    return 0


def _typed() -> Iterator[str]:
    """Yield the lines of standard input; a terminal is asked for each."""
    if not sys.stdin.isatty():
        yield from (line.strip() for line in sys.stdin if line.strip())
        return
    while True:
        try:
            line = input("phone> ").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if line:
            yield line
