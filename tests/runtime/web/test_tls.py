"""The TLS contexts, by OpenSSL's own client and server on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.errors import PkiError
from netprov.pki.chain import Certificate
from netprov.pki.names import PhoneSubject
from netprov.pki.request import ClientPolicy, KeyKind, PkiPlan, TlsVersion
from netprov.pki.store import Issued, Store
from netprov.pki.verify import problems
from netprov.runtime.role import Notice, RoleContext
from netprov.runtime.web.tls import ServerTls, client_context, presented_chain, renew_often
from netprov.runtime.web.tls_keeper import TlsKeeper
from tests.pki.chains import made
from tests.pki.conftest import plan as a_plan

HOST = "pr1.example.com"


def now() -> float:
    import time

    return time.time()


def both_kinds() -> PkiPlan:
    plan = a_plan()
    return replace(plan, servers=(replace(plan.servers[0], keys=("rsa-2048", "ecdsa-p256")),))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("pki"))
    made.ensure(both_kinds(), now())
    return made


@asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[int]:
    """Serve TLS that echoes lines, and says who the client is if asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                peer = writer.get_extra_info("peercert") or {}
                writer.write(line if line != b"who\n" else f"{dict(peer).get('subject')}\n".encode())
                await writer.drain()
        except (OSError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def ask(
    port: int, context: ssl.SSLContext, *, name: str | None, line: bytes = b"hello\n"
) -> tuple[bytes, tuple[Certificate, ...], str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or "")
    try:
        writer.write(line)
        answer = await reader.readline()
        connection = writer.get_extra_info("ssl_object")
        return answer, presented_chain(connection), str(connection.version())
    finally:
        writer.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(_as_coroutine(work), 30))


async def _as_coroutine(work: Callable[[], Awaitable[None]]) -> None:
    await work()


