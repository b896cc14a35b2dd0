"""Groups of clients get by the plan what the DHCP server lays together for each of their members."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from netprov.check import check
from netprov.dhcp.contents import compose
from netprov.errors import Path
from netprov.inventory.load import parse
from netprov.plan import derive
from netprov.plan.group import client_groups

VALUES = {66: "10.20.0.1", 150: "[10.20.0.1]", 160: "http://10.20.0.1/p.xml", 12: "desk", 67: "boot"}

options = st.dictionaries(st.sampled_from(sorted(VALUES)), st.just(None), max_size=3)
methods = st.sampled_from(["", ", method: dhcp", ", method: acs"])


def written(codes: dict[int, None]) -> str:
    return (
        "{"
        + ", ".join(f"{code}: {VALUES[code]!r}".replace("'[", "[").replace("]'", "]") for code in codes)
        + "}"
    )


@st.composite
def sites(draw: st.DrawFn) -> str:
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    lines = ["domain: example.com", "networks:"]
    for number, name in enumerate(names):
        classes = ", classes: [one]" if draw(st.booleans()) else ""
        lines.append(
            f"  {name}: {{interface: lan{number}, subnet: 10.2{number}.0.0/24, options: {written(draw(options))}{classes}}}"
        )
    where = f", network: {draw(st.sampled_from(names))}" if draw(st.booleans()) else ""
    lines += [
        "classes:",
        f"  one: {{match: {{vendor_class: CP-*{where}}}, options: {written(draw(options))}{draw(methods)}}}",
        f"  two: {{match: {{mac: '00:12'}}, options: {written(draw(options))}{draw(methods)}}}",
        "phones:",
    ]
    for number in range(draw(st.integers(1, 3))):
        place = f", network: {draw(st.sampled_from(names))}" if draw(st.booleans()) else ""
        named = f", class: {draw(st.sampled_from(['one', 'two']))}" if draw(st.booleans()) else ""
        lines.append(
            f"  - {{mac: '00:12:34:00:00:0{number}', options: {written(draw(options))}{draw(methods)}{place}{named}}}"
        )
    return "\n".join(lines) + "\n"


def origins(document: str) -> Iterator[tuple[Path, tuple[str, ...], dict[int, Path]]]:
    for group in client_groups(derive(parse(document, "site.yaml").inventory).site):
        yield group.path, group.networks, {code: path for code, (_, path) in group.options.items()}


@given(sites())
def test_group_gets_what_the_server_composes(text: str) -> None:
    plan = derive(parse(text, "site.yaml").inventory)
    config = plan.dhcp
    phones = {phone.origin: phone for phone in config.phones.values()}
    seen = 0
    for path, networks, found in origins(text):
        for network in config.networks:
            if networks and network.name not in networks:
                continue
            phone = phones.get(path)
            name = phone.class_name if phone is not None else str(path[-1])
            contents = compose(network, config.class_named(name) if path != ("networks",) else None, phone)
            settings = [*contents.settings.values(), *(each.setting for each in contents.withheld)]
            assert found == {
                each.code: each.origin
                for each in settings
                if len(each.origin) > 1 and each.origin[-2] == "options"
            }
            seen += 1
    assert seen


def test_fault_in_the_options_of_one_network_is_told_whatever_another_gives() -> None:
    networks = [
        "  a: {interface: lan0, subnet: 10.20.0.0/24, options: {160: 'gopher://x/y'}}",
        "  b: {interface: lan1, subnet: 10.21.0.0/24, options: {160: 'http://10.21.0.1/'}}",
    ]
    for order in (networks, networks[::-1]):
        text = "\n".join(["domain: example.com", "networks:", *order, ""])
        paths = [
            each.path
            for each in check(parse(text, "site.yaml").inventory, 0)
            if each.rule == "srv-gets-option"
        ]
        assert sorted(paths) == [("networks", "a", "options", 160), ("networks", "b", "options", 160)]


def test_class_that_one_network_gives_nothing_is_told_with_the_network() -> None:
    text = """
domain: example.com
networks:
  a: {interface: lan0, subnet: 10.20.0.0/24, options: {66: 10.20.0.1}}
  b: {interface: lan1, subnet: 10.21.0.0/24}
  c: {interface: lan2, subnet: 10.22.0.0/24, classes: [other]}
classes:
  mpp: {match: {vendor_class: "CP-*"}, method: dhcp}
  on_a: {match: {vendor_class: "ATA*", network: a}, method: dhcp}
  other: {match: {vendor_class: "X*", network: c}, method: srv}
"""
    found = [
        each for each in check(parse(text, "site.yaml").inventory, 0) if each.rule == "dhcp-without-option"
    ]
    assert [each.path for each in found] == [("classes", "mpp")]
    assert "network b" in found[0].message
