"""Values of sources in templates: all of them, or no profile; and what is said where nobody asks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from netprov.inventory.load import parse
from netprov.inventory.model.source import KNOWN_OF_PHONES
from netprov.plan import derive
from netprov.provision.answer import Content, Refusal, Unasked
from netprov.provision.catalog import Catalog
from netprov.provision.compose import Composer, Trial
from netprov.provision.config import Device, Program, Provision, Source
from netprov.provision.profile import Parameter, layer
from netprov.provision.requester import Requester
from netprov.provision.secret import Secrets
from netprov.provision.source import Row, SourceFailed, facts_of, read_row, values_of

MAC = "00:12:34:ab:45:de"
SOURCES = {"crm": Source("crm", Program(("/bin/true",)))}
PATH = "/Cisco/001234ab45de.cfg"


def phone(text: str, template: str = "") -> Device:
    return Device(MAC, name="desk1", layers=(layer([Parameter("A", text)]),), template=template)


def answer(text: str, said: Mapping[str, object] | SourceFailed | None, template: str = "") -> object:
    provision = Provision("example.com", devices={MAC: phone(text, template)}, sources=SOURCES)
    sourced: dict[str, Row | SourceFailed] = {}
    if isinstance(said, SourceFailed):
        sourced["crm"] = said
    elif said is not None:
        sourced["crm"] = read_row("crm", said)
    return Catalog(provision, entropy=bytes).respond(PATH, Requester("https", "10.20.0.9", sourced=sourced))


def refused(text: str, said: Mapping[str, object] | SourceFailed, template: str = "") -> tuple[int, str, str]:
    found = answer(text, said, template)
    assert isinstance(found, Refusal)
    return found.status, found.why, found.reason


def test_inventory_knows_what_sources_are_told() -> None:
    assert tuple(facts_of(Device(MAC))) == KNOWN_OF_PHONES


def test_profile_is_not_made_before_its_source_is_asked() -> None:
    found = answer("{{ source.crm.extension }}", None)
    assert isinstance(found, Unasked)
    assert (found.source, found.device.mac) == ("crm", MAC)


def test_refusal_names_a_few_of_the_values_that_there_are() -> None:
    *_, reason = refused("{{ source.crm.x }}", {f"value{number}": 1 for number in range(400)})
    assert reason.endswith(", value8, value9 and 390 more")


@pytest.mark.parametrize("template", ["", "<flat-profile>{{ parameters }}</flat-profile>"])
def test_values_are_text_in_xml(template: str) -> None:
    found = answer("{{ source.crm.a }}/{{ source.crm.n + 1 }}", {"a": "<b>&", "n": 1}, template)
    assert isinstance(found, Content)
    assert b"<A>&lt;b&gt;&amp;/2</A>" in found.body


def test_value_that_there_is_not_may_have_a_default() -> None:
    found = answer("{{ source.crm.a | default('none') }}", {"b": 1})
    assert isinstance(found, Content)
    assert b"<A>none</A>" in found.body


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ source.crm.a }}", {}),
        ("{{ source.crm.a }}", {"a": None}),
        ("{{ source.crm['a'] }}", {"b": "1"}),
        ("{{ source.crm.items }}", {"a": "1"}),
        ("{{ source.crm.a }}", SourceFailed("crm", "it is down")),
    ],
)
@pytest.mark.parametrize("template", ["", "<flat-profile>{{ parameters }}</flat-profile>"])
def test_no_profile_leaves_with_a_hole(
    text: str, said: Mapping[str, object] | SourceFailed, template: str
) -> None:
    status, why, reason = refused(text, said, template)
    assert (status, why) == (503, "source-failed" if isinstance(said, SourceFailed) else "source-answer")
    assert "source crm" in reason


@pytest.mark.parametrize(
    "text", ["{{ source.crm }}", "{{ source }}", "{% for a in source.crm %}{{ a }}{% endfor %}", "{{ source.crm.a.b }}", "{{ source.crm._values }}"]
)  # fmt: skip
def test_what_is_no_value_is_not_printed(text: str) -> None:
    assert refused(text, {"a": "1"})[0] == 500


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (b"x", "value a is of type bytes"),
        ([1], "value a is of type list"),
        (float("inf"), "value a is an infinite number"),
        ("a\x00", "value a: character U+0000 cannot stand in XML"),
        ("x" * 5000, "value a is longer than 4096 characters"),
    ],
)
def test_value_that_no_parameter_takes_is_refused(value: object, fault: str) -> None:
    with pytest.raises(SourceFailed) as caught:
        read_row("crm", {"a": value})
    assert (caught.value.fault, caught.value.why) == (fault, "source-answer")


def test_numbers_of_databases_are_digits() -> None:
    assert values_of(read_row("crm", {"a": Decimal("12.50"), "b": 3})) == {"a": "12.50", "b": 3}


def trial(text: str) -> Trial:
    provision = Provision("example.com", devices={MAC: phone(text)}, sources=SOURCES)
    return Composer(provision, has_ca=False, secrets=Secrets()).trial(phone(text))


def test_trial_claims_nothing_about_what_a_source_will_say() -> None:
    assert trial("{{ 1 // (source.crm.n | int) }}") == Trial(unasked=(("A", "crm"),))


def test_trial_finds_what_is_wrong_whatever_a_source_says() -> None:
    (((name, fault),), unasked) = (trial("{{ source.crm.a }}{{ nothing }}").faults, ())
    assert (name, fault.message, unasked) == ("A", "there is no `nothing`", ())


def test_source_that_there_is_not_is_an_error_of_the_inventory() -> None:
    text = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
sources: {crm: {program: {command: [/bin/true]}}}
profiles: {desk: {values: {A: "{{ source.cmr.extension }}"}}}
"""
    with pytest.raises(Exception, match=r"there is no source `cmr`\n.*did you mean `source.crm`\?"):
        derive(parse(text, "site.yaml").inventory)
