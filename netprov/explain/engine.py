"""Why a phone is not provisioned: reads the steps of one boot, wherever they come from, and names the first cause.

The steps may be of the emulator, of the running servers' records, of a packet capture, or of what the inventory alone
promises. The cause is of the first server that answered wrongly; if none answered, of the first that did not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from netprov.dhcp.option import table as code
from netprov.errors import Problem, Reason, Severity
from netprov.explain.cause import CAUSES
from netprov.explain.lookup import lookups
from netprov.explain.option import is_managed, misread, oddities, option_fault, uncaptured
from netprov.explain.profile import Answer, alternatives, parameter, read_answers, refusal, unfollowed
from netprov.explain.session import conversation
from netprov.explain.timeline import tell
from netprov.explain.verdict import UNASKED, UNKNOWN, UNSEEN, WITHHELD, Fault, fault_of, is_management
from netprov.phone.action import AskDhcp, Failed, Fetch, Found, Lease, Resolve, Response, Step, Trouble
from netprov.phone.boot import Outcome
from netprov.phone.resync import MAX_STAGES
from netprov.phone.rule.url import parse_url
from netprov.phone.source import Source, read_options

RETRY = "after Resync_Error_Retry_Delay: 3600 s unless a profile says otherwise"
"""Categories B and C of the guide's table 2."""

RETRY_DHCP = "at once and for ever: 4, 8, 16, 32, then 64 s apart (RFC 2131 4.1)"


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one boot.

    `cause` is None for a phone that was provisioned; `detail` are the facts of the case, `evidence` where they were
    seen, `shows` what the phone displays or logs, `retry` when it tries again, `notes` what else went wrong.
    """

    provisioned: bool
    road: tuple[str, ...]
    url: str = ""
    cause: Reason | None = None
    detail: str = ""
    evidence: str = ""
    shows: str = ""
    retry: str = ""
    notes: tuple[Problem, ...] = ()
    server: str = ""
    """The address of the server whose answer, or silence, is the cause; "" where it is none's."""
    first: str = ""
    """The URL of the first profile of a boot, "" where none came."""
    hidden: bool = False
    """Whether what came is hidden by TLS or a key that was not seen, so that it can only be taken for a profile."""

    @property
    def problem(self) -> Problem | None:
        """The cause as a finding, None for a phone that was provisioned."""
        return _told(self.cause, self.detail) if self.cause else None


def explain(steps: Sequence[Step], outcome: Outcome | None = None) -> Story:
    """Tell the story of one boot.

    `outcome` is how the boot ended, where that is known: of an emulated phone, or of one that an inventory was asked
    for. What servers and captures saw of a phone ends without one, and whether it has a profile follows from what came.
    """
    given = next((step for step in reversed(steps) if isinstance(step.result, Lease)), None)
    if given is None and not any(isinstance(step.action, Resolve | Fetch) for step in steps):
        return _without_lease(steps)
    lease = given.result if given else Lease("", "")  # who asks servers has an address, seen or not
    assert isinstance(lease, Lease)
    road = _road(steps, lease)
    answers = read_answers(steps)
    good = next((each for each in reversed(answers) if each.profile), None)
    came = next((str(each.url) for each in answers if each.profile), "")
    if outcome is not None and outcome.provisioned:
        notes = _notes(_attempts(steps, answers), None)
        return Story(True, road, outcome.url, notes=notes, first=came)
    tail = answers[answers.index(good) + 1 :] if good else answers
    faults = _attempts(steps, tail)
    if good:
        faults += _after(steps, good, outcome)
        if all(fault.id == "ca-missing" for fault in faults):  # it is logged, and nothing else hangs on it
            notes = _notes(_attempts(steps, answers), None)
            return Story(True, road, str(good.url), notes=notes, first=came, hidden=good.hidden)
        primary = _weightiest(faults)
        others = _notes([*faults, *_attempts(steps, answers)], primary)
        return replace(_failed(primary, road, others), first=came)
    looked = lookups(steps)
    if not faults:
        faults = looked or [_nothing(steps, lease, outcome)]
    else:
        faults = _in_order([*faults, *looked], steps)
    primary = _first(faults, given, lease, managed=is_managed(steps))
    odd = oddities(lease, given) if given else ()
    return _failed(primary, road, _notes([*faults, *odd], primary))


