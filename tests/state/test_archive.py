"""The state of a server in one file: whole, private, and nothing else."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
import time
import zlib
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from netprov.cli import group
from netprov.errors import ServiceError
from netprov.inventory.load import parse
from netprov.lab.process import wait_until
from netprov.pki.disk import Disk
from netprov.pki.store import Store
from netprov.plan import Plan, derive
from netprov.state import archive
from netprov.state.archive import Archive, decrypt, encrypt, gather, restore
from netprov.state.catalog import load_catalog, load_secrets, publish_secrets
from netprov.state.device import FILE, load_devices
from netprov.state.device_record import DeviceRecords
from netprov.state.place import make_room

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
"""


def encrypted(held: Archive) -> bytes:
    """Encrypt at the least cost that is read."""
    return encrypt(held, "pass", log2_n=10)


@pytest.fixture
def plan() -> Plan:
    return derive(parse(SITE, "site.yaml").inventory)


@pytest.fixture
def state(tmp_path: Path, plan: Plan) -> Path:
    """Return the state directory of a server that has served."""
    folder = tmp_path / "first"
    folder.mkdir()
    Store(folder / "pki").ensure(plan.pki, time.time())
    load_catalog(plan.provision, folder)
    publish_secrets(folder)
    (folder / "dns").mkdir()
    (folder / "dns" / "dns-serials.json").write_text('{"example.com.": [7, "x"]}')
    return folder


def test_second_server_has_the_same_ca_chains_secrets_and_serials(
    state: Path, tmp_path: Path, plan: Plan
) -> None:
    second = tmp_path / "second"
    second.mkdir()
    restore(decrypt(encrypted(gather(state, records=False, now=1.0)), "pass"), second, replace=False)
    assert Store(second / "pki").anchors() == Store(state / "pki").anchors()
    host = plan.pki.servers[0].host
    assert [b.leaf for b in Store(second / "pki").chains(host)] == [
        b.leaf for b in Store(state / "pki").chains(host)
    ]
    assert Store(second / "pki").ensure(plan.pki, time.time()) == ()
    place = plan.provision.secrets
    assert load_secrets(place, second) == load_secrets(place, state)
    assert (second / "dns" / "dns-serials.json").read_bytes() == (
        state / "dns" / "dns-serials.json"
    ).read_bytes()


def test_private_files_stay_private(state: Path, tmp_path: Path) -> None:
    restore(gather(state, records=False, now=1.0), tmp_path, replace=False)
    modes = {
        str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "pki").rglob("*.pem")
    }
    assert modes.pop("pki/ca.pem") == modes.pop("pki/crl.pem") == 0o644
    assert {mode for name, mode in modes.items() if "issued" not in name} == {0o600}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o600


def test_another_ca_is_not_overwritten_unless_asked_for(state: Path, tmp_path: Path, plan: Plan) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Store(other / "pki").ensure(plan.pki, time.time())
    before = Store(other / "pki").anchors()
    held = gather(state, records=False, now=1.0)
    with pytest.raises(ServiceError, match="another CA"):
        restore(held, other, replace=False)
    assert Store(other / "pki").anchors() == before
    restore(held, other, replace=True)
    assert Store(other / "pki").anchors() == Store(state / "pki").anchors()
    restore(held, other, replace=False)


def test_records_go_along_if_asked_for(state: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(make_room(state / FILE))) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(
            "CREATE TABLE device (mac, address, model, firmware, standing, since, first, last, profiles, refusals);"
            "INSERT INTO device VALUES ('m', 'a', '', '', '', 0, 0, 0, 0, 0);"
        )
        assert FILE not in gather(state, records=False, now=1.0).files
        held = gather(state, records=True, now=1.0)
    restore(held, tmp_path, replace=False)
    assert [device.mac for device in load_devices(tmp_path)] == ["m"]
    assert DeviceRecords(tmp_path)


def test_wrong_password_and_every_changed_octet_are_refused(state: Path) -> None:
    data = encrypted(Archive(1.0, {"secrets": b"x"}))
    with pytest.raises(ServiceError, match="password is wrong"):
        decrypt(data, "other")
    for at in range(len(data)):
        with pytest.raises(ServiceError):
            decrypt(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], "pass")


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "pki/../../x.pem", "pki/servers/../x.pem", "control/x", ""]
)
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="no state of netprov"):
        decrypt(encrypted(Archive(1.0, {name: b"x"})), "pass")


def test_file_that_inflates_without_end_is_damaged() -> None:
    with pytest.raises(ServiceError, match="damaged"):
        decrypt(encrypted(Archive(1.0, {"secrets": bytes(100_000)})), "pass", most=1000)


@given(st.binary())
def test_garbage_is_refused(data: bytes) -> None:
    for given_ in (data, archive.MAGIC + data, archive.MAGIC + b"{}\n" + data):
        with pytest.raises(ServiceError):
            decrypt(given_, "pass")


def test_format_is_what_the_module_says() -> None:
    """Made here by hand, as another program would."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    line = b'netprov-state 1 {"salt": "00112233", "nonce": "000000000000000000000000", "log2_n": 12}\n'
    key = Scrypt(salt=bytes.fromhex("00112233"), length=32, n=4096, r=8, p=1).derive(b"pass")
    text = json.dumps({"made": 5, "files": {"secrets": b64encode(b"site 00\n").decode()}}).encode()
    data = line + AESGCM(key).encrypt(bytes(12), zlib.compress(text), line)
    assert decrypt(data, "pass") == Archive(5.0, {"secrets": b"site 00\n"})


def run(*words: str) -> Result:
    return CliRunner().invoke(group, ["state", *words], standalone_mode=False)


def test_verbs_write_and_read_the_file(state: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pass\n")
    words = ["--password-file", str(tmp_path / "password"), "--state"]
    out, second = tmp_path / "site.netprov", tmp_path / "second"
    result = run("export", str(out), *words, str(state))
    assert (result.return_value, stat.S_IMODE(out.stat().st_mode)) == (0, 0o600), result.output
    result = run("import", str(out), *words, str(second))
    assert result.return_value == 0, result.output
    assert Store(second / "pki").anchors() == Store(state / "pki").anchors()


def test_state_without_a_ca_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="there is no CA"):
        gather(tmp_path, records=False, now=1.0)


def test_nothing_is_restored_while_somebody_else_changes_the_store(state: Path, tmp_path: Path) -> None:
    held = gather(state, records=False, now=0)
    pki = tmp_path / "second" / "pki"
    pki.mkdir(parents=True)
    disk = Disk(pki)
    restoring = threading.Thread(target=restore, args=(held, pki.parent), kwargs={"replace": False})
    with disk.locked():
        lock = f":{(pki / '.lock').stat().st_ino} "
        restoring.start()
        wait_until(
            lambda: (
                any("->" in line and lock in line for line in Path("/proc/locks").read_text().splitlines())
                or (pki / "root.pem").exists()
            ),
            what="somebody who waits for the store",
        )
        assert not (pki / "root.pem").exists()
    restoring.join()
    assert (pki / "root.pem").read_bytes() == held.files["pki/root.pem"]
