"""`netprov query`, offline and against a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli.verb.answer.query import command

ROOT = Path(__file__).parents[2]


def query(*words: str) -> Result:
    arguments = ["-f", str(ROOT / "config/staging.yaml"), *words]
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_srv_is_shown_in_both_readings_with_a_warning_where_they_part() -> None:
    result = query("https")
    lines = [line.split() for line in result.output.splitlines()]
    assert ["1.", "25%", "10", "20", "5060", "pr2.example.com", "10.20.0.12"] in lines
    assert ["2.", "75%", "10", "60", "5060", "pr1.example.com", "10.20.0.11"] in lines
    assert (
        "warning: phones go to pr2.example.com first, most other clients to pr1.example.com" in result.output
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["pr1"], "  pr1.example.com 300 A 10.20.0.11"),
        (["10.20.0.11"], "  11.0.20.10.in-addr.arpa 300 PTR pr1.example.com"),
        (
            ["@", "SOA"],
            "  example.com 300 SOA netprov.example.com hostmaster.example.com serial 1 minimum 60",
        ),
    ],
)
def test_records_are_found_by_short_names_and_addresses(words: list[str], line: str) -> None:
    result = query(*words)
    assert line in result.output.splitlines()
    assert result.return_value == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", "nowhere.example.com A: no such name, which clients remember for 60 s"),
        ("_tls.example.com", "_tls.example.com SRV: no such record, which clients remember for 60 s"),
        ("www.example.org", "www.example.org A: refused"),
    ],
)
def test_negative_answers_are_findings(name: str, said: str) -> None:
    result = query(name)
    assert result.output.splitlines() == [said]
    assert result.return_value == 1


def test_name_of_a_service_without_its_domain_is_of_the_sites() -> None:
    assert "_ciscoprov-https._tls.example.com" in query("_ciscoprov-https._tls").output


@pytest.mark.parametrize("words", [["a..b"], ["a", "FOO"], ["a", "A", "x"], ["a", "@nowhere"]])
def test_wrong_words_are_usage_errors(words: list[str]) -> None:
    result = query(*words)
    assert type(result.exception).__name__ == "UsageError"


def test_srv_target_that_is_an_alias_is_an_error_rfc_2782(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\nhosts: {a: 10.20.0.11}\n"
        "records: [{name: alias, type: CNAME, data: a}]\nsrv: {https: [{target: alias, port: 443}]}\n"
    )
    result = CliRunner().invoke(command, ["-f", str(tmp_path / "site.yaml"), "https"], standalone_mode=False)
    assert (
        "error: SRV target alias.example.com is an alias of a.example.com, which RFC 2782 forbids"
        in result.output
    )
    assert result.return_value == 1
