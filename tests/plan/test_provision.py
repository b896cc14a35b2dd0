"""From the inventory to what the provisioning servers serve."""

from __future__ import annotations

import os

import pytest

from netprov.errors import InventoryError
from netprov.inventory.load import load, parse
from netprov.plan import derive
from netprov.plan.pki import certificates
from netprov.plan.provision import provision
from netprov.plan.site import resolve
from netprov.provision.answer import TreeFile
from netprov.provision.catalog import Catalog
from netprov.provision.config import Listener, Provision
from netprov.provision.requester import Requester
from tests.lab.conftest import ROOT

MINIMAL = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


def planned(more: str = "", base: str = MINIMAL) -> Provision:
    return provision(resolve(parse(base + more, "site.yaml").inventory))


def problems(more: str) -> list[tuple[str, str]]:
    with pytest.raises(InventoryError) as caught:
        planned(more)
    return [(each.rule, ".".join(map(str, each.path))) for each in caught.value.problems]


def test_two_lines_serve_all_three_protocols_at_the_servers_address() -> None:
    plan = planned()
    name = "netprov.example.com"
    assert set(plan.listeners) == {
        Listener("https", "10.20.0.1", 443, name),
        Listener("http", "10.20.0.1", 80, name),
        Listener("tftp", "10.20.0.1", 69, name),
    }
    assert (plan.secure_url, plan.secure_srv) == ("https://netprov.example.com", False)
    assert plan.unlisted == {}


def test_the_guides_example_serves_every_srv_target() -> None:
    plan = derive(load(ROOT / "config" / "staging.yaml").inventory).provision
    assert [str(each) for each in plan.listeners] == [
        "https 10.20.0.12:5060",
        "https 10.20.0.11:5060",
        "http 10.20.0.14:5060",
        "http 10.20.0.13:5060",
        "udp 10.20.0.1:69",
        "http 10.20.0.1:80",
        "https 10.20.0.1:443",
    ]
    assert (plan.secure_url, plan.secure_srv) == ("https://pr2.example.com:5060", True)
    device = plan.devices["00:12:34:ab:45:de"]
    assert [list(layer) for layer in device.layers] == [
        [
            "Primary_DNS",
            "Back_Light_Timer",
            "Peer_Firmware_Sharing",
            "Profile_Authentication_Type",
            "Proxy_1_",
        ],
        ["Display_Name_1_", "User_ID_1_"],
    ]
    assert plan.addresses["10.20.0.50"] == "00:12:34:ab:45:de"


def test_urls_in_options_become_paths_and_sockets() -> None:
    plan = planned(
        "hosts: {pr1: 10.20.0.11}\n"
        "classes:\n"
        "  a: {method: dhcp, options: {160: 'https://pr1.example.com:8443/prov;http://10.20.0.1/start.xml'}}\n"
        "  b: {method: dhcp, options: {159: 'http://pr1/c/$MA.xml', 66: elsewhere.example.org}}\n"
        "profiles: {p: {values: {Profile_Rule: '(1 eq 1)? [--key k] https://pr1.example.com/r/$MAU.xml | tftp://10.20.0.1/x'}}}\n"
    )
    assert plan.bases == ("", "/prov", "/x")
    assert plan.literals == {"/start.xml"}
    assert plan.paths == ("/c/$MA.xml", "/r/$MAU.xml")
    assert Listener("https", "10.20.0.11", 8443, "pr1.example.com") in plan.listeners
    assert Listener("http", "10.20.0.11", 80, "pr1") in plan.listeners


def test_layers_are_site_class_profile_phone() -> None:
    plan = planned(
        "provisioning: {values: {A: site, B: site, C: site, D: site}}\n"
        "classes: {c: {values: {B: class, C: class, D: class}, profile: p}}\n"
        "profiles: {p: {values: {C: profile, D: profile}}}\n"
        "phones: [{mac: 00:12:34:ab:45:de, class: c, values: {D: {value: phone, ua: rw}}}]\n"
    )
    layers = plan.devices["00:12:34:ab:45:de"].layers
    assert [[parameter.value for parameter in layer.values()] for layer in layers] == [
        ["site"] * 4,
        ["class"] * 3,
        ["profile"] * 2,
        ["phone"],
    ]
    assert layers[-1]["D"].ua == "rw"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("provisioning: {values: {'A B': x}}\n", ("parameter-name", "provisioning.values.A B")),
        ('provisioning: {values: {A: "\\x01"}}\n', ("parameter-value", "provisioning.values.A")),
        ("classes: {c: {values: {A: '{{ phone.nmae }}'}}}\n", ("template", "classes.c.values.A")),
        ("profiles: {p: {values: {A: '{% if %}'}}}\n", ("template", "profiles.p.values.A")),
        ("profiles: {p: {template: '{{ open }}'}}\n", ("template", "profiles.p.template")),
        (
            "profiles: {p: {values: {A: '{{ ().__class__.__mro__ }}'}}}\n",
            ("template", "profiles.p.values.A"),
        ),
        ("provisioning: {files: {/ca.pem: /srv}}\n", ("files-path", "provisioning.files./ca.pem")),
        ("provisioning: {files: {/a/../b: /srv}}\n", ("files-path", "provisioning.files./a/../b")),
        ("phones: [{mac: 00:12:34:ab:45:de, profile: p}]\n", ("profile-unknown", "phones.0.profile")),
        (
            "srv: {https: [{target: netprov, port: 80}]}\n",
            ("listener-conflict", "srv.https.0"),
        ),
    ],
)
def test_what_cannot_be_served_is_a_problem(more: str, expected: tuple[str, str]) -> None:
    assert problems(more) == [expected]


