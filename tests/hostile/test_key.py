"""What opens a profile is given by a stated policy, once by default, and what a class demands holds on every road."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.inventory.load import parse
from netprov.plan import derive
from netprov.provision.answer import Answer, Content, Refusal
from netprov.provision.catalog import Catalog
from netprov.provision.config import Device, KeyPolicy, Policy, Ports, Provision, SenderDemand
from netprov.provision.event import KeyGiven
from netprov.provision.gate.handout import AGAIN, HandOut, Wanted
from netprov.provision.gate.probe import FRESH_S, sign
from netprov.provision.profile import Parameter, layer
from netprov.provision.requester import Requester
from netprov.provision.secret import SITE, Secrets
from netprov.state.handout import KeyLedger, given, unlock
from tests.hostile.site import PHONES, Site, a_plan, request, serve

MAC, OTHER = "00:12:34:ab:45:de", "00:12:34:ab:45:df"
SECRETS = Secrets({SITE: "s"})
KEY = (SECRETS.profile_key(MAC) or "").encode()
ROADS = ("https", "http", "tftp")
PATHS = ("/001234ab45de.cfg", "/Cisco/001234ab45de.cfg", "/Cisco/CP-8851-3PCC/001234ab45de.xml")
AT = Ports(("ge-0/0/1",))


def catalog(policy: Policy, ledger: dict[str, HandOut] | None = None) -> Catalog:
    device = Device(MAC, "CP-8851-3PCC", policy=policy, layers=(layer([Parameter("A", "own secret")]),))
    provision = Provision(
        "example.com", devices={MAC: device}, unlisted={}, secure_url="https://pr1.example.com"
    )
    handed = (ledger or {}).get
    return Catalog(provision, entropy=os.urandom, ca=b"-", secrets=SECRETS, handed=handed)


def sender(scheme: str = "https", mac: str = "", **more: object) -> Requester:
    return Requester(scheme, "10.20.0.66", "10.20.0.1", 443, link_mac=lambda: mac, **more)  # type: ignore[arg-type]


def tells(answer: Answer, what: bytes) -> bool:
    return isinstance(answer, Content) and what in answer.body


PHONE = {
    "lease": sender(mac=MAC),
    "port": sender(mac=MAC, at_port=AT.__eq__),
    "certificate": sender(certificate_mac=MAC),
}
STRANGERS = {
    "nobody": sender(),
    "another phone": sender(mac=OTHER, at_port=AT.__eq__),
    "another's certificate": sender(mac=MAC, certificate_mac=OTHER),
    "a probe": sender(mac=MAC, probe="claimed"),
}


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("demand", ["lease", "port", "certificate"])
def test_what_a_class_demands_holds_on_every_road_and_path(demand: SenderDemand, road: str) -> None:
    server = catalog(Policy(sender=demand, ports=AT))
    meets = {"lease": {"lease", "port", "certificate"}, "port": {"port"}, "certificate": {"certificate"}}[
        demand
    ]
    for path in (*PATHS, "/CP-8851-3PCC.xml", "/8851-3PCC.xml"):
        for who in STRANGERS.values():
            assert not tells(server.respond(path, replace(who, scheme=road)), b"own secret")  # type: ignore[arg-type]
    for name, who in PHONE.items():
        got = tells(server.respond(PATHS[0], replace(who, scheme=road)), b"own secret")  # type: ignore[arg-type]
        assert got == (name in meets)


def test_factory_phone_that_must_show_a_certificate_is_led_to_https_and_no_further() -> None:
    server = catalog(Policy(sender="certificate"))
    for road in ("http", "tftp"):
        answer = server.respond(PATHS[0], replace(PHONE["lease"], scheme=road))
        assert tells(answer, b"https://pr1.example.com")
        assert not tells(answer, b"own secret")
    refused = server.respond(PATHS[0], PHONE["lease"])
    assert isinstance(refused, Refusal)
    assert refused.why == "demand-sender"


@pytest.mark.parametrize("road", ROADS)
def test_certificate_that_https_asks_for_is_demanded_on_every_road(road: str) -> None:
    text = f"""
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
certificates: {{client_certificates: required}}
classes: {{open: {{method: srv, demand: {{sender: anyone}}}}}}
phones:
  - {{mac: {MAC}, model: CP-8851-3PCC, values: {{A: own secret}}}}
  - {{mac: {OTHER}, model: CP-8851-3PCC, class: open, values: {{A: own secret}}}}
