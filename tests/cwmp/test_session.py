"""A phone and an ACS in memory: what a factory-fresh phone goes through, and what happens when something is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.cwmp import rpc
from netprov.cwmp.acs import Acs
from netprov.cwmp.action import DownloadAsked, InformAccepted, ParametersSet, Reported, SessionClosed
from netprov.cwmp.device import Configured, DownloadRequested, FileTransferred, InformReceived
from netprov.cwmp.parameter import INTERVAL, PARAMETER_KEY, PROVISIONING_CODE
from tests.cwmp.link import ACS, PHONE, PROFILE, TARGET, Link, config, phone


def test_factory_fresh_phone_gets_settings_and_profile_and_reports_it() -> None:
    link = Link(phone(), Acs(config()))
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.passed == [
        "> Inform", "< InformResponse", "> empty", "< SetParameterValues", "> SetParameterValuesResponse",
        "< Download", "> DownloadResponse", "< 204",
        "> Inform", "< InformResponse", "> TransferComplete", "< TransferCompleteResponse", "> empty", "< 204",
    ]  # fmt: skip
    assert link.fetched == [PROFILE]
    assert link.cpe.configured
    assert (
        link.cpe.parameters.value(INTERVAL),
        link.cpe.parameters.value(PROVISIONING_CODE),
    ) == ("3600", "staging")
    assert [
        InformAccepted(ACS, ("0 BOOTSTRAP", "1 BOOT")),
        ParametersSet(
            (
                "Device.ManagementServer.PeriodicInformEnable",
                "Device.ManagementServer.PeriodicInformInterval",
                "Device.DeviceInfo.ProvisioningCode",
            )
        ),
        DownloadAsked(PROFILE, rpc.CONFIGURATION, "r1"),
        SessionClosed(),
        InformAccepted(ACS, ("7 TRANSFER COMPLETE", "M Download")),
        Reported(PROFILE, 0),
        SessionClosed(),
    ] == list(link.cpe.events())


def test_acs_reports_and_records_what_a_phone_went_through() -> None:
    acs = Acs(config())
    link = Link(phone(), acs)
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    key = "001234-CP-8851-3PCC-FCH2345ABCD"
    events = acs.events()
    assert [InformReceived, Configured, DownloadRequested, InformReceived, FileTransferred] == list(
        map(type, events)
    )
    assert FileTransferred(key, TARGET.mac, "r1", 0, "", "10.20.0.54") == events[-1]
    assert [key] == [device.key for device in acs.changed().devices]
    device = acs.devices[key]
    assert (TARGET.mac, True, "11.3.1", "10.20.0.54", "r1", "") == (
        device.mac, device.listed, device.software, device.address, device.applied, device.fault,
    )  # fmt: skip
    assert f"{key} {TARGET.mac} at 10.20.0.54: Inform 0 BOOTSTRAP, 1 BOOT" == str(events[0])
    assert f"{key} {TARGET.mac}: transfer r1: done" == str(events[-1])


def test_configured_phone_is_left_alone_at_its_periodic_inform() -> None:
    link = Link(phone(), Acs(config(interval=60)))
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    link.passed.clear()
    link.step()  # waits for the periodic inform
    link.step()
    link.run()
    assert link.waits == [("periodic", 60.0)]
    assert link.passed == ["> Inform", "< InformResponse", "> empty", "< 204"]


def test_restarted_phone_is_not_sent_the_same_profile_again() -> None:
    link = Link(phone(), Acs(config()))
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    link.cpe.boot(link.now)
    link.run()
    assert link.fetched == [PROFILE]


def test_changed_profile_is_sent_at_the_next_inform() -> None:
    acs = Acs(config())
    link = Link(phone(), acs)
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    acs.config = config(replace(TARGET, revision="r2"))
    link.cpe.trigger(rpc.EventCode("6 CONNECTION REQUEST"), link.now)
    link.run()
    assert link.fetched == [PROFILE, PROFILE]
    assert [device.applied for device in acs.devices.values()] == ["r2"]


def test_records_of_an_earlier_run_still_hold() -> None:
    first = Acs(config())
    link = Link(phone(), first)
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    link.acs = Acs(config(), first.changed().devices)
    link.cpe.boot(link.now)
    link.run()
    assert link.fetched == [PROFILE]


def test_failed_transfer_is_reported_and_tried_again_later() -> None:
    results = iter([(9016, "HTTP 404"), None])
    link = Link(phone(), Acs(config(interval=400)), fetch=lambda _fetch: next(results))
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    device = next(iter(link.acs.devices.values()))
    assert (device.applied, device.fault) == ("", "9016 HTTP 404")
    assert [Reported(PROFILE, 9016)] == [each for each in link.cpe.events() if isinstance(each, Reported)]
    link.step()
    link.step()
    link.run()
    assert link.cpe.configured
    assert link.fetched == [PROFILE, PROFILE]


def test_failed_transfer_is_not_tried_again_at_once() -> None:
    link = Link(phone(), Acs(config(interval=30)), fetch=lambda _fetch: (9015, "refused"))
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    start = link.now
    while link.now < start + 290:
        link.step()
    assert link.fetched == [PROFILE]


def test_unlisted_phone_is_recorded_and_gets_an_empty_session_but_for_the_interval() -> None:
    acs = Acs(config())
    link = Link(phone(mac="00:12:34:00:00:99"), acs, source="10.20.0.150")
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.fetched == []
    assert link.cpe.parameters.value(INTERVAL) == "3600"
    assert [(each.mac, each.listed) for each in acs.devices.values()] == [("00:12:34:00:00:99", False)]
    assert "which is not in the inventory" in str(acs.events()[0])


def test_unlisted_phone_gets_the_bootstrap_profile_where_there_is_one() -> None:
    acs = Acs(config(bootstrap_url="https://pr1.example.com:5060/{product_class}.xml"))
    link = Link(phone(mac="00:12:34:00:00:99"), acs, source="10.20.0.150")
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.fetched == ["https://pr1.example.com:5060/CP-8851-3PCC.xml"]


def test_listed_phone_gets_the_profile_of_its_model_where_that_tells_it_a_key_first() -> None:
    link = Link(phone(), Acs(config(replace(TARGET, url="https://pr1.example.com/{product_class}.xml"))))
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.fetched == ["https://pr1.example.com/CP-8851-3PCC.xml"]
    assert [device.applied for device in link.acs.devices.values()] == ["r1"]


def test_listed_phone_without_a_profile_gets_none_not_even_the_bootstrap_one() -> None:
    acs = Acs(config(replace(TARGET, url=""), bootstrap_url="https://pr1.example.com/{product_class}.xml"))
    link = Link(phone(), acs)
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.fetched == []


@pytest.mark.parametrize("product_class", ["", "../../etc/passwd", "a b", "x" * 65])
def test_product_class_that_is_no_model_gets_no_bootstrap_profile(product_class: str) -> None:
    acs = Acs(config(bootstrap_url="https://pr1.example.com/{product_class}.xml"))
    device = replace(PHONE, product_class=product_class)
    link = Link(phone(mac="", device=device), acs, source="10.20.0.150")
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.fetched == []


@pytest.mark.parametrize(
    ("serial", "mac", "source"),
    [
        ("001234AB45DE", "", "10.20.0.150"),
        ("00-12-34-ab-45-de", "", "10.20.0.150"),
        ("anything", "00:12:34:AB:45:DE", "10.20.0.150"),
        ("FCH1", "", "10.20.0.150"),
        ("anything", "", "10.20.0.54"),
    ],
)
def test_phone_is_known_by_its_mac_its_serial_number_or_its_fixed_address(
    serial: str, mac: str, source: str
) -> None:
    target = replace(TARGET, serial="fch1", address="10.20.0.54")
    link = Link(phone(mac=mac, device=replace(PHONE, serial=serial)), Acs(config(target)), source=source)
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.fetched == [PROFILE]


def test_phone_without_cookies_is_served_on_its_connection() -> None:
    link = Link(phone(), Acs(config()), cookies=False)
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.cpe.configured


def test_phone_that_restarts_to_apply_its_profile_is_not_sent_it_in_a_loop() -> None:
    link = Link(phone(), Acs(config()))
    link.cpe.boot(link.now, bootstrap=True)
    while not link.fetched:
        link.step()
    link.cpe.boot(link.now, bootstrap=True)  # the profile made it forget that it had booted before
    link.run()
    assert link.fetched == [PROFILE]


@given(st.sets(st.integers(1, 14), max_size=6))
def test_phone_is_configured_whatever_message_is_lost(lost: set[int]) -> None:
    link = Link(phone(), Acs(config()), lose=lambda number: number in lost)
    link.cpe.boot(link.now, bootstrap=True)
    link.run()
    assert link.cpe.settled
    assert link.cpe.configured
    assert [device.applied for device in link.acs.devices.values()] == ["r1"]
    assert link.cpe.parameters.value(PARAMETER_KEY).startswith("netprov-")
