"""Causes named from the emulator's own steps: each planted in a world in memory."""

from __future__ import annotations

import pytest

from netprov.explain.cause import CAUSES
from netprov.explain.engine import explain
from netprov.phone.action import AskDhcp, Failed, Lease, Response, SrvRecord, Step, Trouble
from netprov.phone.handset.identity import MODELS, Identity
from tests.phone.test_road import DOMAIN, FIRST, GUIDE, HTTP, HTTPS, PR1, ROWS, Row, serving
from tests.phone.world import CA, PHONE, PROFILE, STAGED, Server, World, travel

ONE = {HTTPS: GUIDE[HTTPS][:1]}
ONE_HTTP = {HTTP: GUIDE[HTTP][:1]}
MANAGED = Identity("00:12:34:ab:45:de", MODELS["CP-8851-3PCC"], tr069=True, custom_roots=(CA,))
ACS = {43: b"\x01\x17http://10.20.0.11:7547/"}


def https(server: Server) -> World:
    return World(DOMAIN, PR1, ONE, {"https 10.20.0.11 5060": server})


def http(answer: int | bytes | Response) -> World:
    return World(DOMAIN, PR1, ONE_HTTP, {"http 10.20.0.11 5060": Server({FIRST: answer})})


def tftp(answer: int | bytes | Trouble) -> World:
    return World({66: b"tftp://10.20.0.1/p"}, servers={"tftp 10.20.0.1 69": Server({"/p": answer})})


PLANTED: tuple[tuple[str, World, Identity], ...] = (
    ("dhcp-silent", World(None), PHONE),
    ("no-domain", World({}), PHONE),
    ("no-dns", World({6: b"", **DOMAIN}), PHONE),
    ("option-octets", World({66: bytes([10, 20, 0, 1])}), PHONE),
    ("option-octets", World({66: bytes([10, 20, 0, 1]), **DOMAIN}), PHONE),
    ("option-value", World({150: b"10.20.0.1"}), PHONE),
    ("option-value", World({66: b""}), PHONE),
    ("option-value", World({160: b"ftp://10.20.0.1/x"}), PHONE),
    ("option-value", World({66: b"10.20.0.1/dir/x y"}), PHONE),
    ("option-value", World({43: b"\x01\x30short"}), MANAGED),
    ("tr069-off", World(ACS), PHONE),
    ("tr069-off", World({**ACS, **DOMAIN}), PHONE),
    ("srv-missing", World(DOMAIN), PHONE),
    ("srv-no-service", World(DOMAIN, {}, {HTTPS: (SrvRecord(0, 0, 0, ""),)}), PHONE),
    ("target-no-address", World(DOMAIN, {}, ONE), STAGED),
    ("host-no-address", World({66: b"http://pr9.example.com/x"}), PHONE),
    ("dns-silent", World({66: b"http://pr9.example.com/x"}, {"pr9.example.com": Trouble.TIMEOUT}), PHONE),
    (
        "dns-refused",
        World({66: b"http://pr9.example.com/x"}, {"pr9.example.com": Trouble.DNS_REFUSED}),
        PHONE,
    ),
    ("dns-closed", World({66: b"http://pr9.example.com/x"}, {"pr9.example.com": Trouble.REFUSED}), PHONE),
    ("dns-failed", World({66: b"http://pr9.example.com/x"}, {"pr9.example.com": Trouble.DNS_FAILED}), PHONE),
    ("port-closed", World(DOMAIN, PR1, ONE), STAGED),
    ("server-silent", https(Server(trouble=Trouble.TIMEOUT)), STAGED),
    ("unreachable", https(Server(trouble=Trouble.UNREACHABLE)), STAGED),
    ("closed-early", https(Server(trouble=Trouble.RESET)), STAGED),
    ("tls-untrusted", https(Server({FIRST: PROFILE})), PHONE),
    ("tls-wrong-name", https(Server({FIRST: PROFILE}, ("pr1.example.com",))), STAGED),
    ("tls-expired", https(Server(trouble=Trouble.EXPIRED)), STAGED),
    ("tls-not-yet", https(Server(trouble=Trouble.NOT_YET)), STAGED),
    ("tls-version", https(Server(trouble=Trouble.TLS)), STAGED),
    ("file-missing", https(Server({})), STAGED),
    ("file-missing", http(404), PHONE),
    ("forbidden", http(403), PHONE),
    ("unauthorized", http(401), PHONE),
    ("server-error", http(503), PHONE),
    ("bad-request", http(410), PHONE),
    ("not-http", http(Response(400, b"The plain HTTP request was sent to HTTPS port")), PHONE),
    ("redirect", http(Response(302)), PHONE),
    ("redirect", http(307), PHONE),
    ("port-closed", http(Response(301, headers=(("Location", "http://10.20.0.99/x"),))), PHONE),
    ("index-page", http(b"<!DOCTYPE html><html>hello</html>"), PHONE),
    ("empty-file", http(b""), PHONE),
    ("encrypted", http(b"Salted__" + bytes(40)), PHONE),
    ("corrupt", http(b"<flat-profile><A>"), PHONE),
    ("corrupt", http(b"\x1f\x8bnothing"), PHONE),
    ("tftp-silent", World({66: b"tftp://10.20.0.1/p"}), PHONE),
    (
        "tftp-closed",
        World({66: b"tftp://10.20.0.1/p"}, servers={"tftp 10.20.0.1 69": Server(trouble=Trouble.REFUSED)}),
        PHONE,
    ),
    ("tftp-refused", tftp(Trouble.TRANSFER), PHONE),
    ("file-missing", tftp(404), PHONE),
    ("file-missing", World({66: b"10.20.0.1"}, servers={"tftp 10.20.0.1 69": Server({})}), PHONE),
    (
        "port-closed",
        tftp(b"<flat-profile><Profile_Rule>http://10.20.0.1/next.xml</Profile_Rule></flat-profile>"),
        PHONE,
    ),
    (
        "bad-rule",
        tftp(b"<flat-profile><Profile_Rule>[--srv] tftp://example.com/x</Profile_Rule></flat-profile>"),
        PHONE,
    ),
    ("acs-unreachable", World(ACS), MANAGED),
    ("acs-refuses", World(ACS, servers={"http 10.20.0.11 7547": Server({"/": 401})}), MANAGED),
)


