"""From inventory to zones: defaults, tenants, records, master files, and every fault with its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest

from netprov.check import check
from netprov.cli.site import plan_of
from netprov.dns.config import DnsConfig
from netprov.dns.message.name import format_host
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.dns.zone.master import format_zone
from netprov.errors import InventoryError
from netprov.inventory.load import load

HEAD = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


def planned(folder: Path, text: str, **files: str) -> DnsConfig:
    for name, content in files.items():
        (folder / f"{name}.zone").write_text(content)
    (folder / "site.yaml").write_text(text)
    return plan_of(load(folder / "site.yaml")).dns


def records(config: DnsConfig, origin: str) -> list[list[str]]:
    """Return the words of a zone's lines, owners repeated."""
    zone = next(zone for zone in config.zones if format_host(zone.origin) == origin)
    found, owner = [], ""
    for line in format_zone(zone).splitlines():
        if not line.startswith("$") and " IN " in line:
            owner = owner if line[0] == " " else line.split()[0]
            found.append([owner, *line[len(owner) :].split()] if line[0] != " " else [owner, *line.split()])
    return found


def test_two_lines_give_a_domain_and_its_reverse_zone(tmp_path: Path) -> None:
    config = planned(tmp_path, HEAD)
    assert [format_host(zone.origin) for zone in config.zones] == ["example.com", "0.20.10.in-addr.arpa"]
    assert ["_ciscoprov-https._tls", "IN", "SRV", "10", "0", "443", "netprov.example.com."] in records(
        config, "example.com"
    )
    assert ["@", "IN", "A", "10.20.0.1"] in records(config, "example.com")
    assert ["1", "IN", "PTR", "netprov.example.com."] in records(config, "0.20.10.in-addr.arpa")


def test_host_has_both_families_aliases_and_a_pointer_each(tmp_path: Path) -> None:
    config = planned(
        tmp_path,
        HEAD
        + 'hosts: {pr1: {addresses: [10.20.0.11, "2001:db8::11"], aliases: [www]}}\nsrv: {https: [{target: pr1, port: 443}]}\n',
    )
    found = records(config, "example.com")
    for expected in (
        ["pr1", "IN", "AAAA", "2001:db8::11"],
        ["www", "IN", "CNAME", "pr1.example.com."],
        ["@", "IN", "AAAA", "2001:db8::11"],
    ):
        assert expected in found
    assert ["11", "IN", "PTR", "pr1.example.com."] in records(config, "0.20.10.in-addr.arpa")


def test_phone_with_name_and_address_has_both_records(tmp_path: Path) -> None:
    phones = "phones: [{mac: 00:12:34:ab:45:de, name: desk1, address: 10.20.0.50}]\n"
    config = planned(tmp_path, HEAD + phones)
    assert ["desk1", "IN", "A", "10.20.0.50"] in records(config, "example.com")
    assert ["50", "IN", "PTR", "desk1.example.com."] in records(config, "0.20.10.in-addr.arpa")


def test_domain_of_a_network_is_served_with_the_same_targets_unless_it_has_its_own(tmp_path: Path) -> None:
    text = (
        "domain: example.com\nnetworks:\n"
        "  a: {interface: lan0, subnet: 10.20.0.0/24}\n"
        "  b: {interface: lan1, subnet: 10.21.0.0/24, domain: example.net}\n"
        "  c: {interface: lan2, subnet: 10.22.0.0/24, domain: example.org}\n"
        "domains: {example.org: {hosts: {own: 10.22.0.5}, srv: {https: [{target: own, port: 8443}]}}}\n"
    )
    config = planned(tmp_path, text)
    owner = ["_ciscoprov-https._tls", "IN", "SRV"]
    assert [*owner, "10", "0", "443", "netprov.example.com."] in records(config, "example.net")
    assert [*owner, "10", "0", "8443", "own.example.org."] in records(config, "example.org")
    assert ["@", "IN", "A", "10.22.0.5"] in records(config, "example.org")


