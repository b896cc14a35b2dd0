"""Resyncs over a virtual month, upgrades in stages, reports, encrypted profiles, the cloud's stand-ins."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from netprov.phone.action import (
    Action,
    Failed,
    Fetch,
    Lease,
    Response,
    Result,
    Say,
    Trouble,
    Wait,
)
from netprov.phone.boot import Outcome, boot, search
from netprov.phone.cloud import CloudSite, activate, respond
from netprov.phone.fetch.load import Loaded, NotLoaded
from netprov.phone.handset.customization import Customization, Turn, move
from netprov.phone.handset.memory import Behaviour, Cloud, Handset
from netprov.phone.handset.schedule import DAY, delay, until_time_of_day
from netprov.phone.life.machine import LivingPhone
from netprov.phone.onboarding import SERVICES as CLOUD_SERVICES
from netprov.phone.onboarding import code_fault, redirector_of
from netprov.phone.report import Reporter
from netprov.phone.resync import EXPLICIT, CodeWanted, resync
from netprov.phone.upgrade import upgrade
from netprov.phone.walk import walk
from netprov.provision.crypto import decrypt_cbc, decrypt_gcm, encrypt_cbc, encrypt_gcm
from netprov.provision.parameter.value import parse_delays
from netprov.provision.profile import Parameter, format_profile, layer, parse_profile
from tests.phone.living import live_until
from tests.phone.world import CA, PHONE, PROFILE, STAGED, Server, World, attempts, no_chance, travel

LEASE = Lease("10.20.0.50", "10.20.0.1", {6: bytes([10, 20, 0, 1])})


def phone(**parameters: str) -> Handset:
    handset = Handset(PHONE, no_chance, lease=LEASE)
    handset.parameters |= parameters
    return handset


# A month.

DAYS = int(os.environ.get("NETPROV_DAYS", "4"))
"""Days of virtual time; `make month` lives thirty."""

SPREAD = 2
"""Resync_Random_Delay: in units of 20 seconds (guide)."""

TIMINGS = (
    ("3600", "3600", (), ""),
    ("3600+600", "1800+300,3600+600,7200+900", (), ""),
    ("7200", "1800,3600,7200,14400", (), ""),
    ("600,1200,300", "60", (), ""),
    ("3600", "300", ("404",), ""),
    ("3600", "300", ("corrupt",), ""),
    ("3600", "900,60", (), "0330"),
)


def month(periodic: str, retry: str, kinds: tuple[str, ...], at: str, seed: int) -> list[tuple[float, bool]]:
    """Live that long; return when each resync began and whether it went well."""
    chance = random.Random(seed)
    handset = Handset(PHONE, chance.randrange)
    profile = layer(
        [
            Parameter("Profile_Rule", "http://10.20.0.1/p.xml"),
            Parameter("Resync_Periodic", periodic),
            Parameter("Resync_Error_Retry_Delay", retry),
            Parameter("Resync_At__HHmm_", at),
            Parameter("Resync_Random_Delay", str(SPREAD)),
        ]
    )
    body = format_profile(profile)
    seen: list[tuple[float, bool]] = []

    def world(action: Action) -> Result:
        if not isinstance(action, Fetch):
            return Lease("10.20.0.50", "10.20.0.1", {66: b"http://10.20.0.1/p.xml"})
        fails = len(seen) > 1 and chance.random() < 0.35
        seen.append((handset.now, not fails))
        if not fails:
            return Response(200, body)
        kind = chance.choice(kinds or ("404", "503", "corrupt", "refused", "timeout"))
        answers: dict[str, Result] = {
            "404": Response(404),
            "503": Response(503),
            "corrupt": Response(200, b"<html/>"),
            "refused": Failed(Trouble.REFUSED),
            "timeout": Failed(Trouble.TIMEOUT),
        }
        return answers[kind]

    live_until(LivingPhone(handset), world, DAYS * DAY)
    return seen


@pytest.mark.parametrize("timing", TIMINGS, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_a_month_of_resyncs_keeps_the_guides_delays(
    timing: tuple[str, str, tuple[str, ...], str], seed: int
) -> None:
    periodic, retry, kinds, at = timing
    seen = [each for place, each in enumerate(month(periodic, retry, kinds, at, seed)) if place != 1]
    assert len(seen) > DAYS
    row, periods = 0, 0
    for (before, fine), (after, _) in pairwise(seen):
        gap = after - before
        if fine:
            row = 0
            if at:
                of_day = (int(at[:2]) * 60 + int(at[2:])) * 60
                assert 0 <= (after - of_day) % DAY <= 600
                assert 0 < gap <= DAY + 600
                continue
            delays = parse_delays(periodic)
            if len(delays) > 1:
                assert any(fixed <= gap <= fixed + extra + 20 * SPREAD for fixed, extra in delays)
            else:
                assert delays[0][0] <= gap <= sum(delays[0]) + 20 * SPREAD
            periods += 1
        else:
            delays = parse_delays(retry)
            fixed, extra = delays[min(row, len(delays) - 1)]
            assert fixed <= gap <= fixed + extra
            row += 1
    assert any(not fine for _, fine in seen)


@pytest.mark.parametrize(
    ("text", "turn", "expected"),
    [
        ("", 0, None),
        ("0", 0, None),
        ("60", 9, 60),
        ("600,1200,300", 1, 1200),
        ("600,1200,300", 7, 300),
        ("5+2", 0, 7),
        ("x", 0, None),
        ("60,0", 1, None),
    ],
)
def test_delays(text: str, turn: int, expected: int | None) -> None:
    assert expected == delay(text, turn, lambda below: below - 1)


@pytest.mark.parametrize(
    ("text", "spread", "now", "expected"),
    [
        ("1000", "600", 9 * 3600, 3600),
        ("1000", "600", 10 * 3600, DAY),
        ("2400", "0", 3600, 23 * 3600),
        ("0000", "", 3600, 23 * 3600),
        ("2460", "600", 0, None),
        ("", "600", 0, None),
    ],
)
def test_time_of_day(text: str, spread: str, now: float, expected: float | None) -> None:
    assert expected == until_time_of_day(text, spread, now, no_chance)


def test_a_retry_delay_of_nought_is_never() -> None:
    handset = phone(Profile_Rule="http://10.20.0.1/p.xml", Resync_Error_Retry_Delay="0")
    phone_ = LivingPhone(handset)
    live_until(phone_, World(), DAYS * DAY)
    assert (phone_.tally.resyncs, phone_.tally.failures) == (1, 1)
    assert isinstance(phone_.action, Wait)


# Rules.


def follow(
    handset: Handset, world: Callable[[Action], Result]
) -> tuple[Loaded | NotLoaded | CodeWanted | None, list[str]]:
    outcome, steps = walk(handset, resync(handset, EXPLICIT), world)
    return outcome, attempts(steps)


def http(**files: bytes) -> World:
    return World(servers={"http 10.20.0.1 80": Server({f"/{name}": data for name, data in files.items()})})


def test_four_rules_are_followed_in_order_and_a_failure_ends_them() -> None:
    handset = phone(
        Profile_Rule="http://10.20.0.1/a",
        Profile_Rule_B="http://10.20.0.1/b",
        Profile_Rule_D="http://10.20.0.1/d",
    )
    assert follow(handset, http(a=PROFILE, b=PROFILE, d=PROFILE))[1] == [
        f"http://10.20.0.1/{name} = 200" for name in "abd"
    ]
    outcome, tried = follow(handset, http(a=PROFILE, d=PROFILE))
    assert isinstance(outcome, NotLoaded)
    assert tried == ["http://10.20.0.1/a = 200", "http://10.20.0.1/b = 404"]
    handset.parameters["Resync_Fails_On_FNF"] = "No"
    assert isinstance(follow(handset, http(a=PROFILE, d=PROFILE))[0], Loaded)


def test_conditions_assignments_and_post() -> None:
    handset = phone(
        Profile_Rule='("$A" ne "Provisioned")? (GPP_A = "Provisioned";)! [--post b] http://10.20.0.1/first | http://10.20.0.1/next',
        GPP_B="mac=$MAU&sw=$SWVER",
    )
    bodies = []

    def world(action: Action) -> Result:
        assert isinstance(action, Fetch)
        bodies.append((action.method, action.url.path, action.body))
        return Response(200, PROFILE)

    follow(handset, world)
    follow(handset, world)
    assert bodies == [("POST", "/first", b"mac=001234AB45DE&sw=sip88xx.11-3-1MPP"), ("GET", "/next", b"")]


def test_aliases_rename_elements() -> None:
    handset = phone(
        Profile_Rule="[--alias b] http://10.20.0.1/x",
        GPP_B="Name = Display_Name_1_; /flat-profile/Number = /flat-profile/User_ID_1_",
    )
    follow(handset, http(x=b"<flat-profile><Name>Ann</Name><Number>7</Number></flat-profile>"))
    assert (handset["Display_Name_1_"], handset["User_ID_1_"]) == ("Ann", "7")


@pytest.mark.parametrize(("firmware", "digest"), [("11.2.3", "md5"), ("11.3.1", "sha256")])
def test_profiles_are_decrypted_with_the_rules_key(firmware: str, digest: str) -> None:
    body = encrypt_cbc(PROFILE, "hush", salt=b"12345678", digest="md5" if digest == "md5" else "sha256")
    handset = phone(Profile_Rule='[--key "$SC"] http://10.20.0.1/x', GPP_SC="hush")
    handset.software = f"sip88xx.{firmware.replace('.', '-')}MPP"
    assert isinstance(follow(handset, http(x=body))[0], Loaded)
    handset.parameters["GPP_SC"] = "wrong"
    outcome, _ = follow(handset, http(x=body))
    assert isinstance(outcome, NotLoaded)
    assert outcome.corrupt


def test_the_header_of_rfc_8188_wins_over_the_key() -> None:
    body = encrypt_gcm(PROFILE, b"ikm", salt=bytes(16))
    answer = Response(200, body, (("content-encoding", "aes128gcm"),))
    world = World(servers={"http 10.20.0.1 80": Server({"/x": answer})})
    handset = phone(Profile_Rule="[--key other] http://10.20.0.1/x")
    outcome, _ = follow(handset, world)
    assert isinstance(outcome, NotLoaded)
    assert "IKM_HTTP_Encrypt_Content" in outcome.error
    handset.parameters["IKM_HTTP_Encrypt_Content"] = "ikm"
    assert isinstance(follow(handset, world)[0], Loaded)


def test_an_ikm_may_be_base64url() -> None:
    body = encrypt_gcm(PROFILE, b"\xff\xfe keying", salt=bytes(16))
    answer = Response(200, body, (("content-encoding", "aes128gcm"),))
    world = World(servers={"http 10.20.0.1 80": Server({"/x": answer})})
    handset = phone(Profile_Rule="http://10.20.0.1/x", IKM_HTTP_Encrypt_Content="__4ga2V5aW5n")
    assert isinstance(follow(handset, world)[0], NotLoaded)
    handset.behaviour = Behaviour(ikm="b64url")
    assert isinstance(follow(handset, world)[0], Loaded)
    handset.parameters["IKM_HTTP_Encrypt_Content"] = "no base64 \u20ac"
    assert isinstance(follow(handset, world)[0], NotLoaded)


def test_profiles_that_name_each_other_end() -> None:
    files = {
        "p": b"<flat-profile><Profile_Rule>http://10.20.0.1/q</Profile_Rule></flat-profile>",
        "q": b"<flat-profile><Profile_Rule>http://10.20.0.1/p</Profile_Rule></flat-profile>",
    }
    world = World({160: b"http://10.20.0.1/p"}, servers=http(**files).servers)
    outcome, steps, _ = travel(world)
    assert "circle" in outcome.reason
    assert len(attempts(steps)) == 6


# Upgrades and reports.

STAGES = (
    "($SWVER lt sip88xx.11-2-1MPP)? http://10.20.0.1/fw/sip88xx.11-2-3MPP-398.loads"
    " | ($SWVER lt sip88xx.12-0-1MPP)? http://10.20.0.1/fw/sip88xx.12-0-2MPP-9.loads"
)


def test_upgrades_go_stage_by_stage() -> None:
    handset = phone(Upgrade_Rule=STAGES)
    handset.software = "sip88xx.11-0-1MPP-376"
    files = {
        "/fw/sip88xx.11-2-3MPP-398.loads": b"kern.sbn\nroot.sbn\n",
        "/fw/kern.sbn": b"k",
        "/fw/root.sbn": b"r",
        "/fw/sip88xx.12-0-2MPP-9.loads": bytes(range(256)),
    }
    world = World(servers={"http 10.20.0.1 80": Server(files)})
    done, steps = walk(handset, upgrade(handset), world)
    assert done
    assert [line.rsplit("/", 1)[1] for line in attempts(steps)] == [
        "sip88xx.11-2-3MPP-398.loads = 200",
        "kern.sbn = 200",
        "root.sbn = 200",
    ]
    assert walk(handset, upgrade(handset), world)[0]
    assert handset.software == "sip88xx.12-0-2MPP-9"
    assert walk(handset, upgrade(handset), world)[0] is None


def test_a_failed_upgrade_is_remembered() -> None:
    handset = phone(Upgrade_Rule="http://10.20.0.1/sip88xx.12-0-2MPP-9.loads")
    assert walk(handset, upgrade(handset), World())[0] is False
    assert (handset.upgrade_state, "refused" in handset.upgrade_error) == (2, True)
    missing = World(servers={"http 10.20.0.1 80": Server({"/sip88xx.12-0-2MPP-9.loads": b"part.sbn"})})
    assert walk(handset, upgrade(handset), missing)[0] is False


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"Upgrade_Enable": "No", "Upgrade_Rule": "http://10.20.0.1/x.loads"}, None),
        ({"Upgrade_Rule": ""}, None),
        ({"Upgrade_Rule": '(GPP_A = "x";)!'}, None),
        ({"Upgrade_Rule": "http://10.20.0.1/sip88xx.11-3-1MPP.loads"}, None),
        ({"Upgrade_Rule": "/sip88xx.12-0-1MPP.loads"}, False),
        (
            {
                "Upgrade_Rule": "http://10.20.0.1/sip88xx.9-0-1MPP.loads",
                "Downgrade_Rev_Limit": "sip88xx.11-0-0MPP",
            },
            False,
        ),
    ],
)
def test_upgrades_that_do_not_happen(parameters: dict[str, str], expected: bool | None) -> None:
    handset = phone(**parameters)
    assert expected == walk(handset, upgrade(handset), World())[0]


def test_a_new_load_is_followed_by_a_resync_and_a_report() -> None:
    profile = format_profile(
        layer(
            [
                Parameter("Profile_Rule", "http://10.20.0.1/p"),
                Parameter("Upgrade_Rule", "http://10.20.0.1/sip88xx.12-0-2MPP-9.loads"),
                Parameter("Report_Rule", "[--status]http://10.20.0.1/status"),
                Parameter("Report_To_Server", "Periodically"),
            ]
        )
    )
    files: dict[str, int | bytes | Trouble | Response] = {
        "/p": profile,
        "/sip88xx.12-0-2MPP-9.loads": bytes(99),
        "/status": 200,
    }
    world = World({160: b"http://10.20.0.1/p"}, servers={"http 10.20.0.1 80": Server(files)})
    handset = Handset(PHONE, no_chance)
    steps = live_until(LivingPhone(handset), world, 1)
    told = [
        f"{step.action.method} {step.action.url.path}" for step in steps if isinstance(step.action, Fetch)
    ]
    assert told == [
        "GET /p",
        "GET /p",
        "GET /sip88xx.12-0-2MPP-9.loads",
        "GET /p",
        "PUT /status",
    ]
    assert handset.software == "sip88xx.12-0-2MPP-9"


def reports(handset: Handset, reporter: Reporter) -> list[Fetch]:
    sent = []

    def world(action: Action) -> Result:
        assert isinstance(action, Fetch)
        sent.append(action)
        return Response(200)

    assert walk(handset, reporter.report(handset), world)[0]
    return sent


def test_reports_are_full_delta_or_status_and_never_show_secrets() -> None:
    handset = phone(
        Report_Rule="http://10.20.0.1/full [--delta]http://10.20.0.1/delta [--status]http://10.20.0.1/status",
        GPP_SA="hush",
        HTTP_Report_Method="POST",
    )
    reporter = Reporter(dict(handset.parameters))
    handset.parameters["Proxy_1_"] = "new.example.com"
    full, delta, status = reports(handset, reporter)
    assert (full.method, full.url.path) == ("POST", "/full")
    assert b"hush" not in full.body
    assert [each.name for each in parse_profile(delta.body).values()] == ["Proxy_1_"]
    assert parse_profile(status.body)["MAC_Address"].value == "001234AB45DE"
    assert not parse_profile(reports(handset, reporter)[1].body)


def test_reports_are_encrypted_by_key_or_ikm() -> None:
    handset = phone(Report_Rule='[--key "k"] http://10.20.0.1/full', IKM_HTTP_Encrypt_Content="ikm")
    (sent,) = reports(handset, Reporter({}))
    assert decrypt_cbc(sent.body, "k", digest="sha256").startswith(b"<flat-profile>")
    handset.parameters["Report_Rule"] = "http://10.20.0.1/full"
    (sent,) = reports(handset, Reporter({}))
    assert sent.headers["Content-Encoding"] == "aes128gcm"
    assert decrypt_gcm(sent.body, b"ikm").startswith(b"<flat-profile>")


def test_a_refused_report_and_a_faulty_rule_are_said() -> None:
    handset = phone(Report_Rule="http://10.20.0.1/full")
    fine, steps = walk(handset, Reporter({}).report(handset), World())
    assert not fine
    assert isinstance(steps[-1].action, Say)
    handset.parameters["Report_Rule"] = "[--nothing] http://10.20.0.1/full"
    assert not walk(handset, Reporter({}).report(handset), World())[0]


# The cloud.

SITE = CloudSite(
    {"001234ab45de": "http://10.20.0.1/provider.xml", "CP-8841-3PCC": "http://10.20.0.1/other.xml"},
    {"1234567890123456": "http://10.20.0.1/provider.xml", "#12345": "http://10.20.0.1/provider.xml"},
)
NAMES = {"rc.lab.example": ("10.20.0.9",), "gds.lab.example": ("10.20.0.9",)}


def cloud(
    code: str = "", *, site: CloudSite = SITE, provider: int | bytes = PROFILE
) -> tuple[Outcome, Handset]:
    """Boot a phone on a LAN that names nothing, with both stand-ins."""
    inner = World(
        {15: b"example.com"}, NAMES, servers={"http 10.20.0.1 80": Server({"/provider.xml": provider})}
    )

    def world(action: Action) -> Result:
        if isinstance(action, Fetch) and action.address == "10.20.0.9":
            assert action.url.scheme == "https"
            assert action.anchors == (CA,)
            body = respond(site, action.url.path)
            return Response(200, body) if body else Response(404)
        return inner(action)

    behaviour = Behaviour(cloud=Cloud("rc.lab.example", "gds.lab.example"), activation_code=code)
    handset = Handset(STAGED, no_chance, behaviour)
    outcome, _ = walk(handset, boot(handset), world)
    return outcome, handset


def test_the_redirector_leads_to_acquired() -> None:
    outcome, _ = cloud()
    assert (outcome.provisioned, outcome.method, outcome.customization) == (
        True,
        "edos",
        Customization.ACQUIRED,
    )


def test_a_provider_that_does_not_answer_leaves_custom_pending() -> None:
    outcome, _ = cloud(provider=404)
    assert (outcome.provisioned, outcome.customization) == (False, Customization.CUSTOM_PENDING)


@pytest.mark.parametrize("code", ["1234567890123456", "#12345"])
def test_an_unknown_phone_is_unavailable_until_a_code_is_typed(code: str) -> None:
    empty = CloudSite({}, SITE.codes)
    assert cloud(site=empty)[0].customization is Customization.UNAVAILABLE
    outcome, _ = cloud(code, site=empty)
    assert (outcome.provisioned, outcome.method) == (True, "gds")


@pytest.mark.parametrize("code", ["12345", "#12", "12345678901234567", "abc"])
def test_codes_of_another_form_are_refused(code: str) -> None:
    assert not cloud(code, site=CloudSite({}, SITE.codes))[0].provisioned


def test_a_phone_is_onboarded_by_its_mac_where_the_parameter_says_so() -> None:
    def boot_with(enable: str) -> Outcome:
        inner = World(
            {15: b"example.com"}, NAMES, servers={"http 10.20.0.1 80": Server({"/provider.xml": PROFILE})}
        )
        site = CloudSite({}, {}, {"001234ab45de": "http://10.20.0.1/provider.xml"})

        def world(action: Action) -> Result:
            if isinstance(action, Fetch) and action.address == "10.20.0.9":
                body = respond(site, action.url.path)
                return Response(200, body) if body else Response(404)
            return inner(action)

        handset = Handset(STAGED, no_chance, Behaviour(cloud=Cloud("", "", "gds.lab.example")))
        handset.parameters["Webex_Onboard_Enable"] = enable
        return walk(handset, boot(handset), world)[0]

    enabled = boot_with("Yes")
    assert (enabled.provisioned, enabled.method) == (True, "device")
    assert not boot_with("No").provisioned


def test_codes_do_not_depend_on_onboarding_by_mac() -> None:
    handset = phone()
    handset.parameters["Webex_Onboard_Enable"] = "No"
    _, steps = walk(handset, activate(handset), World())
    assert [step.action.text for step in steps if isinstance(step.action, Say)] == ["Enter activation code"]


@pytest.mark.parametrize(
    ("code", "model", "firmware", "taken"),
    [
        ("1234567890123456", "CP-8851-3PCC", "sip88xx.11-2-3MSR1-1", True),
        ("1234567890123456", "CP-8851-3PCC", "11.2(3)", False),
        ("#123", "CP-8851-3PCC", "11.3(1)", True),
        ("#123", "CP-8851-3PCC", "11.2(3)MSR1", False),
        ("#1234567890123456", "CP-8851-3PCC", "12.0(1)", True),
        ("#12345678901234567", "CP-8851-3PCC", "12.0(1)", False),
        ("123456789012345", "CP-8851-3PCC", "12.0(1)", False),
        ("١234567890123456", "CP-8851-3PCC", "12.0(1)", False),
        ("1234567890123456\n", "CP-8851-3PCC", "12.0(1)", False),
        ("1234567890123456", "CP-6861-3PCC", "12.0(1)", False),
    ],
)
def test_codes_are_taken_by_the_firmware_and_models_that_have_them(
    code: str, model: str, firmware: str, taken: bool
) -> None:
    assert taken == (not code_fault(code, model, firmware))


@pytest.mark.parametrize(
    ("firmware", "asked"),
    [
        ("11.1.2", ["webapps.cisco.com"]),
        ("11.2(1)", ["activate.cisco.com"]),
        ("11.2(3)MSR1", ["activate.cisco.com", "activation.webex.com"]),
        ("12.0(7)", ["activate.cisco.com", "activation.webex.com", "sudirenewal.cisco.com"]),
    ],
)
def test_firmware_decides_which_of_ciscos_names_are_asked(firmware: str, asked: list[str]) -> None:
    assert [each.name for each in CLOUD_SERVICES if each.asked_by(firmware)] == asked
    assert redirector_of(firmware) == asked[0]


def test_a_server_that_dhcp_names_ends_customization_whatever_comes_of_it() -> None:
    world = World({66: b"10.20.0.1"})
    outcome, _, _ = travel(world)
    assert (outcome.provisioned, outcome.customization) == (False, Customization.ABORTED)
    other, _, _ = travel(world, behaviour=Behaviour(fall_through=True))
    assert other.customization is Customization.PENDING


def test_a_rule_entered_by_hand_aborts_customization_until_a_factory_reset() -> None:
    world = World({15: b"example.com"}, servers={"http 10.20.0.1 80": Server({"/own.xml": PROFILE})})
    outcome, _, handset = travel(world, behaviour=Behaviour(profile_rule="http://10.20.0.1/own.xml"))
    assert (outcome.provisioned, outcome.customization) == (True, Customization.ABORTED)
    handset.parameters["Profile_Rule"] = "/$PSN.xml"
    again, steps = walk(handset, search(handset), world)
    assert (again.provisioned, again.customization) == (False, Customization.ABORTED)
    assert any("until a factory reset" in step.action.text for step in steps if isinstance(step.action, Say))


GUIDE = b"""<device><flat-profile><Profile_Rule ua="na">gds://</Profile_Rule><Upgrade_Enable ua="na">Yes</Upgrade_Enable>
<Upgrade_Error_Retry_Delay ua="na">3600</Upgrade_Error_Retry_Delay>
<Upgrade_Rule ua="na">http://10.20.0.1/sip88xx.11-2-3MSR1-1.loads</Upgrade_Rule></flat-profile></device>"""


