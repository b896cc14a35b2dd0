"""The cookies of HTTP that a client keeps for one session (RFC 6265 section 5): a phone with an ACS (TR-069 section 3.4.2).

Deliberately absent: anything that outlasts a session, and the list of public suffixes, which there is no room for in a phone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from netprov.number import whole

MOST: Final = 16
"""How many cookies a session keeps."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

LONGEST: Final = 4096
"""Characters of a cookie, its name and attributes among them (RFC 6265 section 6.1)."""


@dataclass(frozen=True, slots=True)
class _Cookie:
    """One cookie; `host_only` where it named no domain, `until` in seconds of the phone's clock."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool = True
    secure: bool = False
    until: float = float("inf")


class Jar:
    """The cookies of one session."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], _Cookie] = {}

    def take(self, url: str, headers: Iterable[tuple[str, str]], now: float) -> None:
        """Take in what an answer from a URL sets, replaces or deletes (section 5.3)."""
        fields = [(name.lower(), value) for name, value in headers]
        date = next((_date(value) for name, value in fields if name == "date"), None)
        for name, value in fields:
            if name != "set-cookie":
                continue
            cookie = _read(value, urlsplit(url), date, now)
            if cookie is None:
                continue
            key = cookie.name, cookie.domain, cookie.path
            if cookie.until <= now:
                self._kept.pop(key, None)
            elif key in self._kept or len(self._kept) < MOST:
                self._kept[key] = cookie

    def header(self, url: str, now: float) -> str:
        """Return the Cookie header for a request, "" for none; longer paths stand first (section 5.4)."""
        target = urlsplit(url)
        fit = [each for each in self._kept.values() if _goes_to(each, target, now)]
        fit.sort(key=lambda each: -len(each.path))
        return "; ".join(f"{each.name}={each.value}" for each in fit)


def _read(field: str, origin: SplitResult, date: datetime | None, now: float) -> _Cookie | None:
    """Return the cookie of a Set-Cookie header, None for one that is none or not for this host (section 5.2)."""
    pair, *rest = field[:LONGEST].split(";")
    name, separator, value = (part.strip() for part in pair.partition("="))
    if not separator or not name or len(field) > LONGEST or _CONTROL.search(field):
        return None
    said = {key.strip().lower(): value.strip() for key, _, value in (each.partition("=") for each in rest)}
    host = (origin.hostname or "").lower()
    domain = said.get("domain", "").lower().lstrip(".")
    if domain and not _is_within(host, domain):
        return None
    path = said.get("path", "")
    if not path.startswith("/"):
        path = origin.path[: origin.path.rfind("/")] or "/"
    life = _life(said, date)
    return _Cookie(name, value, domain or host, path, not domain, "secure" in said, now + life)


def _life(said: dict[str, str], date: datetime | None) -> float:
    """Return how many seconds a cookie is good for; Max-Age goes before Expires, which is counted from the answer's Date."""
    age = said.get("max-age", "")
    if age.startswith("-") and whole(age[1:]) is not None:
        return 0.0
    seconds = whole(age)
    if seconds is not None:
        return float(seconds)
    expires = _date(said.get("expires", ""))
    if expires is None or date is None:
        return float("inf")
    return (expires - date).total_seconds()


def _date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return read if read.tzinfo else None


def _goes_to(cookie: _Cookie, target: SplitResult, now: float) -> bool:
    host = (target.hostname or "").lower()
    here = host == cookie.domain if cookie.host_only else _is_within(host, cookie.domain)
    path = target.path or "/"
    below = path == cookie.path or path.startswith(cookie.path.rstrip("/") + "/")
    return here and below and cookie.until > now and (not cookie.secure or target.scheme == "https")


def _is_within(host: str, domain: str) -> bool:
    """Say whether a host is a domain, or below it; an address is below none (section 5.1.3)."""
    return host == domain or (host.endswith("." + domain) and not host.replace(".", "").isdigit())
