"""Secrets on the disk: read where they may be read, made where nobody named a place, open to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.provision.config import SecretsPlace
from netprov.provision.secret import SITE
from netprov.state.catalog import exposed, peek_secrets, secret_files

KEY = "-----BEGIN PRIVATE KEY-----\n"


def test_a_site_that_was_never_served_has_the_keys_that_serving_makes(tmp_path: Path) -> None:
    place, secrets = peek_secrets(SecretsPlace(), tmp_path)
    assert place == str(tmp_path / "secrets")
    assert secrets.profile_key("00:12:34:ab:45:de")
    assert secrets.get("pin") is None
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_read_from_the_place_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").write_text("pin 1234\n")
    monkeypatch.setenv("NETPROV_TEST_SECRETS", f"{SITE} abc\n")
    _, kept = peek_secrets(SecretsPlace(file=str(tmp_path / "own")), tmp_path)
    place, given = peek_secrets(SecretsPlace(environment="NETPROV_TEST_SECRETS"), tmp_path)
    assert (kept.get("pin"), kept.get(SITE)) == ("1234", None)
    assert (place, given.get(SITE)) == ("$NETPROV_TEST_SECRETS", "abc")


def test_a_place_that_is_named_and_not_there_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="is not there"):
        peek_secrets(SecretsPlace(file=str(tmp_path / "none")), tmp_path)


def test_files_with_secrets_that_everybody_can_read_are_named(tmp_path: Path) -> None:
    files = {"secrets": "site x\n", "pki/root.pem": KEY, "pki/ca.pem": "-----BEGIN CERTIFICATE-----\n"}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
    found = exposed(secret_files(SecretsPlace(), tmp_path))
    assert found == ((str(tmp_path / "secrets"), 0o644), (str(tmp_path / "pki/root.pem"), 0o644))
    (tmp_path / "secrets").chmod(0o640)
    (tmp_path / "pki/root.pem").chmod(0o602)
    assert exposed(secret_files(SecretsPlace(), tmp_path)) == ((str(tmp_path / "pki/root.pem"), 0o602),)
