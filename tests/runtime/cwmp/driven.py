"""An emulated phone that holds sessions with an ACS over real sockets, on a clock of its own; counts what it was made to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp

from netprov.cwmp import codec, rpc
from netprov.cwmp.action import Answer, Fetch, Post, Restart, Wait
from netprov.cwmp.rpc import DeviceId
from tests.cwmp.link import MAC, PHONE, phone

Send = Callable[[Post], Awaitable[Answer]]


class Driven:
    """A phone; `send` may fail with what aiohttp raises, as on a network."""

    def __init__(
        self, url: str, client: aiohttp.ClientSession, device: DeviceId = PHONE, mac: str = MAC
    ) -> None:
        self.cpe = phone(url, device=device, mac=mac)
        self.client = client
        self.now = 0.0
        self.posts = 0
        self.did: Counter[rpc.Rpc] = Counter()
        self.faults: dict[str, tuple[int, str]] = {}
        self.send: Send = self.post

    async def post(self, post: Post) -> Answer:
        async with self.client.post(
            post.url, data=post.body, headers=post.headers, skip_auto_headers=["Content-Type"]
        ) as reply:
            return Answer(reply.status, tuple(reply.headers.items()), await reply.read())

    async def session(self) -> None:
        """Boot, and do what is to be done."""
        self.cpe.boot(self.now)
        await self.go_on()

    async def go_on(self) -> None:
        """Do what is to be done, until nothing is left."""
        while not self.cpe.settled:
            match self.cpe.next_action(self.now):
                case Post() as post:
                    await self._post(post)
                case Fetch() as fetch:
                    if fetch.url in self.faults:
                        self.cpe.fetch_failed(*self.faults[fetch.url], self.now)
                    else:
                        self.cpe.fetched(self.now)
                case Restart():
                    self.cpe.boot(self.now)
                case Wait(until):
                    self.now = until

    async def _post(self, post: Post) -> None:
        self.posts += 1
        try:
            answer = await self.send(post)
        except (aiohttp.ClientError, OSError) as error:
            self.cpe.post_failed(str(error), self.now)
            return
        if answer.status == 200 and answer.body:
            self.did[codec.decode(answer.body).rpc] += 1
        self.cpe.posted(answer, self.now)
