"""`netprov rule` in the words an operator sees."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from netprov.cli.verb.answer.rule import command
from netprov.phone.rule.grammar import SRV_WITH_TFTP


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    return (2 if result.exception else result.return_value), result.output


def test_srv_rule_names_the_service_and_the_name_in_the_certificate() -> None:
    code, output = run("[--srv] https://example.com/$PSN.xml", "--as", "CP-8851-3PCC")
    assert code == 0
    assert "https://example.com/8851-3PCC.xml" in output
    assert "DNS SRV _ciscoprov-https._tls.example.com" in output
    assert "the certificate must carry the domain example.com, not the target" in output


def test_srv_with_tftp_is_refused_in_the_guides_words() -> None:
    assert run("[--srv] tftp://example.com/$PSN.xml") == (1, f"{SRV_WITH_TFTP}\n")
    code, output = run("[--srv] /$PSN.xml", "--json")
    assert (code, json.loads(output)) == (1, {"error": SRV_WITH_TFTP})


def test_secrets_are_expanded_but_not_shown() -> None:
    code, output = run('[--key "$SC"] /$MAU.xml', "--set", "GPP_SC=hush", "--server", "10.20.0.1")
    assert code == 0
    assert "tftp://10.20.0.1/001234AB45DE.xml" in output
    assert "hush" not in output


def test_alternatives_are_judged_and_the_rest_is_not_reached() -> None:
    rule = '("$PN" eq "CP-8851-3PCC")? (GPP_A = "x";)! | http://pr1/a'
    data = json.loads(run(rule, "--json")[1])
    assert [(each["holds"], each["taken"]) for each in data["alternatives"]] == [(True, True), (True, False)]
    assert "not reached" in run(rule)[1]
    assert "the rule is skipped" in run("(1 gt 2)? http://pr1/a")[1]


@pytest.mark.parametrize(
    ("rule", "kind", "says"),
    [
        ("http://pr1:8080/a.loads", "upgrade", "fetch firmware from http://pr1:8080/a.loads"),
        ("[--status]http://pr1/s [--delta]http://pr1/d", "report", "PUT or POST a report to http://pr1/d"),
        ("[--post b --uid u --pwd p] http://pr1/x", "profile", "POST GPP_B to"),
    ],
)
def test_other_kinds_of_rule(rule: str, kind: str, says: str) -> None:
    assert says in run(rule, "--kind", kind)[1]


def test_activation_rule_means_the_screen_that_asks_for_the_code() -> None:
    code, output = run("gds://")
    assert code == 0
    assert "the activation code screen" in output
    data = json.loads(run("gds://", "--json")[1])
    assert [(each["taken"], each["activation"], each["url"]) for each in data["alternatives"]] == [
        (True, True, None)
    ]


def test_alternative_that_is_not_taken_need_not_be_well_formed() -> None:
    rule = '("$EMS" eq "mobile")?[--uid $MUID --pwd $MPWD] http://h/a.xml|http://h/b.xml'
    code, output = run(rule)
    assert code == 0
    assert "alternative 2: taken" in output
    assert "-> HTTP: GET http://h/b.xml" in output
    first, second = json.loads(run(rule, "--json")[1])["alternatives"]
    assert (first["taken"], second["taken"], second["fault"]) == (False, True, None)
    assert first["fault"]


def test_versions_of_two_kinds_are_not_compared() -> None:
    code, output = run("($SWVER lt 11.3)? http://h/a.xml | http://h/b.xml")
    assert code == 1
    assert "hardware version" in output


@pytest.mark.parametrize("arguments", [("x", "--mac", "12"), ("x", "--set", "A")])
def test_wrong_arguments_are_usage_errors(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2
