"""Where the ACS listens and what each phone gets from it, from inventories."""

from __future__ import annotations

import pytest

from netprov.cwmp.config import Target
from netprov.errors import InventoryError
from netprov.inventory.load import load, parse
from netprov.plan import derive
from netprov.plan.cwmp import AcsListener, CwmpPlan

TWO_LINES = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


def cwmp(text: str) -> CwmpPlan:
    return derive(parse(text, "site.yaml").inventory).cwmp


def of_class(acs_url: str) -> CwmpPlan:
    return cwmp(
        TWO_LINES + f"hosts: {{acs: 10.20.0.7}}\nclasses: {{cpe: {{method: acs, acs_url: '{acs_url}'}}}}\n"
    )


def test_two_lines_have_no_acs() -> None:
    plan = cwmp(TWO_LINES)
    assert (plan.listeners, plan.config.targets, plan.config.bootstrap_url) == ((), {}, "")


def test_phone_of_the_guides_example_gets_its_profile_from_the_acs_host() -> None:
    plan = derive(load("config/staging.yaml").inventory).cwmp
    assert (AcsListener("pr1.example.com", ("10.20.0.11",), 7547, "/", secure=True),) == plan.listeners
    target = plan.config.targets["00:12:34:ab:45:e2"]
    assert (
        Target(
            mac="00:12:34:ab:45:e2",
            url="https://pr1.example.com:5060/Cisco/001234ab45e2.cfg",
            revision=target.revision,
            address="10.20.0.54",
            provisioning_code="staging",
        )
        == target
    )
    assert plan.config.bootstrap_url == "https://pr1.example.com:5060/{product_class}.xml"
    assert plan.config.addresses["10.20.0.54"] == "00:12:34:ab:45:e2"


@pytest.mark.parametrize(
    ("acs_url", "listener"),
    [
        (
            "https://acs.example.com:7547/",
            AcsListener("acs.example.com", ("10.20.0.7",), 7547, "/", secure=True),
        ),
        ("https://ACS.example.com", AcsListener("acs.example.com", ("10.20.0.7",), 443, "/", secure=True)),
        ("http://acs/cwmp", AcsListener("acs", ("10.20.0.7",), 80, "/cwmp", secure=False)),
        ("http://10.20.0.1:7547/", AcsListener("10.20.0.1", ("10.20.0.1",), 7547, "/", secure=False)),
        ("http://10.20.0.7/", AcsListener("10.20.0.7", ("10.20.0.7",), 80, "/", secure=False)),
        ("http://example.com/", AcsListener("example.com", ("10.20.0.1",), 80, "/", secure=False)),
    ],
)
def test_acs_url_of_ours_leads_to_a_listener(acs_url: str, listener: AcsListener) -> None:
    assert (listener,) == of_class(acs_url).listeners


@pytest.mark.parametrize(
    "acs_url", ["https://acs.example.net/", "http://192.0.2.1/", "https://other.example.com/"]
)
def test_acs_of_somebody_else_is_not_served(acs_url: str) -> None:
    assert of_class(acs_url).listeners == ()


@pytest.mark.parametrize(
    ("acs_url", "fault"),
    [
        ("acs.example.com", "neither http"),
        ("ftp://acs/", "neither http"),
        ("https://", "names no host"),
        ("https://acs:x/", "Port"),
        ("https://acs:0/", "port 0"),
        ("https://user:pass@acs/", "user or password"),
        ("https://[::1/", "Invalid IPv6"),
    ],
)
def test_acs_url_that_is_none_is_a_problem(acs_url: str, fault: str) -> None:
    with pytest.raises(InventoryError) as raised:
        of_class(acs_url)
    [problem] = [each for each in raised.value.problems if each.rule == "acs-url-invalid"]
    assert problem.path == ("classes", "cpe", "acs_url")
    assert fault in problem.message


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("acs: {inform_interval: 5}", "acs-inform-interval"),
        ("acs: {credentials: {username: 'a:b', password: c}}", "acs-username"),
        (
            f"classes: {{cpe: {{acs_url: 'http://acs/', provisioning_code: {'x' * 65}}}}}",
            "acs-provisioning-code",
        ),
        ('classes: {cpe: {acs_url: "http://acs/", provisioning_code: "a\\tb"}}', "acs-provisioning-code"),
    ],
)
def test_value_that_cannot_be_served_is_a_problem(text: str, rule: str) -> None:
    with pytest.raises(InventoryError) as raised:
        cwmp(TWO_LINES + text + "\n")
    assert rule in [problem.rule for problem in raised.value.problems]


SITE = (
    TWO_LINES.replace("{", "{{").replace("}", "}}")
    + "hosts: {{acs: 10.20.0.7}}\nprofiles: {{desk: {{values: {{A: '{value}'}}}}}}\n"
    + "classes: {{cpe: {{method: acs, acs_url: 'http://acs:7547/', profile: desk}}}}\n"
    + "phones: [{{mac: 00:12:34:ab:45:de, class: cpe, serial: FCH1}}, {{mac: 00:12:34:ab:45:df, method: manual}}]\n"
)


