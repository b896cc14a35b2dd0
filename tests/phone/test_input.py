"""What happens to a phone from outside: keys, requests, calls, the power, the cable; and what it shows then."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import Malformed
from netprov.phone.action import Action, Failed, Fetch, Lease, Response, Result, Say, Step, Trouble
from netprov.phone.handset.customization import Customization
from netprov.phone.handset.flash import dump, restore
from netprov.phone.handset.memory import Behaviour, Cloud, Handset
from netprov.phone.life.command import COMMANDS, Look, parse_command
from netprov.phone.life.input import (
    CallEnded,
    CallPlaced,
    CodeEntered,
    Input,
    LeaseAsked,
    LinkChanged,
    ParameterSet,
    PowerCycled,
    ReportAsked,
    ResetToFactory,
    ResyncAsked,
    RuleEntered,
    UpgradeAsked,
)
from netprov.phone.life.live import MAX_INBOX
from netprov.phone.life.machine import LivingPhone
from netprov.phone.life.screen import parameters, screen, status
from netprov.phone.rule.conceal import conceal
from netprov.provision.profile import Parameter, format_profile, layer
from tests.phone.living import live_until
from tests.phone.world import PHONE, World, no_chance

BASE = {"Profile_Rule": "http://10.20.0.1/p", "Resync_Periodic": "7200"}


class Lan:
    """A server that has every file, but for what is `missing`; and DHCP that gives `lease`."""

    def __init__(self, **values: str) -> None:
        self.values = {**BASE, **values}
        self.lease = Lease("10.20.0.50", "10.20.0.1", {66: b"http://10.20.0.1/p"})
        self.missing: set[str] = set()

    def __call__(self, action: Action) -> Result:
        if not isinstance(action, Fetch):
            return self.lease
        if action.url.path in self.missing:
            return Response(404)
        body = format_profile(layer(Parameter(*each) for each in self.values.items()))
        return Response(200, body if "/p" in action.url.path else b"x")


def lived(
    lan: Lan, *happens: tuple[float, Input], until: float = 5000, handset: Handset | None = None
) -> tuple[LivingPhone, list[str]]:
    """Live; return the phone and when it asked for what."""
    phone = LivingPhone(handset or Handset(PHONE, no_chance))
    return phone, asked(live_until(phone, lan, until, happens))


def asked(steps: list[Step]) -> list[str]:
    return [
        f"{step.started:g} {step.action.method} {step.action.url.path}"
        for step in steps
        if isinstance(step.action, Fetch) and step.started
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ResyncAsked(), ["1000 GET /p"]),
        (ResyncAsked("http://10.20.0.1/p2"), ["1000 GET /p2"]),
        (UpgradeAsked("http://10.20.0.1/sip88xx.12-0-2MPP-9.loads"), ["1000 GET /sip88xx.12-0-2MPP-9.loads", "1000 GET /p"]),
        (ReportAsked(), ["1000 POST /full"]),
        (PowerCycled(), ["1000 GET /p"]),
        (LinkChanged(), ["1000 GET /p"]),
        (LeaseAsked(), []),
        (ParameterSet("GPP_A", "x"), []),
    ],
    ids=lambda each: type(each).__name__,
)  # fmt: skip
def test_what_is_asked_of_an_idle_phone_is_done_at_once(event: Input, expected: list[str]) -> None:
    lan = Lan(Report_Rule="http://10.20.0.1/full", HTTP_Report_Method="POST")
    assert lived(lan, (1000, event))[1] == expected


def test_a_resync_to_a_url_leaves_the_rule_as_it_is() -> None:
    lan = Lan()
    handset = Handset(PHONE, no_chance)
    lan.missing.add("/other")
    phone, _ = lived(lan, (1000, ResyncAsked("http://10.20.0.1/other")), handset=handset)
    assert handset["Profile_Rule"] == "http://10.20.0.1/p"
    assert phone.tally.failures == 1


def test_a_call_puts_off_what_others_ask_and_not_what_is_pressed() -> None:
    call, end = (900.0, CallPlaced()), (1500.0, CallEnded())
    assert lived(Lan(), call, (1000, ResyncAsked()), end)[1] == ["1500 GET /p"]
    assert lived(Lan(), call, (1000, ResyncAsked(pressed=True)), end)[1] == ["1000 GET /p"]


def test_a_power_cycle_ends_calls_and_keeps_parameters_and_a_factory_reset_keeps_neither() -> None:
    lan = Lan(GPP_A="kept")
    phone, _ = lived(lan, (900, CallPlaced()), (1000, PowerCycled()))
    assert (phone.handset.calls, phone.handset["GPP_A"]) == (0, "kept")
    lan.values.pop("GPP_A")
    phone, seen = lived(lan, (1000, RuleEntered("http://10.20.0.1/p")), (1100, ResetToFactory()))
    assert (phone.handset["GPP_A"], phone.handset.customization) == ("", Customization.ABORTED)
    assert seen[0] == "1100 GET /p"


def test_where_provisioning_is_off_nothing_resyncs_and_nothing_counts_as_a_failure() -> None:
    phone, seen = lived(
        Lan(Provision_Enable="No"), (1000, ResyncAsked()), (1100, ResyncAsked(pressed=True)), until=30_000
    )
    assert seen == []
    assert phone.tally.failures == 0


def test_a_flood_takes_nothing_from_who_came_first() -> None:
    phone = LivingPhone(Handset(PHONE, no_chance))
    phone.happen(RuleEntered("/first.xml"), 0.0)
    taken = [phone.happen(ResyncAsked(f"/{number}.xml"), 0.0) for number in range(10_000)]
    assert taken == [True] * (MAX_INBOX - 1) + [False] * (10_000 - MAX_INBOX + 1)
    assert phone.happen(CallPlaced(), 0.0)
    assert phone.life.inbox[0] == RuleEntered("/first.xml")
    assert len(phone.life.inbox) == MAX_INBOX


def test_a_local_change_is_reported_after_its_delay() -> None:
    lan = Lan(Report_Rule="[--delta]http://10.20.0.1/d", Report_To_Server="On Local Change", Upload_Delay_On_Local_Change="90")  # fmt: skip
    assert lived(lan, (1000, ParameterSet("GPP_A", "x")), (1010, ParameterSet("GPP_B", "y")))[1] == [
        "1100 PUT /d"
    ]


def test_another_lease_is_another_network() -> None:
    lan = Lan()
    phone = LivingPhone(Handset(PHONE, no_chance))
    live_until(phone, lan, 1000)
    lan.lease = Lease("10.30.0.9", "10.30.0.1", lan.lease.options)
    steps = live_until(phone, lan, 3000, [(2000, LeaseAsked())])
    assert asked(steps) == ["2000 GET /p"]
    assert phone.handset.lease == lan.lease


def test_a_phone_without_a_lease_says_when_it_asks_dhcp_again() -> None:
    phone = LivingPhone(Handset(PHONE, no_chance))
    live_until(phone, World(options=None), 90)
    assert status(phone)[-1] == f"{'Next':26} day 1 00:02:00 DHCP"


def test_every_stage_of_an_upgrade_is_a_restart_with_a_resync() -> None:
    rule = (
        "($SWVER lt sip88xx.11-3-1MPP)? http://10.20.0.1/sip88xx.11-3-1MPP-5.loads "
        "| ($SWVER lt sip88xx.12-0-2MPP)? http://10.20.0.1/sip88xx.12-0-2MPP-9.loads | "
        "($SWVER lt sip88xx.12-0-4MPP)? http://10.20.0.1/sip88xx.12-0-4MPP-1.loads"
    )
    handset = Handset(PHONE, no_chance, software="sip88xx.11-2-3MSR1-1")
    phone = LivingPhone(handset)
    steps = live_until(phone, Lan(Upgrade_Rule=rule), 100)
    paths = [step.action.url.path for step in steps if isinstance(step.action, Fetch)]
    assert paths[2:] == [
        "/sip88xx.11-3-1MPP-5.loads", "/p", "/sip88xx.12-0-2MPP-9.loads", "/p", "/sip88xx.12-0-4MPP-1.loads", "/p",
    ]  # fmt: skip
    assert handset.software == "sip88xx.12-0-4MPP-1"
    assert "Firmware upgrade status 1  day 1 00:00:00 succeeded: sip88xx.12-0-4MPP-1" in status(phone)


def test_a_code_that_is_typed_leads_to_the_provider() -> None:
    gds = b"<flat-profile><Profile_Rule>gds://</Profile_Rule></flat-profile>"
    lan, known = Lan(), list[bool]()

    def world(action: Action) -> Result:
        match action:
            case Fetch(url) if url.host == "10.20.0.9":
                known.append("code=%23123456" in url.path)
                return lan(Fetch(url.at("/p"), "")) if known[-1] else Response(404)
            case Fetch() if not any(known):
                return Response(200, gds)
        return lan(action)

    behaviour = Behaviour(cloud=Cloud(activation="10.20.0.9"))
    phone = LivingPhone(Handset(PHONE, no_chance, behaviour))
    live_until(phone, world, 100)
    assert screen(phone)[1] == "Enter activation code"
    live_until(phone, world, 200, [(150, CodeEntered("12"))])
    assert "a code is 16 digits, or # and 3 to 16 digits" in screen(phone)[2]
    live_until(phone, world, 300, [(250, CodeEntered("#123456"))])
    assert phone.handset["Profile_Rule"] == "http://10.20.0.1/p"
    assert screen(phone)[1] == "Phone is not provisioned"  # a profile without a line
    assert phone.current


def test_without_a_lease_a_phone_takes_what_is_typed_and_asks_again() -> None:
    def world(action: Action) -> Result:
        return lan(action) if phone.handset.now >= 100 else Failed(Trouble.TIMEOUT)

    lan, phone = Lan(), LivingPhone(Handset(PHONE, no_chance))
    live_until(phone, world, 50, [(20, RuleEntered("http://10.20.0.1/p")), (30, ResyncAsked())])
    assert screen(phone)[1] == "Network is not available"
    assert phone.handset["Profile_Rule"] == "http://10.20.0.1/p"
    live_until(phone, world, 200)
    assert phone.current


def test_a_phone_never_shows_its_secrets() -> None:
    phone, _ = lived(Lan(GPP_SA="hush", Proxy_Password="hush", Display_Name_1_="4081001141"))
    assert screen(phone)[1] == "4081001141"
    assert "GPP_SA=" in parameters(phone)
    assert parameters(phone, "Profile_Rule")[0] == "Profile_Rule=http://10.20.0.1/p"
    assert not any("hush" in line for line in (*parameters(phone), *status(phone)))


RULES = (
    "[--key hush] https://example.com/p",
    '[--uid u --pwd "hu sh hush"] https://example.com/p',
    '(GPP_SA = "hush"; GPP_A = "shown")! https://example.com/p',
    "[--key hush https://example.com/p",
    "[--key hush]",
    "[--key hush] https://example.com/p q",
    "(Admin_Password = hush)! https://example.com/p",
    "[--nokey --pwd hush] https://example.com/p",
)


@pytest.mark.parametrize("rule", RULES)
def test_no_page_and_no_step_shows_the_secrets_of_a_rule(rule: str) -> None:
    phone = LivingPhone(Handset(PHONE, no_chance))
    lan, steps = Lan(), []
    for event in (None, RuleEntered(rule), ResyncAsked(pressed=True)):
        if event:
            phone.happen(event, phone.handset.now)
        while not phone.rests:
            steps.append(phone.action)
            phone.answer(lan(phone.action), phone.handset.now)
    told = [each.text for each in steps if isinstance(each, Say)]
    assert any("Profile Rule entered" in each for each in told)
    assert "hush" in phone.handset["Profile_Rule"]
    for line in (*parameters(phone), *status(phone), *told):
        assert "hush" not in line


def test_what_names_a_secret_and_what_is_none_are_shown() -> None:
    for rule in ("[--key $SA --pwd $SB] https://example.com/p", "[--srv] https://e.com/p?key=a", "GPP_A = x"):
        assert conceal(rule) == rule


def test_what_is_written_down_comes_back_and_nothing_else_is_taken() -> None:
    phone, _ = lived(Lan(GPP_A="kept"))
    again = Handset(PHONE, no_chance)
    restore(again, dump(phone.handset))
    assert dump(again) == dump(phone.handset)
    assert again["GPP_A"] == "kept"
    for data in (
        None,
        {},
        {**dump(again), "mac": "00:00:00:00:00:01"},
        {**dump(again), "parameters": {"a": 1}},
    ):
        with pytest.raises(Malformed):
            restore(again, data)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rule [--srv] https://example.com/$PSN.xml", RuleEntered("[--srv] https://example.com/$PSN.xml")),
        ("resync", ResyncAsked("", pressed=True)),
        ("code  #123456 ", CodeEntered("#123456")),
        ("set GPP_A = x=y", ParameterSet("GPP_A", "x=y")),
        ("factory-reset", ResetToFactory()),
    ],
)
def test_a_line_of_the_console_is_what_it_says(line: str, expected: Input) -> None:
    assert parse_command(line) == expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("resink", "did you mean resync"),
        ("call mother", "takes nothing more"),
        ("rule", "write rule RULE"),
        ("set GPP_A", "NAME=VALUE"),
        ("", "there are screen"),
    ],
)
def test_a_line_that_is_none_says_what_is_right(line: str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        parse_command(line)


def test_every_word_of_the_console_means_something_else() -> None:
    made = [parse_command(f"{name} {'a=b' if each.takes else ''}") for name, each in COMMANDS.items()]
    assert len({type(each) for each in made if not isinstance(each, Look)}) == len(COMMANDS) - 3


def test_the_user_agent_is_the_guides_and_can_be_configured() -> None:
    agents = []

    def world(action: Action) -> Result:
        if isinstance(action, Fetch):
            agents.append(action.headers["User-Agent"])
        return lan(action)

    lan = Lan(HTTP_User_Agent_Name="$PN of $SN")
    live_until(LivingPhone(Handset(PHONE, no_chance)), world, 10)
    assert agents == ["Cisco-CP-8851-3PCC/11.3.1 (001234ab45de)", "CP-8851-3PCC of FCH34AB45DE"]


def test_after_a_success_period_and_random_delay_set_the_next_resync() -> None:
    def most(below: int) -> int:
        return below - 1

    lan = Lan(Resync_Periodic="1000", Resync_Random_Delay="3")
    _, seen = lived(lan, handset=Handset(PHONE, most), until=4000)
    assert [each for each in seen if "/p" in each][2:] == ["1100 GET /p", "2160 GET /p", "3220 GET /p"]


def test_a_code_is_taken_where_a_screen_asks_for_it_alone() -> None:
    phone, seen = lived(Lan(), (1000, CodeEntered("#123456")))
    assert (seen, phone.tally.failures) == ([], 0)


def test_the_page_tells_of_every_word_of_the_console() -> None:
    page = (Path(__file__).parents[2] / "docs" / "phone.md").read_text()
    assert [name for name in COMMANDS if f"`{name}" not in page] == []
