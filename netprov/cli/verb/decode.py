"""`netprov decode`: what the octets of a DHCP option mean, and what is odd about them."""

from __future__ import annotations

import re

import click

from netprov.cli.say import say
from netprov.dhcp.option import table as options
from netprov.dhcp.option.remark import remarks


@click.command
@click.argument("code", type=click.IntRange(1, 254))
@click.argument("octets", nargs=-1, required=True, metavar="HEX…")
def command(code: int, octets: tuple[str, ...]) -> int:
    """Decode a DHCP option that some server sends: CODE is its number, HEX its octets as a capture shows them.

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
