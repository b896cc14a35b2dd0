"""HTTPS, HTTP and TFTP as `netprov doctor` asks them: the chain is looked at first, then each path is fetched."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netprov.emulator.failure import Timeouts, trouble_of
from netprov.emulator.fetch import DnsPorts, download, resolve
from netprov.emulator.web import WebClient
from netprov.errors import Malformed, PkiError, Problem
from netprov.phone.action import Failed, Fetch, Found, Resolve, Response, Trouble
from netprov.phone.rule.url import Url
from netprov.pki.chain import Certificate
from netprov.pki.verify import date, problems
from netprov.provision.profile import parse_profile
from netprov.runtime.web.tls import client_context, presented_chain

SYSTEM_CHOICE = "0.0.0.0"

_CLOCK = frozenset({"cert-expired", "cert-not-yet-valid"})

_ENCRYPTED = b"Salted__"

_REACHED: Mapping[Trouble, tuple[str, str]] = {
    Trouble.REFUSED: ("doctor-port-closed", "start the server, or correct the port"),
    Trouble.TIMEOUT: ("doctor-host-down", "start the machine, or look for a firewall on the way"),
    Trouble.UNREACHABLE: ("doctor-host-down", "start the machine, or give it this address"),
    Trouble.RESET: ("doctor-connection-cut", "look into the server's log"),
}


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is here, and what time phones are told, in seconds since 1970; `told_by` is "" if nobody tells."""

    here: float
    phones: float
    told_by: str = ""


class Web:
    """Asks servers as a phone would; what all phones ask alike is asked once."""

    def __init__(self, timeouts: Timeouts, anchors: Sequence[Certificate]) -> None:
        self._timeouts = timeouts
        self._anchors = anchors
        self._client = WebClient(SYSTEM_CHOICE, timeouts)
        self._resolved: dict[Resolve, Found | Failed] = {}
        self._looks: dict[tuple[str, int, str, Clock], list[Problem]] = {}
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
        if answer.status == 404 or answer.status >= 500:
            return Problem(
                "doctor-acs",
                f"{url} at {address} answers HTTP {answer.status}: no ACS there",
                "start the ACS, or correct `acs_url`",
            )
        return None

    async def _fetch(self, url: Url, address: str, verify: str, agent: str) -> Problem | None:
        answer = await self._ask(url, address, verify, method="GET", agent=agent)
        if isinstance(answer, Failed):
            return unreachable(str(url), address, answer)
        if answer.status in (301, 302):
            return None
        if not 200 <= answer.status < 300:
            return Problem(
                "doctor-path",
                f"{url} at {address}: HTTP {answer.status}{', no such file' * (answer.status == 404)}",
                "list the phone with its model and a profile, or put the file there; `netprov files PHONE` tells",
            )
        if answer.body.startswith(_ENCRYPTED) or answer.header("Content-Encoding") == "aes128gcm":
            return None
        try:
            parse_profile(answer.body)
        except Malformed as error:
            return Problem(
                "doctor-profile",
                f"{url} at {address} is no profile: {error}",
                "correct the template or the file",
            )
        return None

    async def _ask(
        self, url: Url, address: str, verify: str, *, method: str, agent: str
    ) -> Response | Failed:
        anchors = tuple(each.pem() for each in self._anchors)
        action = Fetch(
            url, address, verify=verify, anchors=anchors, method=method, headers={"User-Agent": agent}
        )
        if url.scheme == "tftp":
            return await download(action, SYSTEM_CHOICE, self._timeouts)
        return await self._client.fetch(action)

    async def _look(self, address: str, port: int, name: str, clock: Clock) -> list[Problem]:
        where = f"{address}:{port}"
        try:
            async with asyncio.timeout(self._timeouts.connect):
                _, writer = await asyncio.open_connection(
                    address, port, ssl=client_context(None, oldest="1.0"), server_hostname=name
                )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            return [unreachable(f"https://{where}", address, Failed(trouble_of(error), _said(error)))]
        try:
            chain = presented_chain(writer.get_extra_info("ssl_object"))
        except PkiError as error:
            return [Problem("cert-unreadable", f"{where}: {error.message}", error.remedy)]
        finally:
            writer.close()
        return self._judged(chain, name, where, clock)

    def _judged(self, chain: Sequence[Certificate], name: str, where: str, clock: Clock) -> list[Problem]:
        found = problems(chain, name, clock.phones, self._anchors)
        if clock.told_by and any(each.rule in _CLOCK for each in found):
            here = {each.rule for each in problems(chain, name, clock.here, self._anchors)}
            if not here & _CLOCK:
                # The certificate is good: it is the clock that phones are given which is wrong.
                found = [each for each in found if each.rule not in _CLOCK]
                found.insert(
                    0,
                    Problem(
                        "doctor-clock",
                        f"{clock.told_by} (option 42) tells phones that it is {date(clock.phones)}, and no "
                        f"certificate of {where} is valid then; here it is {date(clock.here)}",
                        "set the time server's clock, or name another under `ntp:`",
                    ),
                )
        return [
            Problem(each.rule, f"{where}: {each.message}", each.remedy, severity=each.severity)
            for each in found
        ]


def unreachable(what: str, address: str, failed: Failed) -> Problem:
    """Return the problem of a server that does not answer as it should."""
    if failed.trouble in _REACHED:
        rule, remedy = _REACHED[failed.trouble]
        return Problem(rule, f"{what}: {failed.trouble} at {address}", remedy)
    if failed.trouble is Trouble.NOT_FOUND:
        return Problem(
            "doctor-path",
            f"{what}: {failed} at {address}",
            "list the phone with its model and a profile, or put the file there; `netprov files PHONE` tells",
        )
    return Problem(
        "doctor-tls" if "TLS" in failed.trouble or "certificate" in failed.trouble else "doctor-answer",
        f"{what}: {failed} at {address}",
        "look into the server's log",
    )


def _said(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or ""
