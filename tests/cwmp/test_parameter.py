"""A phone's data model: what it lists, what it gives, what it refuses to be set to."""

from __future__ import annotations

import pytest

from netprov.cwmp import rpc
from netprov.cwmp.parameter import Parameter, Parameters, telephone
from tests.cwmp.link import PHONE

MODEL = (
    Parameter("Device.A.Text", "a", writable=True),
    Parameter("Device.A.Number", "1", "xsd:unsignedInt", writable=True),
    Parameter("Device.A.Signed", "-1", "xsd:int", writable=True),
    Parameter("Device.A.Flag", "0", "xsd:boolean", writable=True),
    Parameter("Device.A.B.Secret", "s", writable=True, secret=True),
    Parameter("Device.Fixed", "f"),
)


def fault(*faults: tuple[str, int]) -> rpc.Fault:
    return rpc.Fault(9003, parameters=tuple(rpc.ParameterFault(name, code) for name, code in faults))


@pytest.mark.parametrize(
    ("path", "next_level", "expected"),
    [
        ("", True, (("Device.", False),)),
        ("Device.", True, (("Device.A.", False), ("Device.Fixed", False))),
        ("Device.A.B.", False, (("Device.A.B.", False), ("Device.A.B.Secret", True))),
        ("Device.Fixed", False, (("Device.Fixed", False),)),
        ("Device.Fixed", True, rpc.Fault(9003)),
        ("Device.None", False, rpc.Fault(9005)),
        ("Device.None.", False, rpc.Fault(9005)),
    ],
)
def test_names_are_listed(path: str, next_level: bool, expected: object) -> None:
    assert expected == Parameters(MODEL).names(path, next_level=next_level)


def test_every_name_is_listed_under_the_root() -> None:
    names = Parameters(MODEL).names("", next_level=False)
    assert isinstance(names, tuple)
    assert len(MODEL) + 3 == len(names)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("Device.A.B.",), ("",)),
        (("Device.Fixed", "Device.A.Text"), ("f", "a")),
        (("Device.Fixed", "Device.Fixed"), ("f",)),
    ],
)
def test_values_are_given_and_secrets_are_empty(names: tuple[str, ...], expected: tuple[str, ...]) -> None:
    values = Parameters(MODEL).get(names)
    assert isinstance(values, tuple)
    assert expected == tuple(value.value for value in values)


@pytest.mark.parametrize(
    ("name", "value", "type_", "code"),
    [
        ("Device.A.None", "x", "xsd:string", 9005),
        ("Device.Fixed", "x", "xsd:string", 9008),
        ("Device.A.Number", "1", "xsd:string", 9006),
        ("Device.A.Number", "-1", "xsd:unsignedInt", 9007),
        ("Device.A.Number", "4294967296", "xsd:unsignedInt", 9007),
        ("Device.A.Number", "x", "xsd:unsignedInt", 9007),
        ("Device.A.Signed", "2147483648", "xsd:int", 9007),
        ("Device.A.Flag", "yes", "xsd:boolean", 9007),
    ],
)
def test_setting_is_refused_and_nothing_is_set(name: str, value: str, type_: str, code: int) -> None:
    parameters = Parameters(MODEL)
    wanted = (rpc.ParameterValue("Device.A.Text", "new"), rpc.ParameterValue(name, value, type_))
    assert fault((name, code)) == parameters.set(wanted, "key")
    assert (parameters.value("A.Text"), parameters.value("ManagementServer.ParameterKey")) == ("a", "")


def test_settings_are_taken_with_their_key() -> None:
    parameters = Parameters(MODEL)
    wanted = (
        rpc.ParameterValue("Device.A.Text", "new"),
        rpc.ParameterValue("Device.A.Number", "4294967295", "xsd:unsignedInt"),
        rpc.ParameterValue("Device.A.Signed", "-2147483648", "xsd:int"),
        rpc.ParameterValue("Device.A.Flag", "true", "xsd:boolean"),
    )
    assert parameters.set(wanted, "key") is None
    assert tuple(
        parameters.value(name)
        for name in ("A.Text", "A.Number", "A.Signed", "A.Flag", "ManagementServer.ParameterKey")
    ) == ("new", "4294967295", "-2147483648", "true", "key")


def test_parameter_named_twice_is_refused() -> None:
    twice = (rpc.ParameterValue("Device.A.Text", "1"), rpc.ParameterValue("Device.A.Text", "2"))
    refused = Parameters(MODEL).set(twice, "")
    assert refused is not None
    assert refused.code == 9003


def test_telephone_informs_with_what_tr_106_asks_for() -> None:
    parameters = Parameters(telephone(PHONE, "http://acs/", mac="m", address="a", software="s"))
    assert [each.name for each in parameters.for_inform()] == [
        "Device.DeviceSummary",
        "Device.DeviceInfo.HardwareVersion",
        "Device.DeviceInfo.SoftwareVersion",
        "Device.DeviceInfo.ProvisioningCode",
        "Device.ManagementServer.ConnectionRequestURL",
        "Device.ManagementServer.ParameterKey",
        "Device.LAN.IPAddress",
        "Device.LAN.MACAddress",
    ]


def test_attributes_are_set_under_a_path_and_only_what_is_to_change() -> None:
    parameters = Parameters(MODEL)
    assert parameters.set_attributes((rpc.NewAttributes("Device.A.", 2),)) is None
    assert parameters.set_attributes((rpc.NewAttributes("Device.A.Text", access=()),)) is None
    assert parameters.attributes(("Device.A.Text", "Device.A.Flag", "Device.Fixed")) == (
        rpc.Attributes("Device.A.Text", 2, ()),
        rpc.Attributes("Device.A.Flag", 2),
        rpc.Attributes("Device.Fixed", 0),
    )
    assert parameters.attributes(("Device.None",)) == rpc.Fault(9005)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(rpc.NewAttributes("Device.None", 1), 9005), (rpc.NewAttributes("Device.Fixed", 9), 9003)],
)
def test_attributes_are_refused_and_none_is_set(wanted: rpc.NewAttributes, code: int) -> None:
    parameters = Parameters(MODEL)
    assert parameters.set_attributes((rpc.NewAttributes("Device.A.Text", 1), wanted)) == rpc.Fault(code)
    assert parameters.attributes(("Device.A.Text",)) == (rpc.Attributes("Device.A.Text", 0),)


def test_change_is_carried_by_the_inform_as_far_as_the_acs_wants() -> None:
    parameters = Parameters(MODEL)
    parameters.set_attributes(
        (rpc.NewAttributes("Device.A.Text", 1), rpc.NewAttributes("Device.A.Number", 2))
    )
    assert not parameters.change("A.Flag", "1")
    assert not parameters.change("A.Text", "a")
    assert not parameters.changed
    assert not parameters.change("A.Text", "b")
    assert parameters.change("A.Number", "7")
    assert [each.value for each in parameters.for_inform()] == ["b", "7"]
    parameters.told()
    assert (parameters.changed, parameters.for_inform()) == (False, ())
