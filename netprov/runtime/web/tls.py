"""TLS contexts from the certificate store: for servers, hot reload included, and for clients that verify a domain.

A server presents the same certificate whatever name the client sends (RFC 6066 section 3): phones verify the
DHCP domain, and what they send as SNI is not documented. Absent: OCSP stapling.
"""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netprov.errors import PkiError
from netprov.pki.chain import Certificate, decode_each
from netprov.pki.request import PkiPlan, TlsVersion
from netprov.pki.store import Issued, Store
from netprov.state.place import PKI

CIPHERS = (
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:!aNULL:!eNULL:!aDSS:!PSK:!SRP:!CAMELLIA:!ARIA"
)
OLD_CIPHERS = f"{CIPHERS}:AES128-SHA:AES256-SHA:@SECLEVEL=0"
"""Adds what firmware of the TLS 1.0 age has; level 0 because OpenSSL 3 refuses SHA-1 signatures above it."""

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_ALPN = ["http/1.1"]

RENEW_INTERVAL = 3600.0
"""Seconds between looks at what is about to expire."""


def certificate_store(state: Path) -> Store:
    """Return the certificate store of a state directory."""
    return Store(state / PKI)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The PEM files of one host's servers: what they present, key and chain each, and what they verify phones by."""

    chains: tuple[Path, ...]
    ca: Path
    crl: Path


def tls_files(plan: PkiPlan, store: Store, host: str | None = None) -> TlsFiles:
    """Return where a store has what a host presents, the plan's first one if none is named."""
    return TlsFiles(store.chain_files(host or plan.servers[0].host), store.ca_file, store.crl_file)


class ServerContexts:
    """The contexts of one plan: one for every oldest version of TLS that it names. Raises `PkiError`."""

    def __init__(self, plan: PkiPlan, files: TlsFiles) -> None:
        versions = {plan.tls_min, *plan.class_tls}
        self._by_version = {version: _load_context(plan, version, files) for version in versions}
        self.site = self._by_version[plan.tls_min]

    def of(self, oldest: TlsVersion | None) -> ssl.SSLContext:
        """Return the one for phones that speak `oldest` at least, None for the site's."""
        return self.site if oldest is None else self._by_version.get(oldest, self.site)


class ServerTls:
    """The TLS of one host's servers: `context` stays the same object while what it presents is replaced.

    Every new handshake takes the newest chains; connections that are open keep theirs.
    """

    def __init__(self, store: Store, plan: PkiPlan, host: str | None = None) -> None:
        self._store = store
        self._plan = plan
        self._host = host
        self._contexts = ServerContexts(plan, tls_files(plan, store, host))
        self.context = _bare_server_context(plan.tls_min)
        self._verify_like(self._contexts.site)
        self.context.sni_callback = self._choose

    def context_from(self, oldest: TlsVersion | None) -> ssl.SSLContext:
        """Return the context that presents the newest chains: for servers that ask anew for every connection.

        `oldest` is one of the plan's, for phones of a class that has its own; None for the site's.
        """
        return self._contexts.of(oldest)

    def prepare(self, plan: PkiPlan, store: Store | None = None) -> Callable[[], None]:
        """Load the chains as they are in the store now, and return what presents them from then on.

        Raises `PkiError`; until the returned function is called the old ones are in use. `store` is the store as it
        will be, where a change of it is staged.
        """
        contexts = ServerContexts(plan, tls_files(plan, store or self._store, self._host))

        def take() -> None:
            self._plan, self._contexts = plan, contexts
            self._verify_like(contexts.site)

        return take

    def reload(self, plan: PkiPlan | None = None) -> None:
        """Take the chains as they are in the store now; on `PkiError` the old ones stay in use."""
        self.prepare(plan or self._plan)()

    def _choose(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _: ssl.SSLContext
    ) -> None:
        connection.context = self._contexts.site

    def _verify_like(self, current: ssl.SSLContext) -> None:
        # OpenSSL takes the trust store from the context a connection is switched to, but not how it is used.
        self.context.verify_mode = current.verify_mode
        self.context.verify_flags = current.verify_flags


async def renew_often(
    store: Store,
    plan: Callable[[], PkiPlan],
    clock: Callable[[], float],
    *,
    report: Callable[[tuple[Issued, ...] | PkiError], None],
    interval: float = RENEW_INTERVAL,
) -> None:
    """Renew what is about to expire, until cancelled; each time what was done, or could not be, is reported."""
    while True:
        await asyncio.sleep(interval)
        try:
            report(await asyncio.to_thread(store.ensure, plan(), clock()))
        except PkiError as error:
            report(error)


def client_context(
    trust: Iterable[Certificate] | None,
    *,
    oldest: TlsVersion = "1.2",
    certificate: Path | None = None,
) -> ssl.SSLContext:
    """Return a context that trusts these roots alone, or with None accepts anything, for a look at what is presented.

    The name is the caller's: `server_hostname=` of asyncio and aiohttp is what is verified (and sent as SNI); a
    phone gives the DHCP domain there, whatever host it connects to. `certificate` is a PEM file with key and chain.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _speak(context, oldest)
    if trust is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        roots = "".join(root.pem() for root in trust)
        if roots:
            context.load_verify_locations(cadata=roots)
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def presented_chain(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[Certificate, ...]:
    """Return the chain as the peer sent it, leaf first, verified or not; () if it sent none.

    Raises `PkiError` for a certificate that cannot be read.
    """
    inner: Any = connection if hasattr(connection, "get_unverified_chain") else connection._sslobj  # type: ignore[union-attr]  # noqa: SLF001 - public from Python 3.13 on
    sent = inner.get_unverified_chain() or ()
    return decode_each(
        each if isinstance(each, bytes) else ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in sent
    )


def _speak(context: ssl.SSLContext, oldest: TlsVersion) -> None:
    with warnings.catch_warnings():
        # The operator asked for an old version by name, and knows.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[oldest]
    context.set_ciphers(CIPHERS if oldest in {"1.2", "1.3"} else OLD_CIPHERS)


def _load_context(plan: PkiPlan, oldest: TlsVersion, files: TlsFiles) -> ssl.SSLContext:
    context = _bare_server_context(oldest)
    for path in files.chains:
        try:
            context.load_cert_chain(path)
        except (ssl.SSLError, OSError) as error:
            raise PkiError(
                f"{path} cannot be presented: {error.strerror or error}",
                "issue it again: `netprov cert issue`",
            ) from error
    _ask_clients(context, plan, files)
    return context


def _bare_server_context(oldest: TlsVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _speak(context, oldest)
    context.set_alpn_protocols(_ALPN)
    context.num_tickets = 1  # a phone comes back once a day, and each costs an encryption in every handshake
    return context


def _ask_clients(context: ssl.SSLContext, plan: PkiPlan, files: TlsFiles) -> None:
    if plan.clients.ask == "off":
        return
    context.verify_mode = ssl.CERT_REQUIRED if plan.clients.ask == "required" else ssl.CERT_OPTIONAL
    for path in (files.ca, *map(Path, plan.clients.roots)):
        try:
            context.load_verify_locations(cafile=path)
        except (ssl.SSLError, OSError) as error:
            raise PkiError(
                f"{path} holds no CA that can be trusted: {error.strerror or error}", "name a PEM file"
            ) from error
    if not plan.clients.roots:
        # OpenSSL wants a list of every issuer then, and only the local CA publishes one.
        context.load_verify_locations(cafile=files.crl)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
