"""`netprov decode`: what the octets of a DHCP option mean, and what is odd about them."""

from __future__ import annotations

import difflib
import re

import click

from netprov.cli.say import say
from netprov.dhcp.option import table as options
from netprov.dhcp.option.remark import remarks

_SPELT = re.compile(r"(?:dhcp[-_ ]?)?(?:option|opt|code)?[-_ :=#]*(\d{1,3})", re.IGNORECASE)
"""An option's number as people write it: 43, option43, opt-43, DHCP option 43."""


def option_code(word: str) -> int:
    """Return the number of an option by its number or name; raises `click.BadParameter` with the nearest one."""
    spelt = _SPELT.fullmatch(word.strip())
    if spelt and 1 <= int(spelt[1]) <= 254:
        return int(spelt[1])
    names = {_bare(row.name): row for row in options.OPTIONS.values()}
    if row := names.get(_bare(word)):
        return row.code
    near = [names[each] for each in difflib.get_close_matches(_bare(word), names, 3, 0.5)]
    meant = " or ".join(f"{row.code} ({row.name})" for row in near)
    digits = re.search(r"(?<!\d)([1-9]\d?|1\d\d|2[0-4]\d|25[0-4])(?!\d)", word)
    if digits:
        meant = f"{digits[1]} ({options.name(int(digits[1]))})"
    hint = f"did you mean {meant}?" if meant else "give its number, from 1 to 254"
    raise click.BadParameter(f"{word!r} is no DHCP option: {hint}")


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@click.command
@click.argument("code", callback=lambda _context, _argument, word: option_code(word))
@click.argument("octets", nargs=-1, required=True, metavar="HEX…")
def command(code: int, octets: tuple[str, ...]) -> int:
    """Decode a DHCP option that some server sends: CODE is its number (or name), HEX its octets as a capture shows them.

    \b
    Examples:
      netprov decode 43 011d68747470733a2f2f7072312e6578616d706c652e636f6d3a373534372f
      netprov decode 125 00:00:0d:e9:0a:0b:08:68:74:74:70:3a:2f:2f:61
      netprov decode 66 0a 14 00 01

    Exit code 1: something about it is odd, and is said.
    """
    text = re.sub(r"0x|[\s:.,-]", "", "".join(octets))
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", text):
        raise click.UsageError(
            f"{' '.join(octets)} is not pairs of hexadecimal digits"
            + (": one digit is missing" if len(text) % 2 else "")
        )
    data = bytes.fromhex(text)
    row = options.OPTIONS.get(code)
    say(f"option {code}, {options.name(code)}" + (f" ({row.reference})" if row else ""))
    if data:
        say(f"  {len(data)} octets: {options.show(code, data)}")
    odd = remarks(code, data)
    for each in odd:
        say(f"  note: {each.text}")
    return 1 if odd else 0
