"""Asks devices for sessions by connection requests: HTTP GET with Digest, no redirects, so many at once (TR-069 3.2.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from netprov.cwmp.connection_request import USER, url_of
from netprov.cwmp.device import Device
from netprov.errors import Malformed

AT_ONCE: Final = 32
"""Devices that are asked at the same time."""

PAUSES: Final = (1.0, 5.0)
"""Seconds before it is tried again, where a device is busy or does not answer."""

TIMEOUT: Final = aiohttp.ClientTimeout(total=10.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a connection request: `error` is "" where the device is about to open a session.

    `account_refused`: it does not take the ACS's account any more. `again`: it may succeed a little later.
    """

    error: str = ""
    account_refused: bool = False
    again: bool = False


class ConnectionRequests:
    """Asks devices; what they answer beyond the status is not read."""

    def __init__(self, pauses: Sequence[float] = PAUSES, timeout: aiohttp.ClientTimeout = TIMEOUT) -> None:
        self._pauses = pauses
        self._timeout = timeout
        self._room = asyncio.Semaphore(AT_ONCE)

    async def ask(self, device: Device) -> Asked:
        """Ask one device for a session, three times at the most."""
        try:
            url = url_of(device)
        except Malformed as error:
            return Asked(str(error))
        async with self._room:
            asked = await self._get(url, device.request_password)
            for pause in self._pauses:
                if not asked.again:
                    break
                await asyncio.sleep(pause)
                asked = await self._get(url, device.request_password)
        return asked

    async def _get(self, url: str, password: str) -> Asked:
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=self._timeout, middlewares=(aiohttp.DigestAuthMiddleware(USER, password),)
                ) as client,
                client.get(url, allow_redirects=False) as reply,
            ):
                return _judged(reply.status)
        except TimeoutError:
            return Asked(f"it does not answer at {url}", again=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Asked(f"it cannot be asked at {url}: {error or type(error).__name__}", again=True)


def _judged(status: int) -> Asked:
    match status:
        case 200 | 204:
            return Asked()
        case 401:
            return Asked(
                "it refuses the ACS's account (401): it gets another in its next session",
                account_refused=True,
            )
        case 503:
            return Asked("it is busy (503)", again=True)
    return Asked(f"it answers {status}")
