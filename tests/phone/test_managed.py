"""A living phone and its ACS: every event of the guide is really sent, and every method does what it says."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from netprov.cwmp import rpc
from netprov.cwmp.outstanding import Outcome
from netprov.errors import Malformed
from netprov.phone.acs.client import keep, recall
from netprov.phone.action import Action, AskDhcp, Fetch, Lease, Response, Result
from netprov.phone.handset.flash import dump, restore
from netprov.phone.handset.memory import Handset
from netprov.phone.life.input import (
    CallEnded,
    CallPlaced,
    ConnectionRequested,
    LeaseAsked,
    ParameterSet,
    PowerCycled,
    ResyncAsked,
)
from netprov.phone.life.machine import LivingPhone
from netprov.phone.life.page import knock
from netprov.provision.auth import Authority
from tests.phone.living import live_until
from tests.phone.test_acs import ACS, FILES, OPTION_43, ScriptedAcs, download, fault_of, provision
from tests.phone.world import CA, PHONE, Server, World, no_chance

LOAD = "/fw/sip88xx.12-0-2MPP-9.loads"


class Lan:
    """DHCP that names the ACS (or not), the ACS, and a server with files."""

    def __init__(self, *lines: str, options: dict[int, bytes] | None = None) -> None:
        self.acs = ScriptedAcs(list(lines))
        self.options = OPTION_43 if options is None else options
        self.address = "10.20.0.50"
        self.files = {**FILES, LOAD: b"\0"}

    def __call__(self, action: Action) -> Result:
        if isinstance(action, Fetch) and action.url.port == 7547:
            return self.acs(action.body)
        result = World(self.options, servers={"http 10.20.0.1 80": Server(self.files)})(action)
        return replace(result, address=self.address) if isinstance(result, Lease) else result

    def informs(self) -> list[list[str]]:
        """Return the event codes of every Inform."""
        bodies = [each for each in self.acs.heard if "cwmp:Inform>" in each]
        return [re.findall(r"<EventCode>([^<]+)<", each) for each in bodies]


def managed(**values: str) -> LivingPhone:
    identity = replace(PHONE, tr069=True, parameters=tuple(values.items()))
    return LivingPhone(Handset(identity, no_chance))


def method(name: str, inner: str = "") -> str:
    return f"<cwmp:{name}>{inner}</cwmp:{name}>"


QUIET = {"Periodic_Inform_Enable": "No"}


def test_the_first_session_bootstraps_and_then_it_informs_by_its_period() -> None:
    lan, phone = (
        Lan(download("3 Vendor Configuration File", "/p.xml")),
        managed(Periodic_Inform_Interval="300"),
    )
    live_until(phone, lan, 1000)
    assert lan.informs() == [
        ["0 BOOTSTRAP", "1 BOOT"], ["7 TRANSFER COMPLETE", "M Download"], ["2 PERIODIC"], ["2 PERIODIC"], ["2 PERIODIC"],
    ]  # fmt: skip
    assert phone.current


def test_a_power_cycle_is_told_and_no_bootstrap_again() -> None:
    lan, phone = Lan(), managed(**QUIET)
    live_until(phone, lan, 1000, [(500, PowerCycled())])
    assert lan.informs() == [["0 BOOTSTRAP", "1 BOOT"], ["1 BOOT"]]


def test_reboot_is_done_when_nobody_calls_and_told_with_its_reason() -> None:
    lan, phone = Lan(), managed(**QUIET)
    live_until(phone, lan, 100, [(50, CallPlaced())])
    lan.acs.lines.append(method("Reboot", "<CommandKey>why</CommandKey>"))
    live_until(phone, lan, 300, [(150, ConnectionRequested()), (200, CallEnded())])
    assert lan.informs()[1:] == [["6 CONNECTION REQUEST"], ["M Reboot", "1 BOOT"]]


def test_firmware_is_restarted_into_and_told_with_its_version() -> None:
    lan, phone = Lan(download("1 Firmware Upgrade Image", LOAD)), managed(**QUIET)
    live_until(phone, lan, 100)
    assert lan.informs() == [["0 BOOTSTRAP", "1 BOOT"], ["1 BOOT", "7 TRANSFER COMPLETE", "M Download"]]
    assert "sip88xx.12-0-2MPP-9" in [each for each in lan.acs.heard if "cwmp:Inform>" in each][-1]
    assert phone.handset.software == "sip88xx.12-0-2MPP-9"


def test_a_custom_ca_is_trusted_from_then_on_and_forgotten_by_factory_reset_which_bootstraps() -> None:
    lan, phone = Lan(download("X CISCO Custom CA", "/ca.pem")), managed(**QUIET)
    live_until(phone, lan, 100)
    assert CA in phone.handset.anchors
    phone.handset.parameters["GPP_A"] = "x"
    lan.acs.lines.append(method("FactoryReset"))
    live_until(phone, lan, 200, [(150, ConnectionRequested())])
    assert phone.handset.anchors == ()
    assert phone.handset["GPP_A"] == ""
    assert lan.informs()[2:4] == [["6 CONNECTION REQUEST"], ["0 BOOTSTRAP", "1 BOOT"]]


def test_a_value_that_changes_is_told_where_the_acs_wants_to_know() -> None:
    wanted = (
        "<ParameterList><SetParameterAttributesStruct><Name>Device.LAN.IPAddress</Name><NotificationChange>1</NotificationChange>"
        "<Notification>2</Notification><AccessListChange>0</AccessListChange><AccessList/></SetParameterAttributesStruct></ParameterList>"
    )
    lan, phone = Lan(method("SetParameterAttributes", wanted)), managed(**QUIET)
    live_until(phone, lan, 100)
    lan.address = "10.20.0.77"
    live_until(phone, lan, 200, [(150, LeaseAsked())])
    assert lan.informs()[-1] == ["4 VALUE CHANGE"]
    assert "10.20.0.77" in [each for each in lan.acs.heard if "cwmp:Inform>" in each][-1]


def test_what_the_acs_sets_is_what_the_phone_has() -> None:
    values = (
        '<ParameterList><ParameterValueStruct><Name>Device.ManagementServer.PeriodicInformInterval</Name>'
        '<Value xsi:type="xsd:unsignedInt" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema">900</Value></ParameterValueStruct></ParameterList><ParameterKey/>'
    )  # fmt: skip
    lan, phone = Lan(method("SetParameterValues", values)), managed()
    live_until(phone, lan, 2000)
    assert phone.handset["Periodic_Inform_Interval"] == "900"
    assert lan.informs() == [["0 BOOTSTRAP", "1 BOOT"], ["2 PERIODIC"], ["2 PERIODIC"]]


def test_an_acs_that_a_profile_names_is_obeyed_and_only_where_tr_069_is_on() -> None:
    for enable, expected in (("Yes", [["0 BOOTSTRAP", "1 BOOT"]]), ("No", [])):
        body = (
            f"<flat-profile><ACS_URL>{ACS}</ACS_URL><Enable_TR-069>{enable}</Enable_TR-069>"
            "<Periodic_Inform_Enable>No</Periodic_Inform_Enable></flat-profile>"
        )
        lan = Lan(options={66: b"http://10.20.0.1/acs.xml"})
        lan.files["/acs.xml"] = body.encode()
        live_until(LivingPhone(Handset(PHONE, no_chance)), lan, 100)
        assert lan.informs() == expected


def test_another_acs_is_a_bootstrap() -> None:
    lan, phone = Lan(), managed(**QUIET)
    live_until(phone, lan, 100)
    live_until(phone, lan, 200, [(150, ParameterSet("ACS_URL", "http://10.20.0.1:7547/other"))])
    assert lan.informs()[-1] == ["0 BOOTSTRAP", "1 BOOT"]


def test_an_acs_that_is_away_is_asked_again_ever_later() -> None:
    lan, phone = Lan(), managed(**QUIET)
    lan.acs.status = 503
    steps = live_until(phone, lan, 400)
    posts = [round(step.started) for step in steps if isinstance(step.action, Fetch)]
    waits = [after - before for before, after in pairwise(posts)]
    assert waits[:5] == [5, 10, 20, 40, 80]
    assert lan.informs() == []


def test_the_acss_credentials_answer_its_challenge() -> None:
    lan, phone = Lan(), managed(**QUIET, ACS_Username="u", ACS_Password="p")
    seen: list[str] = []

    def world(action: Action) -> Result:
        if isinstance(action, Fetch) and action.url.port == 7547:
            seen.append(action.headers.get("Authorization", ""))
            if not seen[-1]:
                return Response(
                    401, headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'),)
                )
        return lan(action)

    live_until(phone, world, 100)
    assert lan.informs() == [["0 BOOTSTRAP", "1 BOOT"]]
    assert 'username="u"' in seen[1]


def test_a_challenge_is_answered_in_every_request_of_a_session_and_counted() -> None:
    """RFC 7616 3.4: the count rises; a stale nonce is replaced; Digest goes before Basic, whatever stands first."""
    lan, phone = Lan(method("GetRPCMethods")), managed(**QUIET, ACS_Username="u", ACS_Password="p")
    nonces, seen = iter(("n1", "n2", "n3")), []
    good = {"nonce": ""}

    def world(action: Action) -> Result:
        if not isinstance(action, Fetch) or action.url.port != 7547:
            return lan(action)
        said = action.headers.get("Authorization", "")
        nonce = re.findall(r'nonce="(n\d)"', said)
        seen.append((*nonce, *re.findall(r"nc=(\d+)", said)))
        if not nonce or nonce[0] != good["nonce"]:
            good["nonce"] = next(nonces)
            digest = f'Digest realm="r", nonce="{good["nonce"]}", qop="auth,auth-int"'
            return Response(
                401, headers=(("WWW-Authenticate", 'Basic realm="r"'), ("WWW-Authenticate", digest))
            )
        if len(seen) == 3:
            good["nonce"] = "aged"
        return lan(action)

    live_until(phone, world, 100)
    assert seen == [(), ("n1", "00000001"), ("n1", "00000002"), ("n1", "00000003"), ("n2", "00000001")]
    assert lan.informs() == [["0 BOOTSTRAP", "1 BOOT"]]


def test_what_an_acs_is_still_to_be_told_outlasts_the_program() -> None:
    lan, phone = Lan(download("1 Firmware Upgrade Image", LOAD)), managed(**QUIET)
    steps = live_until(phone, lan, 100)
    assert steps
    again = Handset(phone.handset.identity, no_chance)
    restore(again, dump(phone.handset))
    found = phone.handset.management
    assert found is not None
    told = found.cpe.outstanding
    told.add("M Reboot", "why")
    report = rpc.TransferComplete("k7", 9016, "HTTP 404", "2026-11-27T03:00:00Z", "2026-11-27T03:00:01Z")
    told.outcomes.append(Outcome("http://10.20.0.1/f", rpc.FIRMWARE, report))
    recall(again, json.loads(json.dumps(keep(phone.handset))))
    before = len(lan.acs.heard)
    live_until(LivingPhone(again), lan, 100)
    assert lan.informs()[-1] == ["M Reboot", "1 BOOT", "7 TRANSFER COMPLETE", "M Download"]
    assert [fault_of(ScriptedAcs(heard=lan.acs.heard[before:]))] == ["9016"]


def test_a_connection_request_needs_the_account_that_the_acs_has_set() -> None:
    phone, authority = (
        managed(Connection_Request_Username="acs", Connection_Request_Password="pw"),
        Authority(b"k"),
    )
    first = knock(phone, authority, "/", None)
    nonce = re.findall(r'nonce="([^"]+)"', first.challenge)[0]

    def answer(password: str, count: int = 1) -> str:
        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

        response = md5(md5("acs", "netprov", password), nonce, f"{count:08x}", "c", "auth", md5("GET", "/"))
        return (
            f'Digest username="acs", realm="netprov", nonce="{nonce}", uri="/", qop=auth, nc={count:08x}, cnonce="c", '
            f'response="{response}", algorithm=MD5'
        )

    assert knock(phone, authority, "/", answer("wrong")).event is None
    assert knock(phone, authority, "/", answer("pw")).event == ConnectionRequested()
    replayed = knock(phone, authority, "/", answer("pw"))  # each count of a nonce is taken once
    assert (replayed.status, replayed.event, "stale=true" in replayed.challenge) == (401, None, True)
    assert knock(phone, authority, "/", answer("pw", count=2)).event == ConnectionRequested()
    assert knock(managed(), authority, "/", answer("")).status == 401


def test_requests_in_a_session_lead_to_one_session_more() -> None:
    lan, phone = Lan(), managed(**QUIET)
    live_until(phone, lan, 100)
    assert phone.happen(ConnectionRequested(), 100)
    assert not phone.rests  # the session is being held
    assert all(phone.happen(ConnectionRequested(), 100) for _ in range(5))
    live_until(phone, lan, 200)
    assert lan.informs()[1:] == [["6 CONNECTION REQUEST"]] * 2


def test_connection_request_waits_for_no_call_though_a_resync_does() -> None:
    lan, phone = Lan(), managed(**QUIET, Forced_Resync_Delay="1440")
    live_until(phone, lan, 100, [(50, CallPlaced()), (60, ResyncAsked())])
    assert phone.happen(ConnectionRequested(), 100)
    live_until(phone, lan, 130)
    assert lan.informs()[1:] == [["6 CONNECTION REQUEST"]]
    assert phone.tally.resyncs == 1
    live_until(phone, lan, 200, [(150, CallEnded())])
    assert phone.tally.resyncs == 2


def test_requests_are_taken_ten_a_minute() -> None:
    lan, phone = Lan(), managed(**QUIET)
    live_until(phone, lan, 100)
    taken = []
    for number in range(12):
        taken.append(phone.happen(ConnectionRequested(), 100 + number))
        live_until(phone, lan, 100.5 + number)
    assert taken == [True] * 10 + [False] * 2
    assert lan.informs()[1:] == [["6 CONNECTION REQUEST"]] * 10
    assert not phone.happen(ConnectionRequested(), 159)
    assert phone.happen(ConnectionRequested(), 160)


def test_phone_that_only_boots_is_factory_fresh_after_a_factory_reset() -> None:
    lan = Lan("<cwmp:FactoryReset/>")
    identity = replace(PHONE, tr069=True, parameters=tuple(QUIET.items()))
    provision(lan.acs, handset=Handset(identity, no_chance))
    assert lan.informs() == [["0 BOOTSTRAP", "1 BOOT"]] * 2


@pytest.mark.parametrize(
    ("firmware", "expected"), [("11.2(3)", True), ("11.2.1", True), ("11.3.1", False), ("12.0(7)SR3", False)]
)
def test_firmware_says_whether_tr_069_is_on_from_the_factory(firmware: str, expected: bool) -> None:
    lan = Lan()
    asked: list[str] = []

    def world(action: Action) -> Result:
        if isinstance(action, AskDhcp):
            asked.append(action.vendor_class)
        return lan(action)

    live_until(LivingPhone(Handset(replace(PHONE, firmware=firmware), no_chance)), world, 10)
    assert asked == ["CP-8851-3PCC dslforum.org" if expected else "CP-8851-3PCC"]
    assert bool(lan.informs()) == expected


def test_a_phone_that_comes_back_with_what_it_kept_is_known_to_its_acs() -> None:
    wanted = (
        "<ParameterList><SetParameterAttributesStruct><Name>Device.LAN.IPAddress</Name><NotificationChange>1</NotificationChange>"
        "<Notification>2</Notification><AccessListChange>0</AccessListChange><AccessList/></SetParameterAttributesStruct></ParameterList>"
    )
    lan, phone = Lan(method("SetParameterAttributes", wanted)), managed(**QUIET)
    live_until(phone, lan, 100)
    again = Handset(phone.handset.identity, no_chance)
    restore(again, dump(phone.handset))
    recall(again, json.loads(json.dumps(keep(phone.handset))))
    assert keep(again) == keep(phone.handset)
    lan.address = "10.20.0.77"
    live_until(LivingPhone(again), lan, 100)
    assert lan.informs()[-1] == ["1 BOOT", "4 VALUE CHANGE"]
    good: dict[str, object] = {"url": "http://x/", "port": 8000, "values": {}, "notifications": {}}
    broken: list[object] = [
        {},
        [],
        {**good, "url": 1},
        {**good, "port": 1},
        {**good, "outstanding": {}},
        {**good, "outstanding": {"causes": [1], "reports": []}},
        {**good, "outstanding": {"causes": [], "reports": [{"url": ""}]}},
    ]
    recall(again, good)  # written down before there was more
    for data in broken:
        with pytest.raises(Malformed):
            recall(again, data)


LINE = "Device.Services.VoiceService.1.VoiceProfile.1.Line."
SET_LINE = (
    '<ParameterList><ParameterValueStruct><Name>{line}{number}.DirectoryNumber</Name><Value xsi:type="xsd:string" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    "{user}</Value></ParameterValueStruct></ParameterList><ParameterKey/>"
)


def test_a_line_that_the_acs_makes_is_one_of_the_phone_and_is_gone_when_it_is_removed() -> None:
    """The first line was there before; the phone keeps both when its power was away."""
    lan = Lan(
        method("AddObject", f"<ObjectName>{LINE}</ObjectName><ParameterKey/>"),
        method("SetParameterValues", SET_LINE.format(line=LINE, number=2, user="4081001142")),
    )
    phone = managed(**QUIET, User_ID_1_="4081001141")
    handset = phone.handset
    live_until(phone, lan, 100)
    assert any("<InstanceNumber>2</InstanceNumber>" in each for each in lan.acs.heard)
    assert (handset["User_ID_1_"], handset["User_ID_2_"]) == ("4081001141", "4081001142")
    live_until(phone, lan, 200, [(150, PowerCycled())])
    assert (handset["User_ID_1_"], handset["User_ID_2_"]) == ("4081001141", "4081001142")
    lan.acs.lines += [
        method("DeleteObject", f"<ObjectName>{LINE}1.</ObjectName><ParameterKey/>"),
        method("GetParameterValues", f"<ParameterNames><string>{LINE}</string></ParameterNames>"),
    ]
    live_until(phone, lan, 300, [(250, PowerCycled())])
    assert (handset["User_ID_1_"], handset["User_ID_2_"]) == ("", "4081001142")
    told = lan.acs.heard[-1]
    assert f"<Name>{LINE}2.DirectoryNumber</Name>" in told
    assert f"<Name>{LINE}1." not in told


def test_a_profile_that_the_acs_has_the_phone_load_is_not_overwritten_by_what_its_client_knew() -> None:
    lan = Lan(download("3 Vendor Configuration File", "/lines.xml"))
    values = {"User_ID_3_": "4081001143", "ACS_Username": "me", "Periodic_Inform_Interval": "700"}
    body = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    lan.files["/lines.xml"] = f"<flat-profile>{body}</flat-profile>".encode()
    phone = managed(**QUIET)
    live_until(phone, lan, 100)
    assert {name: phone.handset[name] for name in values} == values