@pytest.mark.parametrize(
    ("cause", "world", "identity"), PLANTED, ids=[f"{n}-{row[0]}" for n, row in enumerate(PLANTED)]
)
def test_the_planted_cause_is_named(cause: str, world: World, identity: Identity) -> None:
    outcome, steps, _ = travel(world, identity)
    for story in (explain(steps), explain(steps, outcome)):
        assert not story.provisioned
        assert story.cause is not None
        assert cause == story.cause.id, (story.detail, story.notes)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_nothing_wrong_is_said_about_a_healthy_boot(row: Row) -> None:
    outcome, steps, _ = travel(row.world, row.identity, row.behaviour)
    for story in (explain(steps), explain(steps, outcome)):
        assert outcome.provisioned == story.provisioned
        assert (story.cause is None) == outcome.provisioned
        if outcome.provisioned:
            assert outcome.url == story.url


def test_a_target_that_is_down_is_a_note_beside_a_healthy_one() -> None:
    _, steps, _ = travel(World(DOMAIN, PR1, GUIDE, serving("https 10.20.0.11 5060")), STAGED)
    story = explain(steps)
    assert story.provisioned
    assert len(story.notes) == 1
    assert "pr2.example.com" in story.notes[0].message


def test_a_ca_that_is_not_there_is_a_note_where_nothing_hangs_on_it() -> None:
    profile = b"<flat-profile><Custom_CA_Rule>http://10.20.0.1/ca.pem</Custom_CA_Rule></flat-profile>"
    outcome, steps, _ = travel(tftp(profile), PHONE)
    for story in (explain(steps), explain(steps, outcome)):
        assert story.provisioned
        assert [note.rule for note in story.notes] == ["ca-missing"]


@pytest.mark.parametrize(
    ("lease", "cause"),
    [
        (Lease("10.20.0.5", "10.20.0.1", {}, sname="tftp.example.com"), "option-in-header"),
        (Lease("10.20.0.5", "10.20.0.66", {}, rivals=("10.20.0.1",)), "rival-dhcp"),
        (Failed(Trouble.DHCP_NAK, "10.20.0.9 is not yours"), "dhcp-nak"),
        (Failed(Trouble.DHCP_NO_ACK, "the offer was of 10.20.0.1"), "dhcp-no-ack"),
    ],
)
def test_what_only_others_see_of_dhcp(lease: Lease | Failed, cause: str) -> None:
    story = explain([Step(AskDhcp("CP-8851-3PCC", (66,), "00:12:34:ab:45:de"), lease, evidence="packet 3")])
    assert story.cause is not None
    assert story.cause.id == cause


def test_no_steps_at_all_is_a_story_too() -> None:
    story = explain([])
    assert story.cause is CAUSES["dhcp-silent"]
    assert story.retry