def _without_lease(steps: Sequence[Step]) -> Story:
    asked = [step for step in steps if isinstance(step.action, AskDhcp)]
    step = asked[-1] if asked else None
    result = step.result if step else Failed(Trouble.TIMEOUT, "no DHCP message was seen")
    detail = result.detail if isinstance(result, Failed) else ""
    cause = _DHCP.get(result.trouble, "dhcp-silent") if isinstance(result, Failed) else "dhcp-silent"
    fault = Fault(cause, detail, step)
    story = _failed(fault, ("DHCP",), ())
    return Story(
        False,
        story.road,
        cause=story.cause,
        detail=detail,
        evidence=story.evidence,
        shows="Network initialization, no address",
        retry=RETRY_DHCP,
    )


_DHCP = {
    Trouble.DHCP_NAK: "dhcp-nak",
    Trouble.DHCP_NO_ACK: "dhcp-no-ack",
    Trouble.DHCP_UNSERVED: "dhcp-unserved",
    Trouble.DHCP_UNHEARD: "dhcp-unheard",
}


def explain_unasked(steps: Sequence[Step], promised: Story, own: Collection[str] = ()) -> Story:
    """Tell of a phone that has a lease and came to no server of ours; `promised` is its story by the inventory.

    What kept it is seen nowhere: the lookups of DNS leave no record. Had a server at one of our `own` addresses refused
    it, that would be on record.
    """
    if promised.cause is not None and promised.server not in own:
        return replace(promised, evidence="the inventory; nothing is on record after the lease")
    return Story(
        False,
        ("DHCP",),
        cause=CAUSES["asked-nothing"],
        detail=f"by the inventory it should ask {promised.url or promised.server}",
        evidence=steps[0].evidence if steps else "",
        retry="when it is switched on",
    )


def explain_rest(story: Story, promised: Story, *, own: bool) -> Story:
    """Tell of a phone that was sent a profile; `promised` is its story by the inventory, `own` says that it was its own.

    What the profile makes it do at other servers leaves no record here.
    """
    if own and promised.cause is not None and promised.cause.id in {*WITHHELD, UNASKED}:
        return story  # the key that it has got is not given again; what a source said of it is known to who was asked
    if promised.first and promised.cause is not None:
        seen = f"the inventory; on record is that it was sent {story.url}"
        return replace(promised, evidence=seen)
    if promised.provisioned and promised.first and promised.url != promised.first and not own:
        return replace(
            story,
            provisioned=False,
            cause=CAUSES["asked-no-more"],
            detail=f"by the inventory it goes on to {promised.url}",
            evidence="the records end with the first profile",
        )
    return story


def _road(steps: Sequence[Step], lease: Lease) -> tuple[str, ...]:
    """Name the mechanisms that were tried, in order."""
    road = ["DHCP"]
    for source in read_options(lease.options):
        if isinstance(source, Source) and any(isinstance(step.action, Fetch) for step in steps):
            road.append(f"option {source.option}" + (" (ACS)" if source.acs_url else ""))
    for step in steps:
        if isinstance(step.action, Resolve) and step.action.type == "SRV":
            road.append(f"SRV {step.action.name}")
    return tuple(dict.fromkeys(road))


def _attempts(steps: Sequence[Step], answers: Sequence[Answer]) -> list[Fault]:
    """Return what went wrong with each of these fetches, in order."""
    acs, authorities = _acs(steps), _authorities(steps)
    rules = {text for each in read_answers(steps) for text in each.rules.values()}
    judged = {id(each.step): each for each in answers}
    faults = []
    for step in steps:
        answer = judged.get(id(step))
        cause = answer.cause if answer else ""
        if not cause or not isinstance(step.action, Fetch):
            continue
        if is_management(step) or (step.action.url.host, step.action.url.port) in acs:
            if isinstance(step.result, Response) and step.result.status < 300:
                continue  # a message of CWMP, which is no file
            cause = "acs-refuses" if isinstance(step.result, Response) else _acs_trouble(cause)
        elif _is_authority(step, authorities, rules):
            cause = "ca-missing"
        told = tell(step)
        led = answer is not None and answer.led
        faults.append(Fault(cause, f"{told.asked}: {told.answered}", step, led=led))
    return faults


