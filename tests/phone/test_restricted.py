"""Restricted_Access_Domains: every road on which a living phone loads or sends something ends at a host outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from netprov.phone.action import Action, Fetch, Resolve, Response, Result, Say
from netprov.phone.handset.memory import Handset
from netprov.phone.life.input import Input, ReportAsked, ResyncAsked, UpgradeAsked
from netprov.phone.life.machine import LivingPhone
from tests.phone.living import live_until
from tests.phone.test_acs import download
from tests.phone.test_managed import Lan as ManagedLan
from tests.phone.world import CA, PHONE, Server, World, no_chance

INSIDE, OUTSIDE = "in.example.com", "out.example.net"
OUT = f"http://{OUTSIDE}/x"
RESTRICTED = {"Restricted_Access_Domains": f"sip.example.com, {INSIDE}"}
NAMES = {INSIDE: ("10.20.0.11",), OUTSIDE: ("10.20.0.12",)}


def asked_of(
    values: dict[str, str], happens: Sequence[tuple[float, Input]] = (), moved: str = ""
) -> tuple[set[str], list[str]]:
    """Let a phone with a profile from inside live; return the hosts that it asked or looked up, and what it said."""
    profile = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    answer: bytes | Response = f"<flat-profile>{profile}</flat-profile>".encode()
    files = {"/p.xml": answer, "/moved": Response(302, headers=(("Location", moved),))}
    url = f"http://{INSIDE}/p.xml"
    everything = {"/x": CA.encode(), "/x.loads": b"\0"}
    world = World(
        {160: url.encode()},
        names=NAMES,
        servers={"http 10.20.0.11 80": Server(files), "http 10.20.0.12 80": Server(everything)},
    )
    hosts: set[str] = set()
    said: list[str] = []

    def answering(action: Action) -> Result:
        if isinstance(action, Fetch):
            hosts.add(action.url.host)
        elif isinstance(action, Resolve):
            hosts.add(action.name)
        return world(action)

    phone = LivingPhone(Handset(PHONE, no_chance))
    steps = live_until(phone, answering, 500, happens)
    said += [each.action.text for each in steps if isinstance(each.action, Say)]
    return hosts, said


ROADS: list[tuple[str, dict[str, str], list[tuple[float, Input]]]] = [
    ("Profile_Rule", {"Profile_Rule": OUT}, []),
    (
        "Profile_Rule_B",
        {"Profile_Rule": f"http://{INSIDE}/p.xml", "Profile_Rule_B": OUT},
        [(100, ResyncAsked())],
    ),
    ("Upgrade_Rule", {"Upgrade_Rule": f"{OUT}.loads"}, []),
    ("Report_Rule", {"Report_Rule": OUT, "Report_To_Server": "On Request"}, [(100, ReportAsked())]),
    ("a periodic report", {"Report_Rule": OUT, "Report_To_Server": "Periodically"}, []),
    ("Custom_CA_Rule", {"Custom_CA_Rule": OUT}, []),
    ("/admin/resync?", {}, [(100, ResyncAsked(OUT))]),
    ("/admin/upgrade?", {}, [(100, UpgradeAsked(f"{OUT}.loads"))]),
]


@pytest.mark.parametrize(("values", "happens"), [each[1:] for each in ROADS], ids=[each[0] for each in ROADS])
def test_no_road_leads_outside_the_restricted_domains(
    values: dict[str, str], happens: list[tuple[float, Input]]
) -> None:
    free, _ = asked_of(values, happens)
    assert OUTSIDE in free
    held, said = asked_of(values | RESTRICTED, happens)
    assert held == {INSIDE}
    assert any(f"{OUTSIDE} is not in Restricted_Access_Domains" in each for each in said)


def test_a_redirect_of_a_server_inside_leads_nowhere_outside() -> None:
    happens: list[tuple[float, Input]] = [(100, ResyncAsked(f"http://{INSIDE}/moved"))]
    assert OUTSIDE in asked_of({}, happens, OUT)[0]
    held, said = asked_of(RESTRICTED, happens, OUT)
    assert held == {INSIDE}
    assert any(f"{OUTSIDE} is not in Restricted_Access_Domains" in each for each in said)


@pytest.mark.parametrize(
    "kind", ["1 Firmware Upgrade Image", "3 Vendor Configuration File", "X CISCO Custom CA"]
)
def test_what_an_acs_has_the_phone_download_comes_from_inside_too(kind: str) -> None:
    """The ACS itself is none of the servers that the parameter's description lists; what it names is a profile, a load or a CA."""
    lan = ManagedLan(download(kind, "/p.xml"))
    identity = replace(PHONE, tr069=True, parameters=(("Restricted_Access_Domains", INSIDE),))
    live_until(LivingPhone(Handset(identity, no_chance)), lan, 100)
    (report,) = [each for each in lan.acs.heard if "cwmp:TransferComplete>" in each]
    assert "<FaultCode>9010<" in report
    assert "10.20.0.1 is not in Restricted_Access_Domains" in report