def test_an_old_phone_upgrades_first_and_then_takes_the_code_as_the_guides_example_says() -> None:
    files = {"/sip88xx.11-2-3MSR1-1.loads": b"firmware", "/provider.xml": PROFILE}
    inner = World(
        {66: b"10.20.0.1"},
        NAMES,
        servers={
            "tftp 10.20.0.1 69": Server({"/8851-3PCC.xml": GUIDE}),
            "http 10.20.0.1 80": Server(files),
        },
    )

    def world(action: Action) -> Result:
        if isinstance(action, Fetch) and action.address == "10.20.0.9":
            assert action.headers["User-Agent"] == "Cisco-CP-8851-3PCC/11.2.3 (001234ab45de)"
            body = respond(SITE, action.url.path)
            return Response(200, body) if body else Response(404)
        return inner(action)

    behaviour = Behaviour(cloud=Cloud(activation="gds.lab.example"), activation_code="1234567890123456")
    old = replace(STAGED, firmware="11.2.1")
    handset = Handset(old, no_chance, behaviour)
    steps = live_until(LivingPhone(handset), world, 1)
    assert handset["Proxy_1_"] == "example.com"
    said = [step.action.text for step in steps if isinstance(step.action, Say)]
    assert handset.software == "sip88xx.11-2-3MSR1-1"
    assert any("11.2(3)MSR1" in text for text in said)  # what the old firmware lacks
    assert said.index("Restarting with sip88xx.11-2-3MSR1-1") < said.index("Enter activation code")


