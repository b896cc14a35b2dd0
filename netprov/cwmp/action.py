"""What the phone's side of CWMP asks of whoever drives it, what it is told, and what it reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Post:
    """POST `body` to `url`; an empty body is sent without Content-Type (section 3.4.1)."""

    url: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetch a file and apply it."""

    url: str
    file_type: str
    username: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart, or forget everything and restart."""

    factory: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`: for a `retry` of a failed session, a `delay` asked for, the `periodic` Inform."""

    until: float
    reason: str


Action = Post | Fetch | Restart | Wait


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a Post; header names in any case, repeated where they were."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first header of that name, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class InformAccepted:
    """The ACS took the Inform in."""

    url: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParametersSet:
    """The ACS set parameters."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DownloadAsked:
    """The ACS had us fetch a file, after the session."""

    url: str
    file_type: str
    command_key: str


@dataclass(frozen=True, slots=True)
class Reported:
    """The ACS took a TransferComplete in; fault code 0 is success."""

    url: str
    fault_code: int


@dataclass(frozen=True, slots=True)
class ReportRefused:
    """The ACS refused a TransferComplete; it is not told again."""

    url: str
    fault: str


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """A session ended as it should."""


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """A session broke off; it is retried."""

    reason: str


CpeEvent = (
    InformAccepted | ParametersSet | DownloadAsked | Reported | ReportRefused | SessionClosed | SessionFailed
)
