"""`netprov cert`, run as a user runs it, in this process."""

from __future__ import annotations

import json
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from netprov.cli import main
from netprov.pki.bundle import Bundle, key_pem
from netprov.pki.chain import decode
from netprov.pki.store import Store
from tests.pki.chains import made

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
hosts: {pr1: 10.20.0.11}
srv: {https: [{target: pr1, port: 443}]}
certificates: {ca_key: ecdsa-p256, keys: ecdsa-p256}
phones: [{mac: 00:12:34:ab:45:de, model: CP-8851-3PCC, serial: FCH1}]
"""

Cert = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cert:
    """Return `netprov cert` for a small site: arguments to exit code, output, errors."""
    (tmp_path / "netprov.yaml").write_text(SITE)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["netprov", "cert", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    def here(verb: str, *arguments: str) -> tuple[int, str, str]:
        return run(verb, "--state", "state", *arguments)

    return here


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state" / "pki")


def test_init_makes_everything_once(cert: Cert) -> None:
    code, out, _ = cert("init")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:4]] == [
        ["root", "root"],
        ["server", "netprov.example.com"],
        ["server", "pr1.example.com"],
    ]
    assert "Phones need state/pki/ca.pem (Custom_CA_Rule): CN=netprov staging CA" in out
    assert "Everything is there already." in cert("init")[1]


def test_init_replace_makes_a_new_ca(cert: Cert, store: Store) -> None:
    cert("init")
    before = store.anchors()
    assert cert("init", "--replace")[0] == 0
    assert before != store.anchors()


def test_issue_takes_short_names_and_only_those(cert: Cert) -> None:
    cert("init")
    _, out, _ = cert("issue", "pr1")
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["pr1.example.com"]
    _, out, _ = cert("issue")
    assert len(out.splitlines()) == 3


def test_issue_for_a_listed_phone_knows_its_model(cert: Cert, store: Store) -> None:
    assert cert("issue", "--phone", "0012.34AB.45DE")[0] == 0
    (phone,) = store.phones()
    assert phone.leaf.phone() is not None
    assert "OU=CP-8851-3PCC" in phone.leaf.subject
    assert "L=FCH1" in phone.leaf.subject
    code, _, err = cert("issue", "--phone", "00:00:00:00:00:01")
    assert (code, "give --model" in err) == (3, True)


def test_show_is_a_table_or_json_and_exits_by_findings(cert: Cert) -> None:
    cert("init")
    code, out, _ = cert("show")
    assert (code, out.count("ok\n")) == (0, 3)
    code, out, _ = cert("show", "pr1", "--json")
    (said,) = json.loads(out)
    assert (said["host"], said["dns_names"]) == (
        "pr1.example.com",
        ["example.com", "pr1.example.com", "netprov.example.com"],
    )
    assert said["findings"] == []


def test_show_without_a_ca_says_how_to_make_one(cert: Cert) -> None:
    code, _, err = cert("show")
    assert (code, "netprov cert init" in err) == (3, True)


def test_show_judges_a_file_of_others(cert: Cert, tmp_path: Path) -> None:
    from tests.pki.chains import ca, made

    cert("init")
    chain = made("pr1.example.com", names=("pr1.example.com",), issuer=ca("Other"))
    (tmp_path / "other.pem").write_text(chain.leaf.pem())
    code, out, _ = cert("show", "other.pem")
    assert code == 1
    assert "error[cert-unknown-ca]" in out
    assert "error[cert-san-domain]" in out


def test_revoke_then_renew_replaces_the_chain(cert: Cert, store: Store) -> None:
    cert("init")
    assert cert("revoke", "pr1", "--reason", "key-compromise")[1].startswith("revoked ")
    assert cert("revoke", "pr1")[1] == "They were revoked already.\n"
    assert "it is revoked" in cert("renew")[1]
    assert "Nothing is due." in cert("renew")[1]
    assert cert("show", "--all")[1].count("revoked") == 1
    serial = store.chains("netprov.example.com")[0].leaf.serial
    assert cert("revoke", serial)[0] == 0
    code, _, err = cert("revoke", "nothing")
    assert (code, "is not a host" in err) == (3, True)


def test_a_request_signed_elsewhere_is_imported_with_the_waiting_key(
    cert: Cert, store: Store, tmp_path: Path
) -> None:
    cert("init")
    _, request, _ = cert("csr", "pr1", "--key", "ecdsa-p256")
    (tmp_path / "request.pem").write_text(request)
    _, chain, _ = cert("issue", "--csr", "request.pem")
    (tmp_path / "signed.pem").write_text(chain)
    code, out, _ = cert("import", "--chain", "signed.pem", "--ca", "state/pki/ca.pem", "--host", "pr1")
    assert (code, out) == (
        0,
        f"imported to state/pki/imported/pr1.example.com.ecdsa.pem: {', '.join(decode(chain.encode())[0].dns_names)}\n",
    )
    assert store.chains("pr1.example.com")[0].leaf == decode(chain.encode())[0]
    assert store.chains("netprov.example.com")[0].leaf != decode(chain.encode())[0]
    assert "removed" in cert("import", "--forget")[1]
    assert store.chain_files("pr1.example.com")[0].parent.name == "servers"


def test_import_refuses_what_phones_would_unless_told(cert: Cert, store: Store, tmp_path: Path) -> None:
    cert("init")
    wrong = made("pr1.example.com", names=("pr1.example.com",))
    (tmp_path / "chain.pem").write_text(wrong.leaf.pem())
    (tmp_path / "key.pem").write_bytes(key_pem(wrong.key, b"secret"))
    (tmp_path / "password").write_text("secret\n")
    arguments = ("--chain", "chain.pem", "--key", "key.pem", "--password-file", "password")
    code, out, _ = cert("import", *arguments)
    assert code == 1
    assert "error[cert-san-domain]" in out
    assert "Nothing was imported" in out
    assert cert("import", *arguments, "--anyway")[0] == 0
    assert store.chains("pr1.example.com")[0].leaf == wrong.leaf
    code, _, err = cert("import", "--chain", "chain.pem", "--key", "key.pem")
    assert (code, "encrypted" in err) == (3, True)


def test_pkcs12_goes_out_and_comes_in(
    cert: Cert, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert("init")
    monkeypatch.setenv("NETPROV_PASSWORD", "secret")
    assert cert("export", "pr1", "--key", "ecdsa-p256", "--format", "pkcs12", "-o", "pr1.p12")[0] == 0
    assert stat.S_IMODE((tmp_path / "pr1.p12").stat().st_mode) == 0o600
    own = store.chains("pr1.example.com")[0].leaf
    assert cert("import", "--pkcs12", "pr1.p12")[0] == 0
    assert store.chains("netprov.example.com")[0].leaf == own
    monkeypatch.delenv("NETPROV_PASSWORD")
    code, _, err = cert("import", "--pkcs12", "pr1.p12")
    assert (code, "password is wrong" in err) == (3, True)


def test_export_gives_the_public_parts_to_anyone_and_keys_to_files_alone(
    cert: Cert, store: Store, tmp_path: Path
) -> None:
    cert("init")
    assert decode(cert("export", "ca")[1].encode()) == store.anchors()
    assert "BEGIN X509 CRL" in cert("export", "crl")[1]
    assert cert("export", "ca", "--format", "der", "-o", "ca.der")[0] == 0
    assert decode((tmp_path / "ca.der").read_bytes()) == store.anchors()
    assert cert("export", "crl", "--format", "der", "-o", "crl.der")[0] == 0
    code, _, err = cert("export", "pr1", "--key", "ecdsa-p256")
    assert (code, "name a file with -o" in err) == (3, True)
    assert cert("export", "pr1", "--key", "ecdsa-p256", "-o", "pr1.pem")[0] == 0
    assert stat.S_IMODE((tmp_path / "pr1.pem").stat().st_mode) == 0o600
    code, _, err = cert("export", "pr1")
    assert (code, "no chain with a key of kind rsa-2048" in err) == (3, True)
    assert cert("export", "ca", "--format", "pkcs12")[0] == 3


def test_what_is_not_there_or_not_readable_is_said(cert: Cert, tmp_path: Path) -> None:
    cert("init")
    (tmp_path / "empty").write_text("")
    for arguments, said in (
        (("import",), "nothing to import"),
        (("import", "--chain", "nowhere.pem"), "cannot read nowhere.pem"),
        (("import", "--pkcs12", "empty"), "not a PKCS#12 file"),
        (("import", "--chain", "state/pki/ca.pem"), "no key that waits"),
        (("import", "--chain", "state/pki/ca.pem", "--key", "empty"), "not a private key"),
        (("issue", "--csr", "empty"), "not a signing request"),
        (("issue", "--csr", "nowhere"), "cannot read nowhere"),
        (("export", "pr1", "--format", "pkcs12", "--key", "ecdsa-p256", "-o", "no/where"), "cannot write"),
    ):
        code, _, err = cert(*arguments)
        assert (code, said in err) == (3, True), (arguments, err)


@pytest.mark.parametrize("verb", ["init", "issue", "renew", "show", "revoke", "csr", "import", "export"])
def test_help_teaches_by_example(cert: Cert, verb: str) -> None:
    code, out, _ = cert(verb, "--help")
    assert code == 0
    assert "Examples:" in out


def test_an_imported_chain_is_shown_kept_and_not_renewed_here(cert: Cert, tmp_path: Path) -> None:
    own = _imported(cert, tmp_path)
    rows = {(each["role"], each["host"]) for each in json.loads(cert("show", "--json")[1])}
    assert {("imported root", "-"), ("root", "-"), ("imported", "pr1.example.com")} <= rows
    code, out, _ = cert("renew")
    assert code == 0
    assert "pr1.example.com presents an imported chain until" in out
    assert "`netprov cert import`" in out
    assert json.loads(cert("show", "pr1", "--json")[1])[0]["serial"] == own.leaf.serial


def test_end_of_an_imported_chain_is_not_met_with_a_renewal_of_ours(cert: Cert, tmp_path: Path) -> None:
    _imported(cert, tmp_path, end=time.time() + 86400)
    (finding,) = json.loads(cert("show", "pr1", "--json")[1])[0]["findings"]
    assert finding["rule"] == "cert-expiring"
    assert "netprov cert import" in finding["remedy"]
    assert "netprov cert renew" not in finding["remedy"]


def test_chain_and_key_that_are_swapped_are_told_apart_by_their_files(cert: Cert, tmp_path: Path) -> None:
    cert("init")
    own = made("example.com")
    (tmp_path / "a.pem").write_text(own.leaf.pem())
    (tmp_path / "b.pem").write_bytes(key_pem(own.key, b"secret"))
    code, _, err = cert("import", "--chain", "b.pem", "--key", "a.pem")
    assert code == 3
    assert "b.pem is a private key, not a chain" in err
    code, _, err = cert("import", "--chain", "a.pem", "--key", "a.pem")
    assert code == 3
    assert "a.pem is a chain, not a private key" in err


def test_expired_cross_certificate_is_left_out_of_the_chain_and_then_it_is_imported(
    cert: Cert, tmp_path: Path
) -> None:
    cert("init")
    now = time.time()
    root = made("New root", authority=True, names=(), start=now - 86400)
    old = made("Old root", authority=True, names=(), start=now - 86400 * 20)
    between = made("Between", authority=True, names=(), issuer=root, start=now - 86400)
    cross = made(
        "New root",
        authority=True,
        names=(),
        issuer=old,
        key=root.key,
        start=now - 86400 * 10,
        end=now - 86400,
    )
    own = made("example.com", issuer=between, start=now - 86400)
    chain = [own.leaf, between.leaf, cross.leaf]
    (tmp_path / "chain.pem").write_text("".join(each.pem() for each in chain))
    (tmp_path / "key.pem").write_bytes(key_pem(own.key))
    (tmp_path / "root.pem").write_text(root.leaf.pem())
    arguments = ("import", "--chain", "chain.pem", "--key", "key.pem", "--ca", "root.pem")
    code, out, _ = cert(*arguments)
    assert code == 1
    assert "error[cert-expired]: the certificate of New root expired" in out
    assert "leave that certificate out of the chain" in out
    (tmp_path / "chain.pem").write_text("".join(each.pem() for each in chain[:2]))
    assert cert(*arguments)[0] == 0


def _imported(cert: Cert, tmp_path: Path, *, end: float | None = None) -> Bundle:
    """Import a chain of another CA for every host, and return it."""
    cert("init")
    now = time.time()
    root = made("Other root", authority=True, names=(), start=now - 86400)
    own = made("example.com", issuer=root, start=now - 86400, end=end or now + 300 * 86400)
    (tmp_path / "chain.pem").write_text(own.leaf.pem())
    (tmp_path / "key.pem").write_bytes(key_pem(own.key))
    (tmp_path / "root.pem").write_text(root.leaf.pem())
    assert cert("import", "--chain", "chain.pem", "--key", "key.pem", "--ca", "root.pem")[0] == 0
    return own
