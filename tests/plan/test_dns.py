"""From inventory to zones: defaults, tenants, records, master files, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.cli.site import plan_of
from netprov.dns.config import DnsConfig
from netprov.dns.message.name import format_host
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
        ("zones: [{origin: example.org, file: gone.zone}]", "site.yaml:3:37: error[master-file]: "),
        (
            "zones: [{origin: example.org, file: bad.zone}]",
            "bad.zone:2:1: error[master-file]: 'x' is no record type",
        ),
        (
            "zones: [{origin: example.org, file: empty.zone}]",
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
