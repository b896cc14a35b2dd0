from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from netprov.errors import PkiError
from netprov.pki import issue
from netprov.pki.bundle import assemble
from netprov.pki.names import PhoneSubject
from netprov.pki.request import DAY, AuthorityRequest
from netprov.pki.revocation import is_revoked
from netprov.pki.store import Store
from netprov.pki.verify import problems
from tests.pki.conftest import NOW, plan

PHONE = PhoneSubject("CP-8841-3PCC", "FCH2133A1B2", "001234ab45de")


def roles(issued: tuple[object, ...]) -> list[str]:
    return [getattr(each, "role", "") for each in issued]


def test_an_empty_store_is_filled_and_then_left_alone(store: Store) -> None:
    assert roles(store.ensure(plan(), NOW)) == ["root", "server"]
    assert store.ensure(plan(), NOW) == ()


def test_what_is_ensured_twice_is_written_once(store: Store) -> None:
    """A revocation list that revokes nothing is empty, and no reason to sign another."""
    store.ensure(plan(), NOW)
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in store.directory.rglob("*.pem")}
    store.ensure(plan(), NOW + 1)
    assert before == {
        path: (path.stat().st_ino, path.read_bytes()) for path in store.directory.rglob("*.pem")
    }


def test_the_chain_satisfies_a_phone_that_trusts_the_root(store: Store) -> None:
    store.ensure(plan(), NOW)
    (chain,) = store.chains("pr1.example.com")
    assert problems(chain.chain, "example.com", NOW, store.anchors()) == []
    assert chain.leaf.common_name == "example.com"
    assert chain.leaf.dns_names == ("example.com", "pr1.example.com", "pr2.example.com")


def test_keys_are_private_and_what_clients_need_is_public(store: Store) -> None:
    store.ensure(plan(), NOW)
    store.issue_phone(plan(), PHONE, "ecdsa-p256", NOW)
    modes = {
        path.relative_to(store.directory).parts[0]: stat.S_IMODE(path.stat().st_mode)
        for path in store.directory.rglob("*")
        if path.is_file()
    }
    assert modes == {
        "root.pem": 0o600,
        "servers": 0o600,
        "phones": 0o600,
        ".lock": 0o600,
        "ca.pem": 0o644,
        "crl.pem": 0o644,
        "issued": 0o644,
    }
    for path in store.directory.rglob("*.pem"):
        assert (b"PRIVATE KEY" in path.read_bytes()) == (stat.S_IMODE(path.stat().st_mode) == 0o600)


def test_no_name_of_a_key_is_ever_readable_by_others_while_it_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    seen: list[int] = []
    real = os.replace

    def watched(source: Path, target: Path) -> None:
        if b"PRIVATE KEY" in source.read_bytes():
            seen.append(stat.S_IMODE(source.stat().st_mode))
        real(source, target)

    monkeypatch.setattr("netprov.pki.disk.os.replace", watched)
    store.ensure(plan(), NOW)
    assert seen == [0o600, 0o600]


def test_a_chain_about_to_end_is_issued_again_with_a_new_key(store: Store) -> None:
    store.ensure(plan(), NOW)
    before = store.chains("pr1.example.com")[0].leaf
    assert store.ensure(plan(), NOW + 366 * DAY) == ()
    (done,) = store.ensure(plan(), NOW + 368 * DAY)
    assert (done.role, done.reason) == ("server", "it expires on 2027-12-20 11:06 UTC")
    after = store.chains("pr1.example.com")[0].leaf
    assert before.serial != after.serial
    assert before.x509.public_key() != after.x509.public_key()


def test_a_short_lived_chain_is_renewed_in_its_last_third(store: Store) -> None:
    short = plan(lifetime=3 * DAY, authority=AuthorityRequest("Test CA", key="ecdsa-p256", backdate=0))
    store.ensure(short, NOW)
    assert store.ensure(short, NOW + 1.9 * DAY) == ()
    assert roles(store.ensure(short, NOW + 2.1 * DAY)) == ["server"]


