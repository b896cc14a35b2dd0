"""HTTPS, HTTP and TFTP as `netprov doctor` asks them: the chain is looked at first, then each path is fetched."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netprov.emulator.failure import Timeouts, trouble_of
from netprov.emulator.fetch import DnsPorts, download, resolve
from netprov.emulator.web import WebClient
from netprov.errors import Malformed, PkiError, Problem, Reason
from netprov.phone.action import Failed, Fetch, Found, Proxy, Resolve, Response, Trouble
from netprov.phone.rule.url import Url
from netprov.pki.chain import Certificate
from netprov.pki.verify import date, problems
from netprov.provision.crypto import MAGIC
from netprov.provision.event import PROBE
from netprov.provision.gate.probe import sign
from netprov.provision.profile import parse_profile
from netprov.provision.requester import parse_agent
from netprov.provision.secret import Secrets
from netprov.runtime.web.tls import client_context, presented_chain

SYSTEM_CHOICE = "0.0.0.0"
KEPT = 256
"""Answers that are kept: what is looked at for one phone is asked for again on its road."""

_CLOCK = frozenset({"cert-expired", "cert-not-yet-valid"})


PORT_CLOSED = Reason(
    "doctor-port-closed",
    "error",
    "The machine is there and refuses the connection.",
    "start the server, or correct the port",
)
HOST_DOWN = Reason(
    "doctor-host-down",
    "error",
    "No answer comes back: not from the machine, or not from what listens there.",
    "start the machine or its server, or look for a firewall on the way",
)
CONNECTION_CUT = Reason(
    "doctor-connection-cut",
    "error",
    "The connection was accepted and then cut without an answer.",
    "look into the server's log",
)
TLS = Reason(
    "doctor-tls",
    "error",
    "The TLS handshake ends before any certificate is judged, or the phone refuses the certificate.",
    "look into the server's log",
)
ANSWER = Reason(
    "doctor-answer",
    "error",
    "What comes back is nothing that a phone understands.",
    "look into the server's log",
)
PATH = Reason(
    "doctor-path",
    "error",
    "The server has no file by this name, or keeps it to itself.",
    "list the phone with its model and a profile, or put the file there; `netprov files PHONE` tells",
)
PROFILE = Reason(
    "doctor-profile",
    "error",
    "The file is there, and no profile that phones read.",
    "correct the template or the file",
)
ACS = Reason(
    "doctor-acs",
    "error",
    "What answers at the ACS's URL holds no sessions.",
    "start the ACS, or correct `acs_url`",
)
LOCKED = Reason(
    "doctor-locked",
    "error",
    "The server wants a user and a password for the file, and a phone fresh from the box has neither.",
    "serve the first profile without; later rules name them: [--uid … --pwd …]",
)
SERVER_ERROR = Reason(
    "doctor-server-error",
    "error",
    "The server reports an error of its own (a status of 500 or more), and phones try again later.",
    "look into the server's log",
)
STALLED = Reason(
    "doctor-stalled",
    "error",
    "The transfer began and stopped: TFTP sends its data from a port of its own, which a firewall may not let through.",
    "let the server's other UDP ports through; check the MTU",
)
REDIRECTED = Reason(
    "doctor-redirect",
    "info",
    "The server sends phones elsewhere; they follow 301 and 302, and whether that leads to a profile shows on the phone's "
    "own road.",
    "nothing, if it is meant so",
)
ACS_LOCKED = Reason(
    "doctor-acs-locked",
    "error",
    "The ACS wants a user and a password, and a phone fresh from the box has neither.",
    "leave out `acs: {credentials: …}`, or set user and password of the ACS by a profile first",
)
CLOCK = Reason(
    "doctor-clock",
    "error",
    "Phones judge certificates by the time that they are told.",
    "set the time server's clock, or name another under `ntp:`",
)
CERT_UNREADABLE = Reason(
    "cert-unreadable",
    "error",
    "A chain that cannot be read is refused by every phone.",
    "issue the certificate again: `netprov cert renew`",
)


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is here, and what time phones are told, in seconds since 1970; `told_by` is "" if nobody tells."""

    here: float
    phones: float
    told_by: str = ""


