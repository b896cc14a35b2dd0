"""HTTP requests answered from the catalog: the guide's Table 2 from the server's side, reports, credentials, files."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.provision.answer import TreeFile
from netprov.provision.auth import Account, Authority
from netprov.provision.catalog import Catalog
from netprov.provision.config import Device, Policy, Provision
from netprov.provision.crypto import derive_secret, encrypt_cbc, encrypt_gcm
from netprov.provision.event import Asked, Posted, Reported
from netprov.provision.http import HttpRequest
from netprov.provision.profile import Parameter, layer
from netprov.provision.requester import Requester
from netprov.provision.respond import Answered, Responder, missing_file, target_path
from netprov.provision.secret import SITE, Secrets

MAC = "00:12:34:ab:45:de"
SECRETS = Secrets({SITE: "s"})
KEY = derive_secret(b"s", "report", MAC)
TABLE_2 = [301, 302, 303, 307, 400, 401, 403, 404, 407, 410, 429, 500, 501, 502, 503, 504, 505]
PROVISION = Provision(
    "example.com",
    devices={MAC: Device(MAC, "CP-8851-3PCC", layers=(layer([Parameter("A", "own")]),))},
    unlisted={},
    redirects={
        "/moved.xml": ("https://pr1.example.com/$PSN.xml", 301),
        "/found.xml": ("/8851-3PCC.xml", 302),
    },
    statuses=tuple((f"/{status}/$PSN.xml", status) for status in TABLE_2),
    trees=(("/fw", "/srv"),),
    reports="/report",
)
ASKER = Requester("https", "10.20.0.50", "10.20.0.1", 443)
PHONE = replace(ASKER, link_mac=lambda: MAC)


def responder(policy: Policy | None = None) -> Responder:
    provision = PROVISION
    if policy is not None:
        device = replace(PROVISION.devices[MAC], policy=policy)
        provision = replace(PROVISION, devices={MAC: device})
    catalog = Catalog(provision, entropy=bytes, secrets=SECRETS)
    return Responder(catalog, provision, Authority(b"key"))


def ask(
    target: str,
    method: str = "GET",
    body: bytes = b"",
    *,
    policy: Policy | None = None,
    now: float = 1000.0,
    **fields: str,
) -> Answered:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return responder(policy).respond(HttpRequest(method, target, 1, named, body), ASKER, now)


@pytest.mark.parametrize("status", TABLE_2)
def test_any_status_can_be_asked_for(status: int) -> None:
    answered = ask(f"/{status}/8851-3PCC.xml")
    assert answered.response.status == status
    names = {name for name, _ in answered.response.fields}
    assert ("WWW-Authenticate" in names) == (status == 401)
    assert ("Proxy-Authenticate" in names) == (status == 407)


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/moved.xml", 301, "https://pr1.example.com/$PSN.xml"),
        ("/found.xml", 302, "/8851-3PCC.xml"),
    ],
)
def test_redirects_name_the_new_place(target: str, status: int, location: str) -> None:
    response = ask(target).response
    assert (response.status, response.fields) == (status, (("Location", location),))


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        ("/", "GET", 404),
        ("/8851-3PCC.xml", "GET", 200),
        ("/8851-3PCC.xml?x=1", "HEAD", 200),
        ("/8851-3PCC.xml", "POST", 200),
        ("/8851-3PCC.xml", "PUT", 405),
        ("/8851-3PCC.xml", "DELETE", 405),
        ("/../etc/passwd", "GET", 404),
        ("*", "OPTIONS", 405),
        ("http://pr1.example.com/8851-3PCC.xml", "GET", 200),
        ("http://pr1.example.com", "GET", 404),
        ("/report", "GET", 404),
        ("/report/x.xml", "PUT", 400),
        ("/reports", "PUT", 405),
    ],
)
def test_methods_and_targets(target: str, method: str, status: int) -> None:
    answered = ask(target, method)
    assert (answered.response.status, answered.event.status) == (status, status)


def test_posted_body_is_kept() -> None:
    answered = ask("/001234ab45de.cfg", "POST", b"serial=FCH1" + b"x" * 9000)
    assert isinstance(answered.more, Posted)
    assert (answered.more.mac, answered.more.body[:11], len(answered.more.body)) == (MAC, "serial=FCH1", 4096)
    assert "FCH1" not in str(answered.more)


def test_fields_of_a_posted_body_are_kept_without_secrets() -> None:
    more = ask("/001234ab45de.cfg", "POST", b"serial=FCH1&pin=1234;room=Lobby+1").more
    assert isinstance(more, Posted)
    assert more.fields == {"serial": "FCH1", "room": "Lobby 1"}


def test_posted_fields_are_so_many_at_most_and_can_be_shown() -> None:
    body = b"&".join([b"a%1bb=1", b"c=%0a", *(b"f%d=1" % number for number in range(300))])
    more = ask("/001234ab45de.cfg", "POST", body).more
    assert isinstance(more, Posted)
    assert list(more.fields) == [f"f{number}" for number in range(98)]


@pytest.mark.parametrize("whole", ["", "<p><A>{{ post.room | default('none') }}</A></p>"])
def test_a_template_sees_what_its_own_request_posted(whole: str) -> None:
    own = layer([Parameter("A", "{{ post.room | default('none') }}")])
    provision = replace(PROVISION, devices={MAC: Device(MAC, layers=(own,), template=whole)})
    answers = Responder(Catalog(provision, entropy=bytes, secrets=SECRETS), provision, Authority(b"key"))

    def got(method: str, body: bytes = b"") -> str:
        request = HttpRequest(method, "/001234ab45de.cfg", 1, {}, body)
        found = ET.fromstring(answers.respond(request, ASKER, 1000.0).response.body).find(".//A")
        assert found is not None
        return found.text or ""

    assert got("GET") == "none"
    assert got("POST", b"room=Lobby%201") == "Lobby 1"
    assert got("POST", b"room=%3C%2FA%3E%3CB%3E") == "</A><B>", "what was posted is text"
    assert got("POST", b"room=\0") == "none"
    assert got("GET") == "none"


@pytest.mark.parametrize("whole", ["", "<p><A>{{ post.room | default('none') }}</A></p>"])
def test_a_template_sees_what_the_phone_posted_last_and_nobody_else_does(whole: str) -> None:
    own = layer([Parameter("A", "{{ post.room | default('none') }}")])
    provision = replace(PROVISION, devices={MAC: Device(MAC, layers=(own,), template=whole)})
    answers = Responder(Catalog(provision, entropy=bytes, secrets=SECRETS), provision, Authority(b"key"))

    def got(who: Requester, before: str, method: str = "GET", body: bytes = b"") -> str:
        kept = (("room", before),) if before else ()
        asks = replace(who, posted_before=lambda mac: kept if mac == MAC else ())
        request = HttpRequest(method, "/001234ab45de.cfg", 1, {}, body)
        found = ET.fromstring(answers.respond(request, asks, 1000.0).response.body).find(".//A")
        assert found is not None
        return found.text or ""

    assert got(PHONE, "") == "none"
    assert got(PHONE, "Lobby") == "Lobby"
    assert got(ASKER, "Lobby") == "none"
    assert got(replace(PHONE, probe="claimed"), "Lobby") == "none"
    assert got(PHONE, "Lobby", "POST", b"room=Attic") == "Attic"
    assert got(PHONE, "Hall") == "Hall"


def test_what_a_phone_posted_is_looked_up_for_templates_that_speak_of_it() -> None:
    def looked_up(_: str) -> tuple[tuple[str, str], ...]:
        raise AssertionError

    request = HttpRequest("GET", "/001234ab45de.cfg", 1, {}, b"")
    answered = responder().respond(request, replace(PHONE, posted_before=looked_up), 1000.0)
    assert b">own<" in answered.response.body


STATUS = b"<status><System_Information><Firmware>11.3.1</Firmware></System_Information><Admin_Password>x</Admin_Password></status>"
FULL = b"<device><flat-profile><A>1</A><B ua='rw'>2</B></flat-profile></device>"


@pytest.mark.parametrize(
    ("path", "body", "fields", "kind", "expected"),
    [
        ("/report/001234ab45de.xml", STATUS, {}, "status", {"System_Information/Firmware": "11.3.1"}),
        ("/report/001234ab45de.xml", FULL, {}, "full", {"A": "1", "B": "2"}),
        ("/report/delta-001234ab45de.xml", FULL, {}, "delta", {"A": "1", "B": "2"}),
        (
            "/report/001234ab45de.xml",
            encrypt_cbc(FULL, KEY, salt=b"saltsalt", digest="sha256"),
            {},
            "full",
            {"A": "1", "B": "2"},
        ),
        (
            "/report/001234ab45de.xml",
            encrypt_gcm(FULL, KEY.encode(), salt=bytes(16)),
            {"content_encoding": "aes128gcm"},
            "full",
            {"A": "1", "B": "2"},
        ),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_report_is_taken(
    method: str, *, path: str, body: bytes, fields: dict[str, str], kind: str, expected: dict[str, str]
) -> None:
    answered = responder().respond(
        HttpRequest(method, path, 1, {name.replace("_", "-"): value for name, value in fields.items()}, body),
        PHONE,
        0.0,
    )
    assert answered.response.status == 200
    assert isinstance(answered.more, Reported)
    assert (answered.more.mac, answered.more.kind, answered.more.fields) == (MAC, kind, expected)


BOMB = b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 999 + b'">]><x>' + b"&a;" * 999 + b"</x>"


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"", ""),
        (b"status=ok", ""),
        (BOMB, ""),
        (b"<a>" * 50 + b"</a>" * 50, ""),
        (b"<a>" + b"<b/>" * 6000 + b"</a>", ""),
        (b"<a" * 100000, ""),
        (b"Salted__saltsalt" + b"x" * 16, ""),
        (b"x" * 40, "aes128gcm"),
        (b"x" * 40, "br"),
    ],
)
def test_bad_report_is_refused(body: bytes, coding: str) -> None:
    fields = {"content-encoding": coding}
    answered = responder().respond(
        HttpRequest("PUT", "/report/001234ab45de.xml", 1, fields, body), PHONE, 0.0
    )
    assert (answered.response.status, answered.more) == (400, None)


def test_encrypted_report_of_nobody_is_refused() -> None:
    for body, coding in ((b"Salted__saltsalt" + b"x" * 16, ""), (b"x" * 40, "aes128gcm")):
        assert ask("/report/x.xml", "PUT", body, content_encoding=coding).response.status == 403


PASSWORD = derive_secret(b"s", "password", MAC)
OWN = "/Cisco/001234ab45de.cfg"


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (basic("001234ab45de", PASSWORD), 200),
        (basic("001234ab45de", "wrong"), 401),
        (basic("other", PASSWORD), 401),
        ("Basic !!!", 401),
        ("Bearer x", 401),
        ("", 401),
    ],
)
def test_basic_credentials(authorization: str, status: int) -> None:
    answered = ask(OWN, policy=Policy(auth="basic", user="$MA"), authorization=authorization)
    assert answered.response.status == status


def test_credentials_are_not_asked_for_on_the_bootstrap_paths() -> None:
    assert ask("/8851-3PCC.xml", policy=Policy(auth="basic")).response.status == 200


def digest(
    nonce: str, *, algorithm: str = "MD5", qop: str = "auth", uri: str = OWN, password: str = PASSWORD
) -> str:
    def h(text: str) -> str:
        return hashlib.new({"MD5": "md5", "SHA-256": "sha256"}[algorithm], text.encode()).hexdigest()

    secret, what = h(f"001234ab45de:netprov:{password}"), h(f"GET:{uri}")
    answer = h(f"{secret}:{nonce}:00000001:c:{qop}:{what}") if qop else h(f"{secret}:{nonce}:{what}")
    more = f', qop={qop}, nc=00000001, cnonce="c"' if qop else ""
    return (
        f'Digest username="001234ab45de", realm="netprov", nonce="{nonce}", uri="{uri}", '
        f'algorithm={algorithm}, response="{answer}"{more}'
    )


LOCKED = Policy(auth="digest", user="$MA")


def nonce_at(moment: float) -> str:
    return Authority(b"key").challenge("digest", moment)[0].partition('nonce="')[2].partition('"')[0]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", ["auth", ""])
def test_digest_credentials(algorithm: str, qop: str) -> None:
    good = digest(nonce_at(1000), algorithm=algorithm, qop=qop)
    assert ask(OWN, policy=LOCKED, authorization=good).response.status == 200


def test_digest_is_good_once_where_it_counts() -> None:
    """RFC 7616 section 5.5: who has heard a request gets nothing by sending it again."""
    answers = responder(LOCKED)
    asked = answers.respond(HttpRequest("GET", OWN, 1, {}), ASKER, 1000.0)
    nonce = dict(asked.response.fields)["WWW-Authenticate"].partition('nonce="')[2].partition('"')[0]
    heard = HttpRequest("GET", OWN, 1, {"authorization": digest(nonce)})
    assert answers.respond(heard, ASKER, 1000.0).response.status == 200
    again = answers.respond(heard, ASKER, 1001.0)
    assert again.response.status == 401
    assert "stale=true" in dict(again.response.fields)["WWW-Authenticate"]
    assert again.response.body == b""


@pytest.mark.parametrize(
    ("authorization", "stale"),
    [
        (digest(nonce_at(1000), password="x"), False),
        (digest(nonce_at(1000), uri="/other"), False),
        (digest(nonce_at(1000)).replace("MD5", "SHA-512"), False),
        (digest(nonce_at(1000)).replace("netprov", "else"), False),
        (digest("not a nonce"), True),
        (digest(nonce_at(100)), True),
        (digest("3e8." + "0" * 32), True),
        ("Digest", False),
    ],
)
def test_bad_digest_is_asked_again(authorization: str, stale: bool) -> None:
    answered = ask(OWN, policy=LOCKED, authorization=authorization)
    challenges = [value for name, value in answered.response.fields if name == "WWW-Authenticate"]
    assert answered.response.status == 401
    assert len(challenges) == 2
    assert stale == ("stale=true" in challenges[0])


def test_digest_example_of_rfc_7616_section_3_9_1() -> None:
    """The RFC's own response values, with its realm and nonce put in place of ours."""
    account = Account("Mufasa", "Circle of Life")
    h = hashlib.sha256
    secret = h(b"Mufasa:http-auth@example.org:Circle of Life").hexdigest()
    what = h(b"GET:/dir/index.html").hexdigest()
    nonce, own = (
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    response = h(f"{secret}:{nonce}:00000001:{own}:auth:{what}".encode()).hexdigest()
    assert response == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    assert account.user == "Mufasa"


def test_file_that_is_not_there_is_not_found() -> None:
    answered = ask("/fw/a.loads")
    assert answered.file == TreeFile("/srv", "a.loads")
    missing = missing_file(answered)
    assert (missing.response.status, missing.event.status, missing.event.kind) == (404, 404, "")


@pytest.mark.parametrize(
    ("target", "expected"), [("/a", "/a"), ("http://h/a?b", "/a?b"), ("https://h", "/"), ("x", "x")]
)
def test_target_path(target: str, expected: str) -> None:
    assert expected == target_path(target)


def test_event_is_a_sentence() -> None:
    request = HttpRequest("GET", "/001234ab45de.cfg", 1, {})
    event = responder().respond(request, PHONE, 0.0).event
    assert str(event) == f"10.20.0.50 ({MAC}) GET https /001234ab45de.cfg: 200 profile, 42 octets"
    claimed = ask("/001234ab45de.cfg").event
    assert str(claimed).startswith(f"10.20.0.50 (claims {MAC}) GET https /001234ab45de.cfg: 200 profile")
    assert str(Asked("http", "10.20.0.9", "GET", "/", 404, reason="no such file")) == (
        "10.20.0.9 GET http /: 404 no such file"
    )


WORDS = st.sampled_from(
    [
        "/",
        "8851-3PCC.xml",
        "/fw",
        "..",
        "%2e%2e",
        "%2F",
        "\\",
        "?",
        "#",
        "//",
        "report",
        "%00",
        "\n",
        "http://h",
        "é",
    ]
)
FIELDS = st.dictionaries(
    st.sampled_from(["authorization", "user-agent", "content-type", "range", "content-encoding", "host"]),
    st.text(max_size=40)
    | st.sampled_from(["Basic eA==", "Digest username=x", "gzip", "bytes=0-", "bytes=-", ""]),
)


@pytest.mark.fuzz
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "", "get", "\0"]),
    words=st.lists(WORDS | st.text(max_size=6), max_size=6),
    fields=FIELDS,
    body=st.binary(max_size=60) | st.just(b"<flat-profile><A>1</A></flat-profile>"),
)
def test_fuzz_any_request_has_an_answer_and_no_file_from_outside(
    method: str, words: list[str], fields: dict[str, str], body: bytes
) -> None:
    answered = responder().respond(HttpRequest(method, "".join(words), 1, fields, body), ASKER, 1000.0)
    assert answered.response.status in {200, 201, 204, *TABLE_2, 405, 411, 413, 415}
    if answered.file is not None:
        assert answered.file.directory == "/srv"
        assert not {"", ".", ".."} & set(answered.file.path.split("/"))
    if answered.response.status == 200 and method == "GET" and answered.file is None:
        assert answered.response.body