def test_extra_records_take_any_type_and_any_owner_within(tmp_path: Path) -> None:
    text = HEAD + (
        "records:\n"
        "  - {name: '@', type: A, data: 192.0.2.7}\n"
        "  - {name: _sip._udp, type: SRV, data: '0 0 5060 pr1', ttl: 1h}\n"
        "  - {name: full.example.com, type: TYPE65280, data: '\\# 2 0102'}\n"
        "  - {name: 9.0.20.10.in-addr.arpa., type: PTR, data: nine}\n"
    )
    config = planned(tmp_path, text)
    found = records(config, "example.com")
    assert [line for line in found if line[0] == "@" and "A" in line] == [["@", "IN", "A", "192.0.2.7"]]
    assert ["_sip._udp", "3600", "IN", "SRV", "0", "0", "5060", "pr1.example.com."] in found
    assert ["full", "IN", "TYPE65280", "\\#", "2", "0102"] in found
    assert ["9", "IN", "PTR", "nine.example.com."] in records(config, "0.20.10.in-addr.arpa")


def test_master_files_join_the_domain_or_are_zones_of_their_own(tmp_path: Path) -> None:
    text = HEAD + "dns: {include: [extra.zone]}\nzones: [{origin: example.org, file: whole.zone}]\n"
    whole = "$TTL 60\n@ SOA ns h 5 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n$INCLUDE part.zone\n"
    config = planned(tmp_path, text, extra="printer A 10.20.0.9\n", whole=whole, part="inner TXT x\n")
    assert ["printer", "IN", "A", "10.20.0.9"] in records(config, "example.com")
    assert ["inner", "IN", "TXT", '"x"'] in records(config, "example.org")
    assert [zone.serial for zone in config.zones] == [1, 1, 5]


