"""The DHCP service: joins the server machine to interfaces, the lease clock and the lease store.

Whatever has come in is handed to the machine; what that caused is written in one commit; then the replies
leave (RFC 2131 3.1). If it cannot be written, they do not, and it is tried again every second.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from netprov.dhcp.config import DhcpConfig
from netprov.dhcp.lease import Bound, LeaseEvent
from netprov.dhcp.message import dotted
from netprov.dhcp.server import Server
from netprov.errors import ServiceError
from netprov.machine import Datagram, Endpoint, Event
from netprov.plan import Plan
from netprov.runtime.dhcp import other_server as neighbour
from netprov.runtime.dhcp.batch import BatchReader, CommitCost, Flow
from netprov.runtime.dhcp.overload import SIFTED, Overload
from netprov.runtime.dhcp.pace import Pacer
from netprov.runtime.dhcp.pins import Pins
from netprov.runtime.dhcp.port import DISCOVER_BATCH, URGENT_BATCH, Port
from netprov.runtime.dhcp.port_change import Place, PortChange, prepare_ports
from netprov.runtime.dhcp.trouble import FLOOD, STORE, Troubles
from netprov.runtime.handover import Place as HandedPlace
from netprov.runtime.operation import RELEASE, Asker, Fields, Operation, argument
from netprov.runtime.role import Notice, Prepared, RoleContext, Sample
from netprov.runtime.self_check import LOOK_S, Probe
from netprov.runtime.task import keep
from netprov.runtime.throttle import Throttle
from netprov.state.clock import LeaseClock
from netprov.state.lease import LeaseStore, open_store

BOUND_EACH_SECOND = 1000
"""Leases of listed phones told one by one in a second: a site comes back from a power cut with as many."""
STRANGERS_EACH_SECOND = 250
"""Leases of other clients told one by one in a second; to tell of one, and record it, costs as much as two exchanges."""
_STRANGER_BOUND = "Bound of a stranger"

TICK_S = 1.0
"""How often what failed is tried again."""


class DhcpService:
    """`netprov serve dhcp`."""

    name = "dhcp"

    def __init__(self, context: RoleContext) -> None:
        self._state = context.state
        self._report = context.report
        self._server = Server(DhcpConfig())
        self._store: LeaseStore | None = None
        self._clock = LeaseClock(None)
        self._ports: dict[str, Port] = {}
        self._absent: frozenset[Place] = frozenset()
        self._served: frozenset[Place] = frozenset()
        self._watches: dict[str, neighbour.Watch] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._wakes = math.inf
        self._ticker: asyncio.Task[None] | None = None
        self._troubles = Troubles(lambda notice: context.report(self.name, notice))
        self._throttle = Throttle(
            self.name,
            context.report,
            more={Bound.event_kind: BOUND_EACH_SECOND, _STRANGER_BOUND: STRANGERS_EACH_SECOND},
            sort=self._sort,
        )
        self._cost = CommitCost()
        self._reader = BatchReader(self._drain, self._cost.period)
        self._pacer = Pacer(self._send)
        self._pins = Pins(self._troubles)
        self._told_shed = 0
        self._overload = Overload(self._knows)
        self._others = neighbour.OtherServerKeeper(lambda event: context.report(self.name, event))

    async def start(self, plan: Plan) -> None:
        """Load the leases, open every interface, ask for other servers, and serve; nothing is offered where one may be."""
        config = plan.dhcp
        self._store = open_store(self._state)
        try:
            self._clock = LeaseClock(self._store.anchor())
            self._take_ports(self._prepare_ports(config))
            self._server = Server(config, self._store.load())
            self._pin()
            self._others.begin(self._watches)
            self._look()
        except BaseException:
            self._close()
            raise
        self._listen()
        self._flush()
        self._ticker = keep("trying again what failed", self._tick, partial(self._report, self.name))

    def release(self, _: Plan | None) -> Sequence[HandedPlace]:
        """Return nothing: its port is no other role's."""
        return ()

    async def prepare(self, plan: Plan) -> Prepared:
        """Open what a new plan, or a changed world, adds; leases go on."""
        config = plan.dhcp
        change = self._prepare_ports(config)

        async def commit() -> None:
            self._finish_old(change)
            self._unlisten()
            self._take_ports(change)
            if config is not self._server.config:
                before, self._server = self._server, Server(config, self._server.leases())
                self._server.take_over(before, self._clock.now())
            self._pin()
            self._look()
            self._listen()
            self._flush()

        async def abort() -> None:
            change.abort()

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Write what is left, and close."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self._unlisten()
        with suppress(ServiceError):
            self._write([])
        self._pins.stop()
        self._throttle.settle()
        self._close()

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return [
            f"udp {address}:67{'%' + name if name else ' (relayed)'}"
            for name, port in self._ports.items()
            for address in port.addresses()
        ]

    def waiting(self) -> Sequence[str]:
        """Return the planned interfaces and addresses that are not on this machine, and why a link gets no offers."""
        absent = {where.address if where.here else where.interface for where in self._absent}
        return (*sorted(absent), *(f"{name} ({why})" for name, why in sorted(self._server.hushed().items())))

    def probes(self) -> Sequence[Probe]:
        """Return what serves: each interface, by whether anything lies there unread.

        A socket of one interface hears nothing from this machine, and a message to a server on the link would be other servers' too.
        """
        return [
            Probe(f"dhcp {name or '(relayed)'}", partial(_drained, port), partial(getattr, port, "received"))
            for name, port in self._ports.items()
        ]

    def samples(self) -> Iterator[Sample]:
        """Say how full the networks are."""
        held = Counter((lease.network, lease.state.name.lower()) for lease in self._server.leases())
        for (network, state), count in sorted(held.items()):
            labels = (("network", network), ("state", state))
            yield Sample("dhcp_leases", "Leases on record, by state.", count, labels)
        for each in self._server.config.networks:
            size = sum(last - first + 1 for first, last in (*each.pool, *each.reserved))
            yield Sample("dhcp_pool_addresses", "Addresses to give.", size, (("network", each.name),))
        shed = self._overload.shed
        yield Sample("dhcp_shed", "Messages of unknown clients not looked at.", shed, total=True)
        for name, count in self._server.free(self._clock.now()).items():
            yield Sample(
                "dhcp_pool_free", "Addresses that anybody may be offered.", count, (("network", name),)
            )

    def operations(self) -> Mapping[str, Operation]:
        """Return what it can be asked for."""
        return {RELEASE: self._release}

    async def _release(self, asker: Asker, arguments: Fields) -> AsyncGenerator[Fields, None]:
        """End the lease on an address; say whether there was one. It is on disk by then."""
        address = argument(arguments, "address", int)
        released = self._server.release(address, self._clock.now())
        if released:
            self._report(self.name, Notice(f"{asker.user} ends the lease on {dotted(address)}"))
        self._flush()
        if trouble := self._troubles.get(STORE):
            raise ServiceError(trouble, "it is ended when leases can be written again")
        yield {"released": released}

    def _prepare_ports(self, config: DhcpConfig) -> PortChange:
        """Open what there is of a plan's interfaces and addresses; raise `ServiceError` with all as before.

        What is not here is waited for; but where this machine serves, a plan that adds it is refused.
        """
        change = prepare_ports(config, self._ports, self._watches)
        added = [each for each in change.absent if each not in self._absent and each not in self._served]
        if self._ports and added:
            change.abort()
            raise added[0].error()
        return change

    def _take_ports(self, change: PortChange) -> None:
        """Serve on what was opened, and close what is not wanted or not here any more."""
        for absent in change.absent - self._absent:
            self._report(self.name, Notice(f"waits: {absent.error()}", "warning"))
        for come in change.present & self._absent:
            self._report(self.name, Notice(f"{come} has come, and is served"))
        for port in (*change.replaced, *(p for name, p in self._ports.items() if name not in change.ports)):
            port.close()
        for watch in (w for name, w in self._watches.items() if change.watches.get(name) is not w):
            watch.close()
        self._ports, self._watches = dict(change.ports), dict(change.watches)
        for name, port in self._ports.items():
            port.adopt(change.pairs.get(name, {}), change.addresses[name])
        self._absent, self._served = change.absent, change.present

    def _finish_old(self, change: PortChange) -> None:
        """Answer what has come in by the old plan, on sockets that are going to be closed."""
        for name, port in self._ports.items():
            if change.ports.get(name) is not port or set(port.addresses()) - set(change.addresses[name]):
                for sock in (*port.urgent, *port.discover):
                    self._take(port.receive(sock, URGENT_BATCH))
        self._flush()

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._reader.start([s for port in self._ports.values() for s in (*port.urgent, *port.discover)])
        for port in self._ports.values():
            for sock in port.prober.sockets() if port.prober else ():
                loop.add_reader(sock, self._probed, port)
        for watch in self._watches.values():
            loop.add_reader(watch.socket, self._overheard, watch)

    def _unlisten(self) -> None:
        loop = asyncio.get_running_loop()
        self._reader.stop()
        self._pacer.finish()
        for port in self._ports.values():
            for sock in port.prober.sockets() if port.prober else ():
                loop.remove_reader(sock)
        for watch in self._watches.values():
            loop.remove_reader(watch.socket)

    def _drain(self) -> Flow:
        """Take in requests first, then DISCOVERs: who has an offer comes before who wants one."""
        flow = Flow.NOTHING
        for port in self._ports.values():
            for sockets, most in ((port.urgent, URGENT_BATCH), (port.discover, DISCOVER_BATCH)):
                for sock in sockets:
                    batch = port.receive(sock, most)
                    full = len(batch) >= most
                    if self._overload.is_lasting(sock, self._clock.now(), full=full):
                        batch += self._overload.sift(port.receive(sock, SIFTED))
                        batch = self._overload.thin(batch)
                    if batch:
                        flow = Flow.MORE if flow is Flow.MORE or len(batch) >= most else Flow.SOME
                        self._take(batch)
        if flow is not Flow.NOTHING:
            self._flush()
        return flow

    def _take(self, batch: list[tuple[bytes, Endpoint]]) -> None:
        now = self._clock.now()
        receive, send_one = self._server.receive, self._pacer.one
        for data, source in batch:
            receive(data, source, now)
            send_one()  # of the turn before

    def _probed(self, port: Port) -> None:
        assert port.prober is not None
        now = self._clock.now()
        for address, mac in port.prober.answers():
            self._server.conclude(address, taken=True, now=now, by=mac)
        self._flush()

    def _overheard(self, watch: neighbour.Watch) -> None:
        self._others.overhear(watch, self._server, self._clock.now())
        self._flush()

    def _flush(self) -> None:
        """Write what happened, then send the replies, then set the timer."""
        server = self._server
        events = server.events()
        replies = server.datagrams_to_send()
        try:
            changes = [event for event in events if isinstance(event, LeaseEvent)]
            self._write(changes)
            self._pins.take(changes)
        except ServiceError as error:
            self._troubles.tell(STORE, str(error))
            replies = []
            events = [
                event for event in events if not isinstance(event, LeaseEvent)
            ]  # nobody was given these
        self._others.suspect(self._watches, events)
        self._throttle.tell(events)
        if replies:
            self._pacer.send(replies)
        for probe in server.probes_to_send():
            self._probe(probe.interface, probe.address, relayed=probe.relayed)
        self._set_timer()

    def _write(self, events: list[LeaseEvent]) -> None:
        store = self._store
        if store is not None and (events or store.behind):
            began = time.thread_time()
            store.commit(events, self._clock.anchor())
            self._cost.note(time.thread_time() - began)
            self._troubles.over(STORE)

    def _pin(self) -> None:
        self._pins.follow(self._server.config, self._ports, self._server.leases(), self._clock.now())

    def _send(self, reply: Datagram) -> None:
        interface = reply.destination.interface
        port = self._ports.get(interface)
        if port is None:
            return
        try:
            port.send(reply)
        except OSError as error:
            self._troubles.tell(
                interface, f"cannot answer {reply.destination.address} on {interface}: {error.strerror}"
            )
        else:
            self._troubles.over(interface)

    def _probe(self, interface: str, address: str, *, relayed: bool) -> None:
        """Ask for an address; without an answer, or without a way to ask, the machine goes on by itself."""
        port = self._ports.get(interface) or next(iter(self._ports.values()))
        if port.prober is not None:
            with suppress(OSError):
                port.prober.ask(address, relayed=relayed)

    def _set_timer(self) -> None:
        """Wake when the next thing is due; a timer that would go off before it does, and is set anew then."""
        due = self._server.timer()
        if due is None or due >= self._wakes:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wakes = due
        delay = max(0.0, due - self._clock.now())
        self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        self._timer, self._wakes = None, math.inf
        self._server.handle_timer(self._clock.now())
        self._flush()

    async def _tick(self) -> None:
        """Try again what failed."""
        while True:
            await asyncio.sleep(TICK_S)
            self._throttle.settle()
            self._tell_shed()
            self._look()
            self._settle()

    def _sort(self, event: Event) -> str:
        """Tell the leases of listed phones from those of strangers."""
        if type(event) is Bound and event.lease.mac not in self._server.config.phones:
            return _STRANGER_BOUND
        return event.event_kind

    def _knows(self, mac: bytes) -> bool:
        return self._server.knows(mac)

    def _tell_shed(self) -> None:
        """Say that messages are shed, and that they are no longer."""
        before, self._told_shed = self._told_shed, self._overload.shed
        if self._overload.shed > before:
            self._troubles.tell(
                FLOOD, "more messages come than can be answered: those of unknown clients are shed"
            )
        else:
            self._troubles.over(FLOOD)

    def _settle(self) -> None:
        """Write what could not be written, and do what `netprov leases release` wishes."""
        store = self._store
        if store is None:
            return
        try:
            for address in store.release_wishes():
                self._server.release(address, self._clock.now())
        except ServiceError as error:
            self._troubles.tell(STORE, str(error))
        self._wakes = math.inf  # the machine may have slept, and the loop's clock with it
        self._flush()

    def _look(self) -> None:
        raws = {name: port.raw for name, port in self._ports.items() if port.raw is not None}
        self._others.look(self._watches, raws, self._server, self._clock.now())

    def _close_ports(self) -> None:
        for port in self._ports.values():
            port.close()
        for watch in self._watches.values():
            watch.close()
        self._ports, self._watches = {}, {}

    def _close(self) -> None:
        self._close_ports()
        if self._store is not None:
            self._store.close()
            self._store = None


async def _drained(port: Port) -> None:
    while port.unread():  # noqa: ASYNC110 - what it waits for is another task of this loop
        await asyncio.sleep(LOOK_S)
