"""The index of reasons: nothing that netprov reports is missing from it, and every entry can be looked up."""

from __future__ import annotations

import ast
import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli.findings import as_data
from netprov.cli.verb.inventory.check import command
from netprov.errors import Place, Reason
from netprov.explain.engine import explain
from netprov.reason.index import CHECKED, EXAMINED, EXPLAINED, REASONS

PACKAGE = Path(__file__).parents[2] / "netprov"

ALL = [each for part in (CHECKED, EXPLAINED, EXAMINED) for reasons in part.values() for each in reasons]


def reported() -> set[str]:
    """Return every id that the code gives a `Problem` or a `problem(...)` of its own."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            is_problem = name in {"Problem", "problem", "_problem", "Reason", "_fault", "_because"}
            if is_problem and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


def test_every_id_that_is_reported_anywhere_has_its_entry() -> None:
    assert reported() - set(REASONS) == set()


def test_no_two_reasons_share_an_id() -> None:
    assert {each for each, times in Counter(reason.id for reason in ALL).items() if times > 1} == set()


@pytest.mark.parametrize("reason", ALL, ids=lambda reason: reason.id)
def test_reasons_are_sentences_and_remedies_are_instructions(reason: Reason) -> None:
    assert reason.why.endswith(".")
    assert reason.remedy
    assert not reason.remedy.endswith(".")
    assert not reason.title.endswith(".")


@pytest.mark.parametrize("reason", ["srv-weights", "yaml-syntax", "tls-untrusted", "doctor-path"])
def test_reason_of_any_verb_is_explained(reason: str) -> None:
    result = CliRunner().invoke(command, ["--explain", reason], standalone_mode=False)
    assert result.return_value == 0
    assert result.output.startswith(f"{reason} (")
    assert "What to do: " in result.output


def test_unknown_reason_is_answered_with_those_that_may_be_meant() -> None:
    result = CliRunner().invoke(command, ["--explain", "tls-untrused"])
    assert result.exit_code == 2
    assert "did you mean tls-untrusted" in result.output


def test_a_finding_has_one_shape_whoever_found_it() -> None:
    of_check = REASONS["srv-weights"].problem("m", path=("srv",), place=Place("f.yaml", 1, 2))
    of_explain = explain([]).problem
    assert of_explain is not None
    shapes = [set(as_data(each)) - {"file", "line", "column"} for each in (of_check, of_explain)]
    assert shapes[0] == shapes[1] == {"rule", "severity", "message", "remedy", "path", "related"}
    json.dumps(as_data(of_check))
