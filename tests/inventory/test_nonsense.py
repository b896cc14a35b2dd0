"""Whatever is in the file, loading it gives an inventory or problems with places; both YAML loaders agree."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import InventoryError, Problem
from netprov.inventory.load import parse
from netprov.inventory.yaml import compose as composing
from netprov.inventory.yaml.compose import compose
from netprov.inventory.yaml.source import decode

SITE = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"
PIECES = st.sampled_from(
    [
        *"\n\t :,-{}[]&*!|>'\"%@`#?~",
        "\n  ",
        "\n    ",
        ": ",
        "- ",
        "---\n",
        "...\n",
        "<<: ",
        "&a ",
        "*a",
        "!!str ",
        "a",
        "0x1f",
        "1e400",
        ".inf",
        "null",
        "domain",
        "networks",
        "phones",
        "hosts",
        "srv",
        "https",
        "classes",
        "match",
        "not",
        "options",
        "66",
        "00:12:34:ab:45:de",
        "10.20.0.1",
        "10.20.0.0/24",
        "include",
        "csv",
        "ü",
        "\x07",
        "\u2028",
    ]
)


def fault(text: str) -> InventoryError | None:
    try:
        parse(text, "site.yaml")
    except InventoryError as error:
        return error
    return None


@pytest.mark.fuzz
@given(text=st.lists(PIECES, max_size=60).map("".join), prefix=st.sampled_from(["", SITE]))
def test_fuzz_text_is_an_inventory_or_located_problems(text: str, prefix: str) -> None:
    error = fault(prefix + text)
    for problem in error.problems if error else ():
        assert problem.place is not None
        assert problem.message
        assert "pydantic" not in str(problem)
        assert "Input should" not in str(problem)


@pytest.mark.fuzz
@given(data=st.binary(max_size=100))
def test_fuzz_octets_are_text_or_a_located_problem(data: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        decode(data, "site.yaml")
    except InventoryError as error:
        problems = error.problems
    assert all(problem.place for problem in problems)


@pytest.mark.fuzz
@given(text=st.lists(PIECES, max_size=40).map("".join))
def test_fuzz_the_pure_python_parser_reads_the_same(text: str) -> None:
    quick = read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composing, "Loader", yaml.SafeLoader)
        pure = read(text)
    if quick is not None and pure is not None:
        assert quick == pure


def read(text: str) -> str | None:
    try:
        return repr(compose(SITE + text, "site.yaml").value)
    except InventoryError:
        return None