def _is_authority(step: Step, authorities: Collection[str], rules: Collection[str]) -> bool:
    """Tell whether a fetch is of a CA's file; of a connection that came to nothing a capture shows the server alone."""
    assert isinstance(step.action, Fetch)
    url = str(step.action.url)
    if url in authorities:
        return True
    bare = step.action.url.path == "/" and isinstance(step.result, Failed)
    return (
        bare and any(each.startswith(url) for each in authorities) and not any(url in each for each in rules)
    )


def _after(steps: Sequence[Step], good: Answer, outcome: Outcome | None) -> list[Fault]:
    """Return what kept a phone that has a profile from the one that it names."""
    found = _bad_rules(good)
    if found:
        return found
    tail = steps[steps.index(good.step) + 1 :]
    if outcome is None:
        if good.rules and _stages(steps) > MAX_STAGES:
            return [Fault("rule-circle", ", ".join(f"{k} {v!r}" for k, v in good.rules.items()), good.step)]
        cause, name, rule = unfollowed(good, steps)
        lost = [fault for fault in lookups(tail) if fault.id in _OF_NAMES and (good.rules or good.hidden)]
        return lost or ([Fault(cause, f"{name} {rule!r}", good.step)] if cause else [])
    found = lookups(tail)
    if not found and any(each.activates for text in good.rules.values() for each in alternatives(text)):
        found = [Fault("activation", ", ".join(good.rules.values()), good.step)]
    failed = [step for step in tail if isinstance(step.action, Fetch) and fault_of(step)]
    if found or failed:
        return found
    cause = "rule-circle" if _stages(steps) > MAX_STAGES else "bad-rule"
    return [Fault(cause, outcome.reason, good.step)]


def _stages(steps: Sequence[Step]) -> int:
    """Return how many profiles came."""
    return sum(1 for each in read_answers(steps) if each.profile)


_OF_NAMES = frozenset({"host-no-address", "target-no-address", "srv-missing", "srv-no-service"})


def _bad_rules(answer: Answer) -> list[Fault]:
    """Return the rules of a profile that a phone refuses whatever its conditions say; it shows nowhere on the wire."""
    refused = ((name, rule, refusal(rule)) for name, rule in answer.rules.items())
    return [
        Fault("bad-rule", f"{name} {rule!r}: {reason}", answer.step)
        for name, rule, reason in refused
        if reason
    ]


def _acs_trouble(cause: str) -> str:
    return cause if cause.startswith("tls") or cause in _CANNOT_TELL else "acs-unreachable"


def _acs(steps: Sequence[Step]) -> set[tuple[str, int]]:
    """Return host and port of every ACS that DHCP named."""
    found = set()
    for step in steps:
        for source in read_options(step.result.options) if isinstance(step.result, Lease) else ():
            if isinstance(source, Source) and source.acs_url:
                url = parse_url(source.acs_url)
                found.add((url.host, url.port))
    return found


def _authorities(steps: Sequence[Step]) -> set[str]:
    """Return the URLs of CA files that profiles named."""
    return set(filter(None, (parameter(step, "Custom_CA_Rule") for step in steps)))


def _nothing(steps: Sequence[Step], lease: Lease, outcome: Outcome | None) -> Fault:
    """Name what is missing in a lease that led to no server at all."""
    if outcome is None and (silent := uncaptured(steps, lease)):
        return silent
    step = next((step for step in reversed(steps) if isinstance(step.result, Lease)), None)
    if step is None:
        return Fault(UNSEEN, "no lease is in the capture", steps[0])
    posts = [step for step in steps if is_management(step)]
    if posts:
        return Fault("acs-idle", f"{tell(posts[0]).asked}: {conversation(posts)}", posts[-1])
    found = [each for each in steps if isinstance(each.action, Resolve) and isinstance(each.result, Found)]
    located = [each for each in found if _names_a_server(each, lease)]
    if located and isinstance(located[-1].result, Found):
        on_link = any(map(lease.reaches, located[-1].result.addresses))
        cause = UNSEEN if on_link else "unreachable"
        return Fault(cause, f"no packet to the server follows {tell(located[-1]).asked}", located[-1])
    if not lease.domain:
        return Fault("no-domain", "", step)
    if not lease.dns:
        return Fault("no-dns", "", step)
    return Fault("cloud", "", step)


