"""Templates of whole profiles in files of their own: read with the inventory, their faults located in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import InventoryError
from netprov.inventory.load import load
from netprov.plan import derive

TEMPLATED = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
profiles:
  desk: {template_file: templates/desk.xml.j2, values: {A: b}}
phones: [{mac: 00:12:34:ab:45:de, profile: desk}]
"""


def templated(tmp_path: Path, text: str) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "desk.xml.j2").write_text(text)
    path = tmp_path / "site.yaml"
    path.write_text(TEMPLATED)
    return path


def test_template_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    text = "<device>\n<flat-profile>{{ parameters }}</flat-profile>\n</device>\n"
    inventory = load(templated(tmp_path, text)).inventory
    assert inventory.profiles["desk"].template == text
    assert derive(inventory).provision.devices["00:12:34:ab:45:de"].template == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<flat-profile>\n{{ phone.nme }}</flat-profile>",
            "2:1: error[template]: template: 'dict object' has no attribute 'nme'",
        ),
        ("<flat-profile>\n\n{% if %}", "3:1: error[template]: template: Expected an expression, got 'end of"),
        ("{{ ''.__class__.__mro__ }}", "1:1: error[template]: template: access to attribute '__class__' of"),
        ("{% include 'x' %}", "1:1: error[template]: template: TypeError: no loader for this environment"),
    ],
)
def test_faults_of_a_template_file_have_their_place_in_it(tmp_path: Path, text: str, expected: str) -> None:
    document = load(templated(tmp_path, text))
    with pytest.raises(InventoryError) as caught:
        derive(document.inventory)
    (problem,) = map(document.locate, caught.value.problems)
    assert str(problem).removeprefix(f"{tmp_path}/templates/desk.xml.j2:").startswith(expected)


def test_template_file_that_is_not_there_or_not_wanted_is_told_where_it_is_named(tmp_path: Path) -> None:
    path = templated(tmp_path, "")
    (tmp_path / "templates" / "desk.xml.j2").unlink()
    with pytest.raises(InventoryError) as caught:
        load(path)
    assert f"{path}:5:25: error[template-file]: {tmp_path}/templates/desk.xml.j2: cannot read" in str(
        caught.value
    )
    path.write_text(TEMPLATED.replace("values:", "template: x, values:"))
    with pytest.raises(InventoryError) as caught:
        load(path)
    assert "5:25: error[template-file]: the profile has a `template` already" in str(caught.value)
