"""Templates of whole profiles in files of their own: read with the inventory, their faults located in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import InventoryError
from netprov.inventory.load import load, parse
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
            "2:1: error[template]: the template of profile desk: there is no `phone.nme`\n    did you mean `phone.name`?",
        ),
        (
            "<flat-profile>\n\n{% if %}",
            "3:1: error[template]: the template of profile desk: Expected an expression",
        ),
        (
            "{{ ''.__class__.__mro__ }}",
            "1:1: error[template]: the template of profile desk: access to attribute '__class__' of",
        ),
        (
            "{% include 'x' %}",
            "1:1: error[template]: the template of profile desk: a template cannot take in another file, x",
        ),
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


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ phone.extention }}", "there is no `phone.extention`\n    `phone` has: mac, model,"),
        ("{{ phone.nam }}", "there is no `phone.nam`\n    did you mean `phone.name`?"),
        ("{{ phnoe.name }}", "there is no `phnoe`\n    did you mean `phone`?"),
        ("{{ site.domian }}", "there is no `site.domian`\n    did you mean `site.domain`?"),
        (
            "{{ post.room }}",
            "there is no `post.room` where nothing was posted\n    write `post.room | default('')`",
        ),
        ("{{ extension }}", "there is no `extension`\n    a template knows: phone, site,"),
    ],
)
def test_what_a_template_asks_for_in_vain_is_named_with_what_there_is(template: str, expected: str) -> None:
    text = f'domain: example.com\nnetworks: {{v: {{subnet: 10.20.0.0/24}}}}\nprofiles: {{p: {{values: {{A: "{template}"}}}}}}\n'
    document = parse(text, "netprov.yaml")
    with pytest.raises(InventoryError) as caught:
        derive(document.inventory)
    (problem,) = map(document.locate, caught.value.problems)
    assert str(problem).startswith(f"netprov.yaml:3:28: error[template]: A: {expected}")


def test_a_template_that_depends_on_what_a_phone_has_is_judged_by_the_phones() -> None:
    text = """\
domain: example.com
networks: {v: {subnet: 10.20.0.0/24}}
profiles: {p: {values: {A: "{{ phone.name.split('-')[1] }}"}}}
phones: [{mac: 00:12:34:ab:45:de, name: desk-1, profile: p}]
"""
    assert derive(parse(text, "netprov.yaml").inventory).provision.devices