def test_without_stand_ins_nothing_is_asked() -> None:
    outcome, steps, _ = travel(World({15: b"example.com"}))
    assert outcome.customization is Customization.PENDING
    assert all("cisco" not in line for line in attempts(steps) if not line.startswith("SRV"))


def test_a_first_profile_that_says_gds_opens_the_screen_for_the_code() -> None:
    gds = b"<flat-profile><Profile_Rule>gds://</Profile_Rule></flat-profile>"
    world = World(options={66: b"10.20.0.1"}, servers={"tftp 10.20.0.1 69": Server({"/8851-3PCC.xml": gds})})
    outcome, steps, _ = travel(world)
    assert not outcome.provisioned
    assert any(isinstance(step.action, Say) and step.action.text == "Enter activation code" for step in steps)


def test_a_gds_rule_goes_straight_to_the_code() -> None:
    gds = b"<flat-profile><Profile_Rule>gds://</Profile_Rule></flat-profile>"
    handset = phone()
    handset.apply(parse_profile(gds))
    outcome, steps = walk(handset, search(handset), World())
    assert not outcome.provisioned
    assert any(isinstance(step.action, Say) and step.action.text == "Enter activation code" for step in steps)


def test_customization_moves_as_the_guide_says() -> None:
    state = Customization.OPEN
    for turn, expected in (
        (Turn.ASKED, Customization.PENDING),
        (Turn.REDIRECTED, Customization.CUSTOM_PENDING),
        (Turn.LOADED, Customization.ACQUIRED),
        (Turn.BY_HAND, Customization.ACQUIRED),
        (Turn.LAN, Customization.ACQUIRED),
        (Turn.RESET, Customization.OPEN),
        (Turn.LAN, Customization.ABORTED),
        (Turn.ASKED, Customization.ABORTED),
        (Turn.RESET, Customization.OPEN),
        (Turn.ASKED, Customization.PENDING),
        (Turn.UNKNOWN, Customization.UNAVAILABLE),
        (Turn.BY_HAND, Customization.ABORTED),
    ):
        state = move(state, turn)
        assert expected is state
