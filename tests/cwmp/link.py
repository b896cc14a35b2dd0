"""A phone joined to an ACS in memory, over a link with a virtual clock that can lose messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from netprov.cwmp import codec, rpc
from netprov.cwmp.acs import Acs
from netprov.cwmp.action import Answer, Fetch, Post, Restart, Wait
from netprov.cwmp.config import AcsConfig, Target, configure
from netprov.cwmp.cpe import Cpe
from netprov.cwmp.parameter import telephone
from netprov.cwmp.session import AcsRequest, Reply
from netprov.errors import Malformed

MAC = "00:12:34:ab:45:de"
ACS = "https://pr1.example.com:7547/"
PROFILE = "https://pr1.example.com:5060/Cisco/001234ab45de.cfg"
PHONE = rpc.DeviceId("Cisco", "001234", "CP-8851-3PCC", "FCH2345ABCD")
TARGET = Target(MAC, PROFILE, "r1", provisioning_code="staging")


def config(*targets: Target, interval: int = 3600, bootstrap_url: str = "") -> AcsConfig:
    return configure(targets or (TARGET,), inform_interval=interval, bootstrap_url=bootstrap_url)


def phone(url: str = ACS, *, mac: str = MAC, device: rpc.DeviceId = PHONE) -> Cpe:
    return Cpe(device, telephone(device, url, mac=mac, software="11.3.1"), lambda: 0.5)


@dataclass
class Link:
    """Drives one phone against one ACS until the phone is settled, or `until`; keeps what passed."""

    cpe: Cpe
    acs: Acs
    source: str = "10.20.0.54"
    now: float = 1000.0
    cookies: bool = True
    fetch: Callable[[Fetch], tuple[int, str] | None] = lambda _fetch: None
    lose: Callable[[int], bool] = lambda _number: False
    passed: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    waits: list[tuple[str, float]] = field(default_factory=list)
    tokens: count[int] = field(default_factory=lambda: count(1))
    posts: int = 0

    def run(self, until: float = 100_000.0) -> None:
        while not self.cpe.settled and self.now < until:
            self.step()

    def step(self) -> None:
        match self.cpe.next_action(self.now):
            case Post() as post:
                self._post(post)
            case Fetch() as fetch:
                self.fetched.append(fetch.url)
                failure = self.fetch(fetch)
                self.now += 1
                if failure is None:
                    self.cpe.fetched(self.now)
                else:
                    self.cpe.fetch_failed(*failure, self.now)
            case Restart():
                self.cpe.boot(self.now)
            case Wait(until, reason):
                self.waits.append((reason, until - self.now))
                self.now = until

    def _post(self, post: Post) -> None:
        self.posts += 1
        self.now += 0.01
        self.passed.append(f"> {said(post.body)}")
        cookie = next((value for name, value in post.headers if name == "Cookie"), "") if self.cookies else ""
        if self.lose(self.posts):
            self.cpe.post_failed("timed out", self.now)
            return
        reply = self.acs.respond(
            AcsRequest(post.body, cookie, self.source, "c1"), self.now, f"t{next(self.tokens)}"
        )
        self.passed.append(f"< {said(reply.body, reply)}")
        self.cpe.posted(Answer(reply.status, reply.headers, reply.body), self.now)


def said(body: bytes, reply: Reply | None = None) -> str:
    """Return what a body says in a word."""
    if not body:
        return "empty" if reply is None else str(reply.status)
    try:
        message = codec.decode(body)
    except Malformed:
        return str(reply.status) if reply else "garbage"
    return type(message.rpc).__name__
