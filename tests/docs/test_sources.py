"""docs/sources.md: its inventory and its command show what the page shows."""

from __future__ import annotations

from pathlib import Path

from netprov.inventory.load import parse
from netprov.plan import derive
from tests.docs.page import blocks, said, steps

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"


def test_profile_is_rendered_as_the_page_shows(tmp_path: Path) -> None:
    values = tmp_path / "lobby.json"
    text = '{"extension": 1141, "display": "Lobby"}'
    assert f"`/srv/lobby.json` holds `{text}`" in PAGE.read_text()
    values.write_text(text)
    site = "\n".join((*blocks(PAGE)[0], "")).replace("/srv/lobby.json", str(values))
    (tmp_path / "site.yaml").write_text(f"{site}server: {{state: {tmp_path}}}\n")
    ((command, shown),) = steps(PAGE)
    assert said(command, tmp_path) == (shown, 0)


def test_each_kind_in_the_table_is_one_that_an_inventory_takes() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    kinds = [line.split("`")[1] for line in rows]
    assert [each.partition(":")[0] for each in kinds] == ["sql", "http", "program"]
    for kind in kinds:
        text = f"domain: a.example\nnetworks: {{v: {{interface: l, subnet: 10.0.0.0/24}}}}\nsources: {{crm: {{{kind}}}}}\n"
        assert list(derive(parse(text, "site.yaml").inventory).provision.sources) == ["crm"]
