"""Certificates that are staged: unseen until published, gone when discarded, issued once by several processes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netprov.errors import PkiError
from netprov.pki.request import DAY, AuthorityRequest, PkiPlan
from netprov.pki.stage import Stage
from netprov.pki.store import Store
from tests.pki.conftest import NOW, plan


def contents(store: Store) -> dict[str, tuple[int, bytes]]:
    """Return what is in a store's directory, hidden files too, with modes."""
    return {
        str(path.relative_to(store.directory)): (path.stat().st_mode, path.read_bytes())
        for path in store.directory.rglob("*")
        if path.is_file()
    }


def staged(store: Store, wanted: PkiPlan, now: float = NOW) -> tuple[Stage, Store]:
    stage = store.stage()
    view = Store(stage)
    view.ensure(wanted, now)
    return stage, view


def intermediate() -> PkiPlan:
    request = AuthorityRequest("Test CA", key="ecdsa-p256", permitted=("example.com",), intermediate=True)
    return plan(authority=request)


CHANGES = [
    ("another host", plan(), plan(hosts=("pr1", "pr9")), NOW),
    ("an intermediate CA", plan(), intermediate(), NOW),
    ("no intermediate CA any more", intermediate(), plan(), NOW),
    ("everything has ended", plan(), plan(), NOW + 3300 * DAY),
]


@pytest.mark.parametrize(
    ("before", "wanted", "now"), [each[1:] for each in CHANGES], ids=[each[0] for each in CHANGES]
)
def test_what_is_staged_is_seen_by_its_maker_alone_until_it_is_published(
    store: Store, before: PkiPlan, wanted: PkiPlan, now: float
) -> None:
    store.ensure(before, NOW)
    held = contents(store)
    stage, view = staged(store, wanted, now)
    seen = {name: each for name, each in contents(store).items() if not name.startswith(".staged-")}
    assert seen == held
    host = wanted.servers[-1].host
    serials = [each.leaf.serial for each in view.chains(host)]
    chain, anchors = view.chain_files(host)[0].read_bytes(), view.ca_file.read_bytes()
    assert stage.publish()
    assert [each.leaf.serial for each in store.chains(host)] == serials
    assert (store.chain_files(host)[0].read_bytes(), store.ca_file.read_bytes()) == (chain, anchors)
    assert {each.serial for each in store.issued()} >= set(serials)
    assert store.ensure(wanted, now) == ()
    assert not [name for name in contents(store) if name.startswith(".staged-")]


@pytest.mark.parametrize(
    ("before", "wanted", "now"), [each[1:] for each in CHANGES], ids=[each[0] for each in CHANGES]
)
def test_what_is_discarded_leaves_the_store_octet_for_octet_as_it_was(
    store: Store, before: PkiPlan, wanted: PkiPlan, now: float
) -> None:
    store.ensure(before, NOW)
    held = contents(store)
    stage, _ = staged(store, wanted, now)
    stage.discard()
    assert contents(store) == held


def test_nothing_is_written_where_nothing_has_to_be_issued(store: Store) -> None:
    store.ensure(plan(), NOW)
    held = contents(store)
    stage, view = staged(store, plan())
    assert contents(store) == held
    assert view.chain_files("pr1.example.com") == store.chain_files("pr1.example.com")
    assert stage.publish()
    assert contents(store) == held


def test_two_that_are_made_ready_at_once_issue_one_ca_and_one_chain(store: Store) -> None:
    first, _ = staged(store, plan())
    second, view = staged(Store(store.directory), plan())
    assert second.publish()
    published = contents(store)
    assert first.publish()
    assert {name: each for name, each in contents(store).items() if ".staged-" not in name} == {
        name: each for name, each in published.items() if ".staged-" not in name
    }
    assert len(store.issued()) == 2
    assert [each.leaf.serial for each in view.chains("pr1.example.com")] == [
        each.leaf.serial for each in store.chains("pr1.example.com")
    ]


def test_what_one_discards_is_still_there_for_the_other(store: Store) -> None:
    first, _ = staged(store, plan())
    second, _ = staged(Store(store.directory), plan())
    first.discard()
    assert second.publish()
    assert store.ensure(plan(), NOW) == ()


def test_store_that_an_operator_changed_meanwhile_is_left_to_the_operator(store: Store) -> None:
    store.ensure(plan(), NOW)
    stage, _ = staged(store, plan(hosts=("pr1", "pr9")))
    store.replace_authority(plan(), NOW)
    held = {name: each for name, each in contents(store).items() if ".staged-" not in name}
    assert not stage.publish()
    assert contents(store) == held


KILLED = """
import os, sys
from tests.pki.test_stage import staged
from tests.pki.conftest import plan
from netprov.pki.store import Store
staged(Store(sys.argv[1]), plan(hosts=("pr1", "pr9")))
os._exit(9)
"""


def test_what_a_killed_process_had_staged_is_swept_and_not_taken_over(store: Store) -> None:
    store.ensure(plan(), NOW)
    held = contents(store)
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", KILLED, store.directory], cwd=root).returncode == 9
    assert [name for name in contents(store) if name.startswith(".staged-")]
    store.ensure(plan(), NOW)
    assert contents(store) == held


def test_full_disk_is_met_while_staging(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.ensure(plan(), NOW)
    held = contents(store)
    stage = store.stage()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("netprov.pki.disk.os.write", full)
        with pytest.raises(PkiError, match="No space left"):
            Store(stage).ensure(plan(hosts=("pr9",)), NOW)
    stage.discard()
    assert contents(store) == held
