"""What systemd is told, seen from its end of the socket (sd_notify(3))."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from netprov.runtime.sdnotify import notify, reloading, watchdog_interval


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(tmp_path / "notify"))
    channel.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return channel


def test_assignments_arrive_as_one_datagram(manager: socket.socket) -> None:
    with manager:
        notify("READY=1", "STATUS=serving dns")
        assert manager.recv(1000) == b"READY=1\nSTATUS=serving dns"


def test_reload_carries_the_monotonic_time_that_notify_reload_wants(manager: socket.socket) -> None:
    with manager:
        reloading()
        first, second = manager.recv(1000).split(b"\n")
        assert first == b"RELOADING=1"
        assert second.startswith(b"MONOTONIC_USEC=")
        assert int(second.partition(b"=")[2]) > 0


def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert notify("READY=1") is None  # type: ignore[func-returns-value]


def test_manager_that_went_away_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert notify("READY=1") is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(("value", "expected"), [("", None), ("0", None), ("30000000", 5.0), ("x", None)])
def test_self_checks_come_at_a_sixth_of_the_watchdog_s_interval(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", value)
    assert watchdog_interval() == expected
