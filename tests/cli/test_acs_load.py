"""A firmware is not sent to a model that it is not made for."""

from __future__ import annotations

import pytest

from netprov.cli.verb.service.acs.load import foreign
from netprov.cwmp import rpc

AT = "http://pr1.example.com/loads"
DEVICES = tuple(
    {"mac": f"m{number}", "model": model}
    for number, model in enumerate(("CP-8851-3PCC", "CP-7841-3PCC", "CP-8845-3PCC", "Gadget", ""))
)


@pytest.mark.parametrize(
    ("file", "others"),
    [
        ("sip88xx.12-0-7MPP0301-120.loads", ["m1", "m2"]),
        ("sip78xx.11-3-1MPP-398.loads?a=b/c", ["m0", "m2"]),
        ("sip8845_65.12-0-1MPP-1.loads", ["m0", "m1"]),
        ("sip88xx.loads", []),
        ("firmware.bin", []),
    ],
)
def test_devices_of_another_family_than_the_load_s_are_named(file: str, others: list[str]) -> None:
    call = rpc.Download("", rpc.FIRMWARE, f"{AT}/{file}")
    assert [each["mac"] for each in foreign(call, DEVICES)] == others


def test_other_files_and_calls_fit_every_device() -> None:
    profile = rpc.Download("", rpc.CONFIGURATION, f"{AT}/sip88xx.12-0-7MPP0301-120.loads")
    assert foreign(profile, DEVICES) == foreign(rpc.Reboot(), DEVICES) == ()
