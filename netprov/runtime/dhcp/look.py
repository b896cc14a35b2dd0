"""A look at links for DHCP servers, before anything is served there: the question that the service asks at its start."""

from __future__ import annotations

import select
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from netprov.dhcp.other import LOOK_S
from netprov.runtime.dhcp.other_server import Watch
from netprov.runtime.net.frame import RawSender

_TURN_S = 0.2


@dataclass(frozen=True, slots=True)
class Heard:
    """Which servers answered on a link, or why it could not be asked; absence of an answer is no proof."""

    servers: tuple[str, ...] = ()
    obstacle: str = ""


def look(interfaces: Iterable[str], seconds: float = LOOK_S) -> Mapping[str, Heard]:
    """Ask each link for DHCP servers, all of them at once; no offer is taken."""
    found: dict[str, set[str]] = {}
    obstacles: dict[str, str] = {}
    with ExitStack() as stack:
        asked: dict[str, tuple[Watch, RawSender]] = {}
        for name in interfaces:
            try:
                watch = Watch(name, frozenset())
                stack.callback(watch.close)
                sender = RawSender(name)
                stack.callback(sender.close)
                asked[name] = watch, sender
            except OSError as error:
                obstacles[name] = error.strerror or str(error)
        end = time.monotonic() + seconds
        while asked and (now := time.monotonic()) < end:
            for name, (watch, sender) in list(asked.items()):
                try:
                    watch.look(sender, now)
                except OSError as error:
                    obstacles[name] = error.strerror or str(error)
                    del asked[name]
            select.select([watch.socket for watch, _ in asked.values()], [], [], min(_TURN_S, end - now))
            for name, (watch, _) in asked.items():
                found.setdefault(name, set()).update(other.address for other in watch.heard())
    return {
        name: Heard(tuple(sorted(found.get(name, ()))), obstacles.get(name, ""))
        for name in (*asked, *obstacles)
    }
