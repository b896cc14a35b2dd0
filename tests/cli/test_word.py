"""Words that are no verb, no subject, no role: each message says what was meant, and that works."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli import VERBS, group

MAC = "00:de:ad:be:ef:01"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["chekc"], ["check"]),
        (["explain", "rcords"], ["explain", "records"]),
        (["explain", MAC], ["explain", "phone", MAC]),
    ],
)
def test_a_word_that_is_no_verb_is_met_with_the_one_that_was_meant(
    words: list[str], meant: list[str]
) -> None:
    result = CliRunner().invoke(group, words, prog_name="netprov")
    assert result.exit_code == 2
    assert f"did you mean `netprov {' '.join(meant)}`?" in result.output
    assert CliRunner().invoke(group, [*meant, "--help"]).exit_code == 0


def test_a_word_like_none_is_met_with_all_that_there_are() -> None:
    result = CliRunner().invoke(group, ["xyzzy"])
    assert result.exit_code == 2
    assert all(verb in result.output for verb in VERBS)


def test_reload_of_an_unknown_role_says_what_was_meant(tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["reload", "dhpc", "--state", str(tmp_path)])
    assert result.exit_code == 2
    assert "there is no role dhpc; did you mean dhcp?" in result.output


def test_a_stranger_that_says_nothing_is_told_how_to_ask_as_a_phone(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n")
    ask = ["explain", "dhcp", MAC, "-f", str(file)]
    refused = CliRunner().invoke(group, ask)
    assert "answer   none" in refused.output
    assert "--vendor-class CP-8851-3PCC" in refused.output
    assert "one of the pool" in CliRunner().invoke(group, [*ask, "--vendor-class", "CP-8851-3PCC"]).output
