"""What somebody says in a phone's name is on record as that, and changes nothing of where the phone stands."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.cwmp.device import FileTransferred, InformReceived
from netprov.machine import Event
from netprov.provision.event import Asked, PhoneSaid, Reported
from netprov.provision.requester import Agent
from netprov.provision.syslog import PhoneStatement
from netprov.state.device import load_devices, load_history, load_reports
from netprov.state.device_record import DeviceRecords
from tests.hostile.site import PHONES, Site, a_plan, plain, request, serve

VICTIM, PHONE_AT, STRANGER = PHONES[0], "10.20.0.50", "10.20.0.66"

OWN = Asked("https", PHONE_AT, "GET", "/own", 200, "profile", mac=VICTIM)
"""What the phone itself did, proven by its address."""

FORGED: dict[str, Event] = {
    "tftp": Asked("tftp", STRANGER, "RRQ", "/victim.cfg", 200, "profile", mac=VICTIM, proven=False),
    "http": Asked("http", STRANGER, "GET", "/victim.cfg", 200, "bootstrap", mac=VICTIM, proven=False),
    "refused": Asked("http", STRANGER, "GET", "/victim.cfg", 401, mac=VICTIM, proven=False),
    "agent": Asked("http", STRANGER, "GET", "/", 500, agent=Agent("CP-1-3PCC", "9.9.9", VICTIM)),
    "report": Reported(STRANGER, VICTIM, "full", "/r", {"Software_Version": "9.9.9"}, proven=False),
    "syslog": PhoneSaid(
        STRANGER, VICTIM, PhoneStatement(VICTIM, "CP-1-3PCC", "upgrade", "failed", error="x")
    ),
    "inform": InformReceived("k", VICTIM, STRANGER, ("2 PERIODIC",), True, "CP-1-3PCC", "9.9.9"),
    "transfer": FileTransferred("k", VICTIM, "key", 0, "", STRANGER),
}


def record(state: Path, *events: Event, listed: frozenset[str] = frozenset({VICTIM})) -> None:
    async def run() -> None:
        records = DeviceRecords(state)
        records.follow(listed=listed)
        await records.start()
        for event in events:
            records.observe("http", event)
            await asyncio.to_thread(records._flush)
        await records.stop()

    asyncio.run(run())


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_phone_stands_where_it_stood_whatever_a_stranger_says_in_its_name(
    tmp_path: Path, forged: Event
) -> None:
    record(tmp_path, OWN)
    (before,) = load_devices(tmp_path)
    record(tmp_path, forged)
    (after,) = load_devices(tmp_path)
    assert replace(after, last=before.last) == before
    assert load_reports(tmp_path, VICTIM) == ()
    line = load_history(tmp_path, VICTIM)[-1]
    assert line.address in {STRANGER, ""}  # the sender is on record, beside whom he claimed to be


@pytest.mark.parametrize("name", ["tftp", "http", "refused", "report"])
def test_phone_that_was_never_heard_of_is_not_provisioned_by_a_stranger(tmp_path: Path, name: str) -> None:
    record(tmp_path, FORGED[name])
    (device,) = load_devices(tmp_path)
    assert (device.standing, device.profiles, device.address, device.firmware) == ("", 0, "", "")
    assert f"{STRANGER} (claims {VICTIM})" in load_history(tmp_path, VICTIM)[0].text


def test_the_phone_itself_changes_where_it_stands(tmp_path: Path) -> None:
    done = PhoneSaid(PHONE_AT, VICTIM, PhoneStatement(VICTIM, "CP-8851-3PCC", "resync", "done", "http://x"))
    record(tmp_path, OWN, *FORGED.values(), done)
    (device,) = load_devices(tmp_path)
    assert (device.standing, device.address) == ("resync done from http://x", PHONE_AT)


def test_request_of_a_victims_path_proves_nothing_and_its_own_address_does(tmp_path: Path) -> None:
    plan = a_plan()
    own = replace(plan, provision=replace(plan.provision, addresses={"127.0.0.1": PHONES[1]}))

    async def scenario(site: Site) -> None:
        for mac in PHONES[:2]:
            reply = await site.say(request(f"/{plain(mac)}.cfg"))
            assert reply[9:12] == b"200"
        body = b"<flat-profile><A>1</A></flat-profile>"
        for mac in PHONES[:2]:
            await site.say(request(f"/report/{plain(mac)}.xml", method="PUT", body=body))

    serve(tmp_path, scenario, own)
    stands = {each.mac: (each.standing, each.profiles) for each in load_devices(tmp_path)}
    assert stands[PHONES[1]] == ("provisioned over http", 1)
    assert stands.get(PHONES[0], ("", 0)) == ("", 0)
    assert load_reports(tmp_path, PHONES[0]) == ()
    assert load_reports(tmp_path, PHONES[1])[0][0] == "full"
