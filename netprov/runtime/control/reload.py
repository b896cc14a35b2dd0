"""A reload of every process of a state directory as one transaction: all commit, or none does."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netprov.errors import ServiceError
from netprov.runtime.control.client import Peer, all_there, nobody, peers, read_plan
from netprov.runtime.control.message import LONGEST_INVENTORY, Reply, Verb
from netprov.runtime.control.place import directory

if TYPE_CHECKING:
    from netprov.plan import Plan

LOCK = "reload.lock"
WAIT = 180.0
"""Seconds to wait for a reload that somebody else has asked for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reload went: whether everything was taken, and what changed or why not, a line each."""

    done: bool
    lines: tuple[str, ...]


Judge = Callable[["Plan", "Plan"], Sequence[str]]
"""What looks at the plan that is served and the one that everything is ready for, and says why it is not to be served."""


def reload(state: Path, roles: Sequence[str] = (), judge: Judge | None = None, *, by: str = "") -> Outcome:
    """Let every process, or those of the roles alone, load its inventory again: all of them, or none.

    A `judge` is asked before anything is committed. `by` is what asked for it, if that is not the user himself.

    Whoever waits meanwhile for a reload of the same roles that began after he asked is served by it, too: systemd asks
    once a unit. Raises `ServiceError` if nobody can be asked.
    """
    asked = time.clock_gettime(time.CLOCK_BOOTTIME)
    if not state.is_dir():
        raise nobody(state, roles)
    with _locked(state) as record:
        if (known := _known(record, asked, roles)) is not None:
            return known
        began = time.clock_gettime(time.CLOCK_BOOTTIME)
        outcome = _reload(state, roles, judge, by)
        text = json.dumps({"began": began, "roles": list(roles), **asdict(outcome)}).encode()
        with suppress(OSError):  # a full disk: who waits asks again
            os.ftruncate(record, 0)
            os.pwrite(record, text, 0)
        return outcome


def _reload(state: Path, roles: Sequence[str], judge: Judge | None, by: str) -> Outcome:
    with peers(state, roles) as found:
        all_there(state, roles, found)
        loaded = _ask(found, "load", by)
        if refused := [reply.error for reply in loaded if reply.error]:
            return _give_up(found, loaded, refused)
        # What one process lets go another may bind, so all have read the inventory before any prepares it.
        releases = tuple(place for reply in loaded for place in reply.releases)
        ready = _ask(found, "prepare", releases=releases)
        refused = [reply.error for reply in ready if reply.error]
        if not refused and len({reply.fingerprint for reply in ready}) > 1:
            refused = [
                "the services have read different inventories: it was changed meanwhile, or they name different files"
            ]
        if not refused and judge is not None:
            refused = list(_judged(found[0], judge))
        if refused:
            return _give_up(found, ready, refused)
        return _commit(found, ready)


def _judged(peer: Peer, judge: Judge) -> Sequence[str]:
    """Let what is served and what is prepared be looked at."""
    plans = []
    for verb in _SERVED_AND_PREPARED:
        peer.send(verb)
        plans.append(read_plan(peer.receive(LONGEST_INVENTORY).inventory))
    return judge(*plans)


_SERVED_AND_PREPARED: tuple[Verb, Verb] = ("inventory", "prepared")


def _ask(
    found: Sequence[Peer], verb: Verb, reason: str = "", *, releases: tuple[str, ...] = ()
) -> list[Reply]:
    """Ask all at once, then hear all; who does not answer has refused."""
    replies: dict[int, Reply] = {}
    for place, peer in enumerate(found):
        try:
            peer.send(verb, reason, releases=releases)
        except ServiceError as error:
            replies[place] = Reply(0, str(error))
    for place, peer in enumerate(found):
        if place not in replies:
            try:
                replies[place] = peer.receive()
            except ServiceError as error:
                replies[place] = Reply(0, str(error))
    return [replies[place] for place in range(len(found))]


def _give_up(found: Sequence[Peer], replies: Sequence[Reply], refused: Sequence[str]) -> Outcome:
    reasons = tuple(dict.fromkeys(refused))
    for peer, reply in zip(found, replies, strict=True):
        if not reply.error:
            with suppress(ServiceError):  # it ended meanwhile, or will abort by itself
                peer.send("abort", " ".join(reasons))
                peer.receive()
    return Outcome(done=False, lines=reasons)


def _commit(found: Sequence[Peer], ready: Sequence[Reply]) -> Outcome:
    lines, lost = list(ready[0].differences), []
    for peer in found:
        with suppress(ServiceError):
            peer.send("commit")
    for place, peer in enumerate(found):
        try:
            lines += _moved(ready[place], peer.receive())
        except ServiceError as error:
            lost.append(f"{error.message} (all others have taken the new inventory)")
    return Outcome(not lost, (*lines, *lost))


def _moved(before: Reply, after: Reply) -> Iterator[str]:
    """Yield where services listen now and did not, and the other way round."""
    old = {each.name: each for each in before.roles}
    for role in after.roles:
        was = old[role.name]
        for place in role.listening:
            if place not in was.listening:
                yield f"{role.name}: also at {place}"
        for place in was.listening:
            if place not in role.listening:
                yield f"{role.name}: no longer at {place}"
        for place in role.waiting:
            if place not in was.waiting:
                yield f"{role.name}: waits for {place}"


@contextmanager
def _locked(state: Path) -> Iterator[int]:
    try:
        record = _record(directory(state) / LOCK)
    except OSError as error:
        raise ServiceError(
            f"the services of {state} cannot be asked: {error.strerror}",
            "name the state directory with --state; do it as root, or as a user of the group that owns it",
        ) from error
    try:
        deadline = time.monotonic() + WAIT
        while True:
            try:
                fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ServiceError(
                        "another reload does not end", "see who runs it: `ps -C netprov`"
                    ) from None
                time.sleep(0.02)
        yield record
    finally:
        os.close(record)


def _record(path: Path) -> int:
    """Open the lock's file, made if need be. Raises OSError.

    Whoever makes it, every user of its group may reload next: a unit does as its own user, whose mask lets nobody else in. It
    gets its name when its mode is right, and is opened without O_CREAT, which Linux refuses for a file of others in a sticky
    directory (proc(5), fs.protected_regular).
    """
    flags = os.O_RDWR | os.O_CLOEXEC
    with suppress(FileNotFoundError):
        return os.open(path, flags)
    new = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    record = os.open(new, flags | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchmod(record, 0o660)
        os.link(new, path)
    except FileExistsError:
        os.close(record)
        record = os.open(path, flags)
    except OSError:
        os.close(record)
        raise
    finally:
        os.unlink(new)
    return record


def _known(record: int, asked: float, roles: Sequence[str]) -> Outcome | None:
    """Return the outcome of a reload of these roles that began after it was asked for, if there is one."""
    try:
        held = json.loads(os.pread(record, 1 << 20, 0))
        if asked <= held["began"] <= time.clock_gettime(time.CLOCK_BOOTTIME) and held["roles"] == list(roles):
            return Outcome(bool(held["done"]), tuple(map(str, held["lines"])))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None
