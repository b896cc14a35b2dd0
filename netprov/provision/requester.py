"""Who asks for a file: what a request tells of the phone behind it, and how far each hint can be trusted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from netprov.hostport import Scheme, format_origin
from netprov.mac import read_mac
from netprov.provision.config import Ports
from netprov.provision.source import Sourced

_AGENT = re.compile(
    r"Cisco-(?P<model>[CD]P-[0-9A-Za-z-]{2,24})/(?P<firmware>[^\s()]{1,64}) \((?P<id>[0-9A-Za-z:.-]{1,32})\)\s*\Z"
)


@dataclass(frozen=True, slots=True)
class Agent:
    """What a phone says of itself in User-Agent; Cisco's prose calls `identity` a serial number, phones send the MAC."""

    model: str
    firmware: str
    mac: str = ""
    serial: str = ""


Fields = tuple[tuple[str, str], ...]
"""What was posted, by field."""
Probe = Literal["claimed", "signed"]
"""A mark of our own probes: anybody can send one, and who knows the secrets can sign it."""


def _no_mac() -> str:
    return ""


def _at_no_port(_: Ports) -> bool:
    return False


def _nothing_before(_: str) -> Fields:
    return ()


@dataclass(frozen=True, slots=True)
class Requester:
    """One request's origin.

    `server` and `port` are where it came in; `certificate_mac` is of a client certificate that was verified; `agent`
    is a hint only, and so is what it `posted`, by field; `posted_before` looks up what a phone posted last; `link_mac` looks up the sender's address in the leases and the neighbour table, when it is needed;
    `at_port` says whether the address was leased at one of some ports. `probe` is set for what carries our
    mark: only one that is `signed` counts as the phone that it names. `sourced` is what sources said of the phone, as far as they were asked. `now` is in seconds since 1970, `minute`
    of the day by the server's clock.
    """

    scheme: Scheme
    address: str
    server: str = ""
    port: int = 0
    agent: Agent | None = None
    certificate_mac: str = ""
    link_mac: Callable[[], str] = _no_mac
    posted: Fields = ()
    posted_before: Callable[[str], Fields] = _nothing_before
    at_port: Callable[[Ports], bool] = _at_no_port
    probe: Probe | None = None
    now: float = 0.0
    minute: int = 0
    sourced: Sourced = field(default_factory=dict)

    def base_url(self) -> str:
        """Return the URL that reaches the server in the way this request did, without a path."""
        return format_origin(self.scheme, self.server, self.port)


@lru_cache(maxsize=16384)
def parse_agent(text: str) -> Agent | None:
    """Parse User-Agent, `Cisco-CP-7832-3PCC/11.0.1 (00562b043615)` (guide, "HTTP Provisioning"); None for others."""
    found = _AGENT.match(text)
    if found is None:
        return None
    identity = found["id"]
    mac = read_mac(identity)
    return Agent(found["model"].upper(), found["firmware"], mac, "" if mac else identity)
