"""No key that protects a profile is tried on what others send, and what is tried tells nothing by its answer or its time."""

from __future__ import annotations

import math
import random
import time
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from netprov.failure import MOST, WINDOW_S
from netprov.provision.auth import Authority
from netprov.provision.catalog import Catalog
from netprov.provision.config import Device, Policy, Provision
from netprov.provision.crypto import _key_and_iv, derive_secret, encrypt_cbc, encrypt_gcm
from netprov.provision.event import Reported
from netprov.provision.http import HttpRequest
from netprov.provision.profile import Parameter, layer
from netprov.provision.requester import Requester
from netprov.provision.respond import Answered, Responder
from netprov.provision.secret import SITE, Secrets

MAC = "00:12:34:ab:45:de"
OTHER = "00:12:34:ab:45:df"
PROFILE_KEY = derive_secret(b"s", "profile", MAC)
REPORT_KEY = derive_secret(b"s", "report", MAC)
PHONE = Requester("http", "10.20.0.50", link_mac=lambda: MAC)
STRANGER = Requester("http", "10.20.0.66", link_mac=lambda: OTHER)
SIGMAS = 4.5
"""Standard deviations of chance that a share may be off: more in one run of 150,000."""
REPORT = b"<flat-profile><A>1</A></flat-profile>"


def responder(policy: Policy | None = None) -> Responder:
    policy = policy or Policy(encryption="aes-256-cbc")
    device = Device(MAC, "CP-8851-3PCC", policy=policy, layers=(layer([Parameter("A", "own")]),))
    provision = Provision("example.com", devices={MAC: device}, reports="/report")
    catalog = Catalog(provision, entropy=lambda size: bytes(range(size)), secrets=Secrets({SITE: "s"}))
    return Responder(catalog, provision, Authority(b"key"))


def report(
    server: Responder, body: bytes, requester: Requester = PHONE, *, coding: str = "", now: float = 0.0
) -> Answered:
    fields = {"content-encoding": coding} if coding else {}
    return server.respond(HttpRequest("PUT", "/report/001234ab45de.xml", 1, fields, body), requester, now)


def sealed(plain: bytes, key: str = REPORT_KEY) -> bytes:
    """Return whole blocks encrypted as they are, without padding of ours."""
    secret, vector = _key_and_iv(key, b"saltsalt", "sha256")
    encryptor = Cipher(AES256(secret), CBC(vector)).encryptor()
    return b"Salted__saltsalt" + encryptor.update(plain) + encryptor.finalize()


def test_profile_as_the_server_encrypts_it_is_opened_for_nobody_as_a_report() -> None:
    server = responder()
    fetched = server.respond(HttpRequest("GET", "/001234ab45de.cfg", 1, {}), PHONE, 0.0)
    assert fetched.response.body.startswith(b"Salted__")
    answered = report(server, fetched.response.body)
    assert (answered.response.status, answered.more) == (400, None)
    by_profile_key = report(
        server, encrypt_gcm(REPORT, PROFILE_KEY.encode(), salt=bytes(16)), coding="aes128gcm"
    )
    assert (by_profile_key.response.status, by_profile_key.more) == (400, None)


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (encrypt_cbc(REPORT, REPORT_KEY, salt=b"saltsalt", digest="sha256"), ""),
        (encrypt_gcm(REPORT, REPORT_KEY.encode(), salt=bytes(16)), "aes128gcm"),
    ],
    ids=["cbc", "gcm"],
)
def test_report_of_the_phone_is_opened_and_the_same_from_a_stranger_is_not(body: bytes, coding: str) -> None:
    server = responder()
    refused = report(server, body, STRANGER, coding=coding)
    assert (refused.response.status, refused.more) == (403, None)
    certified = replace(STRANGER, certificate_mac=OTHER)
    assert report(server, body, certified, coding=coding).more is None
    for honest in (PHONE, replace(STRANGER, certificate_mac=MAC)):
        answered = report(server, body, honest, coding=coding)
        assert isinstance(answered.more, Reported)
        assert answered.more.fields == {"A": "1"}


def test_phone_behind_a_strange_address_is_asked_for_its_credentials() -> None:
    server = responder(Policy(encryption="aes-256-cbc", auth="basic"))
    answered = report(server, encrypt_cbc(REPORT, REPORT_KEY, salt=b"saltsalt", digest="sha256"), STRANGER)
    assert answered.response.status == 401
    assert "WWW-Authenticate" in dict(answered.response.fields)


def test_every_failure_has_one_answer() -> None:
    whole = encrypt_cbc(REPORT, REPORT_KEY, salt=b"saltsalt", digest="sha256")
    bodies = [
        (sealed(b"x" * 31 + b"\x01"), ""),
        (sealed(b"x" * 31 + b"\x00"), ""),
        (sealed(b"<a/>" + b"x" * 12), ""),
        (whole[:-1] + bytes([whole[-1] ^ 1]), ""),
        (whole[:-1], ""),
        (b"Salted__saltsalt", ""),
        (b"x" * 60, "aes128gcm"),
        (b"", "aes128gcm"),
        (encrypt_gcm(b"no XML", REPORT_KEY.encode(), salt=bytes(16)), "aes128gcm"),
    ]
    answers = [report(responder(), body, coding=coding) for body, coding in bodies]
    assert {(each.response, each.event.reason) for each in answers} == {
        (answers[0].response, answers[0].event.reason)
    }
    assert answers[0].response.status == 400


def test_who_fails_often_is_not_looked_at_and_is_again_after_a_while() -> None:
    server = responder()
    good = encrypt_cbc(REPORT, REPORT_KEY, salt=b"saltsalt", digest="sha256")
    statuses = [report(server, sealed(b"x" * 32)).response.status for _ in range(MOST + 1)]
    assert statuses == [400] * MOST + [429]
    assert report(server, good).response.status == 429
    assert report(server, REPORT).response.status == 200
    assert report(server, good, now=WINDOW_S + 1).response.status == 200


def test_strangers_cannot_use_up_the_failures_of_a_phone() -> None:
    server = responder()
    for _ in range(10 * MOST):
        assert report(server, sealed(b"x" * 32), STRANGER).response.status == 403
    good = encrypt_cbc(REPORT, REPORT_KEY, salt=b"saltsalt", digest="sha256")
    assert report(server, good).response.status == 200


@pytest.mark.parametrize("start", [b"", b"<flat-profile><A>", b"\x1f\x8b\x08"], ids=["random", "xml", "gzip"])
def test_time_tells_nothing_of_the_padding(start: bytes) -> None:
    """Of 5,000 pairs timed one after the other in random order, the slower one is the good padding as often as by chance.

    In the beginning the good one was slower in more than nine of ten; as long as it alone was copied, in 5,170 of 10,000.
    """
    server, draw = responder(), random.Random(14)
    slower = pairs = 0
    for turn in range(5000):
        plain = (start + draw.randbytes(64))[:63]
        bodies = {good: sealed(plain + bytes([1 if good else 0])) for good in (True, False)}
        order = [True, False] if draw.random() < 0.5 else [False, True]
        took = {}
        for place, good in enumerate(order):
            # A window for each, or the limit would answer.
            now = (2 * turn + place) * (WINDOW_S + 1)
            began = time.perf_counter_ns()
            answered = report(server, bodies[good], now=now)
            took[good] = time.perf_counter_ns() - began
            assert answered.response.status == 400
        if took[True] != took[False]:
            pairs += 1
            slower += took[True] > took[False]
    assert abs(slower - pairs / 2) < SIGMAS * math.sqrt(pairs) / 2
