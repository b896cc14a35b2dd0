"""Objects with instances: made, listed, set and removed as TR-069 annexes A.3.2.3, A.3.2.6 and A.3.2.7 say."""

from __future__ import annotations

import pytest

from netprov.cwmp import rpc
from netprov.cwmp.objects import Member, Table
from netprov.cwmp.parameter import PARAMETER_KEY, Parameter, Parameters

LINE = "Device.Voice.Line."


def made(most: int = 3) -> Parameters:
    table = Table(LINE, (Member("User"), Member("SIP.Password", secret=True)), most)
    return Parameters([Parameter("Device.Fixed", "f")], [table])


def names(parameters: Parameters, path: str, *, next_level: bool = True) -> dict[str, bool]:
    found = parameters.names(path, next_level=next_level)
    assert not isinstance(found, rpc.Fault)
    return dict(found)


def test_an_object_without_instances_is_listed_as_one_that_can_have_some_and_has_no_values() -> None:
    parameters = made()
    assert names(parameters, "", next_level=False) == {
        "Device.": False,
        "Device.Fixed": False,
        "Device.Voice.": False,
        LINE: True,
    }
    assert parameters.get([LINE]) == ()


def test_an_instance_that_is_made_has_its_parameters_and_can_be_set_and_removed() -> None:
    parameters = made()
    assert parameters.add(LINE, "k1") == 1
    assert parameters.value(PARAMETER_KEY) == "k1"
    assert names(parameters, LINE) == {f"{LINE}1.": True}
    assert names(parameters, f"{LINE}1.", next_level=False) == {
        f"{LINE}1.": True,
        f"{LINE}1.User": True,
        f"{LINE}1.SIP.": False,
        f"{LINE}1.SIP.Password": True,
    }
    assert parameters.set([rpc.ParameterValue(f"{LINE}1.SIP.Password", "s")], "") is None
    assert parameters.get([f"{LINE}1.SIP.Password"]) == (rpc.ParameterValue(f"{LINE}1.SIP.Password", ""),)
    parameters.set_attributes([rpc.NewAttributes(f"{LINE}1.User", 2, None)])
    assert parameters.remove(f"{LINE}1.", "k2") is None
    assert parameters.value(PARAMETER_KEY) == "k2"
    assert parameters.get([f"{LINE}1.User"]) == rpc.Fault(9005)
    assert parameters.attributes([f"{LINE}1.User"]) == rpc.Fault(9005)
    assert parameters.add(LINE, "") == 2
    assert parameters.attributes([f"{LINE}2.User"]) == (rpc.Attributes(f"{LINE}2.User"),)


def test_numbers_of_removed_instances_come_again_last() -> None:
    parameters = made()
    assert [parameters.add(LINE, "") for _ in range(2)] == [1, 2]
    assert parameters.remove(f"{LINE}1.", "") is None
    assert [parameters.add(LINE, "") for _ in range(3)] == [3, 1, rpc.Fault(9004)]


@pytest.mark.parametrize(
    "name", ["Device.Voice.", "Device.Voice.Line", f"{LINE}1.", "Device.Fixed", "", "Device.None."]
)
def test_nothing_else_can_be_made(name: str) -> None:
    parameters = made()
    parameters.add(LINE, "k")
    assert parameters.add(name, "other") == rpc.Fault(9005)
    assert parameters.value(PARAMETER_KEY) == "k"


@pytest.mark.parametrize(
    "name", [LINE, f"{LINE}2.", f"{LINE}1", f"{LINE}01.", f"{LINE}1.User", f"{LINE}1.SIP.", "Device.", ""]
)
def test_nothing_else_can_be_removed(name: str) -> None:
    parameters = made()
    parameters.add(LINE, "k")
    assert parameters.remove(name, "other") == rpc.Fault(9005)
    assert (parameters.instances("Voice.Line."), parameters.value(PARAMETER_KEY)) == ([1], "k")


def test_what_is_kept_makes_the_instances_again_and_no_more_than_there_may_be() -> None:
    parameters = made()
    parameters.add(LINE, "")
    parameters.add(LINE, "")
    parameters.remove(f"{LINE}1.", "")
    parameters.set([rpc.ParameterValue(f"{LINE}2.User", "u")], "")
    values, notifications = parameters.kept()
    again = made()
    again.take_up({**values, f"{LINE}99.User": "x"}, notifications)
    assert again.instances("Voice.Line.") == [2]
    assert again.value("Voice.Line.2.User") == "u"
