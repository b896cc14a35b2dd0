"""A phone's life as hypothesis drives it: whatever is answered and whatever happens, the guide's rules hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from netprov.phone.action import (
    Action,
    AskDhcp,
    Done,
    Failed,
    Fetch,
    Found,
    Lease,
    Resolve,
    Response,
    Result,
    Say,
    Trouble,
    Wait,
)
from netprov.phone.handset.customization import Customization
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import DEFAULTS
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
from netprov.phone.life.machine import LivingPhone
from netprov.phone.life.screen import screen, status
from netprov.provision.profile import Parameter, format_profile, layer
from tests.phone.world import PHONE

FORCED = 600
LOADS = ("sip88xx.11-3-1MPP-5", "sip88xx.12-0-2MPP-9", "nonsense")
PROFILES = (
    {"Profile_Rule": "http://10.20.0.1/p", "Forced_Resync_Delay": str(FORCED)},
    {"Profile_Rule": "http://10.20.0.1/p", "Upgrade_Rule": f"http://10.20.0.1/{LOADS[1]}.loads"},
    {"Profile_Rule": "gds://"},
    {"Profile_Rule": "[--srv] https://example.com/$PSN.xml"},
    {"Resync_Periodic": "0", "Resync_Error_Retry_Delay": "0"},
    {"Report_Rule": "http://10.20.0.1/r", "Report_To_Server": "Periodically"},
    {"Report_Rule": "http://10.20.0.1/r", "Report_To_Server": "On Local Change"},
    {"Provision_Enable": "No"},
    {"Resync_At__HHmm_": "0330"},
)
ANYTIME: tuple[Input, ...] = (CallPlaced(), CallEnded(), LinkChanged(), PowerCycled(), ResetToFactory())
ASKED: tuple[Input, ...] = (
    ResyncAsked(), ResyncAsked("http://10.20.0.1/q"), ResyncAsked(pressed=True), UpgradeAsked(),
    UpgradeAsked(f"http://10.20.0.1/{LOADS[0]}.loads"), ReportAsked(), LeaseAsked(), CodeEntered("#123456"),
    CodeEntered("x"), RuleEntered("http://10.20.0.1/p"), RuleEntered("[--srv] tftp://x/y"), ParameterSet("GPP_A", "x"),
)  # fmt: skip
TROUBLES = (Trouble.TIMEOUT, Trouble.REFUSED, Trouble.NOT_FOUND, Trouble.EXPIRED)


class LifeMachine(RuleBasedStateMachine):
    """One phone, and the time."""

    def __init__(self) -> None:
        super().__init__()
        self.phone = LivingPhone(Handset(PHONE, lambda below: below // 2))
        self.now = 0.0
        self.off: int | None = None
        self.codes = 0

    def answer(self, result: Result) -> None:
        self.phone.answer(result, self.now)

    @precondition(lambda self: isinstance(self.phone.action, Wait))
    @rule(part=st.sampled_from([1.0, 1.0, 1.0, 0.5]))
    def time_passes(self, part: float) -> None:
        action = self.phone.action
        assert isinstance(action, Wait)
        assert action.seconds >= 0
        span = min(action.seconds, 30 * 86400)
        self.now += span * part
        if part != 1:
            return
        self.answer(Done())
        after = self.phone.action
        if self.phone.handset.calls and action.why.startswith(("Resync_P", "Resync_E", "Upgrade_E")):
            # What falls due in a call waits for its end, or for Forced_Resync_Delay.
            reports = isinstance(after, Fetch) and after.method != "GET"
            assert reports or (isinstance(after, Wait) and after.why.startswith("a call"))

    @precondition(lambda self: self.phone.handset["Provision_Enable"] == "No")
    @invariant()
    def a_phone_whose_provisioning_is_off_is_not_resyncing_by_itself(self) -> None:
        tally = self.phone.tally
        self.off = tally.resyncs if self.off is None else self.off
        # The one that switched it off is counted yet; a code that a person types is tried.
        assert tally.resyncs <= self.off + 1 + self.codes

    @precondition(lambda self: self.phone.handset["Provision_Enable"] != "No")
    @invariant()
    def it_counts_again_when_provisioning_is_on(self) -> None:
        self.off = None

    @precondition(lambda self: not isinstance(self.phone.action, Wait))
    @rule(profile=st.sampled_from(PROFILES), trouble=st.sampled_from(TROUBLES), fine=st.integers(0, 3))
    def the_world_answers(self, profile: dict[str, str], trouble: Trouble, fine: int) -> None:
        self.now += 0.1
        self.answer(world(self.phone.action, profile, Failed(trouble) if not fine else None))

    @rule(event=st.sampled_from((*ANYTIME, *ASKED)))
    def something_happens(self, event: Input) -> None:
        before = dict(self.phone.handset.parameters)
        self.codes += isinstance(event, CodeEntered)
        self.phone.happen(event, self.now)
        if isinstance(event, PowerCycled | LinkChanged):
            assert self.phone.handset.parameters == before
            assert isinstance(self.phone.action, AskDhcp)
            assert self.phone.handset.calls == 0
        if isinstance(event, ResetToFactory):
            assert self.phone.handset.parameters == DEFAULTS
            assert self.phone.handset.customization is Customization.OPEN
            assert isinstance(self.phone.action, AskDhcp)

    @invariant()
    def it_shows_something(self) -> None:
        assert screen(self.phone)[0].startswith(PHONE.model.name)
        assert status(self.phone)

    @invariant()
    def what_it_rests_for_is_to_come_or_a_call(self) -> None:
        phone = self.phone
        due = phone.life.agenda.next()
        if phone.rests and not phone.handset.calls and phone.handset.lease and due:
            assert due[0] >= phone.handset.now
            assert not phone.life.inbox

    @invariant()
    def a_failure_is_followed_by_a_retry_where_the_parameter_wants_one(self) -> None:
        phone = self.phone
        wanted = phone.handset["Resync_Error_Retry_Delay"] == "3600"
        if phone.rests and phone.tally.row and wanted and phone.handset.lease and not phone.handset.calls:
            assert phone.life.agenda.resync is not None


def world(action: Action, profile: dict[str, str], failed: Failed | None) -> Result:
    if failed and not isinstance(action, Say):
        return failed
    match action:
        case AskDhcp():
            return Lease("10.20.0.50", "10.20.0.1", {6: b"\x0a\x14\0\1", 66: b"http://10.20.0.1/p"})
        case Resolve():
            return Found(("10.20.0.1",))
        case Fetch():
            return Response(200, format_profile(layer(Parameter(*each) for each in profile.items())))
        case Say() | Wait():
            return Done()


TestLife = LifeMachine.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
