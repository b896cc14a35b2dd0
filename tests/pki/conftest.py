"""A plan and a filled store, made once: keys cost time."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.pki.request import DAY, AuthorityRequest, PkiPlan, ServerRequest
from netprov.pki.store import Store

NOW = 1_795_000_000.0
"""2026-11-18 11:06 UTC, as a number: tests have no clock."""


def plan(
    *, authority: AuthorityRequest | None = None, lifetime: int = 397 * DAY, hosts: tuple[str, ...] = ("pr1",)
) -> PkiPlan:
    return PkiPlan(
        authority or AuthorityRequest("Test CA", key="ecdsa-p256", permitted=("example.com",)),
        tuple(
            ServerRequest(
                f"{host}.example.com",
                ("example.com", "pr1.example.com", "pr2.example.com"),
                lifetime=lifetime,
                keys=("ecdsa-p256",),
            )
            for host in hosts
        ),
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "pki")
