"""The catalog: what every path of the ladder gives, to whom, over what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.hostport import PORTS, Scheme
from netprov.provision.answer import Content, Lock, Redirect, Refusal, TreeFile
from netprov.provision.auth import Account
from netprov.provision.catalog import Catalog, decode_path, tidy_path
from netprov.provision.config import Device, Policy, Provision
from netprov.provision.crypto import decrypt_cbc, decrypt_gcm, derive_secret
from netprov.provision.profile import Parameter, layer, parse_profile
from netprov.provision.requester import Agent, Requester, parse_agent
from netprov.provision.secret import SITE, Secrets, parse_secrets

MAC = "00:12:34:ab:45:de"
OTHER = "00:12:34:ab:45:df"
CA = b"-----BEGIN CERTIFICATE-----\n"

PROVISION = Provision(
    domain="example.com",
    server_name="netprov.example.com",
    devices={
        MAC: Device(
            MAC,
            "CP-8851-3PCC",
            serial="FCH1",
            name="desk1",
            layers=(layer([Parameter("A", "site"), Parameter("B", "{{ phone.name }}.{{ site.domain }}")]),),
        ),
        OTHER: Device(OTHER, "CP-7832-3PCC", layers=(layer([Parameter("A", "other")]),)),
    },
    addresses={"10.20.0.50": MAC},
    unlisted=layer([Parameter("A", "site")]),
    secure_url="https://pr1.example.com:5060",
    bases=("", "/provision"),
    paths=("/cp/conf/$MAU.xml",),
    literals=frozenset({"/Start.xml"}),
    trees=(("/firmware", "/srv/firmware"),),
    redirects={
        "/old.xml": ("https://x.example.com/$PSN-$MAU.xml", 302),
        "/q": ("/r", 301),
        "/moved/$MA.cfg": ("/Cisco/$MA.cfg", 302),
    },
    statuses=(("/broken/$MA.cfg", 503),),
)
SECRETS = Secrets({SITE: "s", "pin": "1234"})
CATALOG = Catalog(PROVISION, entropy=bytes, ca=CA, secrets=SECRETS)


def requester(
    scheme: Scheme = "https",
    address: str = "10.20.0.99",
    *,
    certificate_mac: str = "",
    agent: Agent | None = None,
    link_mac: Callable[[], str] = str,
) -> Requester:
    port = PORTS[scheme]
    return Requester(scheme, address, "10.20.0.1", port, agent, certificate_mac, link_mac)


def kind(path: str, who: Requester) -> str:
    answer = CATALOG.respond(path, who)
    return f"{answer.kind} {answer.mac}".strip() if isinstance(answer, Content) else type(answer).__name__


@pytest.mark.parametrize(
    "path",
    [
        "/Cisco/CP-8851-3PCC/001234ab45de.cfg",
        "/Cisco/001234ab45de.cfg",
        "/cisco/001234AB45DE.CFG",
        "/CISCO/CP-8851-3PCC/001234ab45de.xml",
        "/001234ab45de.cfg",
        "/00:12:34:ab:45:de.xml",
        "/00-12-34-AB-45-DE.cfg",
        "/provision/Cisco/CP-8851-3PCC/001234ab45de.cfg",
        "/provision/001234ab45de.xml",
        "/cp/conf/001234AB45DE.xml",
    ],
)
def test_path_with_a_mac_address_gives_that_phones_profile(path: str) -> None:
    assert kind(path, requester()) == f"profile {MAC}"


@pytest.mark.parametrize("path", ["/8851-3PCC.xml", "/CP-8851-3PCC.xml", "/8851-3pcc.XML", "/Start.xml"])
def test_path_without_a_mac_address_gives_the_askers_profile(path: str) -> None:
    assert kind(path, requester(address="10.20.0.50")) == f"profile {MAC}"
    assert kind(path, requester(link_mac=lambda: OTHER)) == f"profile {OTHER}"
    assert kind(path, requester(certificate_mac=OTHER, address="10.20.0.50")) == f"profile {OTHER}"
    assert kind(path, requester()) == "bootstrap"


def test_user_agent_alone_decides_nothing() -> None:
    assert kind("/8851-3PCC.xml", requester(agent=Agent("CP-8851-3PCC", "11.3.1", MAC))) == "bootstrap"


def test_certificate_of_another_phone_is_refused() -> None:
    answer = CATALOG.respond("/Cisco/001234ab45de.cfg", requester(certificate_mac=OTHER))
    assert isinstance(answer, Refusal)
    assert answer.status == 403


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/provision", "/provision/", "/index.html", "/favicon.ico", "/nope.xml", "/8851.xml"),
        *("/SEP001234AB45DE.cnf.xml", "/Cisco/", "/Cisco/001234ab45d.cfg", "/firmware", "/firmware/"),
        *("/x/8851-3PCC.xml", "/8851-3PCC.xml/", "/8851-3PCC.xml.bak", "/ca.pem/"),
    ],
)
def test_anything_else_is_not_found(path: str) -> None:
    answer = CATALOG.respond(path, requester())
    assert isinstance(answer, Refusal)
    assert answer.status == 404


def test_unlisted_phones_get_nothing_where_there_is_no_bootstrap() -> None:
    catalog = Catalog(replace(PROVISION, unlisted=None), entropy=bytes, ca=CA, secrets=SECRETS)
    assert isinstance(catalog.respond("/Cisco/001122334455.cfg", requester()), Refusal)
    assert isinstance(catalog.respond("/Cisco/001234ab45de.cfg", requester()), Content)


def values(path: str, who: Requester, catalog: Catalog = CATALOG) -> dict[str, str | None]:
    answer = catalog.respond(path, who)
    assert isinstance(answer, Content)
    return {name: parameter.value for name, parameter in parse_profile(answer.body).items()}


def test_profile_over_https_is_the_phones_own() -> None:
    assert values("/Cisco/001234ab45de.cfg", requester()) == {"A": "site", "B": "desk1.example.com"}


WAY = "https://pr1.example.com:5060/Cisco/$MA.cfg"


@pytest.mark.parametrize(
    ("who", "ca_rule"),
    [
        (requester("http"), "http://10.20.0.1/ca.pem"),
        (replace(requester("http"), port=5060), "http://10.20.0.1:5060/ca.pem"),
        (replace(requester("http"), server="fd00::1"), "http://[fd00::1]/ca.pem"),
        (requester("tftp"), "tftp://10.20.0.1/ca.pem"),
    ],
)
def test_profile_in_the_clear_leads_to_https(who: Requester, ca_rule: str) -> None:
    assert values("/Cisco/001234ab45de.cfg", who) == {
        "Custom_CA_Rule": ca_rule,
        "Profile_Rule": WAY,
        "A": "site",
        "B": "desk1.example.com",
    }
    assert values("/8851-3PCC.xml", who) == {"Custom_CA_Rule": ca_rule, "Profile_Rule": WAY, "A": "site"}


def test_bootstrap_over_https_leads_to_the_phones_own_file() -> None:
    assert values("/8851-3PCC.xml", requester()) == {"Profile_Rule": WAY, "A": "site"}


def test_several_https_targets_are_led_to_by_srv() -> None:
    by_srv = replace(PROVISION, secure_srv=True)
    catalog = Catalog(by_srv, entropy=bytes, ca=CA, secrets=SECRETS)
    rule = f"[--srv] https://{PROVISION.domain}/Cisco/$MA.cfg"
    assert values("/8851-3PCC.xml", requester(), catalog)["Profile_Rule"] == rule
    assert values("/Cisco/001234ab45de.cfg", requester("tftp"), catalog)["Profile_Rule"] == rule


def test_bootstrap_without_https_leads_to_the_phones_own_file_here() -> None:
    catalog = Catalog(replace(PROVISION, secure_url=""), entropy=bytes, ca=CA, secrets=SECRETS)
    assert values("/8851-3PCC.xml", requester("tftp"), catalog) == {
        "Profile_Rule": "tftp://10.20.0.1/Cisco/$MA.cfg",
        "A": "site",
    }


def test_a_profiles_own_rules_win() -> None:
    own = Device(MAC, layers=(layer([Parameter("Profile_Rule", "/mine.xml")]),))
    catalog = Catalog(replace(PROVISION, devices={MAC: own}), entropy=bytes, ca=CA, secrets=SECRETS)
    assert values("/001234ab45de.cfg", requester("http"), catalog)["Profile_Rule"] == "/mine.xml"


def test_ca_is_served_where_there_is_one() -> None:
    assert CATALOG.respond("/ca.pem", requester("http")) == Content("ca", CA, "application/x-pem-file")
    assert isinstance(Catalog(PROVISION, entropy=bytes).respond("/ca.pem", requester("http")), Refusal)


def test_static_tree_keeps_the_case_of_names() -> None:
    assert CATALOG.respond("/firmware/Sub/sip88xx.loads", requester()) == TreeFile(
        "/srv/firmware", "Sub/sip88xx.loads"
    )


@pytest.mark.parametrize(
    ("path", "who", "expected"),
    [
        ("/old.xml", requester(address="10.20.0.50"), "https://x.example.com/8851-3PCC-001234AB45DE.xml"),
        ("/old.xml", requester(), "https://x.example.com/$PSN-$MAU.xml"),
        (
            "/OLD.xml",
            requester(link_mac=lambda: "00:00:00:00:00:01"),
            "https://x.example.com/$PSN-000000000001.xml",
        ),
        ("/q", requester(), "/r"),
        ("/moved/001234AB45DE.cfg", requester(), "/Cisco/001234ab45de.cfg"),
    ],
)
def test_redirect_expands_what_is_known_of_the_phone(path: str, who: Requester, expected: str) -> None:
    answer = CATALOG.respond(path, who)
    assert isinstance(answer, Redirect)
    assert expected == answer.location


def test_own_template_wins_over_a_shared_one_and_the_other_way_round() -> None:
    shared = layer(
        [Parameter("A", "{{ phone.mac }}"), Parameter("B", "plain"), Parameter("C", "{{ phone.name }}")]
    )
    own = layer([Parameter("A", "own"), Parameter("B", "{{ phone.name }}")])
    device = Device(MAC, name="n", layers=(shared, own))
    catalog = Catalog(replace(PROVISION, devices={MAC: device}, secure_url=""), entropy=bytes)
    for _ in range(2):
        assert values("/001234ab45de.cfg", requester(), catalog) == {"A": "own", "B": "n", "C": "n"}


def test_whole_template_is_rendered() -> None:
    template = "<device><flat-profile>{{ parameters }}<C>{{ values.A }}{{ phone.serial }}\u00e9</C></flat-profile></device>"
    device = Device(MAC, serial="S", layers=(layer([Parameter("A", "<x>")]),), template=template)
    catalog = Catalog(
        replace(PROVISION, devices={MAC: device}, secure_url=""), entropy=bytes, ca=CA, secrets=SECRETS
    )
    assert values("/001234ab45de.cfg", requester(), catalog) == {"A": "<x>", "C": "<x>S\u00e9"}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/a", "/a"),
        ("a", "/a"),
        ("//a//b", "/a/b"),
        ("/a%2fb", "/a/b"),
        ("/%61", "/a"),
        ("/a?x=../..", "/a"),
        ("/a#b", "/a"),
        ("\\a\\b", "/a/b"),
        ("/$MA.cfg", "/$MA.cfg"),
        ("", "/"),
        ("/../etc/passwd", None),
        ("/a/../b", None),
        ("/a/./b", None),
        ("/..", None),
        ("..\\..\\x", None),
        ("/%2e%2e/x", None),
        ("/%2e%2e%2fx", None),
        ("/..%5cx", None),
        ("/%252e%252e/x", "/%2e%2e/x"),
        ("/a%00b", None),
        ("/a%0d%0ab", None),
        ("/%c0%ae%c0%ae/x", None),
        ("/%ff", None),
        ("/\u2025/x", None),
        ("/" + "a" * 2000, None),
    ],
)
def test_path_of_a_url_is_decoded_once(raw: str, expected: str | None) -> None:
    assert expected == decode_path(raw)


def test_name_of_a_file_is_not_decoded() -> None:
    assert tidy_path("%2e%2e/a?b") == "/%2e%2e/a?b"


@pytest.mark.fuzz
@given(st.text(max_size=60))
def test_fuzz_no_path_leaves_the_root(raw: str) -> None:
    for path in (decode_path(raw), tidy_path(raw)):
        if path is not None:
            assert path.startswith("/")
            assert ".." not in path.split("/")
            CATALOG.respond(path, requester())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cisco-CP-7832-3PCC/11.0.1 (00562b043615)", Agent("CP-7832-3PCC", "11.0.1", "00:56:2b:04:36:15")),
        ("Cisco-DP-9851/3.1.1 (FCH2233ABCD)", Agent("DP-9851", "3.1.1", "", "FCH2233ABCD")),
        ("curl/8.5.0", None),
        ("", None),
        ("Cisco-CP-7832-3PCC/11.0.1", None),
    ],
)
def test_user_agent_is_parsed(text: str, expected: Agent | None) -> None:
    assert expected == parse_agent(text)


def test_status_of_the_inventory_goes_before_everything() -> None:
    assert CATALOG.respond("/broken/001234ab45de.cfg", requester()) == Refusal(
        "as the inventory says", 503, MAC
    )


def with_layer(*parameters: Parameter, template: str = "") -> Catalog:
    device = Device(MAC, name="desk1", layers=(layer(parameters),), template=template)
    return Catalog(replace(PROVISION, devices={MAC: device}), entropy=bytes, secrets=SECRETS)


def test_template_asks_for_a_secret() -> None:
    answer = with_layer(Parameter("A", "{{ secret('pin') }}")).respond("/001234ab45de.cfg", requester())
    assert isinstance(answer, Content)
    assert parse_profile(answer.body)["A"].value == "1234"


@pytest.mark.parametrize(
    "catalog",
    [
        with_layer(Parameter("A", "{{ secret('none:' ~ phone.mac) }}")),
        with_layer(template="<flat-profile><A>{{ secret('none:' ~ phone.mac) }}</A></flat-profile>"),
        with_layer(
            Parameter("A", "{{ secret('none:' ~ phone.mac) }}"),
            template="<flat-profile>{{ parameters }}</flat-profile>",
        ),
    ],
)
def test_no_profile_leaves_with_a_hole_where_a_secret_is_missing(catalog: Catalog) -> None:
    answer = catalog.respond("/001234ab45de.cfg", requester())
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.mac) == (500, MAC)
    assert f"none:{MAC}" in answer.reason


def test_template_that_fails_for_one_phone_is_a_refusal_with_its_reason() -> None:
    answer = with_layer(Parameter("A", "{{ 1 // (phone.name | length - 5) }}")).respond(
        "/001234ab45de.cfg", requester()
    )
    assert isinstance(answer, Refusal)
    assert (answer.status, answer.reason) == (
        500,
        "template of A, line 1: ZeroDivisionError: integer division or modulo by zero",
    )


def test_unlisted_phones_get_no_template_of_a_listed_one_and_no_secret() -> None:
    unlisted = layer(
        [
            Parameter("A", "{{ site.domain }}"),
            Parameter("B", "{{ phone.name }}"),
            Parameter("C", "{{ secret('pin') }}"),
        ]
    )
    catalog = Catalog(replace(PROVISION, unlisted=unlisted), entropy=bytes, secrets=SECRETS)
    answer = catalog.respond("/00deadbeef01.cfg", requester())
    assert isinstance(answer, Content)
    sent = parse_profile(answer.body)
    assert sent["A"].value == "example.com"
    assert not {"B", "C"} & set(sent)


def test_mac_address_names_a_secret_in_any_notation() -> None:
    secrets, _ = parse_secrets("00-12-34-AB-45-DE own\n")
    assert secrets.get("0012.34ab.45de") == secrets.get(MAC) == "own"


KEY = derive_secret(b"s", "profile", MAC)
PASSWORD = derive_secret(b"s", "password", MAC)


def protected(policy: Policy, secrets: Secrets = SECRETS) -> Catalog:
    device = Device(MAC, layers=(layer([Parameter("A", "own")]),), policy=policy, firmware="11.3.1")
    return Catalog(replace(PROVISION, devices={MAC: device}), entropy=bytes, ca=CA, secrets=secrets)


def test_own_profile_is_compressed_then_encrypted_as_openssl_does() -> None:
    catalog = protected(Policy("aes-256-cbc", compress=True))
    answer = catalog.respond("/Cisco/001234ab45de.cfg", requester("tftp"))
    assert isinstance(answer, Content)
    plain = decrypt_cbc(answer.body, KEY, digest="sha256")
    assert plain.startswith(b"\x1f\x8b")
    assert parse_profile(plain)["A"].value == "own"


def test_digest_of_the_class_wins_over_the_firmwares() -> None:
    answer = protected(Policy("aes-256-cbc", "md5")).respond("/001234ab45de.cfg", requester())
    assert isinstance(answer, Content)
    assert parse_profile(decrypt_cbc(answer.body, KEY, digest="md5"))["A"].value == "own"


def test_aes128gcm_names_its_coding_and_cannot_go_over_tftp() -> None:
    catalog = protected(Policy("aes128gcm"))
    answer = catalog.respond("/001234ab45de.cfg", requester("http"))
    assert isinstance(answer, Content)
    assert answer.coding == "aes128gcm"
    assert parse_profile(decrypt_gcm(answer.body, KEY.encode()))["A"].value == "own"
    assert isinstance(catalog.respond("/001234ab45de.cfg", requester("tftp")), Refusal)


@pytest.mark.parametrize(
    ("policy", "rule", "ikm"),
    [
        (Policy("aes-256-cbc"), f'[--key "{KEY}"] {WAY}', None),
        (Policy("aes128gcm"), WAY, KEY),
        (Policy(auth="basic"), f'[--uid "001234ab45de" --pwd "{PASSWORD}"] {WAY}', None),
    ],
)
def test_locked_phone_is_introduced_over_https_only(policy: Policy, rule: str, ikm: str | None) -> None:
    catalog = protected(policy)
    secure = values("/8851-3PCC.xml", requester(address="10.20.0.50"), catalog)
    assert (secure["Profile_Rule"], secure.get("IKM_HTTP_Encrypt_Content")) == (rule, ikm)
    clear = values("/8851-3PCC.xml", requester("http", "10.20.0.50"), catalog)
    assert clear["Profile_Rule"] == "https://pr1.example.com:5060/$PSN.xml"
    assert clear["Custom_CA_Rule"] == "http://10.20.0.1/ca.pem"
    assert not any(KEY in (each or "") or PASSWORD in (each or "") for each in clear.values())


def test_locked_profile_names_its_account_and_stays_off_tftp() -> None:
    catalog = protected(Policy(auth="digest", user="phone-$MA"))
    answer = catalog.respond("/001234ab45de.cfg", requester())
    assert isinstance(answer, Content)
    assert answer.lock == Lock("digest", Account("phone-001234ab45de", PASSWORD))
    refused = catalog.respond("/001234ab45de.cfg", requester("tftp"))
    assert isinstance(refused, Refusal)
    assert refused.status == 403


@pytest.mark.parametrize("policy", [Policy("aes-256-cbc"), Policy("aes128gcm"), Policy(auth="basic")])
def test_without_secrets_nothing_leaves_unprotected(policy: Policy) -> None:
    answer = protected(policy, Secrets()).respond("/001234ab45de.cfg", requester())
    assert isinstance(answer, Refusal)


def test_key_that_is_no_base64url_is_refused() -> None:
    secrets = Secrets({MAC: "a"})
    answer = protected(Policy("aes128gcm", ikm="b64url"), secrets).respond("/001234ab45de.cfg", requester())
    assert isinstance(answer, Refusal)


def test_secrets_are_parsed_and_not_shown() -> None:
    secrets, problems = parse_secrets("# comment\n\nsite  abc\n00-12-34-AB-45-DE own key\nbroken\nsite x\n")
    assert secrets.profile_key(MAC) == "own key"
    assert secrets.get("pin") is None
    assert [each.message for each in problems] == [
        "line 5: a name, a space and the secret are wanted",
        "line 6: the name is there already",
    ]
    assert "own key" not in repr(secrets)


@pytest.mark.parametrize("path", ["/report/001234ab45de.xml", "/x/status-001234AB45DE", "/00:12:34:ab:45:de"])
def test_sender_of_a_report_is_known_by_its_path_or_connection(path: str) -> None:
    by_path = path != "/00:12:34:ab:45:de"
    assert (MAC if by_path else "") == CATALOG.who(path, requester())
    assert CATALOG.who("/x", requester(address="10.20.0.50")) == MAC
    assert CATALOG.who(path, requester(certificate_mac=OTHER)) == OTHER
