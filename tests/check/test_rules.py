"""Every rule by a failing and a passing inventory: fail/<rule>.yaml (its finding on the first line), pass/<rule>.yaml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netprov.check import FAMILIES, RULES, Rule, check
from netprov.cli.environment import environment
from netprov.cli.reference import causes, pages
from netprov.errors import Problem
from netprov.inventory.load import load
from netprov.reason.index import REASONS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let relative names of state directories start from these cases."""
    monkeypatch.chdir(HERE)
    monkeypatch.setenv("NETPROV_TEST_SECRETS", "pin 1234")
    (HERE / "state" / "open-secrets").chmod(0o644)  # whatever the umask of the checkout was


def found(path: Path) -> list[Problem]:
    document = load(path)
    disk = environment(document.inventory)
    return [document.locate(problem) for problem in check(document.inventory, NOW, disk)]


@pytest.mark.parametrize("rule", RULES)
def test_failing_inventory_is_told_once_with_its_place(rule: str) -> None:
    path = HERE / "fail" / f"{rule}.yaml"
    (problem,) = (each for each in found(path) if each.rule == rule)
    expected = path.read_text().split("\n", 1)[0].removeprefix("# expected: ")
    said = str(problem).split("\n", maxsplit=1)[0].removeprefix(f"{path}:")
    assert expected == said.replace(f"{path.parent}/", "")
    assert problem.remedy
    assert len(problem.related) == len(problem.places)


@pytest.mark.parametrize("rule", RULES)
def test_passing_inventory_is_not_told(rule: str) -> None:
    assert rule not in {problem.rule for problem in found(HERE / "pass" / f"{rule}.yaml")}


def test_every_case_belongs_to_a_rule() -> None:
    for folder in ("fail", "pass"):
        assert {path.stem for path in (HERE / folder).glob("*.yaml")} == set(RULES)


def test_the_page_has_every_entry() -> None:
    assert (ROOT / "docs" / "check.md").read_text() == pages()
    assert (ROOT / "docs" / "causes.md").read_text() == causes()


def test_ids_are_unique_over_the_families() -> None:
    assert len(RULES) == sum(map(len, FAMILIES.values())) >= 60


@pytest.mark.parametrize("path", sorted((ROOT / "netprov" / "plan").glob("*.py")), ids=lambda path: path.stem)
def test_what_the_plan_reports_is_explained(path: Path) -> None:
    reported = set(re.findall(r"Problem\(\s*\"([a-z0-9-]+)\"", path.read_text()))
    assert reported <= set(RULES)


def test_what_loading_reports_is_explained() -> None:
    folder = ROOT / "netprov" / "inventory"
    modules = [*folder.glob("*.py"), *(folder / "yaml").glob("*.py")]
    reported = {
        rule
        for path in modules
        for rule in re.findall(r"(?:[pP]roblem)\(\s*\"([a-z0-9-]+)\"", path.read_text())
    }
    assert reported <= set(REASONS)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_reasons_are_sentences_and_remedies_are_not(rule: Rule) -> None:
    assert rule.reason.why.endswith(".")
    assert not rule.reason.remedy.endswith(".")
