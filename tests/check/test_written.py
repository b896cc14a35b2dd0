"""Rules in profiles: what `netprov rule` and the phone refuse, `check` refuses, at the rule's own line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from netprov.check import check
from netprov.errors import Malformed, Problem
from netprov.inventory.load import load
from netprov.phone.action import Lease
from netprov.phone.handset.identity import Identity, model_named
from netprov.phone.handset.memory import Handset
from netprov.phone.meaning import meaning
from netprov.phone.rule.grammar import RULE_KINDS
from netprov.phone.rule.written import HIDDEN, OPTION_66, read_written
from netprov.plan.phone import DEFAULT_MODEL

REFUSALS = {"rule-refused", "rule-srv-tftp", "rule-scheme", "upgrade-without-server"}

TEXTS = (
    ("Profile_Rule", "/$PSN.xml"),
    ("Profile_Rule", "gds://"),
    ("Profile_Rule", "[--srv] https://example.com/$PSN.xml"),
    ("Profile_Rule", "[--srv] tftp://example.com/$PSN.xml"),
    ("Profile_Rule", '("$EMS" eq "mobile")?[--uid $MUID --pwd $MPWD] http://h/a.xml|http://h/b.xml'),
    ("Profile_Rule", "($SWVER lt 11.3)? http://h/a.xml | http://h/b.xml"),
    ("Profile_Rule", "($UPGCOND eq 0)? http://h/a.xml | http://h/b.xml"),
    ("Profile_Rule", '($SWVER lt "11")? http://h/a.xml'),
    ("Profile_Rule", "http://h/a.xml | http://h/b.xml"),
    ("Profile_Rule", "ftp://h/a.xml"),
    ("Profile_Rule", "http://h:0/a.xml"),
    ("Profile_Rule", "[--key] http://h/a.xml"),
    ("Profile_Rule", "[--status] http://h/a.xml"),
    ("Profile_Rule", "[--key x http://h/a.xml"),
    ("Profile_Rule_B", "http://h/a b.xml"),
    ("Upgrade_Rule", "gds://"),
    ("Upgrade_Rule", "/a.loads"),
    ("Upgrade_Rule", "[--uid x] http://h/a.loads"),
    ("Upgrade_Rule", "($SWVER lt sip88xx.11-2-3MSR1-1)? http://h/sip88xx.11-2-3MSR1-1.loads"),
    ("Report_Rule", "[--status]http://h/s [--delta]http://h/d"),
    ("Report_Rule", "[--srv]http://h/s"),
    ("Custom_CA_Rule", "http://h/ca.pem"),
)


def problems(tmp_path: Path, document: Mapping[str, object]) -> list[Problem]:
    path = tmp_path / "site.yaml"
    network = {"voice": {"interface": "lan0", "subnet": "10.20.0.0/24"}}
    path.write_text(yaml.safe_dump({"domain": "example.com", "networks": network, **document}))
    loaded = load(path)
    return check(loaded.inventory, 1_800_000_000.0)


@pytest.mark.parametrize(("name", "text"), TEXTS)
def test_check_refuses_what_the_phone_refuses_and_nothing_else(tmp_path: Path, name: str, text: str) -> None:
    handset = Handset(Identity("00:12:34:ab:45:de", model_named(DEFAULT_MODEL)), lambda _: 0)
    handset.lease = Lease("10.20.0.50", "10.20.0.1", {66: b"10.20.0.1"})
    try:
        meaning(handset, text, RULE_KINDS[name])
        refused = False
    except Malformed:
        refused = True
    found = problems(tmp_path, {"profiles": {"desk": {"values": {name: text}}}})
    refusals = [each for each in found if each.rule in REFUSALS]
    assert refused == bool(refusals)
    assert all(each.path == ("profiles", "desk", "values", name) for each in refusals)


def test_a_rule_is_judged_with_the_values_of_the_phone_that_reads_it(tmp_path: Path) -> None:
    phones = [
        {"mac": f"00:12:34:ab:45:d{n}", "model": "CP-8851-3PCC", "profile": "desk", "values": values}
        for n, values in enumerate(({"GPP_A": "1"}, {"GPP_A": "one"}))
    ]
    document: dict[str, object] = {
        "profiles": {"desk": {"values": {"Profile_Rule": "($A eq 1)? http://h/a | http://h/b"}}},
        "phones": phones,
    }
    (problem,) = (each for each in problems(tmp_path, document) if each.rule == "rule-refused")
    assert problem.path == ("profiles", "desk", "values", "Profile_Rule")
    assert "one" in problem.message
    document["phones"] = phones[:1]
    assert not [each for each in problems(tmp_path, document) if each.rule == "rule-refused"]


def test_untaken_alternative_is_read_too_as_it_is_taken_one_day() -> None:
    written = read_written("Profile_Rule", '("$EMS" eq "mobile")?[--kez $MUID] http://h/a.xml|http://h/b.xml')
    assert [str(each) for each in written.urls()] == ["http://h/b.xml"]
    assert len(written.refused) == 1


def test_macros_and_templates_hide_hosts_and_stay_in_paths() -> None:
    text = "(1 eq 1)? http://$A:8080/x | (1 eq 1)? http://{{ site.server }}/$MA.xml | /$PSN.xml"
    urls = list(read_written("Profile_Rule", text).urls())
    assert [(each.host, each.path) for each in urls] == [
        (HIDDEN, "/x"),
        (HIDDEN, "/$MA.xml"),
        (OPTION_66, "/$PSN.xml"),
    ]


def test_key_in_a_template_is_no_fault() -> None:
    written = read_written("Profile_Rule", '[--key {{ secret("k | l") }}] https://h/$MA.xml')
    assert not written.refused
    assert [each.options for each in written.alternatives] == [{"key": "$(template)"}]


def test_https_alone_in_an_option_is_judged_at_its_own_line(tmp_path: Path) -> None:
    def at(value: str) -> list[tuple[str | int, ...]]:
        document = {
            "hosts": {"pr1": "10.20.0.11"},
            "classes": {"d": {"match": {"vendor_class": "CP-*"}, "method": "dhcp", "options": {66: value}}},
        }
        return [each.path for each in problems(tmp_path, document) if each.rule == "ca-unknown-to-factory"]

    assert at("https://pr1.example.com/$PSN.xml") == [("classes", "d", "options", 66)]
    assert at("https://10.20.0.11/$PSN.xml") == [("classes", "d", "options", 66)]
    assert at("https://10.20.0.1/") == [("classes", "d", "options", 66)]
    assert at("https://192.0.2.9/") == []
    assert at("http://pr1.example.com/$PSN.xml") == []
    assert at("https://provider.example.net/$PSN.xml") == []


def test_a_label_of_the_web_page_leads_to_the_elements_name(tmp_path: Path) -> None:
    found = problems(tmp_path, {"profiles": {"desk": {"values": {"Resync At (HHmm)": "0130"}}}})
    assert [each.remedy for each in found if each.rule == "parameter-name"] == ["write Resync_At__HHmm_"]
