"""A link with a virtual clock between a sender and a download; it can lose, repeat, delay and reorder."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from netprov.machine import Datagram, Endpoint
from netprov.tftp.download import Download
from netprov.tftp.packet import Opcode, TftpRequest, decode
from netprov.tftp.sender import Sender
from netprov.tftp.transfer import Memory, TransferLimits

SERVER = Endpoint("10.20.0.1", 69)
TID = Endpoint("10.20.0.1", 40000)
CLIENT = Endpoint("10.20.0.50", 50000)


@dataclass
class Link:
    """How the link treats each datagram."""

    loss: float = 0.0
    repeat: float = 0.0
    jitter: float = 0.0
    seed: int = 0
    rooms: Sequence[int] = ()
    """Datagrams of the first, second, … last and every later burst that the client's buffer holds; the rest is lost."""
    carried: list[tuple[str, bytes]] = field(default_factory=list)

    def fetch(
        self,
        content: bytes,
        options: Mapping[str, str] | None = None,
        *,
        limits: TransferLimits | None = None,
        until: float = 3600.0,
    ) -> tuple[Download, Sender]:
        """Run one download to its end; return both machines."""
        random = Random(self.seed)
        serial = count()
        rooms = list(self.rooms)
        queue: list[tuple[float, int, str, bytes]] = []
        download = Download("f", SERVER, 0.0, options=options, limits=limits)
        sender: Sender | None = None
        now = 0.0

        def carry(to: str, datagrams: list[Datagram]) -> None:
            if to == "client" and rooms and len(datagrams) > 1:
                datagrams = datagrams[: rooms.pop(0) if len(rooms) > 1 else rooms[0]]
            for datagram in datagrams:
                self.carried.append((to, datagram.data))
                for _ in range(1 + (random.random() < self.repeat)):
                    if random.random() >= self.loss:
                        delay = 0.001 + random.random() * self.jitter
                        heapq.heappush(queue, (now + delay, next(serial), to, datagram.data))

        carry("server", list(download.datagrams_to_send()))
        while now < until:
            timers = [
                timer for machine in (download, sender) if machine and (timer := machine.timer()) is not None
            ]
            due = min([*timers, *([queue[0][0]] if queue else [])], default=None)
            if due is None:
                break
            now = max(now, due)
            while queue and queue[0][0] <= now:
                _, _, to, data = heapq.heappop(queue)
                if to == "client":
                    download.receive(data, TID, now)
                elif sender is None:
                    request = decode(data)
                    assert isinstance(request, TftpRequest)
                    assert request.opcode == Opcode.RRQ
                    sender = Sender(
                        request,
                        Memory(content),
                        peer=CLIENT,
                        now=now,
                        limits=limits or TransferLimits(),
                        heard=len(data),
                    )
                    carry("client", [Datagram(packet, CLIENT) for packet in sender.begin(now)])
                elif data[:2] == b"\0\1":
                    carry("client", [Datagram(packet, CLIENT) for packet in sender.repeated(now)])
                else:
                    sender.receive(data, CLIENT, now)
            download.handle_timer(now)
            carry("server", list(download.datagrams_to_send()))
            if sender is not None:
                sender.handle_timer(now)
                carry("client", list(sender.datagrams_to_send()))
        assert sender is not None
        return download, sender
