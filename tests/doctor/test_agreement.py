"""What servers say, compared: who is taken for right, and what counts as the same."""

from __future__ import annotations

import gzip

import pytest

from netprov.dns.iana.rrtype import A
from netprov.doctor.agreement import authorities, profiles, zones
from netprov.doctor.server import Answers, Server
from netprov.phone.action import Response
from netprov.provision.config import Device, Policy, Provision, SecretsPlace
from netprov.provision.crypto import encrypt_cbc, encrypt_gcm
from netprov.provision.secret import Secrets
from tests.pki.chains import ca

MAC = "00:12:34:ab:45:de"
PROFILE = b"<flat-profile><Proxy_1_>example.com</Proxy_1_></flat-profile>"
SERVERS = [Server(f"10.20.0.{host}", (), 53, ("dns",)) for host in (11, 12, 13)]
SECRETS = Secrets({"site": "hush"})
KEY = SECRETS.profile_key(MAC) or ""
NAMES = {MAC: "phone lobby"}


def given(*files: Response) -> list[Answers]:
    return [
        Answers(server, files={(MAC, "http"): file}) for server, file in zip(SERVERS, files, strict=False)
    ]


def rules(said: list[Answers], policy: Policy | None = None, secrets: Secrets = SECRETS) -> list[str]:
    provision = Provision("example.com", devices={MAC: Device(MAC, policy=policy or Policy())})
    return [each.rule for each in profiles(said, provision, secrets, NAMES)]


def sealed(plain: bytes = PROFILE, key: str = KEY, salt: bytes = bytes(8)) -> Response:
    return Response(200, encrypt_cbc(plain, key, salt=salt, digest="sha256"))


def coded(plain: bytes = PROFILE, key: str = KEY, salt: bytes = bytes(16)) -> Response:
    body = encrypt_gcm(plain, key.encode(), salt=salt)
    return Response(200, body, (("Content-Encoding", "aes128gcm"),))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Response(200, PROFILE), Response(200, PROFILE), []),
        (Response(200, PROFILE), Response(200, PROFILE + b" "), ["doctor-servers-profile"]),
        (Response(200, PROFILE), Response(404), ["doctor-servers-profile"]),
        (Response(404), Response(404), []),
        (sealed(), sealed(salt=b"otherone"), []),
        (sealed(gzip.compress(PROFILE)), sealed(), []),
        (sealed(), sealed(b"<flat-profile/>"), ["doctor-servers-profile"]),
        (sealed(), Response(200, PROFILE), ["doctor-servers-profile"]),
        (sealed(), sealed(key="another"), ["doctor-servers-key"]),
        (coded(), coded(salt=b"another salt 16."), []),
        (coded(), coded(key="another"), ["doctor-servers-key"]),
        (sealed(), sealed(b"no profile"), ["doctor-servers-key"]),
        (Response(200, b"<a>10.20.0.11</a>"), Response(200, b"<a>10.20.0.12</a>"), []),
        (Response(200, b"<a>10.20.0.11</a>"), Response(200, b"<a>10.20.0.11</a>"), []),
        (
            Response(200, b"<a>10.20.0.11</a><b>10.20.0.11"),
            Response(200, b"<a>10.20.0.11</a><b>10.20.0.12"),
            [],
        ),
        (Response(200, b"<a>10.20.0.11:81/</a>"), Response(200, b"<a>10.20.0.12/</a>"), []),
        (
            Response(200, b"<a>10.20.0.11</a>"),
            Response(200, b"<a>10.20.0.121</a>"),
            ["doctor-servers-profile"],
        ),
        (
            Response(200, b"<a>10.20.0.12</a>"),
            Response(200, b"<a>10.20.0.11</a>"),
            ["doctor-servers-profile"],
        ),
    ],
)
def test_profiles_are_compared_by_what_is_in_them(
    one: Response, other: Response, expected: list[str]
) -> None:
    assert rules(given(one, other)) == expected


def test_without_secrets_nothing_is_said_of_keys() -> None:
    assert rules(given(sealed(), sealed(key="another")), secrets=Secrets()) == []


def test_secrets_that_are_kept_elsewhere_are_not_carried_by_the_state() -> None:
    said = given(sealed(), sealed(key="another"))
    remedies = []
    for place in (SecretsPlace(), SecretsPlace(file="/etc/secrets")):
        provision = Provision("example.com", devices={MAC: Device(MAC)}, secrets=place)
        (problem,) = profiles(said, provision, SECRETS, NAMES)
        remedies.append(problem.remedy)
    assert ["state export" in each for each in remedies] == [True, False]
    assert "/etc/secrets" in remedies[1]


def test_the_ca_that_is_trusted_here_is_right_else_that_of_most() -> None:
    one, two = ca().leaf, ca().leaf
    said = [Answers(server, ca=(root,)) for server, root in zip(SERVERS, (one, two, two), strict=True)]
    by_most = [each.message.partition(" ")[0] for each in authorities(said, ())]
    by_trust = [each.message.partition(" ")[0] for each in authorities(said, (one,))]
    assert (by_most, by_trust) == (["10.20.0.11"], ["10.20.0.12", "10.20.0.13"])


def test_serials_are_compared_as_serials() -> None:
    said = [
        Answers(server, serials={"example.com": serial})
        for server, serial in zip(SERVERS, (4294967295, 3), strict=False)
    ]
    (problem,) = zones(said, frozenset())
    assert problem.message.startswith(
        "zone example.com has the serial 4294967295 at 10.20.0.11, and 3 at 10.20.0.12"
    )
    assert problem.severity == "warning"
    assert "the inventory of 10.20.0.12" in problem.remedy


def test_records_that_differ_are_told_once_for_each_server() -> None:
    questions = [(f"pr{number}.example.com", A) for number in range(3)]
    said = [
        Answers(
            server,
            serials={"example.com": number},
            records={question: frozenset({f"10.20.0.{number}"}) for question in questions},
        )
        for number, server in enumerate(SERVERS[:2], 1)
    ]
    (problem,) = zones(said, frozenset({"example.com"}))
    assert problem.message.startswith(
        "pr0.example.com A is 10.20.0.2 at 10.20.0.12, and 10.20.0.1 at 10.20.0.11"
    )
    assert problem.message.endswith("2 more differ")
