"""What an inventory promises a phone: the outcome of its road in the world that `serve` would make of the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from netprov.explain.engine import Story, explain
from netprov.explain.promise import PlanWorld
from netprov.inventory.load import parse
from netprov.phone.boot import boot
from netprov.phone.handset.memory import Handset
from netprov.phone.walk import walk
from netprov.pki.store import Store
from netprov.plan import derive
from netprov.plan.phone import identity_of
from netprov.provision.gate.handout import Wanted
from netprov.state.handout import KeyLedger

NOW = 1_800_000_000.0
BRISK = "keys: ecdsa-p256, ca_key: ecdsa-p256"
SITE = """domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
classes: {{desk: {{{klass}}}}}
phones: [{{mac: '00:12:34:ab:45:de', model: {model}, class: desk{phone}}}]
{more}
"""
BY_HTTP = "method: dhcp, options: {66: 'http://10.20.0.1/$PSN.xml'}"


def promised(
    state: Path, klass: str = "method: srv", phone: str = "", more: str = "", *, model: str = "CP-8851-3PCC",
    trusting: bool = True, certificates: bool = False,
) -> Story:  # fmt: skip
    """Return the story of the listed phone; with `certificates`, of a site that has issued them."""
    text = SITE.format(klass=klass, phone=phone, more=more, model=model)
    plan = derive(parse(text, "site.yaml").inventory)
    if certificates:
        plan = derive(parse(f"{text}certificates: {{{BRISK}}}\n", "site.yaml").inventory)
        Store(state / "pki").ensure(plan.pki, NOW)
    world = PlanWorld(plan, state, NOW)
    roots = (world.ca,) if trusting else ()
    handset = Handset(replace(identity_of(plan.site.phones[0]), custom_roots=roots), lambda _below: 0)
    outcome, steps = walk(handset, boot(handset), world)
    return explain(steps, outcome)


def cause(story: Story) -> str:
    assert story.provisioned == (story.cause is None)
    return story.cause.id if story.cause else ""


@pytest.mark.parametrize("certificates", [False, True])
@pytest.mark.parametrize("klass", ["method: srv", BY_HTTP])
@pytest.mark.parametrize(
    "lock",
    [
        "",
        "encryption: {method: aes-256-cbc}",
        "encryption: {method: aes128gcm}",
        "auth: {scheme: basic}",
        "auth: {scheme: digest}",
    ],
)
def test_protected_profile_is_loaded(tmp_path: Path, klass: str, lock: str, *, certificates: bool) -> None:
    story = promised(tmp_path, ", ".join(filter(None, (klass, lock))), certificates=certificates)
    assert cause(story) == ""
    if lock:
        assert story.url.startswith("https://")


def test_nothing_is_written_by_looking(tmp_path: Path) -> None:
    promised(tmp_path, "method: srv, encryption: {method: aes-256-cbc}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("p.xml", b"<flat-profile><A>1</A></flat-profile>", ""),
        ("p.xml", b"", "empty-file"),
        ("p.xml", b"<flat-profile>", "corrupt"),
        ("other.xml", b"", "file-missing"),
    ],
)
@pytest.mark.parametrize("scheme", ["tftp", "http"])
def test_static_files_are_looked_at(
    tmp_path: Path, scheme: str, name: str, body: bytes, expected: str
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / name).write_bytes(body)
    option = f"method: dhcp, options: {{66: '{scheme}://10.20.0.1/own/p.xml'}}"
    story = promised(tmp_path, option, more=f"provisioning: {{files: {{/own: '{tmp_path / 'tree'}'}}}}")
    assert cause(story) == expected


@pytest.mark.parametrize(
    ("more", "model", "expected"),
    [
        ("certificates: {tls_min: '1.3'}", "CP-8851-3PCC", "tls-version"),
        ("certificates: {tls_min: '1.2'}", "CP-8851-3PCC", ""),
        ("certificates: {client_certificates: required}", "CP-8851-3PCC", "client-certificate"),
        ("certificates: {client_certificates: optional}", "CP-8851-3PCC", ""),
    ],
)
def test_tls_is_as_the_inventory_says(tmp_path: Path, more: str, model: str, expected: str) -> None:
    assert cause(promised(tmp_path, more=more, model=model)) == expected


def test_chain_on_disk_is_judged_as_a_phone_does(tmp_path: Path) -> None:
    alone = "srv: {https: [{target: netprov, port: 443}], http: []}"
    assert cause(promised(tmp_path, more=alone, certificates=True, trusting=False)) == "tls-untrusted"
    assert cause(promised(tmp_path, more=alone, certificates=True)) == ""


def test_acs_that_wants_a_password_does_not_hold_the_session(tmp_path: Path) -> None:
    klass = "method: acs, acs_url: 'http://10.20.0.1:7547/'"
    assert cause(promised(tmp_path, klass)) == ""
    locked = "acs: {credentials: {username: phone, password: secret}}"
    assert cause(promised(tmp_path, klass, more=locked)) == "acs-refuses"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("http://nowhere.example.com/next.xml", "host-no-address"),
        ("http://10.20.0.99/next.xml", "elsewhere"),
        ("http://10.20.0.1:81/next.xml", "port-closed"),
        ("http://10.20.0.1/nothing.bin", "file-missing"),
        ("gds://", "activation"),
        ("[--srv] tftp://example.com/next.xml", "bad-rule"),
        ("[--srv] https://sub.example.com/next.xml", "srv-missing"),
    ],
)
def test_road_goes_on_after_the_first_profile(tmp_path: Path, rule: str, expected: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "p.xml").write_text(f"<flat-profile><Profile_Rule>{rule}</Profile_Rule></flat-profile>")
    option = "method: dhcp, options: {66: 'http://10.20.0.1/own/p.xml'}"
    more = f"provisioning: {{files: {{/own: '{tree}'}}}}"
    assert cause(promised(tmp_path, option, more=more)) == expected


@pytest.mark.parametrize(
    ("klass", "more"),
    [
        ("method: dhcp, options: {160: 'http://192.0.2.80/cfg.xml'}", ""),
        ("method: dhcp, options: {66: 'tftp://192.0.2.80/cfg.xml'}", ""),
        ("method: dhcp, options: {66: 192.0.2.80}", ""),
        ("method: dhcp, options: {66: 'http://files.example.net/x.xml'}", "dns: {forward: [192.0.2.53]}"),
        ("method: srv, options: {6: [192.0.2.53]}", ""),
        ("method: acs, acs_url: 'http://192.0.2.80:7547/'", ""),
    ],
)
def test_of_servers_that_are_not_of_the_inventory_nothing_is_claimed(
    tmp_path: Path, klass: str, more: str
) -> None:
    story = promised(tmp_path, klass, more=more)
    assert cause(story) == "elsewhere"
    assert "192.0.2." in story.detail


@pytest.mark.parametrize(
    ("klass", "expected"),
    [
        ("encryption: {}", "key-locked"),
        ("encryption: {}, keys: {policy: lease}", ""),
        ("encryption: {}, keys: {policy: certificate}", "key-sender"),
        ("encryption: {}, keys: {policy: never}", "key-never"),
        ("demand: {sender: port, circuit_id: p}", "demand-sender"),
        ("demand: {sender: lease}", ""),
    ],
)
def test_phone_fresh_from_the_box_meets_the_policy_of_its_keys(
    tmp_path: Path, klass: str, expected: str
) -> None:
    ledger = KeyLedger(tmp_path)
    ledger.give(Wanted("00:12:34:ab:45:de", "10.20.0.66", "lease", "once", 600), NOW)
    ledger.close()
    assert cause(promised(tmp_path, f"method: srv, {klass}")) == expected
