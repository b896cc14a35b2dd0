"""Years of a store under a hypothesis state machine: whatever is done, the next `ensure` gives phones a good chain."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from netprov.errors import PkiError
from netprov.pki.names import PhoneSubject
from netprov.pki.request import DAY, AuthorityRequest, PkiPlan, ServerRequest
from netprov.pki.revocation import is_revoked
from netprov.pki.store import Store
from netprov.pki.verify import problems
from tests.pki.chains import ca, made
from tests.pki.conftest import NOW

HOSTS = ("pr1.example.com", "pr2.example.com")
NAMES = st.lists(st.sampled_from(["pr1", "pr2", "px1", "px2"]), unique=True, max_size=3)
OWN_CA = ca("Own CA")
EXAMPLES = int(os.environ.get("NETPROV_LIVES", "8"))
"""Lives to try: each step draws keys and syncs files."""


class Life(RuleBasedStateMachine):
    """A site over years; nobody looks after its certificates but `ensure`."""

    @initialize(intermediate=st.booleans())
    def begin(self, intermediate: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "pki")
        self.now = NOW
        self.plan = PkiPlan(
            AuthorityRequest("CA", key="ecdsa-p256", intermediate=intermediate, permitted=("example.com",)),
            tuple(ServerRequest(host, ("example.com", host), keys=("ecdsa-p256",)) for host in HOSTS),
        )
        self.store.ensure(self.plan, self.now)

    @rule(days=st.integers(1, 500))
    def time_passes(self, days: int) -> None:
        self.now += days * DAY

    @rule()
    def the_clock_steps_back(self) -> None:
        self.now -= 30 * DAY

    @rule(host=st.sampled_from(HOSTS))
    def issue(self, host: str) -> None:
        self.store.ensure(self.plan, self.now, hosts=[host])

    @rule(names=NAMES)
    def names_change(self, names: list[str]) -> None:
        wanted = ("example.com", *(f"{name}.example.com" for name in names))
        self.plan = replace(self.plan, servers=tuple(replace(s, dns_names=wanted) for s in self.plan.servers))

    @rule()
    def intermediate_comes_or_goes(self) -> None:
        authority = replace(self.plan.authority, intermediate=not self.plan.authority.intermediate)
        self.plan = replace(self.plan, authority=authority)

    @rule()
    def new_authority(self) -> None:
        self.store.replace_authority(self.plan, self.now)

    @rule(host=st.sampled_from(HOSTS))
    def revoke(self, host: str) -> None:
        leaf = self.store.chains(host)[0].leaf
        with contextlib.suppress(PkiError):  # an operator's own is not ours to revoke
            self.store.revoke(self.plan, [leaf], reason="superseded", now=self.now)

    @rule()
    def phone(self) -> None:
        subject = PhoneSubject("CP-8841-3PCC", "FCH1", "001234ab45de")
        self.store.issue_phone(self.plan, subject, "ecdsa-p256", self.now)

    @rule(host=st.sampled_from([*HOSTS, None]))
    def import_own(self, host: str | None) -> None:
        own = made(issuer=OWN_CA, start=self.now - DAY, end=self.now + 9000 * DAY)
        self.store.adopt(self.plan, own, (OWN_CA.leaf,), host)

    @rule()
    def forget_own(self) -> None:
        self.store.drop_adopted()

    @rule(host=st.sampled_from(HOSTS))
    def a_chain_is_damaged(self, host: str) -> None:
        path = self.store.directory / "servers" / f"{host}.ecdsa-p256.pem"
        path.write_bytes(path.read_bytes()[:200])

    @invariant()
    def phones_accept_every_host_after_ensure(self) -> None:
        self.store.ensure(self.plan, self.now)
        assert self.store.ensure(self.plan, self.now) == ()
        anchors = self.store.anchors()
        lists = self.store.revoked()
        for host in HOSTS:
            (chain,) = self.store.chains(host)
            ours = chain.chain[-1].issued_by(self.store.root().leaf)
            found = problems(chain.chain, "example.com", self.now, anchors)
            assert not ours or [each for each in found if each.severity == "error"] == []
            assert not is_revoked(lists, chain.leaf)
        for path in self.store.directory.rglob("*"):
            if path.is_file() and b"PRIVATE KEY" in path.read_bytes():
                assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


Life.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=15, deadline=None)
TestLife = Life.TestCase
