"""Syslog messages, RFC 5424 and the older form of RFC 3164, and what phones say in them of resyncs and upgrades.

Whatever comes is a message: RFC 3164 section 4.3.3 takes even text without a priority. The phones' sentences are the
defaults of Log_Request_Msg, Log_Success_Msg, Log_Failure_Msg and their upgrade twins (Cisco's provisioning guide,
"Provisioning Parameters"), which operators can change: then they are kept, but not understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from netprov.mac import PATTERN

MAX_MESSAGE = 8192
"""Octets of a datagram that are read (RFC 5424 section 6.1 asks for 2048)."""

_PRIORITY = re.compile(rb"<(\d{1,3})>")
_RFC5424 = re.compile(r"1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|(?:\[(?:[^\]\\]|\\.)*\])+)(?: |\Z)")
_RFC3164 = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (\S+) ")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

_MAC = rf"(?P<mac>{PATTERN})"
_SENTENCE = re.compile(
    rf"(?P<model>[CD]P-[0-9A-Za-z-]+) {_MAC} -- (?:"
    r"(?P<asked>Requesting (?P<asking>resync|upgrade) (?P<from>\S+))|"
    r"(?P<done>Successful (?P<doing>resync|upgrade) (?P<of>\S+)(?: -- (?P<note>.*))?)|"
    r"(?P<failed>(?P<failing>Resync|Upgrade) failed: ?(?P<error>.*)))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `severity` is 0, emergency, to 7, debug."""

    severity: int
    host: str
    text: str


@dataclass(frozen=True, slots=True)
class PhoneStatement:
    """What a phone says it did."""

    mac: str
    model: str
    what: Literal["resync", "upgrade"]
    outcome: Literal["asked", "done", "failed"]
    url: str = ""
    error: str = ""

    def __str__(self) -> str:
        match self.outcome:
            case "asked":
                return f"begins {self.what} from {self.url}"
            case "done":
                return f"{self.what} done from {self.url}"
            case _:
                return f"{self.what} failed: {self.error or 'no reason given'}"


def parse_message(datagram: bytes) -> Message:
    """Parse a datagram; anything is a message of some kind."""
    datagram = datagram[:MAX_MESSAGE]
    priority, body = 13, datagram  # user, notice (RFC 3164 section 4.3.3)
    found = _PRIORITY.match(datagram)
    if found is not None and int(found[1]) <= 191:
        priority, body = int(found[1]), datagram[found.end() :]
    text = body.decode("utf-8", "replace")
    host = ""
    if (new := _RFC5424.match(text)) is not None:
        host, text = new[2], text[new.end() :].removeprefix("\ufeff")
    elif (old := _RFC3164.match(text)) is not None:
        host, text = old[1], text[old.end() :]
    return Message(priority & 7, "" if host == "-" else host, _CONTROL.sub(" ", text).strip())


def recognise(text: str) -> PhoneStatement | None:
    """Return what a phone's sentence tells, None for any other text."""
    found = _SENTENCE.search(text)
    if found is None:
        return None
    digits = re.sub("[:.-]", "", found["mac"]).lower()
    mac = ":".join(digits[i : i + 2] for i in range(0, 12, 2))
    model = found["model"].upper()
    if found["asked"]:
        return PhoneStatement(mac, model, _what(found["asking"]), "asked", found["from"])
    if found["done"]:
        return PhoneStatement(
            mac, model, _what(found["doing"]), "done", found["of"], (found["note"] or "").strip()
        )
    return PhoneStatement(mac, model, _what(found["failing"]), "failed", error=found["error"].strip())


def _what(word: str) -> Literal["resync", "upgrade"]:
    return "resync" if word.lower() == "resync" else "upgrade"
