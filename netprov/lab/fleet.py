"""Phones on the hosts of a lab: each boots in a process of its own, and tells what happens while it happens."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from netprov.emulator.phone import boot_phone
from netprov.errors import NetprovError
from netprov.lab.lan import Host
from netprov.phone.action import Step
from netprov.phone.boot import Outcome
from netprov.phone.handset.identity import Identity

_GRACE_S = 1.0
CYCLE_S = 1.0
"""How long a stubborn phone is without power, in seconds."""


@dataclass(frozen=True, slots=True)
class Member:
    """One phone of the fleet and the host that it is; a `stubborn` one is power-cycled until it has a profile."""

    host: Host
    identity: Identity
    stubborn: bool = False


def boot_all(
    members: Sequence[Member], *, timeout: float, meanwhile: Iterable[float] = ()
) -> Iterator[tuple[Member, Step | Outcome]]:
    """Boot every phone at once; yield each step as it happens, and last for each phone its outcome.

    A phone that has none after `timeout` seconds, or that breaks, gets the outcome of having failed.
    `meanwhile` is a generator that does things while phones boot and yields the seconds until its next.
    """
    context = multiprocessing.get_context("fork")
    running: dict[Connection, tuple[Member, ForkProcess]] = {}
    try:
        for member in members:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(member, theirs), daemon=True)
            with member.host.entered():
                process.start()
            theirs.close()
            running[ours] = (member, process)
        yield from _collect(running, time.monotonic() + timeout, iter(meanwhile))
    finally:
        for pipe, (_, process) in running.items():
            process.kill()
            process.join()
            pipe.close()


def _collect(
    running: dict[Connection, tuple[Member, ForkProcess]], deadline: float, meanwhile: Iterator[float]
) -> Iterator[tuple[Member, Step | Outcome]]:
    due = time.monotonic() + next(meanwhile, math.inf)
    while running and (now := time.monotonic()) < deadline:
        if now >= due:
            due = time.monotonic() + next(meanwhile, math.inf)
            continue
        for pipe in wait(list(running), min(deadline, due) - now):
            assert isinstance(pipe, Connection)
            member, process = running[pipe]
            try:
                message: Step | Outcome = pipe.recv()
            except EOFError:
                message = Outcome(False, reason="the emulator ended before the phone had")
            yield member, message
            if isinstance(message, Outcome):
                del running[pipe]
                pipe.close()
                process.join(_GRACE_S)
                process.kill()
                process.join()
    for member, _ in list(running.values()):
        yield member, Outcome(False, reason="it was still trying when the time was up")


def _run(member: Member, pipe: Connection) -> None:
    """Be the phone's process; the parent ends it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        outcome = boot_phone(member.identity, member.host.interface, observe=pipe.send).outcome
        while member.stubborn and not outcome.provisioned:
            time.sleep(CYCLE_S)
            outcome = boot_phone(member.identity, member.host.interface, observe=pipe.send).outcome
    except NetprovError as error:
        outcome = Outcome(False, reason=str(error))
    with contextlib.suppress(BrokenPipeError):
        pipe.send(outcome)