def test_thousand_further_zones_are_served(tmp_path: Path) -> None:
    names = "".join(f"  - {{origin: z{index}.example, file: each.zone}}\n" for index in range(1000))
    config = planned(tmp_path, HEAD + f"zones:\n{names}", each="$TTL 60\n@ SOA a. b. 1 1 1 1 1\n@ NS a.\n")
    assert len(config.zones) == 1002


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "records: [{name: x, type: A, data: 1.2.3}]",
            "site.yaml:3:11: error[record]: Expected 4 octets in '1.2.3'",
        ),
        (
            "records: [{name: x, type: FOO, data: y}]",
            "site.yaml:3:11: error[record]: 'FOO' is no record type",
        ),
        ("records: [{name: x.org., type: A, data: 1.2.3.4}]", "site.yaml:3:11: error[record-outside]: "),
        (
            "hosts: {pr1: {addresses: 10.20.0.11, aliases: pr1}}",
            "site.yaml:3:9: error[zone-cname]: pr1.example.com. is",
        ),
        (
            "zones: [{origin: example.com, file: good.zone}]",
            "site.yaml:3:18: error[zone-twice]: zone example.com is",
        ),
        (
            "zones: [{origin: example.org, file: gone.zone}]\ndns: {strict: true}",
            "site.yaml:3:37: error[master-file]: ",
        ),
        (
            "zones: [{origin: example.org, file: bad.zone}]\ndns: {strict: true}",
            "bad.zone:2:1: error[master-file]: 'x' is no record type",
        ),
        (
            "zones: [{origin: example.org, file: empty.zone}]\ndns: {strict: true}",
            "site.yaml:3:37: error[zone-apex]: zone example.org. has",
        ),
        ("dns: {include: [bad.zone]}", "bad.zone:2:1: error[master-file]: 'x' is no record type"),
        ("dns: {forward: 10.20.0.1}", "error[forward-loop]: 10.20.0.1 is this server itself"),
        ("dns: {secondaries: [{address: 10.20.0.2, key: k}]}", "error[tsig-key]: there is no key k"),
        (
            "dns: {keys: {k: {secret: c2hvcnQ=}}}",
            "site.yaml:3:26: error[tsig-secret]: the secret of key k is not",
        ),
    ],
)
def test_fault_is_located(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        planned(tmp_path, f"{HEAD}{text}\n", bad="$TTL 1\nx x x\n", empty="", good="")
    assert said in str(caught.value)


def test_secondary_with_a_name_is_published(tmp_path: Path) -> None:
    config = planned(tmp_path, HEAD + "dns: {secondaries: [{address: 10.20.0.2, name: ns2}]}\n")
    assert ["@", "IN", "NS", "ns2.example.com."] in records(config, "example.com")
    assert ["ns2", "IN", "A", "10.20.0.2"] in records(config, "example.com")
    assert ["@", "IN", "NS", "ns2.example.com."] in records(config, "0.20.10.in-addr.arpa")


def sections(config: DnsConfig, name: str, type_: str) -> tuple[str, list[str], list[str], list[str]]:
    """Ask what would be served, with dnspython."""
    responder = Responder(config.zones, failed=[zone.origin for zone in config.failed])
    message = responder.respond(dns.message.make_query(name, type_).to_wire(), Client(tcp=True))
    assert message
    reply = dns.message.from_wire(message)

    def shown(section: list[dns.rrset.RRset]) -> list[str]:
        return sorted(line for rrset in section for line in rrset.to_text().splitlines())

    return (
        dns.rcode.to_text(reply.rcode()),
        shown(reply.answer),
        shown(reply.authority),
        shown(reply.additional),
    )


BELOW = (
    "domain: big.test\nserver: {name: ns.voice.big.test}\n"
    "networks: {n: {interface: lan0, subnet: 198.18.254.0/24, address: 198.18.254.1, domain: voice.big.test}}\n"
    "domains: {sub.big.test: {}}\n"
)


def test_domain_below_the_main_one_is_delegated_with_glue_rfc_1034_4_2_1(tmp_path: Path) -> None:
    config = planned(tmp_path, BELOW)
    parent = records(config, "big.test")
    for expected in (
        ["voice", "IN", "NS", "ns.voice.big.test."],
        ["ns.voice", "IN", "A", "198.18.254.1"],
        ["sub", "IN", "NS", "ns.voice.big.test."],
    ):
        assert expected in parent
    rcode, answer, authority, _ = sections(config, "voice.big.test", "DS")
    assert (rcode, answer, [line.split()[3] for line in authority]) == ("NOERROR", [], ["SOA"])
    assert authority[0].startswith("big.test. ")
    assert sections(config, "sub.big.test", "SOA")[1] != []
    parent_alone = next(zone for zone in config.zones if format_host(zone.origin) == "big.test")
    rcode, answer, authority, additional = sections(
        replace(config, zones=(parent_alone,)), "x.voice.big.test", "A"
    )
    assert (rcode, answer) == ("NOERROR", [])
    assert authority == ["voice.big.test. 300 IN NS ns.voice.big.test."]
    assert additional == ["ns.voice.big.test. 300 IN A 198.18.254.1"]


def test_delegation_that_a_hand_written_parent_has_is_left_alone(tmp_path: Path) -> None:
    zones = "zones: [{origin: up.test, file: up.zone}, {origin: low.up.test, file: low.zone}]\n"
    head = "$TTL 300\n@ SOA ns host 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.1\n"
    config = planned(tmp_path, HEAD + zones, up=head + "low NS elsewhere.test.\n", low=head)
    assert [line[3] for line in records(config, "up.test") if line[:3] == ["low", "IN", "NS"]] == [
        "elsewhere.test."
    ]
    config = planned(tmp_path, HEAD + zones, up=head, low=head)
    assert [line[3] for line in records(config, "up.test") if line[:3] == ["low", "IN", "NS"]] == [
        "ns.low.up.test."
    ]


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa."),
        (".", "."),
        ("*.wild.test", "*.wild.test."),
        ("a\\.b.test", "a\\.b.test."),
    ],
)
def test_zone_may_have_every_legal_name(tmp_path: Path, origin: str, name: str) -> None:
    text = f"{HEAD}zones: [{{origin: '{origin}', file: z.zone}}]\n"
    content = "$TTL 300\n@ SOA ns.example.com. host.example.com. 1 3600 600 604800 60\n@ NS ns.example.com.\n"
    config = planned(tmp_path, text, z=content + "x TXT here\n")
    below = f"x.{name}" if name != "." else "x."
    assert sections(config, below, "TXT")[:2] == ("NOERROR", [f'{below} 300 IN TXT "here"'])
    assert check(load(tmp_path / "site.yaml").inventory, 0.0) is not None


