"""What somebody new types wrong: each error says what is wrong and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli import group

SITE = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"

MISTAKES = [
    ("chekc", "did you mean `netprov check`?"),
    ("frob", "there are: init, check"),
    ("phones lits", "did you mean `netprov phones list`?"),
    ("phones frob", "there are: add, adopt, list, show, unlock"),
    ("leases relase 10.20.0.9", "did you mean `netprov leases release`?"),
    ("leases frob", "there are: export, list, release, show"),
    ("cert frob", "there are: "),
    ("cert isue", "did you mean `netprov cert issue`?"),
    ("state backup", "there are: export, import"),
    ("profile show desk1", "there are: "),
    ("explain fone", "did you mean `netprov explain phone`?"),
    ("-f {site} check", "-f is no option of `netprov` itself: a verb's options stand behind the verb"),
    ("reload dchp", "there is no role dchp; did you mean dhcp?"),
    ("drain web", "there is no role web; there are: dns, http"),
    ("log debgu", "debgu is no role and no level; did you mean debug?"),
    ("log info dhpc -f {site}", "there is no role dhpc; did you mean dhcp?"),
    ("check --explian x", "Did you mean '--explain'?"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_mistake_is_told_with_what_would_be_right(words: str, said: str, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        group, words.format(site=site).split(), prog_name="netprov"
    )
    assert result.exit_code == 2
    assert said in result.output
