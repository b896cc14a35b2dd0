"""The certificates of one service: made where missing, renewed in time, replaced without losing a connection."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from netprov.errors import PkiError, ServiceError
from netprov.pki.chain import Certificate
from netprov.pki.request import PkiPlan, TlsVersion
from netprov.pki.store import Issued, Store
from netprov.pki.verify import EXPIRES_SOON, date
from netprov.runtime.role import Notice, RoleContext
from netprov.runtime.task import keep
from netprov.runtime.web.tls import ServerTls, TlsFiles, certificate_store, renew_often, tls_files


@dataclass(frozen=True, slots=True)
class PreparedTls:
    """Certificates that are made and loaded, and not presented yet: exactly one of the two is awaited, once.

    `anchors` is `ca.pem` as it will be; `files` are where everything is until then, for other processes. A store that somebody else has changed meanwhile is left to them: what they did
    is seen within a second, and taken up.
    """

    anchors: bytes
    files: TlsFiles
    commit: Callable[[], Awaitable[None]]
    abort: Callable[[], Awaitable[None]]


class TlsKeeper:
    """Keeps the TLS context of a service current; what is renewed is presented once `use` is called again."""

    def __init__(self, service: str, context: RoleContext) -> None:
        self._service = service
        self._report = context.report
        self._store = certificate_store(context.state)
        self._tls: ServerTls | None = None
        self._plan: PkiPlan
        self._task: asyncio.Task[None] | None = None
        self._told: frozenset[Notice] = frozenset()

    @property
    def context(self) -> ssl.SSLContext:
        """The context for new connections; there is one once `use` has returned."""
        assert self._tls is not None
        return self._tls.context

    def context_from(self, oldest: TlsVersion | None) -> ssl.SSLContext:
        """Return the context for the next connection, for phones that speak `oldest` at least, None for the site's."""
        assert self._tls is not None
        return self._tls.context_from(oldest)

    async def use(self, plan: PkiPlan) -> None:
        """Follow a plan from now on; raise `ServiceError` if its certificates cannot be made or loaded."""
        await (await self.prepare(plan)).commit()

    async def prepare(self, plan: PkiPlan) -> PreparedTls:
        """Stage what has to be issued for a plan, and load everything; raise `ServiceError` with all as before."""
        stage = self._store.stage()
        store = Store(stage)
        try:
            issued = await asyncio.to_thread(self._ensure, store, plan)
            tls = self._tls or ServerTls(store, plan)
            take = await asyncio.to_thread(tls.prepare, plan, store)
            imported = await asyncio.to_thread(self._imported, plan, store)
            anchors = await asyncio.to_thread(store.ca_file.read_bytes)
            files = await asyncio.to_thread(tls_files, plan, store)
        except (PkiError, OSError) as error:
            await asyncio.to_thread(stage.discard)
            raise ServiceError(f"{self._service} has no certificate: {error}") from error
        except BaseException:
            stage.discard()
            raise

        async def commit() -> None:
            try:
                published = await asyncio.to_thread(stage.publish)
            except PkiError as error:
                self._report(self._service, Notice(f"certificates: {error}", "error"))
            else:
                self._tell(issued if published else ())
            self._tls, self._plan = tls, plan
            take()
            self._tell_imported(imported)
            if self._task is None and self._store.is_ours():
                self._task = keep("renewing certificates", self._renew, partial(self._report, self._service))

        async def abort() -> None:
            await asyncio.to_thread(stage.discard)

        return PreparedTls(anchors, files, commit, abort)

    def _ensure(self, store: Store, plan: PkiPlan) -> tuple[Issued, ...]:
        """Issue what a plan needs; where that is another role's business (netprov-cert), see that it is there."""
        if self._store.is_ours():
            return store.ensure(plan, time.time())
        if unlike := store.unlike(plan):
            raise PkiError(
                f"the certificate of {', '.join(unlike)} is not there, or has other names than the inventory asks for",
                "let the user that owns the store issue it: `systemctl start netprov-cert`",
            )
        return ()

    def files(self) -> TlsFiles:
        """Return where what is presented is now."""
        return tls_files(self._plan, self._store)

    async def stop(self) -> None:
        """Stop renewing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _imported(self, plan: PkiPlan, store: Store) -> tuple[Notice, ...]:
        """Return what there is to say of the operator's own certificates among those presented."""
        host = plan.servers[0].host
        if not store.imported(host):
            return ()
        return tuple(_imported(host, own.leaf) for own in store.chains(host))

    def _tell_imported(self, notices: tuple[Notice, ...]) -> None:
        for notice in notices:
            if notice not in self._told:
                self._report(self._service, notice)
        self._told = frozenset(notices)

    async def _renew(self) -> None:
        await renew_often(self._store, lambda: self._plan, time.time, report=self._renewed)

    def _renewed(self, outcome: tuple[Issued, ...] | PkiError) -> None:
        if isinstance(outcome, PkiError):
            self._report(self._service, Notice(f"certificates: {outcome}", "error"))
            return
        self._tell(outcome)
        try:
            self._tell_imported(self._imported(self._plan, self._store))
        except PkiError as error:
            self._report(self._service, Notice(f"certificates: {error}", "error"))

    def _tell(self, issued: tuple[Issued, ...]) -> None:
        for each in issued:
            text = f"issued {each.role} certificate {each.name} {each.kind}: {each.reason}"
            self._report(self._service, Notice(text))


def _imported(host: str, leaf: Certificate) -> Notice:
    text = f"{host} presents an imported certificate, {leaf.subject}, until {date(leaf.not_after)}"
    if leaf.not_after - time.time() >= EXPIRES_SOON:
        return Notice(text)
    return Notice(f"{text}: it is not renewed here; `netprov cert import` takes its successor", "warning")