@pytest.mark.parametrize(
    "content", [None, "broken\n", "$TTL 300\n@ NS ns\n"], ids=["absent", "broken", "no SOA"]
)
def test_zone_that_cannot_be_loaded_costs_that_zone_alone_unless_strict(
    tmp_path: Path, content: str | None
) -> None:
    text = HEAD + "zones: [{origin: bad.example.com, file: bad.zone}, {origin: good.test, file: good.zone}]\n"
    good = "$TTL 300\n@ SOA ns host 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.1\n"
    files = {"good": good} if content is None else {"good": good, "bad": content}
    config = planned(tmp_path, text, **files)
    assert sections(config, "ns.good.test", "A")[0] == "NOERROR"
    assert sections(config, "x.bad.example.com", "A")[0] == "SERVFAIL"
    assert sections(config, "example.com", "A")[0] == "NOERROR"
    found = [each for each in check(load(tmp_path / "site.yaml").inventory, 0.0) if each.severity == "error"]
    assert [each.rule for each in found] == ["zone-apex" if content and "NS" in content else "master-file"]
    with pytest.raises(InventoryError):
        planned(tmp_path, text + "dns: {strict: true}\n", **files)


@pytest.mark.parametrize("name", ["desk1", "desk1.example.com", "DESK1.example.com"])
def test_phone_name_of_one_label_or_in_full_is_one_name_for_publisher_and_checker(
    tmp_path: Path, name: str
) -> None:
    phone = f'phones: [{{mac: "00:12:34:ab:45:de", name: {name}, address: 10.20.0.50}}]\n'
    config = planned(tmp_path, HEAD + phone)
    assert [line for line in records(config, "example.com") if line[-1] == "10.20.0.50"] == [
        ["desk1", "IN", "A", "10.20.0.50"]
    ]
    planned(tmp_path, HEAD + phone + "hosts: {desk1: 10.20.0.51}\n")
    found = check(load(tmp_path / "site.yaml").inventory, 0.0)
    assert "phone-name-taken" in {each.rule for each in found}


def test_phone_name_is_of_its_networks_domain_for_the_checker_too(tmp_path: Path) -> None:
    text = (
        "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24, domain: v.test}}\n"
        'phones: [{mac: "00:12:34:ab:45:de", name: pr1, address: 10.20.0.50}]\nhosts: {pr1: 10.20.0.11}\n'
    )
    config = planned(tmp_path, text)
    assert ["pr1", "IN", "A", "10.20.0.50"] in records(config, "v.test")
    assert "phone-name-taken" not in {
        each.rule for each in check(load(tmp_path / "site.yaml").inventory, 0.0)
    }


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("records: [{name: alias, type: CNAME, data: a}]", ("srv", "https", 0, "target")),
        ("dns: {include: [more.zone]}", ("srv", "https", 0, "target")),
        ("hosts: {a: {addresses: 10.20.0.11, aliases: alias}}", ("srv", "https", 0, "target")),
    ],
)
def test_srv_target_that_is_an_alias_is_the_same_error_whoever_says_so(
    tmp_path: Path, text: str, path: tuple[str | int, ...]
) -> None:
    srv = "srv: {https: [{target: alias, port: 443}]}\n"
    planned(tmp_path, f"{HEAD}{srv}{text}\n", more="alias CNAME a\n")
    found = [
        each for each in check(load(tmp_path / "site.yaml").inventory, 0.0) if each.rule == "srv-target-alias"
    ]
    assert [each.path for each in found] == [path]


def test_srv_record_by_hand_with_an_alias_as_target_is_the_same_error(tmp_path: Path) -> None:
    text = "records: [{name: a, type: CNAME, data: b}, {name: _sip._udp, type: SRV, data: 1 2 5060 A}]\n"
    planned(tmp_path, HEAD + text)
    found = [
        each for each in check(load(tmp_path / "site.yaml").inventory, 0.0) if each.rule == "srv-target-alias"
    ]
    assert [each.path for each in found] == [("records", 1, "data")]