@pytest.mark.parametrize(
    ("cipher", "kind"),
    [("ECDHE-RSA-AES128-GCM-SHA256", "RSA-2048"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA P-256")],
)
def test_each_client_gets_the_chain_of_the_key_it_can_use(store: Store, cipher: str, kind: str) -> None:
    async def work() -> None:
        async with serving(ServerTls(store, both_kinds()).context) as port:
            context = client_context(store.anchors())
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(cipher)
            answer, chain, version = await ask(port, context, name="example.com")
        assert (answer, version, chain[0].key) == (b"hello\n", "TLSv1.2", kind)
        assert problems(chain, "example.com", now(), store.anchors()) == []

    run(work)


@pytest.mark.parametrize("name", ["example.com", "pr2.example.com", "unknown.example.net", None])
def test_the_same_certificate_is_presented_whatever_the_name_asked_for(
    store: Store, name: str | None
) -> None:
    async def work() -> None:
        async with serving(ServerTls(store, both_kinds()).context) as port:
            _, chain, version = await ask(port, client_context(None), name=name)
        assert version == "TLSv1.3"
        assert chain[0].dns_names == ("example.com", "pr1.example.com", "pr2.example.com")

    run(work)


def test_a_client_verifies_the_domain_and_not_the_address(store: Store) -> None:
    async def work() -> None:
        async with serving(ServerTls(store, both_kinds()).context) as port:
            for wrong in ("example.org", "pr3.example.com", "127.0.0.1"):
                with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
                    await ask(port, client_context(store.anchors()), name=wrong)
            with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
                await ask(port, client_context([]), name="example.com")

    run(work)


def test_new_handshakes_take_the_new_chain_and_open_connections_go_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ensure(a_plan(), now())

    async def work() -> None:
        tls = ServerTls(store, a_plan())
        async with serving(tls.context) as port:
            trusting = client_context(store.anchors())
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=trusting, server_hostname="example.com"
            )
            (before,) = presented_chain(writer.get_extra_info("ssl_object"))
            store.ensure(a_plan(), now(), hosts=[HOST])
            tls.reload()
            _, (after,), _ = await ask(port, trusting, name="example.com")
            assert before.serial != after.serial
            writer.write(b"still here\n")
            assert await reader.readline() == b"still here\n"
            writer.close()

    run(work)


def test_a_chain_that_cannot_be_loaded_leaves_the_old_one_serving(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ensure(a_plan(), now())

    async def work() -> None:
        tls = ServerTls(store, a_plan())
        (path,) = store.chain_files(HOST)
        path.write_bytes(path.read_bytes()[:300])
        with pytest.raises(PkiError, match=r"cannot be presented.*\n.*netprov cert issue"):
            tls.reload()
        async with serving(tls.context) as port:
            answer, _, _ = await ask(port, client_context(store.anchors()), name="example.com")
            assert answer == b"hello\n"

    run(work)


@pytest.mark.parametrize("kind", ["rsa-2048", "ecdsa-p256"])
def test_a_phones_own_certificate_is_verified_and_read(store: Store, kind: KeyKind) -> None:
    phone = PhoneSubject("CP-8841-3PCC", "FCH1", "001234ab45de")
    store.issue_phone(both_kinds(), phone, kind, now())
    asking = replace(both_kinds(), clients=ClientPolicy("required"))

    async def work() -> None:
        async with serving(ServerTls(store, asking).context) as port:
            own = client_context(
                store.anchors(), certificate=store.directory / f"phones/{phone.mac}.{kind}.pem"
            )
            answer, _, _ = await ask(port, own, name="example.com", line=b"who\n")
            assert b"CP-8841-3PCC" in answer
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await _answered(port, client_context(store.anchors()))

    run(work)


def test_a_phone_without_a_certificate_is_served_where_one_is_optional(store: Store, tmp_path: Path) -> None:
    foreign = Store(tmp_path)
    foreign.ensure(a_plan(), now())
    foreign.issue_phone(a_plan(), PhoneSubject("CP-8841-3PCC", "FCH1", "001234ab45de"), "ecdsa-p256", now())
    asking = replace(both_kinds(), clients=ClientPolicy("optional"))
    believing = replace(both_kinds(), clients=ClientPolicy("optional", (str(foreign.ca_file),)))
    strange = client_context(
        store.anchors(), certificate=foreign.directory / "phones/001234ab45de.ecdsa-p256.pem"
    )

    async def work() -> None:
        async with serving(ServerTls(store, asking).context) as port:
            assert await _answered(port, client_context(store.anchors()))
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await _answered(port, strange)
        async with serving(ServerTls(store, believing).context) as port:
            assert await _answered(port, strange)

    run(work)


def test_a_revoked_phone_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    asking = replace(a_plan(), clients=ClientPolicy("optional"))
    store.ensure(asking, now())
    phone = PhoneSubject("CP-8841-3PCC", "FCH1", "001234ab45de")
    issued = store.issue_phone(asking, phone, "ecdsa-p256", now())
    own = client_context(store.anchors(), certificate=tmp_path / f"phones/{phone.mac}.ecdsa-p256.pem")

    async def work() -> None:
        tls = ServerTls(store, asking)
        async with serving(tls.context) as port:
            assert await _answered(port, own)
            store.revoke(asking, [issued.certificate], reason="key-compromise", now=now() - 60)
            tls.reload()
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await _answered(port, own)

    run(work)


async def _answered(port: int, context: ssl.SSLContext) -> bytes:
    answer, _, _ = await ask(port, context, name="example.com")
    if not answer:
        raise ConnectionError("closed by the server")
    return answer


def test_missing_client_roots_are_an_error_with_the_file(store: Store) -> None:
    wrong = replace(both_kinds(), clients=ClientPolicy("optional", ("nowhere.pem",)))
    with pytest.raises(PkiError, match=r"nowhere\.pem holds no CA"):
        ServerTls(store, wrong)


@pytest.mark.parametrize(("oldest", "refused"), [("1.2", True), ("1.0", False)])
def test_old_tls_is_served_only_where_the_inventory_says(
    store: Store, oldest: TlsVersion, refused: bool
) -> None:
    old = client_context(store.anchors(), oldest="1.0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    async def work() -> None:
        plan = replace(both_kinds(), tls_min=oldest)
        async with serving(ServerTls(store, plan).context) as port:
            if refused:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await ask(port, old, name="example.com")
            else:
                assert (await ask(port, old, name="example.com"))[2] == "TLSv1.1"

    run(work)


@pytest.mark.parametrize(("days", "severity"), [(300, "info"), (3, "warning")])
def test_an_imported_certificate_is_named_in_the_log_and_its_end_is_told_in_time(
    tmp_path: Path, days: int, severity: str
) -> None:
    root = made("Other root", authority=True, names=(), start=now() - 86400)
    own = made("example.com", issuer=root, start=now() - 86400, end=now() + days * 86400)
    Store(tmp_path / "pki").adopt(a_plan(), own, (root.leaf,), None)
    events: list[object] = []

    async def work() -> None:
        keeper = TlsKeeper("http", RoleContext(tmp_path, lambda _, event: events.append(event)))
        await keeper.use(a_plan())
        await keeper.use(a_plan())
        await keeper.stop()

    run(work)
    (notice,) = [each for each in events if isinstance(each, Notice) and "imported" in each.text]
    assert notice.severity == severity
    assert own.leaf.subject in notice.text
    assert ("netprov cert import" in notice.text) == (severity == "warning")


def test_what_is_about_to_expire_is_renewed_unasked(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ensure(a_plan(), now())
    reported: list[tuple[Issued, ...] | PkiError] = []
    before = store.chains(HOST)[0].leaf.serial

    async def work() -> None:
        elapsed = 0.0

        def clock() -> float:
            nonlocal elapsed
            elapsed += 370 * 86400
            return now() + elapsed

        renewing = asyncio.create_task(
            renew_often(store, a_plan, clock, report=reported.append, interval=0.01)
        )
        while not any(reported):
            await asyncio.sleep(0.01)
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)

    run(work)
    done = next(each for each in reported if each)
    assert isinstance(done, tuple)
    assert {each.role for each in done} <= {"root", "server"}
    assert store.chains(HOST)[0].leaf.serial != before
