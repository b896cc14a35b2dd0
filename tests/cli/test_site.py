"""Which inventory a verb reads, and what it hears about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.cli.site import find, open_plan
from netprov.errors import InventoryError

SITE = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETPROV_FILE", raising=False)


def test_the_named_file_goes_before_the_environments_and_that_before_the_usual_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = ("netprov.yaml", "etc.yaml")
    Path("etc.yaml").write_text(SITE)
    assert find(None, usual) == "etc.yaml"
    Path("netprov.yaml").write_text(SITE)
    assert find(None, usual) == find(None) == "netprov.yaml"
    monkeypatch.setenv("NETPROV_FILE", "other.yaml")
    assert find(None) == "other.yaml"
    assert find("site.yaml") == "site.yaml"


def test_no_inventory_at_all_is_explained_with_the_two_lines_that_make_one() -> None:
    with pytest.raises(
        InventoryError, match=r"neither netprov\.yaml in this directory nor etc\.yaml"
    ) as caught:
        find(None, ("netprov.yaml", "etc.yaml"))
    assert "two lines are enough" in str(caught.value)


def test_plan_is_derived() -> None:
    Path("netprov.yaml").write_text(SITE)
    opened = open_plan(None)
    assert opened.plan.site.domain == opened.document.inventory.domain == "example.com"


def test_problems_of_all_sections_of_the_plan_come_at_once_with_their_places() -> None:
    Path("netprov.yaml").write_text(
        SITE
        + "classes: {tftp: {method: dhcp, options: {150: tftp}}}\n"
        + "certificates: {lifetime: 5}\n"
        + "records: [{name: x, type: A, data: y}]\n"
    )
    with pytest.raises(InventoryError) as caught:
        open_plan("netprov.yaml")
    assert [(problem.rule, str(problem.place)) for problem in caught.value.problems] == [
        ("dhcp-option", "netprov.yaml:3:47"),
        ("record", "netprov.yaml:5:11"),
        ("cert-lifetime", "netprov.yaml:4:26"),
    ]
