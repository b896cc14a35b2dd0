"""`netprov state` where nobody can be asked for a password, and of files that are none of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group
from netprov.cli.verb.service import state


def run(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(group, ("state", *words), input=given, standalone_mode=False)


def test_a_file_of_others_is_refused_before_a_password_is_asked_for(tmp_path: Path) -> None:
    other = tmp_path / "site.tar"
    other.write_bytes(b"ustar")
    result = run("import", str(other), "--state", str(tmp_path), given="never asked for")
    assert "this file is no state of netprov" in str(result.exception)
    assert "netprov state export" in str(result.exception)
    assert "Password" not in result.output


def test_without_a_terminal_it_is_said_how_to_give_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NETPROV_PASSWORD", raising=False)
    monkeypatch.setattr(state, "terminal", lambda: False)
    archive = tmp_path / "site.netprov"
    archive.write_bytes(b"netprov-state 1 {}\n")
    result = run("import", str(archive), "--state", str(tmp_path))
    assert "--password-file FILE" in str(result.exception)
    assert "$NETPROV_PASSWORD" in str(result.exception)
    assert "Password" not in result.output


def test_what_the_message_says_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "terminal", lambda: False)
    archive = tmp_path / "site.netprov"
    archive.write_bytes(b"netprov-state 1 {}\n")
    monkeypatch.setenv("NETPROV_PASSWORD", "x")
    assert "the file is damaged" in str(run("import", str(archive), "--state", str(tmp_path)).exception)
