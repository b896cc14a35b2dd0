"""`netprov render`: the same inventory gives the same files, and they are the ones in zones/."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from netprov.cli.verb.inventory.render import command
from netprov.errors import InventoryError

ROOT = Path(__file__).parents[2]


def test_zones_folder_is_what_render_writes_for_the_staging_inventory(tmp_path: Path) -> None:
    arguments = ["-f", str(ROOT / "config/staging.yaml"), "-o", str(tmp_path), "zones"]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert result.exception is None
    written = {path.name: path.read_text() for path in (tmp_path / "zones").iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "zones").iterdir()}
    assert kept == written, "run: python -m netprov render -f config/staging.yaml zones"


def test_dash_prints_to_the_terminal() -> None:
    arguments = ["-f", str(ROOT / "config/minimal.yaml"), "-o", "-", "zones"]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert "==> zones/example.com.zone <==" in result.output
    assert "_ciscoprov-https._tls IN SRV 10 0 443 netprov.example.com." in result.output


def test_options_of_each_phone_are_decoded() -> None:
    arguments = ["-f", str(ROOT / "config/staging.yaml"), "-o", "-", "options"]
    output = CliRunner().invoke(command, arguments, standalone_mode=False).output
    phones = {part.split(" <==")[0]: part.splitlines() for part in output.split("==> options/")[1:]}
    assert set(phones) == {f"001234ab45{last}.txt" for last in ("de", "df", "e0", "e1", "e2")}
    codes = {name: {line.split(" ")[0] for line in lines} for name, lines in phones.items()}
    assert not {"66", "150", "43"} & codes["001234ab45de.txt"]
    assert {"66", "150"} <= codes["001234ab45e0.txt"]
    assert {"43", "125"} <= codes["001234ab45e2.txt"]
    assert any("https://pr1.example.com:7547/" in line for line in phones["001234ab45e2.txt"])


def test_zone_that_cannot_be_loaded_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"
        "zones: [{origin: more.test, file: gone.zone}]\n"
    )
    arguments = ["-f", str(tmp_path / "site.yaml"), "-o", str(tmp_path), "zones"]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert isinstance(result.exception, InventoryError)
    assert "site.yaml:3:35: error[master-file]" in str(result.exception)
    assert {path.name for path in (tmp_path / "zones").iterdir()} == {
        "example.com.zone",
        "0.20.10.in-addr.arpa.zone",
    }