def test_the_root_gets_a_new_term_under_the_same_key_before_it_would_cut_its_servers_short(
    store: Store,
) -> None:
    store.ensure(plan(), NOW)
    before = store.anchors()[0]
    done = store.ensure(plan(), NOW + 3300 * DAY)
    assert roles(done) == ["root", "server"]
    after = store.anchors()[0]
    assert before.x509.public_key() == after.x509.public_key()
    (chain,) = store.chains("pr1.example.com")
    for trusted in (before, after):
        found = problems(chain.chain, "example.com", NOW + 3300 * DAY, [trusted])
        assert {each.rule for each in found} <= {"cert-after-2038"}


def test_changed_names_bring_a_new_chain(store: Store) -> None:
    store.ensure(plan(), NOW)
    old = plan()
    wider = replace(old.servers[0], dns_names=(*old.servers[0].dns_names, "pr3.example.com"))
    (done,) = store.ensure(replace(old, servers=(wider,)), NOW)
    assert done.reason == "its names changed"


def test_a_name_outside_the_constraint_is_refused_with_the_way_out(store: Store) -> None:
    store.ensure(plan(), NOW)
    wider = AuthorityRequest("Test CA", key="ecdsa-p256", permitted=("example.com", "example.org"))
    with pytest.raises(
        PkiError, match=r"may certify only example.com, and example.org is asked for\n.*--replace"
    ):
        store.ensure(plan(authority=wider), NOW)


def test_an_intermediate_carries_the_constraint_and_can_change_it(store: Store) -> None:
    request = AuthorityRequest("Test CA", key="ecdsa-p256", intermediate=True, permitted=("example.com",))
    assert roles(store.ensure(plan(authority=request), NOW)) == ["root", "intermediate", "server"]
    (chain,) = store.chains("pr1.example.com")
    assert [each.common_name for each in chain.chain] == ["example.com", "Test CA issuing"]
    assert chain.chain[1].permitted == ("example.com",)
    assert store.anchors()[0].permitted == ()
    assert problems(chain.chain, "example.com", NOW, store.anchors()) == []
    wider = replace(request, permitted=("example.com", "example.org"))
    assert roles(store.ensure(plan(authority=wider), NOW)) == ["intermediate", "server"]


def test_a_damaged_chain_is_issued_again_but_a_damaged_ca_is_an_error(store: Store) -> None:
    store.ensure(plan(), NOW)
    (path,) = store.chain_files("pr1.example.com")
    path.write_bytes(path.read_bytes()[:100])
    assert roles(store.ensure(plan(), NOW)) == ["server"]
    root = store.directory / "root.pem"
    root.write_bytes(root.read_bytes()[:100])
    with pytest.raises(PkiError, match=r"root.pem: not a private key"):
        store.ensure(plan(), NOW)


def test_a_revoked_chain_is_replaced_and_stays_on_the_list(store: Store) -> None:
    store.ensure(plan(), NOW)
    leaf = store.chains("pr1.example.com")[0].leaf
    assert store.revoke(plan(), [leaf], reason="key-compromise", now=NOW) == (leaf,)
    assert store.revoke(plan(), [leaf], reason="key-compromise", now=NOW) == ()
    (done,) = store.ensure(plan(), NOW)
    assert done.reason == "it is revoked"
    assert is_revoked(store.revoked(), leaf)
    assert not is_revoked(store.revoked(), done.certificate)
    store.ensure(plan(), NOW + 20 * DAY)
    (listed,) = store.revoked()
    assert listed.next_update_utc is not None
    assert listed.next_update_utc.timestamp() == NOW + 50 * DAY
    assert is_revoked(store.revoked(), leaf)


def test_a_foreign_certificate_cannot_be_revoked(store: Store, tmp_path: Path) -> None:
    store.ensure(plan(), NOW)
    other = Store(tmp_path / "other")
    other.ensure(plan(), NOW)
    with pytest.raises(PkiError, match="was not issued by the CA"):
        store.revoke(plan(), [other.chains("pr1.example.com")[0].leaf], reason="superseded", now=NOW)


def test_a_new_authority_replaces_everything_below_it(store: Store) -> None:
    store.ensure(plan(), NOW)
    before = store.anchors()[0]
    assert roles(store.replace_authority(plan(), NOW)) == ["root", "server"]
    (chain,) = store.chains("pr1.example.com")
    assert [each.rule for each in problems(chain.chain, "example.com", NOW, [before])] == ["cert-unknown-ca"]


