"""How problems and errors read."""

from __future__ import annotations

from netprov.errors import InventoryError, NetprovError, Place, Problem, ServiceError


def test_located_problem_reads_place_severity_rule_message_and_remedy() -> None:
    problem = Problem(
        "srv-target-address", "SRV target pr2.example.com has no address", "Give it one under `hosts:`."
    )
    located = problem.at(Place("site.yaml", 41, 7), (Place("site.yaml", 12, 3),))
    assert str(located) == (
        "site.yaml:41:7: error[srv-target-address]: SRV target pr2.example.com has no address\n"
        "    see also site.yaml:12:3\n"
        "    Give it one under `hosts:`."
    )


def test_problem_without_a_place_names_its_path() -> None:
    assert str(Problem("x", "wrong", path=("srv", "https", 0))) == "srv.https.0: error[x]: wrong"


def test_problem_of_nothing_in_particular_has_no_place() -> None:
    assert str(Problem("x", "wrong", severity="warning")) == "warning[x]: wrong"


def test_place_of_a_whole_file_is_its_name() -> None:
    assert str(Place("site.yaml")) == "site.yaml"


def test_inventory_error_carries_every_problem() -> None:
    problems = [Problem("a", "first"), Problem("b", "second")]
    error = InventoryError(problems)
    assert error.problems == tuple(problems)
    assert str(error) == "error[a]: first\nerror[b]: second"
    assert isinstance(error, NetprovError)


def test_service_error_says_the_remedy() -> None:
    assert (
        str(ServiceError("port 53 is taken", "Stop systemd-resolved."))
        == "port 53 is taken\n    Stop systemd-resolved."
    )
    assert str(ServiceError("port 53 is taken")) == "port 53 is taken"
