"""`netprov check`: its text, JSON and SARIF, its exit codes, comments that accept findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group

SITE = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24, ntp: 10.20.0.1}}\n"
WEIGHTS = (
    "hosts: {pr1: 10.20.0.11, pr2: 10.20.0.12}\n"
    "srv:\n"
    "  https:\n"
    "    - {target: pr1, port: 443, weight: 60}\n"
    "    - {target: pr2, port: 443, weight: 20}\n"
    "  http: [{target: pr1, port: 80}]\n"
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETPROV_FILE", raising=False)


def run(*arguments: str, text: str | None = None) -> Result:
    if text is not None:
        Path("netprov.yaml").write_text(text)
    return CliRunner().invoke(group, ["check", *arguments], standalone_mode=False)


def test_nothing_wrong_is_said_in_one_line() -> None:
    result = run(text=SITE)
    assert result.return_value == 0
    assert result.output == "netprov.yaml: nothing wrong in 1 network, 0 classes, 0 phones\n"


def test_findings_are_grouped_with_places_and_a_summary() -> None:
    result = run(
        text=SITE + WEIGHTS + "phones: [{mac: 00:12:34:00:00:01, class: mpp, model: CP-8851-3PCC}]\n"
    )
    assert result.return_value == 1
    assert result.output == (
        "netprov.yaml:9:42: error[class-unknown]: there is no `mpp` under `classes:`\n"
        "    there is none yet: write `classes: {mpp: {…}}`, or leave this out\n"
        "\n"
        "netprov.yaml:6:40: warning[srv-weights]: at priority 10 of `https`, the guide tries pr2 (weight 20) first, "
        "RFC 2782 prefers pr1 (weight 60)\n"
        "    see also netprov.yaml:7:40\n"
        "    give the records different priorities, or write `order: strict` under `srv:`\n"
        "\n"
        "netprov.yaml:9:10: info[phone-without-profile]: phone 00:12:34:00:00:01 has no profile and no values\n"
        "    give its class a `profile:`\n"
        "\n"
        "netprov.yaml: 1 error, 1 warning, 1 note in 1 network, 0 classes, 1 phone\n"
    )


def test_strict_makes_warnings_fail() -> None:
    assert run(text=SITE + WEIGHTS).return_value == 0
    assert run("--strict").return_value == 1


def test_quiet_leaves_notes_out() -> None:
    assert "info[" not in run("-q", text=SITE + "profiles: {desk: {}}\n").output
    assert "info[" in run().output


def test_only_twenty_findings_of_a_rule_are_shown_unless_all_are_asked_for() -> None:
    phones = "".join(f"  - {{mac: 00:12:34:00:00:{number:02}, class: mpp}}\n" for number in range(25))
    short = run(text=SITE + "phones:\n" + phones).output
    assert short.count("error[class-unknown]") == 20
    assert "    … and 5 more of class-unknown; --all shows them\n" in short
    assert run("--all").output.count("error[class-unknown]") == 25


def test_many_notes_of_a_rule_are_said_once_with_their_count() -> None:
    profiles = "".join(f"  p{number}: {{}}\n" for number in range(25))
    short = run(text=SITE + "profiles:\n" + profiles).output
    assert short.count("info[profile-unused]") == 1
    assert "    … and 24 more of profile-unused; --all shows them\n" in short
    assert run("--all").output.count("info[profile-unused]") == 25


def test_a_file_that_cannot_be_loaded_is_a_finding() -> None:
    result = run(text="domain: example.com\n")
    assert result.return_value == 1
    assert "netprov.yaml:1:1: error[missing-key]: `networks` is missing" in result.output
    assert result.output.endswith("netprov.yaml: 1 error; nothing else was checked\n")


def test_comment_on_the_line_accepts_a_finding() -> None:
    text = SITE + WEIGHTS.replace("weight: 60}", "weight: 60} # netprov: ignore srv-weights: as printed")
    result = run("--strict", text=text)
    assert result.return_value == 0
    assert result.output == "netprov.yaml: 1 ignored by comments in 1 network, 0 classes, 0 phones\n"


def test_comment_above_a_section_accepts_findings_in_it() -> None:
    text = SITE + WEIGHTS.replace(
        "  https:", "  # netprov: ignore srv-weights: as printed\n  # by Cisco\n  https:"
    )
    assert run("--strict", text=text).return_value == 0


def test_comment_for_the_file_accepts_findings_everywhere() -> None:
    assert (
        run("--strict", text="# netprov: ignore-file srv-weights: as printed\n" + SITE + WEIGHTS).return_value
        == 0
    )


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("ignore srv-weights", "the comment gives no reason"),
        ("ignore srv-weight: because", "there is no rule `srv-weight`"),
        ("ignore srv-target-alias: because", "nothing here is found by srv-target-alias"),
    ],
)
def test_wrong_comment_is_a_finding(comment: str, expected: str) -> None:
    text = SITE + WEIGHTS.replace("weight: 60}", f"weight: 60}} # netprov: {comment}")
    result = run("--strict", text=text)
    assert result.return_value == 1
    assert f"netprov.yaml:6:44: warning[ignore]: {expected}" in result.output


def test_json_has_every_field() -> None:
    (found,) = json.loads(run("--json", text=SITE + WEIGHTS).output)
    assert found == {
        "rule": "srv-weights",
        "severity": "warning",
        "message": "at priority 10 of `https`, the guide tries pr2 (weight 20) first, RFC 2782 prefers pr1 (weight 60)",
        "remedy": "give the records different priorities, or write `order: strict` under `srv:`",
        "path": ["srv", "https", 0, "weight"],
        "file": "netprov.yaml",
        "line": 6,
        "column": 40,
        "related": [{"path": ["srv", "https", 1, "weight"], "file": "netprov.yaml", "line": 7, "column": 40}],
    }


def test_sarif_names_rules_levels_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netprov.cli.verb.inventory.check._version", lambda: "1.2.3")
    log = json.loads(run("--sarif", text=SITE + WEIGHTS).output)
    (only,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert only["tool"]["driver"]["semanticVersion"] == "1.2.3"
    assert [rule["id"] for rule in only["tool"]["driver"]["rules"]] == ["srv-weights"]
    (result,) = only["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("srv-weights", 0, "warning")
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "netprov.yaml"},
                "region": {"startLine": 6, "startColumn": 40},
            }
        }
    ]
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 7


def test_rule_is_explained() -> None:
    result = run("--explain", "srv-weights")
    assert result.return_value == 0
    assert "RFC 2782 gives the higher weight" in result.output
    assert "What to do: give the records different priorities" in result.output


def test_fault_of_the_file_is_explained() -> None:
    assert "silently leave its default in force" in run("--explain", "unknown-key").output


def test_unknown_reason_is_a_usage_error() -> None:
    result = run("--explain", "nonsense")
    assert result.exception is not None
    assert "there is no reason nonsense" in str(result.exception)


def test_rules_are_listed_by_family() -> None:
    output = run("--list").output
    assert "Certificates and trust\n" in output
    assert "  srv-target-address             error" in output


def test_file_is_found_by_argument_option_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("site.yaml").write_text(SITE)
    assert run("site.yaml").output.startswith("site.yaml: nothing wrong")
    assert run("-f", "site.yaml").output.startswith("site.yaml: nothing wrong")
    monkeypatch.setenv("NETPROV_FILE", "site.yaml")
    assert run().output.startswith("site.yaml: nothing wrong")
