"""Profiles from elsewhere: each fault once, on its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.check.lint import Subject, lint
from netprov.cli.verb.answer.profile import command

PROFILE = """\
<?xml version="1.0" encoding="UTF-8"?>
<flat-profile>
  <!-- <Nonsense>1</Nonsense> -->
  <Porxy_1_ ua="na">example.com</Porxy_1_>
  <Resync_Periodic>1h</Resync_Periodic>
  <Connection_Type ua="rww">Dynamic</Connection_Type>
  <Profile_Rule>[--srv] tftp://example.com/$PSN.xml</Profile_Rule>
  <Upgrade_Enable>Yes</Upgrade_Enable>
  <Upgrade_Enable>true</Upgrade_Enable>
  # <!-- not a comment -->
  <Disable_Side_USB_Port>No</Disable_Side_USB_Port>
  <TLS_Client_Min_Version>TLS 1.2</TLS_Client_Min_Version>
  <Password_1_>12345678901234567890</Password_1_>
</flat-profile>
"""


def rules(text: str, subject: Subject | None = None) -> list[tuple[int, str]]:
    found = lint(text.encode(), "cfg.xml", subject or Subject("7841", "11.3.1"))
    return [(each.place.line if each.place else 0, each.rule) for each in found]


def test_each_fault_is_told_once_on_its_line() -> None:
    assert rules(PROFILE) == [
        (4, "parameter-unknown"),
        (5, "value-type"),
        (6, "value-choice"),
        (6, "profile-access"),
        (7, "rule-srv-tftp"),
        (9, "value-type"),
        (9, "profile-repeated"),
        (10, "profile-stray-text"),
        (11, "parameter-model"),
        (11, "parameter-newer"),
        (12, "parameter-newer"),
    ]


def test_without_a_phone_nothing_is_said_of_models_and_firmware() -> None:
    assert not {rule for _, rule in rules(PROFILE, Subject())} & {"parameter-model", "parameter-newer"}


@pytest.mark.parametrize(
    "text",
    [
        "<flat-profile><A></flat-profile>",
        '<flat-profile><Network_Name_1_ua="rw">x</Network_Name_1_></flat-profile>',
        "<flat-profile><A ua=\u201dna\u201c>x</A></flat-profile>",
        "<html/>",
        "",
    ],
)
def test_what_no_phone_can_read_is_one_error(text: str) -> None:
    assert [rule for _, rule in rules(text)] == ["profile-unreadable"]


def test_a_profile_as_the_guide_prints_it_is_fine() -> None:
    text = (
        '<device><flat-profile><Primary_DNS ua="rw">10.89.68.150</Primary_DNS>'
        '<Back_Light_Timer ua="rw">Always On</Back_Light_Timer><Profile_Rule ua="na">gds://</Profile_Rule>'
        '<Profile_Authentication_Type ua="na">Basic Http Authentication </Profile_Authentication_Type>'
        "</flat-profile></device>"
    )
    assert rules(text) == []


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    return (2 if result.exception else result.return_value), result.output


def test_exit_codes_and_json_are_those_of_check(tmp_path: Path) -> None:
    path = tmp_path / "cfg.xml"
    path.write_text(PROFILE)
    code, output = run("lint", str(path), "--json")
    assert code == 1
    assert {each["rule"] for each in json.loads(output)} >= {"value-type", "rule-srv-tftp"}
    path.write_text("<flat-profile><Porxy_1_>x</Porxy_1_></flat-profile>")
    assert run("lint", str(path))[0] == 0
    assert run("lint", "--strict", str(path))[0] == 1
    assert "did you mean Proxy_1_?" in run("lint", str(path))[1]
    assert run("lint", str(tmp_path / "none"))[0] == 2
