"""What the ACS's events leave in a phone's device record."""

from __future__ import annotations

import pytest

from netprov.cwmp import rpc
from netprov.cwmp.device import Configured, Faulted, FileTransferred, InformReceived
from netprov.machine import Event
from netprov.provision.standing import Fact
from netprov.state.acs.fact import acs_fact

KEY = "001234-CP-8851-3PCC-S1"
MAC = "00:12:34:ab:45:de"
IP = "10.20.0.54"


@pytest.mark.parametrize(
    ("event", "fact"),
    [
        (
            InformReceived(KEY, MAC, IP, ("1 BOOT",), True, "CP-8851-3PCC", "11.3.1"),
            Fact(IP, MAC, "CP-8851-3PCC", "11.3.1", proven=None),
        ),
        (
            FileTransferred(KEY, MAC, "r1", 0, "", IP),
            Fact(IP, MAC, standing="provisioned by the ACS", proven=None),
        ),
        (
            FileTransferred(KEY, MAC, "r1", 9016, "404", IP),
            Fact(IP, MAC, standing="the ACS's transfer failed: 9016 404", refused=True, proven=None),
        ),
        (
            Faulted(KEY, "Download", rpc.Fault(9001, "no"), MAC),
            Fact("", MAC, standing="refused the ACS's Download: 9001 no", refused=True, proven=None),
        ),
        (Configured(KEY, ("a",)), None),
    ],
)
def test_event_tells(event: Event, fact: Fact | None) -> None:
    assert acs_fact(event) == fact
