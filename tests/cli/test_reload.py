"""A reload where the inventory and the running services mean different state directories."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli import group
from netprov.cli.site import open_plan
from netprov.cli.verb.service.serve import unmoved
from netprov.errors import InventoryError, ServiceError

SITE = "domain: example.com\nnetworks: {v: {interface: lan0, subnet: 10.20.0.0/24}}\nserver: {state: %s}\n"


@pytest.mark.parametrize("made", [True, False])
def test_a_state_directory_that_no_service_runs_with_is_told_as_that(tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "new").mkdir()
    path = tmp_path / "site.yaml"
    path.write_text(SITE % (tmp_path / "new"))
    error = CliRunner().invoke(group, ("reload", "-f", str(path)), standalone_mode=False).exception
    assert isinstance(error, ServiceError)
    assert error.message == f"nothing that plays any role runs with the state directory {tmp_path}/new"
    assert (
        "keeps the state directory that it was started with: name that one with --state DIR" in error.remedy
    )


def test_running_services_do_not_take_an_inventory_with_another_state_directory(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE % "/srv/new")
    with pytest.raises(InventoryError) as caught:
        unmoved(open_plan(str(path)), "/srv/old")
    (problem,) = caught.value.problems
    assert str(problem).startswith(
        f"{path}:3:17: error[state-moved]: the state directory is now /srv/new, and the services keep /srv/old"
    )
    assert "write `server: {state: /srv/old}`" in problem.remedy
    path.write_text(SITE % "/srv/old")
    assert unmoved(open_plan(str(path)), "/srv/old").site.inventory.server.state == "/srv/old"
