"""What the catalog answers: content, a file of a tree, another place, a refusal, or that a source is to be asked first."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.provision.auth import Account, AuthScheme
from netprov.provision.config import Device
from netprov.provision.gate.handout import Wanted

PROFILE_TYPE = "text/xml"


@dataclass(frozen=True, slots=True)
class Lock:
    """Who may have something, and how they show it."""

    scheme: AuthScheme
    account: Account


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent: `kind` is profile, bootstrap or ca; `mac` is the phone that it is for, as far as is known.

    `coding` is the Content-Encoding of an RFC 8188 body. `lock` says who may have it, None for everybody.
    `key` is what of a phone's keys it holds: that goes on record before it leaves, or it does not.
    """

    kind: str
    body: bytes
    content_type: str
    mac: str = ""
    coding: str = ""
    lock: Lock | None = None
    key: Wanted | None = None


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file of a static tree: which directory, and the path below it, already without `..`.

    What lies below `barred` is not given, whichever way leads there: directories for the phones of another class.
    """

    directory: str
    path: str
    mac: str = ""
    barred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """Look elsewhere; TFTP cannot say that and refuses."""

    location: str
    status: int = 302
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP status, 404 mostly, which is TFTP's error 1; `reason` is for people, `why` the cause's id where there is one.

    `retry_after` says when to come again, in seconds, 0 for nothing.
    """

    reason: str
    status: int = 404
    mac: str = ""
    why: str = ""
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Unasked:
    """A profile that cannot be composed yet: `source` is to be asked for this phone, and then the catalog again."""

    source: str
    device: Device

    @property
    def reason(self) -> str:
        """What to say where nobody is going to ask."""
        return f"its values come from source {self.source}, which is asked when the phone asks"


Answer = Content | TreeFile | Redirect | Refusal | Unasked
