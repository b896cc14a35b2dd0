"""What the answers of one boot brought: profiles in clear, behind a key that an earlier one gave, or hidden by TLS.

Answers are read in order, as the phone does: a profile gives keys and rules to those after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from netprov.errors import Malformed
from netprov.explain.verdict import SEALED, SENT, fault_of, is_management
from netprov.phone.action import Fetch, Found, Resolve, Response, Step
from netprov.phone.fetch.load import CERTIFICATE
from netprov.phone.handset.settings import PROFILE_RULES
from netprov.phone.rule.grammar import Alternative, parse_rule
from netprov.phone.rule.url import Url, parse_url
from netprov.provision.config import CA_PATH, Digest
from netprov.provision.crypto import MAGIC, decode_ikm, decrypt_cbc, decrypt_gcm
from netprov.provision.macro import expand
from netprov.provision.profile import parse_profile

_FIRMWARE = (".loads", ".sbn", ".zip", ".img", ".sgn", ".bin")
"""Ends of names that are no profiles: what Upgrade_Rule names, and what a load names in turn."""


_FOLLOWED = frozenset({301, 302})
"""Statuses by which a phone goes elsewhere."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One fetch as judged: its cause of failure, "" for none; whether a profile came, and whether it is hidden.

    `rules` are the profile rules that it brought and that the phone did not have before.
    """

    step: Step
    cause: str = ""
    profile: bool = False
    hidden: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
    led: bool = False
    """Whether the answer before it was a redirect to here."""

    @property
    def status(self) -> int:
        """The status of the answer, 0 for none."""
        return self.step.result.status if isinstance(self.step.result, Response) else 0

    @property
    def url(self) -> Url:
        """What was asked for."""
        assert isinstance(self.step.action, Fetch)
        return self.step.action.url


def read_answers(steps: Sequence[Step]) -> tuple[Answer, ...]:
    """Judge every fetch of a boot, in order; messages of CWMP are among them, and bring no profile."""
    reader = _Reader()
    found = [reader.read(step, step.action) for step in steps if isinstance(step.action, Fetch)]
    return _circles(
        [
            replace(each, led=before is not None and before.status in _FOLLOWED and not before.cause)
            for before, each in zip([None, *found], found, strict=False)
        ]
    )


def _circles(answers: list[Answer]) -> tuple[Answer, ...]:
    """Mark the last of redirects in a row that led back to where they began: each is followed, and all lead nowhere."""
    seen: set[str] = set()
    for place, each in enumerate(answers):
        if each.status not in _FOLLOWED:
            seen.clear()
            continue
        again = str(each.url) in seen
        seen.add(str(each.url))
        following = answers[place + 1] if place + 1 < len(answers) else None
        if again and (following is None or following.status not in _FOLLOWED):
            answers[place] = replace(each, cause="redirect")
    return tuple(answers)


class _Reader:
    """Keeps what the profiles so far have set."""

    def __init__(self) -> None:
        self._parameters: dict[str, str] = {}
        self._hidden = False
        """Whether a profile came that could not be read, so that the phone may know more than is seen."""

    def read(self, step: Step, action: Fetch) -> Answer:
        cause = fault_of(step)
        result = step.result
        answered = isinstance(result, Response) and result.status not in _FOLLOWED
        if cause or not answered or is_management(step):
            return Answer(step, cause)
        assert isinstance(result, Response)
        if action.url.path == CA_PATH or self._parameters.get("Custom_CA_Rule") == str(action.url):
            return self._authority(step, result)
        if action.url.path.lower().endswith(_FIRMWARE):
            return Answer(step)
        if result.status in {SEALED, SENT}:
            self._hidden = True
            return Answer(step, profile=True, hidden=result.status == SEALED)
        return self._body(step, result)

    def _authority(self, step: Step, result: Response) -> Answer:
        missing = result.status > 0 and CERTIFICATE not in result.body
        return Answer(step, "ca-missing" if missing else "")

    def _body(self, step: Step, result: Response) -> Answer:
        if CERTIFICATE in result.body[:200]:
            return Answer(step)
        try:
            clear = self._clear(result)
        except _NoKey:
            if self._hidden:
                return Answer(step, profile=True, hidden=True)
            return Answer(step, "encrypted")
        except Malformed:
            return Answer(step, "wrong-key")
        start = clear.lstrip()[:200].lower()
        if not start:
            return Answer(step, "empty-file")
        if b"<html" in start or start.startswith(b"<!doctype html"):
            return Answer(step, "index-page")
        try:
            profile = parse_profile(clear)
        except Malformed:
            return Answer(step, "corrupt")
        given = {name: (each.value or "").strip() for name, each in profile.items() if each.value is not None}
        rules = {
            name: given[name]
            for name in PROFILE_RULES
            if given.get(name) and given[name] != self._parameters.get(name)
        }
        self._parameters |= given
        return Answer(step, profile=True, rules=rules)

    def _clear(self, result: Response) -> bytes:
        """Return a body in clear. Raises `_NoKey` where no key is known, `Malformed` where none of them opens it."""
        body = result.body
        if result.header("Content-Encoding").lower() == "aes128gcm":
            text = self._parameters.get("IKM_HTTP_Encrypt_Content", "")
            if not text:
                raise _NoKey
            return _first([partial(decrypt_gcm, body, ikm) for ikm in _keying(text)])
        if not body.startswith(MAGIC):
            return body
        keys = tuple(filter(None, (each.options.get("key", "") for each in self._alternatives())))
        if not keys:
            raise _NoKey
        registers = {
            name.removeprefix("GPP_"): value
            for name, value in self._parameters.items()
            if name.startswith("GPP_")
        }
        digests: tuple[Digest, ...] = ("sha256", "md5")
        return _first(
            [
                partial(decrypt_cbc, body, expand(key, registers), digest=digest)
                for key in keys
                for digest in digests
            ]
        )

    def _alternatives(self) -> Iterator[Alternative]:
        for name in PROFILE_RULES:
            yield from alternatives(self._parameters.get(name, ""))


class _NoKey(Exception):
    """The phone was given no key that could be seen."""


def parameter(step: Step, name: str) -> str:
    """Return a parameter of the profile that a fetch brought in clear, or ""."""
    if not isinstance(step.result, Response) or not step.result.body:
        return ""
    try:
        found = parse_profile(step.result.body).get(name)
    except Malformed:
        return ""
    return (found.value or "").strip() if found else ""


def alternatives(rule: str) -> tuple[Alternative, ...]:
    """Return the alternatives of a rule as far as a phone can read them."""
    found = []
    with suppress(Malformed):
        for branch in parse_rule(rule):
            with suppress(Malformed):
                found.append(branch.read())
    return tuple(found)


def refusal(rule: str) -> str:
    """Return why a phone refuses a rule whichever branch of it is taken, "" if it may take one."""
    try:
        branches = parse_rule(rule)
    except Malformed as error:
        return str(error)
    reasons = []
    for branch in branches:
        try:
            url = branch.read().url
            if "://" in url and "$" not in url.partition("://")[2].partition("/")[0]:
                parse_url(url) if not branch.read().activates else None
        except Malformed as error:
            reasons.append(str(error))
    return reasons[0] if reasons and len(reasons) == len(branches) else ""


def unfollowed(answer: Answer, steps: Sequence[Step]) -> tuple[str, str, str]:
    """Return the cause, the rule's name and text of a rule that a profile brought and that led nowhere seen; "" for none.

    A rule whose host is a macro, or that has alternatives, may mean anything.
    """
    hosts = _hosts(steps)
    for name, text in answer.rules.items():
        found = alternatives(text)
        if len(found) == 1 and found[0].activates:
            return "activation", name, text
        if len(found) != 1 or "://" not in found[0].url:
            continue
        host = found[0].url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
        if host and "$" not in host and host.lower().rstrip(".") not in hosts:
            return "asked-no-more", name, text
    return "", "", ""


def _hosts(steps: Sequence[Step]) -> set[str]:
    """Return every host that a phone asked, or asked for, under each of its names."""
    found: set[str] = set()
    for step in steps:
        if isinstance(step.action, Fetch):
            found |= {step.action.url.host.lower(), step.action.address}
        elif isinstance(step.action, Resolve):
            name = step.action.name.lower().rstrip(".")
            found |= {name, name.partition("._tls.")[2], name.partition("._tcp.")[2]}
            if isinstance(step.result, Found):
                found |= {record.target.lower() for record in step.result.records}
    return found


def _keying(text: str) -> Iterator[bytes]:
    yield decode_ikm(text, "raw")
    try:
        yield decode_ikm(text, "b64url")
    except Malformed:
        return


def _first(attempts: Sequence[Callable[[], bytes]]) -> bytes:
    """Return what the first attempt that succeeds returns; raises `Malformed` where none does."""
    for attempt in attempts:
        try:
            return attempt()
        except Malformed:
            continue
    raise Malformed("none of the keys opens it")