def _names_a_server(step: Step, lease: Lease) -> bool:
    """Tell whether a lookup found a server, and not the domain, which a phone asks for without needing it."""
    if (
        not isinstance(step.action, Resolve)
        or not isinstance(step.result, Found)
        or not step.result.addresses
    ):
        return False
    return step.action.name.rstrip(".").lower() != lease.domain.lower()


def _first(faults: list[Fault], given: Step | None, lease: Lease, *, managed: bool) -> Fault:
    """Choose the cause: a faulty option where nothing else was found, else the first server that answered wrongly."""
    options = read_options(lease.options)
    if faults[0].id == "not-captured" and any(isinstance(each, Source) for each in options):
        return faults[0]
    if all(fault.id in _LOST for fault in faults):
        for source in options:
            fault = option_fault(source, lease.options, managed=managed)
            if fault:
                return replace(fault, step=given)
        if lease.sname and code.TFTP_NAME not in lease.options:
            return Fault("option-in-header", f"sname holds {lease.sname!r}", given)
        if lease.rivals:
            rivals = ", ".join(lease.rivals)
            return Fault("rival-dhcp", f"the lease is of {lease.server}; {rivals} offered one too", given)
    primary = _weightiest(faults)
    if primary.id == "host-no-address" and (odd := misread(lease, primary)):
        return Fault("option-odd", f"{odd}; {primary.detail}", primary.step)
    return primary


def _in_order(faults: list[Fault], steps: Sequence[Step]) -> list[Fault]:
    places = {id(step): place for place, step in enumerate(steps)}
    return sorted(faults, key=lambda fault: places.get(id(fault.step), len(places)))


_CANNOT_TELL = frozenset({UNKNOWN, UNSEEN, UNASKED})


def _weightiest(faults: list[Fault]) -> Fault:
    """Return what our servers kept from the phone, else the first answer that was wrong, else the first silence.

    Where somebody unknown was asked, or an answer was not seen, nobody can tell.
    """
    for ids in (_CANNOT_TELL, WITHHELD):
        if found := next((fault for fault in faults if fault.id in ids), None):
            return found
    return next((fault for fault in faults if fault.answered), faults[0])


def _shown(fault: Fault) -> str:
    """Return what the phone's screen or page says of a fault."""
    if fault.id == UNASKED:
        return "not known here"
    failed = f"Resync failed: {CAUSES[fault.id].title}"
    return failed if fault.step else "Customization state: Open or Pending"


_LOST = frozenset({"no-domain", "no-dns", "cloud", "srv-missing", "not-captured"})
"""Causes that say only that nothing was found: a faulty option or a second server explains them."""


def _notes(faults: list[Fault], primary: Fault | None) -> tuple[Problem, ...]:
    """Return the other faults, each cause once."""
    seen = {primary.id} if primary else set()
    notes = []
    for fault in faults:
        if fault.id not in seen and fault.id not in _LOST:
            seen.add(fault.id)
            notes.append(_told(CAUSES[fault.id], fault.detail, "warning"))
    return tuple(notes)


def _told(cause: Reason, detail: str, severity: Severity | None = None) -> Problem:
    return cause.problem(f"{cause.title}: {detail}" if detail else cause.title, severity=severity)


def _failed(fault: Fault, road: tuple[str, ...], notes: tuple[Problem, ...]) -> Story:
    step = fault.step
    return Story(
        False,
        road,
        server=step.action.address if step and isinstance(step.action, Fetch) else "",
        cause=CAUSES[fault.id],
        detail=fault.detail,
        evidence=step.evidence if step else "",
        shows=_shown(fault),
        retry=RETRY,
        notes=notes,
    )