def test_a_phones_certificate_looks_like_one_from_the_factory(store: Store) -> None:
    store.ensure(plan(), NOW)
    certificate = store.issue_phone(plan(), PHONE, "rsa-2048", NOW).certificate
    assert certificate.phone() == PHONE
    uses = certificate.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert certificate.subject == "ST=001234ab45de,L=FCH2133A1B2,OU=CP-8841-3PCC,O=Cisco Systems\\, Inc."


def test_an_operators_chain_goes_before_ours_and_its_root_first_to_phones(
    store: Store, tmp_path: Path
) -> None:
    store.ensure(plan(), NOW)
    ours = store.anchors()
    foreign = Store(tmp_path / "operator")
    foreign.ensure(plan(), NOW)
    own = foreign.chains("pr1.example.com")[0]
    store.adopt(plan(), own, foreign.anchors(), None)
    assert store.chains("pr1.example.com") == (own,)
    assert store.anchors() == (*foreign.anchors(), *ours)
    assert store.ensure(plan(), NOW) == ()


def test_a_request_signed_elsewhere_finds_its_waiting_key(store: Store, tmp_path: Path) -> None:
    from cryptography import x509

    store.ensure(plan(), NOW)
    pem = store.request(plan().servers[0], "ecdsa-p256")
    assert store.request(plan().servers[0], "ecdsa-p256")[:40] == pem[:40]
    elsewhere = Store(tmp_path / "elsewhere")
    elsewhere.ensure(plan(), NOW)
    root = elsewhere.root()
    signed = issue.server_from_request(
        x509.load_pem_x509_csr(pem),
        issue.Issuer(root.leaf, root.key),
        validity=issue.Validity(NOW, NOW + DAY),
        serial=7,
    )
    (key,) = store.waiting_keys()
    bundle = assemble(key, [root.leaf, signed])
    assert bundle.chain == (signed,)
    assert signed.dns_names == plan().servers[0].dns_names


def test_what_an_interrupted_writer_left_is_swept(store: Store) -> None:
    store.ensure(plan(), NOW)
    leftover = store.directory / "servers" / ".new-1-pr1.example.com.ecdsa-p256.pem"
    leftover.write_text("half a key")
    store.ensure(plan(), NOW)
    assert not leftover.exists()


def test_a_host_that_does_not_serve_is_named_with_those_that_do(store: Store) -> None:
    with pytest.raises(PkiError, match=r"nowhere is not a host .*\n.*pr1.example.com"):
        store.ensure(plan(), NOW, hosts=["nowhere"])


def test_an_unwritable_state_directory_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PkiError, match=r"cannot open .*\n.*server.state"):
        Store(tmp_path / "file" / "pki").ensure(plan(), NOW)


def test_missing_things_say_how_to_make_them(store: Store) -> None:
    with pytest.raises(PkiError, match="netprov cert init"):
        store.anchors()
    with pytest.raises(PkiError, match="netprov cert issue pr1"):
        store.chain_files("pr1")


def test_leaf_keys_are_their_directorys_groups_where_it_is_prepared_and_the_cas_never(tmp_path: Path) -> None:
    servers = tmp_path / "pki" / "servers"
    servers.mkdir(parents=True)
    servers.chmod(0o2750)
    Store(tmp_path / "pki").ensure(plan(), NOW)
    assert {path.stat().st_mode & 0o777 for path in servers.glob("*.pem")} == {0o640}
    assert (tmp_path / "pki" / "root.pem").stat().st_mode & 0o777 == 0o600


def test_what_the_operator_makes_as_root_belongs_to_the_stores_owner(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes files for others")
    folder = tmp_path / "pki"
    folder.mkdir()
    os.chown(folder, 4321, 4322)
    Store(folder).ensure(plan(), NOW)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in folder.rglob("*")} == {(4321, 4322)}


def test_names_that_an_inventory_asks_for_now_are_missed_in_chains_of_before(tmp_path: Path) -> None:
    store = Store(tmp_path / "pki")
    asked = plan()
    host = asked.servers[0].host
    assert store.unlike(asked) == (host,)
    store.ensure(asked, NOW)
    assert store.unlike(asked) == ()
    more = replace(asked.servers[0], dns_names=(*asked.servers[0].dns_names, "more.example.com"))
    assert store.unlike(replace(asked, servers=(more,))) == (host,)