"""
    provision = derive(parse(text, "site.yaml").inventory).provision
    server = Catalog(provision, entropy=os.urandom, ca=b"-", secrets=SECRETS)
    assert not tells(server.respond(PATHS[0], sender(road, MAC)), b"own secret")
    assert tells(server.respond(PATHS[0], sender(road, certificate_mac=MAC)), b"own secret")
    assert tells(server.respond(PATHS[0].replace("de", "df"), sender(road)), b"own secret")


@pytest.mark.parametrize(("minute", "open_"), [(419, False), (420, True), (1139, True), (1140, False)])
def test_hours_hold_for_profiles_and_for_keys(minute: int, open_: bool) -> None:
    plain_, locked = Policy(hours=(420, 1140)), Policy(encryption="aes-256-cbc", hours=(420, 1140))
    who = replace(PHONE["certificate"], minute=minute)
    assert tells(catalog(plain_).respond(PATHS[0], who), b"own secret") == open_
    assert tells(catalog(locked).respond("/CP-8851-3PCC.xml", who), KEY) == open_


def test_hours_may_pass_midnight() -> None:
    night = catalog(Policy(hours=(1320, 360)))
    seen = {
        minute: tells(night.respond(PATHS[0], replace(PHONE["lease"], minute=minute)), b"own secret")
        for minute in (1319, 1320, 0, 359, 360)
    }
    assert seen == {1319: False, 1320: True, 0: True, 359: True, 360: False}


@pytest.mark.parametrize(
    ("policy", "who"),
    [
        ("once", {"lease", "port", "certificate"}),
        ("lease", {"lease", "port", "certificate"}),
        ("port", {"port"}),
        ("certificate", {"certificate"}),
        ("never", set()),
    ],
)
@pytest.mark.parametrize("kind", ["aes-256-cbc", "aes128gcm"])
def test_key_is_given_as_the_policy_says_and_to_no_stranger(
    policy: KeyPolicy, who: set[str], kind: str
) -> None:
    server = catalog(Policy(encryption=kind, keys=policy, ports=AT))  # type: ignore[arg-type]
    for path in ("/CP-8851-3PCC.xml", "/8851-3PCC.xml", *PATHS):
        for road in ROADS:
            for stranger in STRANGERS.values():
                assert not tells(server.respond(path, replace(stranger, scheme=road)), KEY)  # type: ignore[arg-type]
    got = {name for name, each in PHONE.items() if tells(server.respond("/CP-8851-3PCC.xml", each), KEY)}
    assert got == who


def test_password_is_given_by_the_same_policy() -> None:
    password = (SECRETS.password(MAC) or "").encode()
    policy = Policy(auth="digest")
    assert tells(catalog(policy).respond("/CP-8851-3PCC.xml", PHONE["lease"]), password)
    used = {MAC: HandOut(MAC, 0.0, "10.20.0.50", "lease")}
    refused = catalog(policy, used).respond("/CP-8851-3PCC.xml", PHONE["lease"])
    assert isinstance(refused, Refusal)
    assert (refused.status, refused.why) == (403, "key-locked")
    assert "netprov phones unlock" in refused.reason


def test_keys_are_given_once_where_nothing_is_said() -> None:
    assert Policy().keys == "once"


WANTED = Wanted(MAC, "10.20.0.50", "lease", "once", 600)


def test_same_sender_may_ask_again_for_a_while_and_nobody_else() -> None:
    first = WANTED.judge(None, 1000.0)
    assert first == HandOut(MAC, 1000.0, "10.20.0.50", "lease")
    assert first is not None
    again = WANTED.judge(first, 1599.0)  # its answer was lost, or it restarted before it had stored the key
    assert again == replace(first, times=2)
    assert WANTED.judge(first, 1600.0) is None
    assert replace(WANTED, address="10.20.0.66").judge(first, 1001.0) is None
    assert replace(WANTED, proof="port").judge(first, 1001.0) is None
    assert WANTED.judge(first, 999.0) is None  # the clock stepped back


def test_same_sender_may_not_ask_for_ever_within_the_window() -> None:
    record, count = WANTED.judge(None, 0.0), 1
    while record is not None and (after := WANTED.judge(record, 1.0)) is not None:
        record, count = after, count + 1
    assert count == 1 + AGAIN


def test_unlocked_key_is_given_once_more() -> None:
    opened = HandOut(MAC, 0.0, "10.20.0.50", "lease", times=3, opened=True)
    factory_reset = replace(WANTED, address="10.20.0.77")
    after = factory_reset.judge(opened, 10.0)
    assert after == HandOut(MAC, 10.0, "10.20.0.77", "lease")
    assert after is not None
    assert WANTED.judge(after, 11.0) is None


def test_phone_with_its_certificate_is_not_locked_out() -> None:
    used = HandOut(MAC, 0.0, "10.20.0.66", "lease")
    assert replace(WANTED, proof="certificate").judge(used, 9999.0) is not None


def test_ledger_survives_a_restart_and_an_operator_unlocks_it(tmp_path: Path) -> None:
    ledger = KeyLedger(tmp_path)
    assert ledger.give(WANTED, 1000.0) is not None
    ledger.close()
    again = KeyLedger(tmp_path)
    assert again.of(MAC) == HandOut(MAC, 1000.0, "10.20.0.50", "lease") == given(tmp_path)[MAC]
    assert again.give(WANTED, 9000.0) is None
    assert unlock(tmp_path, MAC)
    assert not unlock(tmp_path, OTHER)
    assert again.give(WANTED, 9000.0) == HandOut(MAC, 9000.0, "10.20.0.50", "lease")
    assert again.give(WANTED, 99000.0) is None
    again.close()


_GIVER = """
import os, signal, sys
from pathlib import Path
from netprov.state.handout import KeyLedger
from tests.hostile.test_key import WANTED
KeyLedger(Path(sys.argv[1])).give(WANTED, 1000.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_key_that_was_given_is_on_disk_when_the_server_is_killed(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", _GIVER, str(tmp_path)], cwd=root, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    ledger = KeyLedger(tmp_path)
    assert ledger.give(WANTED, 9000.0) is None
    ledger.close()


def test_record_that_cannot_be_written_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "given.sqlite").write_bytes(b"no database, by far" * 100)
    answers = _boot(tmp_path, times=1)
    assert [each[9:12] for each in answers] == [b"503"]


def _boot(state: Path, times: int, mac: str = PHONES[0], found: list[object] | None = None) -> list[bytes]:
    """Ask a running server for a locked phone's bootstrap profile as from that phone's address, over HTTPS."""
    plan = a_plan()
    locked = Policy(encryption="aes-256-cbc", window=0)
    devices = {key: replace(each, policy=locked) for key, each in plan.provision.devices.items()}
    listener = replace(plan.provision.listeners[0], scheme="https")
    provision = replace(plan.provision, devices=devices, addresses={"127.0.0.1": mac}, listeners=(listener,))
    answers: list[bytes] = []

    async def scenario(site: Site) -> None:
        answers.extend([await site.say(request("/8851-3PCC.xml"), secure=True) for _ in range(times)])
        if found is not None:
            found.extend(site.events)

    serve(state, scenario, replace(plan, provision=provision))
    return answers


def test_server_gives_a_key_once_also_across_restarts(tmp_path: Path) -> None:
    events: list[object] = []
    key = tmp_path / "secrets"
    first = _boot(tmp_path, times=2, found=events)
    assert [each[9:12] for each in first] == [b"200", b"403"]
    secret = dict(line.split() for line in key.read_text().splitlines() if not line.startswith("#"))["site"]
    mine = Secrets({SITE: secret}).profile_key(PHONES[0]) or ""
    assert mine.encode() in first[0]
    assert [each for each in events if isinstance(each, KeyGiven)] == [
        KeyGiven("127.0.0.1", PHONES[0], "lease", 1)
    ]
    assert not any(mine in str(each) for each in events)
    assert [each[9:12] for each in _boot(tmp_path, times=1)] == [b"403"]
    assert unlock(tmp_path, PHONES[0])
    assert [each[9:12] for each in _boot(tmp_path, times=2)] == [b"200", b"403"]


def test_probe_is_believed_by_its_signature_for_its_request_and_moment_alone() -> None:
    server = catalog(Policy(encryption="aes-256-cbc"))
    path = "/CP-8851-3PCC.xml"
    mark = sign(SECRETS.probe_key(MAC), MAC, "https", path, 1000.0)
    good = server.marked(sender(), mark, path, 1000.0)
    answer = server.respond(path, good)
    assert tells(answer, KEY)
    assert isinstance(answer, Content)
    assert answer.key is None  # what we ask ourselves locks nobody out
    bad = [
        server.marked(sender(), mark, path, 1000.0 + FRESH_S + 1),
        server.marked(sender(), mark, "/CP-7832-3PCC.xml", 1000.0),
        server.marked(replace(sender(), scheme="http"), mark, path, 1000.0),
        server.marked(sender(), mark.replace(MAC, OTHER), path, 1000.0),
        server.marked(sender(), sign(None, MAC, "https", path, 1000.0), path, 1000.0),
        server.marked(sender(), sign("guess", MAC, "https", path, 1000.0), path, 1000.0),
        server.marked(sender(), f"doctor ² x {MAC}", path, 1000.0),
    ]
    assert not any(tells(server.respond(path, each), KEY) for each in bad)