def test_directory_is_given_to_the_phones_of_the_class_that_it_names() -> None:
    text = "provisioning: {files: {/fw: /srv/fw, staff/: {directory: /srv/staff, class: mpp}}}\n"
    provision = planned(text)
    assert provision.trees == (("/fw", "/srv/fw"), ("/staff", "/srv/staff"))
    assert provision.tree_classes == {"/staff": "mpp"}


def test_a_directory_at_the_root_is_served_below_the_phones_own_paths() -> None:
    plan = planned("provisioning: {files: {/: /srv/tftp}}\n")
    catalog = Catalog(plan, entropy=bytes, ca=b"the CA")
    asked = Requester("http", "10.20.0.9")
    names = ("SEP001234AB45DE.cnf.xml", "CP-8851-3PCC.xml", "001234ab45de.cfg", "ca.pem")
    from_the_directory = {name: isinstance(catalog.respond(f"/{name}", asked), TreeFile) for name in names}
    assert from_the_directory == {
        "SEP001234AB45DE.cnf.xml": True,
        "CP-8851-3PCC.xml": False,
        "001234ab45de.cfg": False,
        "ca.pem": False,
    }


def test_template_that_needs_a_posted_field_is_a_problem_as_most_requests_post_none() -> None:
    value = "provisioning: {values: {A: '{{ post.room%s }}'}}\n"
    assert problems(value % "") == [("template", "provisioning.values.A")]
    assert planned(value % ' | default("")')


def test_whole_template_may_use_any_value() -> None:
    site = """
profiles: {p: {template: '<flat-profile>{{ parameters }}<B>{{ values.A }}</B></flat-profile>', values: {A: own}}}
phones: [{mac: 00:12:34:ab:45:de, profile: p}]
"""
    plan = planned(site)
    (device,) = plan.devices.values()
    profile = Catalog(plan, entropy=os.urandom).plain(device, Requester("http", "10.20.0.50"))
    assert profile.endswith(b"<A>own</A><B>own</B></flat-profile>")


def test_class_may_come_with_older_tls_than_the_site() -> None:
    phones = """
classes: {old: {tls_min: "1.0"}}
phones:
  - {mac: 00:12:34:ab:45:de, address: 10.20.0.50, class: old}
  - {mac: 00:12:34:ab:45:df, address: 10.20.0.51}
"""
    catalog = Catalog(planned(phones), entropy=os.urandom)
    assert catalog.oldest_tls("10.20.0.50", str) == "1.0"
    assert catalog.oldest_tls("10.20.0.51", str) is None
    assert catalog.oldest_tls("10.20.0.99", lambda: "00:12:34:ab:45:de") == "1.0"
    site = resolve(parse(MINIMAL + phones, "site.yaml").inventory)
    assert certificates(site).class_tls == ("1.0",)


@pytest.mark.parametrize(
    "match",
    [
        '{mac: "001234"}',
        "{mac: 0012.34ab}",
        "{mac: 00-12-34}",
        "{any: [{mac: 02-00}, {mac: SEP001234AB45DE}]}",
        "{all: [{mac: 00:12:34}, {vendor_class: CP-*}]}",
        "{mac: 00:12, not: {vendor_class: DP-*}}",
        "{mac: 00:12, network: voice, user_class: desk}",
    ],
)
def test_the_class_that_dhcp_puts_a_phone_in_decides_how_its_profile_is_encrypted(match: str) -> None:
    """Written without separators, the class gave its options, and the profile went out in clear."""
    more = (
        f"classes: {{secret: {{match: {match}, encryption: {{method: aes128gcm}}}}}}\n"
        "phones: [{mac: SEP001234AB45DE, model: CP-8851-3PCC, address: 10.20.0.50}]\n"
    )
    (device,) = planned(more).devices.values()
    assert device.policy.encryption == "aes128gcm"
