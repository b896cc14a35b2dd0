"""The certificates before the programs of others: OpenSSL, curl with OpenSSL and with GnuTLS, certtool, Python's ssl.

git speaks HTTPS through libcurl with GnuTLS on Debian, and is that curl here: it gets an answer that is no repository
where the certificate is accepted.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from netprov.pki.names import PhoneSubject
from netprov.pki.request import DAY, AuthorityRequest, ClientPolicy, KeyKind, PkiPlan, ServerRequest
from netprov.pki.store import Store
from tests.lab.conftest import needs
from tests.lab.tls_server import HttpsServer

HOST = "pr1.example.com"
NAMES = ("example.com", "pr1.example.com", "pr2.example.com")
KINDS = ("RSA", "ECDSA")


@dataclass(frozen=True)
class Site:
    """A store, the servers that present its chains, both or a single one, and the files that clients take."""

    store: Store
    port: int
    single: Mapping[str, int]
    files: Path

    def chain(self, kind: str) -> Path:
        """Return the chain of one kind of key as a file of certificates alone."""
        return self.files / f"{kind}.pem"


def plan(*, intermediate: bool) -> PkiPlan:
    return PkiPlan(
        AuthorityRequest("Peers' CA", intermediate=intermediate, permitted=("example.com",)),
        (ServerRequest(HOST, NAMES, lifetime=30 * DAY),),
        ClientPolicy(),
    )


def make_site(directory: Path, wanted: PkiPlan, now: float) -> tuple[Store, Path]:
    store = Store(directory / "pki")
    store.ensure(wanted, now)
    for bundle in store.chains(HOST):
        kind = bundle.leaf.key.replace("-", " ").split()[0]
        (directory / f"{kind}.pem").write_text("".join(each.pem() for each in bundle.chain))
    return store, directory


@contextmanager
def serving(store: Store, wanted: PkiPlan, files: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        single = {}
        for kind in KINDS:
            alone = Store(files / f"only-{kind}")
            shutil.copytree(store.directory, alone.directory)
            for path in alone.chain_files(HOST):
                if kind.lower() not in path.name:
                    path.unlink()
            single[kind] = stack.enter_context(HttpsServer(alone, wanted)).port
        server = stack.enter_context(HttpsServer(store, wanted))
        yield Site(store, server.port, single, files)


@pytest.fixture(scope="module", params=[False, True], ids=["root", "intermediate"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    wanted = plan(intermediate=request.param)
    store, files = make_site(tmp_path_factory.mktemp("site"), wanted, time.time())
    with serving(store, wanted, files) as found:
        yield found


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    wanted = plan(intermediate=True)
    store, files = make_site(tmp_path_factory.mktemp("expired"), wanted, time.time() - 40 * DAY)
    with serving(store, wanted, files) as found:
        yield found


@pytest.fixture(scope="module")
def revoked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    wanted = plan(intermediate=False)
    store, files = make_site(tmp_path_factory.mktemp("revoked"), wanted, time.time())
    leaves = [bundle.leaf for bundle in store.chains(HOST)]
    store.revoke(wanted, leaves, reason="key-compromise", now=time.time() - 60)
    with serving(store, wanted, files) as found:
        yield found


def run(*command: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in command],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "LC_ALL": "C", **environment},
    )


def openssl_verify(site: Site, name: str, kind: str) -> bool:
    done = run(
        needs("openssl"), "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name,
        "-CAfile", site.store.ca_file, "-untrusted", site.chain(kind), site.chain(kind),
    )  # fmt: skip
    return done.returncode == 0


def s_client(site: Site, name: str, kind: str, *options: str | Path) -> bool:
    done = run(
        needs("openssl"), "s_client", "-connect", f"127.0.0.1:{site.port}", "-CAfile", site.store.ca_file,
        "-verify_hostname", name, "-verify_return_error", "-servername", name,
        "-tls1_2", "-cipher", f"ECDHE-{kind}-AES128-GCM-SHA256", *options,
    )  # fmt: skip
    assert (done.returncode == 0) == ("Verification: OK" in done.stdout), done.stdout + done.stderr
    return done.returncode == 0


def curl_openssl(site: Site, name: str, kind: str, *options: str | Path) -> bool:
    done = run(
        needs("curl"), "--silent", "--show-error", "--noproxy", "*", "--cacert", site.store.ca_file,
        "--resolve", f"{name}:{site.port}:127.0.0.1", "--tls-max", "1.2",
        "--ciphers", f"ECDHE-{kind}-AES128-GCM-SHA256", *options, f"https://{name}:{site.port}/",
    )  # fmt: skip
    assert done.returncode in {0, 60}, done.stderr
    return done.stdout == "ok\n"


def curl_gnutls(site: Site, name: str, kind: str, *options: str) -> bool:
    port = site.single[kind]  # git cannot hand libcurl a GnuTLS priority string
    done = run(
        needs("git"), "-c", "http.proxy=", "-c", f"http.curloptResolve={name}:{port}:127.0.0.1", *options,
        "ls-remote", f"https://{name}:{port}/none", GIT_SSL_CAINFO=str(site.store.ca_file),
    )  # fmt: skip
    assert done.returncode != 0
    refused = "certificate verification failed" in done.stderr or "SSL" in done.stderr
    assert refused != ("not valid" in done.stderr or "not found" in done.stderr), done.stderr
    return not refused


def gnutls_cli(site: Site, name: str, kind: str, *options: str | Path) -> bool:
    done = run(
        needs("gnutls-cli"), "--x509cafile", site.store.ca_file, "--verify-hostname", name, "--port", str(site.port),
        "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-{kind}", *options, "127.0.0.1",
    )  # fmt: skip
    return done.returncode == 0 and "Handshake was completed" in done.stdout


def certtool(site: Site, name: str, kind: str, *options: str | Path) -> bool:
    done = run(
        needs("certtool"), "--verify", "--load-ca-certificate", site.store.ca_file, "--infile", site.chain(kind),
        "--verify-hostname", name, "--verify-purpose", "1.3.6.1.5.5.7.3.1", *options,
    )  # fmt: skip
    return done.returncode == 0 and "Verified. The certificate is trusted" in done.stdout


def python_ssl(site: Site, name: str, kind: str, *, crl: Path | None = None) -> bool:
    context = ssl.create_default_context(cafile=str(site.store.ca_file))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"ECDHE-{kind}-AES128-GCM-SHA256")
    if crl:
        context.load_verify_locations(cafile=str(crl))
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    try:
        with (
            socket.create_connection(("127.0.0.1", site.port), 10) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            return connection.getpeercert() is not None
    except ssl.SSLCertVerificationError:
        return False


PEERS: dict[str, Callable[..., bool]] = {
    "openssl verify": openssl_verify,
    "openssl s_client": s_client,
    "curl (OpenSSL)": curl_openssl,
    "curl (GnuTLS)": curl_gnutls,
    "gnutls-cli": gnutls_cli,
    "certtool": certtool,
    "Python": python_ssl,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("peer", PEERS)
def test_chain_is_accepted_for_every_name_and_key(site: Site, peer: str, name: str, kind: str) -> None:
    assert PEERS[peer](site, name, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["pr3.example.com", "example.org", "com"])
@pytest.mark.parametrize("peer", PEERS)
def test_wrong_name_is_rejected(site: Site, peer: str, name: str, kind: str) -> None:
    assert not PEERS[peer](site, name, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("peer", PEERS)
def test_expired_chain_is_rejected(expired: Site, peer: str, kind: str) -> None:
    assert not PEERS[peer](expired, "example.com", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_revoked_chain_is_rejected_by_whoever_has_the_list(revoked: Site, kind: str) -> None:
    crl = revoked.store.crl_file
    assert python_ssl(revoked, "example.com", kind)
    assert not python_ssl(revoked, "example.com", kind, crl=crl)
    assert not s_client(revoked, "example.com", kind, "-crl_check", "-CRL", crl)
    assert not curl_openssl(revoked, "example.com", kind, "--crlfile", crl)
    assert not gnutls_cli(revoked, "example.com", kind, f"--x509crlfile={crl}")
    assert not certtool(revoked, "example.com", kind, f"--load-crl={crl}")
    verified = run(
        needs("openssl"), "verify", "-crl_check", "-CAfile", revoked.store.ca_file, "-CRLfile", crl, revoked.chain(kind)
    )  # fmt: skip
    assert "certificate revoked" in verified.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_good_chain_is_accepted_with_the_lists_at_hand(site: Site, kind: str) -> None:
    crl = site.store.crl_file
    assert s_client(site, "example.com", kind, "-crl_check_all", "-CRL", crl) or len(site.store.issuers()) > 1
    verified = run(
        needs("openssl"), "verify", "-crl_check_all", "-CAfile", site.store.ca_file, "-CRLfile", crl,
        "-untrusted", site.chain(kind), site.chain(kind),
    )  # fmt: skip
    assert verified.returncode == 0, verified.stderr
    checked = run(
        needs("certtool"), "--verify-crl", "--load-ca-certificate", site.store.ca_file, "--infile", crl
    )
    assert checked.returncode == 0 or len(site.store.issuers()) > 1, checked.stdout + checked.stderr


def test_name_outside_the_constraint_is_rejected_though_the_ca_signed_it(tmp_path: Path) -> None:
    wanted = plan(intermediate=True)
    store, _ = make_site(tmp_path, wanted, time.time())
    from netprov.pki import issue
    from netprov.pki.authority import issuer_of

    signer = issuer_of(store.issuers()[0], wanted.authority)
    key = issue.new_key("ecdsa-p256")
    stolen = replace(wanted.servers[0], dns_names=("example.org",))
    leaf = issue.server(stolen, key.public_key(), signer, now=time.time(), backdate=0, serial=99)
    chain = tmp_path / "stolen.pem"
    chain.write_text(leaf.pem() + store.issuers()[0].leaf.pem())
    verified = run(needs("openssl"), "verify", "-CAfile", store.ca_file, "-untrusted", chain, chain)
    assert "permitted subtree violation" in verified.stderr
    checked = run(needs("certtool"), "--verify", "--load-ca-certificate", store.ca_file, "--infile", chain)
    assert checked.returncode != 0


@pytest.mark.parametrize("kind", ["rsa-2048", "ecdsa-p256"])
def test_phone_with_its_own_certificate_is_served_and_one_without_is_not(
    tmp_path: Path, kind: KeyKind
) -> None:
    asking = replace(plan(intermediate=True), clients=ClientPolicy("required"))
    store, _ = make_site(tmp_path, asking, time.time())
    own = PhoneSubject("CP-8841-3PCC", "FCH2133A1B2", "00:12:34:ab:45:de")
    store.issue_phone(asking, own, kind, time.time())
    pem = store.directory / f"phones/{own.mac}.{kind}.pem"
    shown = run(needs("openssl"), "x509", "-in", pem, "-noout", "-subject", "-ext", "extendedKeyUsage")
    assert "OU = CP-8841-3PCC, L = FCH2133A1B2, ST = 001234ab45de" in shown.stdout
    assert "TLS Web Client Authentication" in shown.stdout
    with HttpsServer(store, asking) as server:
        url = f"https://example.com:{server.port}/"
        curl = [
            needs("curl"),
            "--silent",
            "--noproxy",
            "*",
            "--cacert",
            str(store.ca_file),
            "--tls-max",
            "1.2",
        ]
        curl += ["--resolve", f"example.com:{server.port}:127.0.0.1", url]
        assert run(*curl, "--cert", pem).stdout == "ok\n"
        assert run(*curl).returncode != 0
        # With TLS 1.2 the handshake is not over before the server has judged the client.
        gnutls = [needs("gnutls-cli"), "--x509cafile", str(store.ca_file), "--verify-hostname", "example.com"]
        gnutls += ["--port", str(server.port), "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "127.0.0.1"]
        assert "Handshake was completed" in run(*gnutls, "--x509certfile", pem, "--x509keyfile", pem).stdout
        assert "Handshake was completed" not in run(*gnutls).stdout
