"""A `netprov cert` that is killed at any moment leaves a store that works."""

from __future__ import annotations

import os
import random
import signal
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from netprov.cli import group
from netprov.cli.site import open_plan
from netprov.cli.verb.service import cert
from netprov.errors import PkiError
from netprov.pki.request import PkiPlan
from netprov.pki.revocation import is_revoked
from netprov.pki.store import Store
from netprov.pki.verify import problems

# A worker of a parallel run has a second thread, of which Python from 3.12 on warns; the child does not need it.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

KILLS = int(os.environ.get("NETPROV_KILLS", "40"))
"""Random moments; `make kill` raises it to 100."""

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
hosts: {pr1: 10.20.0.11}
srv: {https: [{target: pr1, port: 443}]}
certificates: {ca_key: ecdsa-p256, keys: ecdsa-p256, intermediate: true}
"""

ORDINARY: Sequence[Sequence[str]] = (
    ("issue",),
    ("issue", "pr1"),
    ("issue", "--phone", "001234ab45de", "--model", "CP-8841-3PCC"),
    ("revoke", "pr1"),
    ("renew",),
    ("csr", "pr1", "--key", "ecdsa-p256"),
    ("export", "pr1", "--key", "ecdsa-p256", "-o", "pr1.pem"),
    ("import", "--chain", "own.pem", "--key", "own.pem", "--ca", "state/pki/ca.pem"),
    ("import", "--forget"),
)
DRASTIC: Sequence[Sequence[str]] = (*ORDINARY, ("init", "--replace"))


def work_until_killed(operations: Sequence[Sequence[str]], seed: int) -> None:
    """Run operations in random order for ever; the process is a child of the test's."""
    assert cert  # imported before the fork: the moments are to fall into the work, not into imports
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    draw = random.Random(seed)
    while True:
        verb, *rest = draw.choice(operations)
        try:
            group(["cert", verb, "-f", "site.yaml", "--state", "state", *rest], standalone_mode=False)
        except PkiError as error:
            print(error, file=sys.stderr)


def killed_at_a_random_moment(operations: Sequence[Sequence[str]], seed: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            work_until_killed(operations, seed)
        finally:
            os._exit(1)
    time.sleep(random.Random(seed).uniform(0.002, 0.08))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the operations ended by themselves"


def assert_whole(store: Store) -> None:
    """No file is torn, no key open to others."""
    for path in store.directory.rglob("*.pem"):
        if path.name.startswith(".new-"):
            assert stat.S_IMODE(path.stat().st_mode) in {0o600, 0o644}
            continue
        data = path.read_bytes()
        assert data.endswith(b"-----\n"), path
        assert (b"PRIVATE KEY" in data) == (stat.S_IMODE(path.stat().st_mode) == 0o600), path
    store.issued()
    store.phones()
    store.waiting_keys()
    store.revoked()


def assert_phones_content(store: Store, plan: PkiPlan) -> None:
    for request in plan.servers:
        for bundle in store.chains(request.host):
            found = problems(bundle.chain, request.domain, time.time(), store.anchors())
            assert [each for each in found if each.severity == "error"] == []


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PkiPlan:
    monkeypatch.chdir(tmp_path)
    Path("site.yaml").write_text(SITE)
    return open_plan("site.yaml").plan.pki


def test_every_moment_of_an_ordinary_operation_leaves_chains_that_phones_accept(plan: PkiPlan) -> None:
    store = Store("state/pki")
    store.ensure(plan, time.time())
    Path("own.pem").write_bytes(store.chains("pr1.example.com")[0].encode())
    anchors = store.anchors()
    first = store.chains("netprov.example.com")[0].leaf
    store.revoke(plan, [first], reason="superseded", now=time.time())
    store.ensure(plan, time.time())
    gone = {first.serial}
    for seed in range(KILLS * 4 // 5):
        killed_at_a_random_moment(ORDINARY, seed)
        assert_whole(store)
        assert_phones_content(store, plan)
        assert store.anchors() == anchors
        lists = store.revoked()
        now_gone = {each.serial for each in store.issued() if is_revoked(lists, each)}
        assert gone <= now_gone
        gone = now_gone


def test_every_moment_of_a_new_authority_heals_at_the_next_start(plan: PkiPlan) -> None:
    store = Store("state/pki")
    for seed in range(KILLS // 5):
        killed_at_a_random_moment(DRASTIC, seed)
        if store.directory.exists():
            assert_whole(store)
        store.ensure(plan, time.time())
        assert_phones_content(store, plan)
        assert not list(store.directory.rglob(".new-*"))
        Path("own.pem").write_bytes(store.chains("pr1.example.com")[0].encode())