def test_revision_follows_the_profile() -> None:
    def revision(value: str) -> str:
        return cwmp(SITE.format(value=value)).config.targets["00:12:34:ab:45:de"].revision

    assert revision("1") == revision("1")
    assert revision("1") != revision("2")
    assert len(revision("1")) <= 32  # a CommandKey's length (TR-069 annex A.3.2.8)


def test_phone_that_is_set_up_by_hand_is_known_and_gets_no_profile() -> None:
    config = cwmp(SITE.format(value="1")).config
    assert {mac: bool(target.url) for mac, target in config.targets.items()} == {
        "00:12:34:ab:45:de": True,
        "00:12:34:ab:45:df": False,
    }
    assert config.serials == {"fch1": "00:12:34:ab:45:de"}


def test_profile_comes_from_the_first_https_target_unless_the_acs_host_is_one() -> None:
    srv = "srv: {{https: [{{target: b, port: 443, priority: 20}}, {{target: a, port: 8443}}]}}\n"
    site = SITE.replace(
        "hosts: {{acs: 10.20.0.7}}\n", "hosts: {{acs: 10.20.0.7, a: 10.20.0.8, b: 10.20.0.9}}\n" + srv
    )
    assert (
        "https://a.example.com:8443/" in cwmp(site.format(value="1")).config.targets["00:12:34:ab:45:de"].url
    )
    ours = site.replace("target: b", "target: acs").replace("//acs:", "//acs.example.com:")
    assert "https://acs.example.com/" in cwmp(ours.format(value="1")).config.targets["00:12:34:ab:45:de"].url


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_phone_that_may_know_no_ca_is_sent_on_by_http(scheme: str) -> None:
    config = cwmp(SITE.format(value="1").replace("http://acs", f"{scheme}://acs")).config
    assert config.bootstrap_url == f"{scheme}://netprov.example.com/{{product_class}}.xml"
    assert config.targets["00:12:34:ab:45:de"].url == f"{scheme}://netprov.example.com/Cisco/001234ab45de.cfg"


@pytest.mark.parametrize("text", ["acs: {unlisted: record}", "provisioning: {bootstrap: false}"])
def test_unlisted_phones_are_only_recorded_where_that_is_said(text: str) -> None:
    assert "bootstrap" in cwmp(SITE.format(value="1")).config.bootstrap_revision
    assert cwmp(SITE.format(value="1")).config.bootstrap_url != ""
    assert cwmp(SITE.format(value="1") + text + "\n").config.bootstrap_url == ""


def test_password_is_asked_for_where_that_is_said() -> None:
    plan = cwmp(TWO_LINES + "acs: {credentials: {username: admin, password: '1234'}}\n")
    assert plan.credentials is not None
    assert (
        plan.credentials.username, plan.credentials.password, plan.credentials.scheme,
    ) == ("admin", "1234", "digest")  # fmt: skip


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ("provisioning: {encryption: {}}", "https://netprov.example.com/{product_class}.xml"),
        ("provisioning: {auth: {}}", "https://netprov.example.com/{product_class}.xml"),
        ("provisioning: {auth: {everywhere: true}}", "http://netprov.example.com/Cisco/001234ab45de.cfg"),
        ("provisioning: {encryption: {method: none}}", "http://netprov.example.com/Cisco/001234ab45de.cfg"),
    ],
)
def test_phone_that_needs_a_key_or_password_is_told_it_by_its_bootstrap_profile(more: str, url: str) -> None:
    assert cwmp(SITE.format(value="1") + more + "\n").config.targets["00:12:34:ab:45:de"].url == url


@pytest.mark.parametrize(
    ("scheme", "asked", "demand", "certified"),
    [
        ("https", "required", "", True),
        ("https", "optional", "", False),
        ("https", "optional", "demand: {sender: certificate}, ", True),
        ("https", "required", "demand: {sender: lease}, ", False),
        ("http", "required", "", False),
    ],
)
def test_phone_that_must_show_its_certificate_for_its_profile_must_show_it_to_the_acs(
    scheme: str, asked: str, demand: str, *, certified: bool
) -> None:
    plan = cwmp(
        TWO_LINES + f"hosts: {{acs: 10.20.0.7}}\ncertificates: {{client_certificates: {asked}}}\n"
        f"classes: {{cpe: {{method: acs, {demand}acs_url: '{scheme}://acs.example.com/'}}}}\n"
        "phones: [{mac: 00:12:34:ab:45:de, model: CP-8851-3PCC, class: cpe}]\n"
    )
    assert plan.config.targets["00:12:34:ab:45:de"].certified == certified