class Web:
    """Asks servers as a phone would; what all phones ask alike is asked once.

    With `secrets` it may show that it asks for the operator: it gets then what the phone would, keys too. One that does
    not verify takes any certificate, and has to be without secrets: whoever answers sees what it shows.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        anchors: Sequence[Certificate],
        secrets: Secrets | None = None,
        *,
        verifies: bool = True,
    ) -> None:
        self._secrets = secrets or Secrets()
        self._timeouts = timeouts
        self._anchors = anchors
        self._client = WebClient(SYSTEM_CHOICE, timeouts, verifies=verifies)
        self._resolved: dict[Resolve, Found | Failed] = {}
        self._looks: dict[tuple[str, int, str, Clock], list[Problem]] = {}
        self._answers: dict[tuple[str | Proxy | tuple[str, ...] | None, ...], Response | Failed] = {}
        self._fetched: dict[tuple[str, str, str], Problem | None] = {}

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def resolve(self, name: str, kind: str, servers: tuple[str, ...]) -> Found | Failed:
        """Ask DNS."""
        action = Resolve(name, kind, servers)
        if action not in self._resolved:
            ports = DnsPorts(SYSTEM_CHOICE)
            try:
                self._resolved[action] = await resolve(action, ports, self._timeouts, random.getrandbits)
            finally:
                ports.close()
        return self._resolved[action]

    async def look(self, address: str, port: int, name: str, clock: Clock) -> list[Problem]:
        """Return what is wrong with the TLS of a server, for a client that verifies `name`; reaching it included."""
        key = (address, port, name, clock)
        if key not in self._looks:
            self._looks[key] = await self._look(address, port, name, clock)
        return self._looks[key]

    async def fetch(self, url: Url, address: str, *, verify: str, agent: str) -> Problem | None:
        """Return why a phone would not get a profile from a URL at an address, None if it would."""
        key = (str(url), address, agent)
        if key not in self._fetched:
            self._fetched[key] = await self._fetch(url, address, verify, agent)
        return self._fetched[key]

    async def answers(self, url: Url, address: str, *, verify: str) -> Problem | None:
        """Return why an ACS would not hold a session, None if it answers HTTP; nothing is told to it."""
        answer = await self._ask(url, address, verify, method="POST", agent="netprov doctor")
        if isinstance(answer, Failed):
            return unreachable(str(url), address, answer)
        if answer.status in {401, 407}:
            return ACS_LOCKED.problem(f"{url} at {address} answers HTTP {answer.status}")
        if answer.status in {403, 404} or answer.status >= 500:
            return ACS.problem(
                f"{url} at {address} answers HTTP {answer.status}: no ACS there",
            )
        return None

    async def _fetch(self, url: Url, address: str, verify: str, agent: str) -> Problem | None:
        answer = await self._ask(url, address, verify, method="GET", agent=agent)
        if isinstance(answer, Failed):
            return unreachable(str(url), address, answer)
        if 300 <= answer.status < 400:
            where = answer.header("Location") or "nowhere"
            return REDIRECTED.problem(f"{url} at {address} redirects to {where} (HTTP {answer.status})")
        if answer.status >= 500:
            return SERVER_ERROR.problem(f"{url} at {address}: HTTP {answer.status}")
        if answer.status in {401, 407}:
            return LOCKED.problem(f"{url} at {address} answers HTTP {answer.status}")
        if not 200 <= answer.status < 300:
            return PATH.problem(
                f"{url} at {address}: HTTP {answer.status}{', no such file' * (answer.status == 404)}",
            )
        if answer.body.startswith(MAGIC) or answer.header("Content-Encoding") == "aes128gcm":
            return None  # whether the phone has the key shows on its own road
        try:
            parse_profile(answer.body)
        except Malformed as error:
            return PROFILE.problem(
                f"{url} at {address} is no profile: {error}",
            )
        return None

    async def _ask(
        self, url: Url, address: str, verify: str, *, method: str, agent: str
    ) -> Response | Failed:
        anchors = tuple(each.pem() for each in self._anchors)
        action = Fetch(
            url,
            address,
            verify=verify,
            anchors=anchors,
            method=method,
            headers={"User-Agent": agent},
        )
        return await self.ask(action)

    async def ask(self, action: Fetch) -> Response | Failed:
        """Fetch, marked as a check of ours; what was fetched a moment ago is known."""
        credentials = action.headers.get("Authorization", "")
        agent = action.headers.get("User-Agent", "")
        key = (
            str(action.url),
            action.address,
            action.verify,
            action.method,
            agent,
            credentials,
            action.proxy,
            action.anchors,
        )
        if key not in self._answers:
            if len(self._answers) >= KEPT:
                self._answers.pop(next(iter(self._answers)))
            known = parse_agent(agent)
            mac = known.mac if known else ""
            mark = sign(self._secrets.probe_key(mac), mac, action.url.scheme, action.url.path, time.time())
            marked = replace(action, headers={**action.headers, PROBE: mark})
            self._answers[key] = await self._perform(marked)
        return self._answers[key]

    async def _perform(self, action: Fetch) -> Response | Failed:
        if action.url.scheme == "tftp":
            return await download(action, SYSTEM_CHOICE, self._timeouts)
        return await self._client.fetch(action)

    async def _look(self, address: str, port: int, name: str, clock: Clock) -> list[Problem]:
        chain = await self.chain(address, port, name)
        if isinstance(chain, Problem):
            return [chain]
        return self._judged(chain, name, f"{address}:{port}", clock)

    async def chain(self, address: str, port: int, name: str) -> tuple[Certificate, ...] | Problem:
        """Return the chain that a server presents, verified or not, or why there is none to see."""
        where = f"{address}:{port}"
        try:
            async with asyncio.timeout(self._timeouts.connect):
                _, writer = await asyncio.open_connection(
                    address, port, ssl=client_context(None, oldest="1.0"), server_hostname=name
                )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            return unreachable(f"https://{where}", address, Failed(trouble_of(error), _said(error)))
        try:
            return presented_chain(writer.get_extra_info("ssl_object"))
        except PkiError as error:
            return CERT_UNREADABLE.problem(f"{where}: {error.message}", error.remedy)
        finally:
            writer.close()

    def _judged(self, chain: Sequence[Certificate], name: str, where: str, clock: Clock) -> list[Problem]:
        found = problems(chain, name, clock.phones, self._anchors)
        if clock.told_by and any(each.rule in _CLOCK for each in found):
            here = {each.rule for each in problems(chain, name, clock.here, self._anchors)}
            if not here & _CLOCK:
                # The certificate is good: it is the clock that phones are given which is wrong.
                found = [each for each in found if each.rule not in _CLOCK]
                found.insert(
                    0,
                    CLOCK.problem(
                        f"{clock.told_by} (option 42) tells phones that it is {date(clock.phones)}, and no "
                        f"certificate of {where} is valid then; here it is {date(clock.here)}",
                    ),
                )
        return [
            Problem(each.rule, f"{where}: {each.message}", each.remedy, severity=each.severity)
            for each in found
        ]


_MET: Mapping[Trouble, Reason] = {
    Trouble.REFUSED: PORT_CLOSED,
    Trouble.TIMEOUT: HOST_DOWN,
    Trouble.UNREACHABLE: HOST_DOWN,
    Trouble.RESET: CONNECTION_CUT,
    Trouble.NOT_FOUND: PATH,
    Trouble.TRANSFER: PATH,
    Trouble.STALLED: STALLED,
    Trouble.TLS: TLS,
    Trouble.UNTRUSTED: TLS,
    Trouble.WRONG_NAME: TLS,
    Trouble.EXPIRED: TLS,
    Trouble.NOT_YET: TLS,
    Trouble.CLIENT_CERTIFICATE: TLS,
}
"""What each trouble of a fetch is a fault of; any other is an answer that cannot be understood."""


def unreachable(what: str, address: str, failed: Failed) -> Problem:
    """Return the problem of a server that does not answer as it should."""
    return _MET.get(failed.trouble, ANSWER).problem(f"{what}: {failed} at {address}")


def _said(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or ""
