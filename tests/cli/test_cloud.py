"""`netprov cloud` without a server: the names that a firewall must let phones reach."""

from __future__ import annotations

import json

from click.testing import CliRunner

from netprov.cli.verb.lab.cloud import command


def allowed(*words: str) -> dict[str, int]:
    result = CliRunner().invoke(command, ["--allow-list", "--json", *words], standalone_mode=False)
    assert result.exception is None
    return {each["name"]: each["port"] for each in json.loads(result.output)}


def test_both_names_of_the_guide_and_the_one_for_codes_are_allowed() -> None:
    assert {"activate.cisco.com": 443, "webapps.cisco.com": 443, "activation.webex.com": 443}.items() <= (
        allowed().items()
    )


def test_a_firmware_needs_what_it_asks_alone() -> None:
    assert list(allowed("--firmware", "11.1.2")) == ["webapps.cisco.com"]
    result = CliRunner().invoke(command, ["--allow-list"], standalone_mode=False)
    assert "activation.webex.com" in result.output
