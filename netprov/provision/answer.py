"""What the catalog answers: content, a file of a tree, another place, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.provision.auth import Account, AuthScheme
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
    """An HTTP status, 404 mostly, which is TFTP's error 1; `reason` is for people, `why` the cause's id where there is one."""

    reason: str
    status: int = 404
    mac: str = ""
    why: str = ""


Answer = Content | TreeFile | Redirect | Refusal
