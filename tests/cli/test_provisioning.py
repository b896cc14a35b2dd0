"""`netprov files`, `netprov profile` and `netprov phones`."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli.verb.answer import files, profile
from netprov.cli.verb.inventory import render
from netprov.cli.verb.service import phones
from netprov.errors import InventoryError, PkiError
from netprov.provision.event import Asked
from netprov.provision.gate.handout import Wanted
from netprov.state.device_record import DeviceRecords
from netprov.state.handout import KeyLedger
from tests.lab.conftest import needs

MAC = "00:12:34:ab:45:de"
SITE = f"""
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
provisioning: {{redirects: {{/old: /new}}, statuses: {{/gone/$MA: 410}}, paths: [/gone/$MA, /old]}}
classes: {{safe: {{encryption: {{method: aes128gcm}}, auth: {{scheme: basic}}}}}}
phones:
  - {{mac: {MAC}, model: CP-8851-3PCC, name: desk1, address: 10.20.0.50, values: {{A: "{{{{ phone.name }}}}"}}}}
  - {{mac: 00:12:34:ab:45:df, model: CP-8851-3PCC, name: desk2, class: safe}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "secrets").write_text("site s\n00:12:34:ab:45:de own\n")
    (tmp_path / "site.yaml").write_text(SITE)
    return tmp_path


def run(site: Path, command: object, *arguments: str, given: bytes | None = None) -> Result:
    places = ["-f", str(site / "site.yaml"), "--state", str(site / "state")]
    return CliRunner().invoke(
        command,  # type: ignore[arg-type]
        [*arguments, *places],
        input=given,
        standalone_mode=False,
        catch_exceptions=False,
    )


def test_files_lists_the_ladder_over_every_protocol(site: Path) -> None:
    rows = json.loads(run(site, files.command, "desk1", "--json").stdout)
    answers = {row["url"]: (row["status"], row["answer"].partition(",")[0]) for row in rows}
    assert answers["https://10.20.0.1/"] == ("404", "no such file")
    assert answers["https://10.20.0.1/8851-3PCC.xml"] == ("200", "profile")
    assert answers["http://10.20.0.1/Cisco/CP-8851-3PCC/001234ab45de.cfg"] == ("200", "profile")
    assert answers["tftp://10.20.0.1/Cisco/001234ab45de.cfg"] == ("DATA", "profile")
    assert answers["tftp://10.20.0.1/"] == ("ERROR 1", "no such file")
    assert answers["http://10.20.0.1/gone/001234ab45de"] == ("410", "as the inventory says")
    assert answers["http://10.20.0.1/old"] == ("302", "/new")
    assert answers["tftp://10.20.0.1/old"] == ("ERROR 1", "TFTP cannot redirect")


def test_files_says_where_the_ca_comes_from_before_there_is_one(site: Path) -> None:
    assert (
        "`netprov cert init` or the first `netprov serve` makes it"
        in run(site, files.command, "desk1").stdout
    )


def test_files_says_how_a_profile_is_protected(site: Path) -> None:
    text = run(site, files.command, "desk2").stdout
    assert "encrypted, basic credentials of 001234ab45df" in text
    assert "ERROR 2" in text


def test_files_of_an_unlisted_phone_are_the_bootstrap(site: Path) -> None:
    rows = json.loads(run(site, files.command, "00:de:ad:00:be:ef", "--json").stdout)
    assert "bootstrap" in rows[1]["answer"]
    with pytest.raises(InventoryError):
        run(site, files.command, "nobody")


def test_profile_is_rendered(site: Path) -> None:
    assert (
        run(site, profile.command, "render", MAC).stdout == "<flat-profile>\n<A>desk1</A>\n</flat-profile>\n"
    )
    assert "Profile_Rule" in run(site, profile.command, "render", MAC, "--over", "tftp").stdout
    with pytest.raises(InventoryError):
        run(site, profile.command, "render", "nobody")


@pytest.mark.parametrize("method", ["aes-256-cbc", "aes128gcm"])
@pytest.mark.parametrize("more", [[], ["--gzip"]])
def test_profile_is_encrypted_and_decrypted(site: Path, method: str, more: list[str]) -> None:
    out, back = site / "out", site / "back"
    run(
        site,
        profile.command,
        "encrypt",
        "--phone",
        "desk1",
        "--method",
        method,
        *more,
        "-o",
        str(out),
        given=b"<x/>",
    )
    run(site, profile.command, "decrypt", str(out), "--phone", "desk1", "-o", str(back))
    assert back.read_bytes() == b"<x/>"


def test_files_that_no_phone_reads_are_decrypted_and_it_is_said_why(site: Path) -> None:
    (site / "key").write_text("k")
    made = subprocess.run(
        [needs("openssl"), "enc", "-aes-256-cbc", "-pbkdf2", "-a", "-pass", "pass:k"],
        input=b"<flat-profile/>",
        capture_output=True,
        check=True,
    ).stdout
    done = run(site, profile.command, "decrypt", "--key-from", f"file:{site}/key", given=made)
    assert (done.return_value, done.stdout) == (0, "<flat-profile/>")
    assert "base64" in done.stderr
    assert "-pbkdf2" in done.stderr


def test_keys_come_from_the_environment_or_a_file(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "own")
    (site / "key").write_text("other\n")
    out = site / "out"
    run(site, profile.command, "encrypt", "--key-from", "env:KEY", "-o", str(out), given=b"x")
    assert run(site, profile.command, "decrypt", str(out), "--phone", "desk1").return_value == 0
    wrong = run(site, profile.command, "decrypt", str(out), "--key-from", f"file:{site}/key")
    assert wrong.return_value == 1
    assert "wrong key" in wrong.stderr
    for place in ("env:NONE", "file:/nonexistent", "literal"):
        with pytest.raises(PkiError):
            run(site, profile.command, "encrypt", "--key-from", place, given=b"x")


def test_fleet_is_rendered_without_secrets(site: Path) -> None:
    result = CliRunner().invoke(
        render.command,
        ["profiles", "-f", str(site / "site.yaml"), "-o", str(site / "out")],
        standalone_mode=False,
    )
    assert result.exception is None
    folder = site / "out" / "profiles" / "Cisco"
    assert sorted(each.name for each in folder.iterdir()) == ["001234ab45de.cfg", "001234ab45df.cfg"]
    assert (folder / "001234ab45de.cfg").read_text() == "<flat-profile>\n<A>desk1</A>\n</flat-profile>\n"


def test_key_of_a_phone_is_printed(site: Path) -> None:
    assert run(site, profile.command, "key", "desk1").stdout == "own\n"
    assert len(run(site, profile.command, "key", "desk2").stdout) == 65
    assert len(run(site, profile.command, "key", "desk1", "--password").stdout) == 65
    (site / "state" / "secrets").unlink()
    with pytest.raises(PkiError, match="no secret"):
        run(site, profile.command, "key", "desk1")


def heard(site: Path) -> None:
    async def go() -> None:
        records = DeviceRecords(site / "state")
        await records.start()
        records.observe("http", Asked("http", "10.20.0.50", "GET", "/x", 200, "profile", 5, MAC))
        await records.stop()

    asyncio.run(go())


def test_phones_are_listed_with_where_they_stand(site: Path) -> None:
    heard(site)
    text = run(site, phones.command, "list").stdout
    assert "provisioned over http" in text
    assert "never heard of" in text
    waiting = run(site, phones.command, "list", "--waiting", "--json")
    assert [each["mac"] for each in json.loads(waiting.stdout)] == ["00:12:34:ab:45:df"]
    assert waiting.return_value == 1


def test_phone_is_shown_with_its_history(site: Path) -> None:
    heard(site)
    assert "GET http /x: 200 profile" in run(site, phones.command, "show", "desk1").stdout
    data = json.loads(run(site, phones.command, "show", MAC, "--json").stdout)
    assert (data["profiles"], len(data["history"])) == (1, 1)
    assert run(site, phones.command, "show", "desk2").return_value == 4


def test_unlock_opens_a_key_that_was_given_and_show_tells_to_whom(site: Path) -> None:
    mac = "00:12:34:ab:45:df"
    refused = run(site, phones.command, "unlock", "desk2")
    assert (refused.return_value, "was never given" in refused.output) == (1, True)
    ledger = KeyLedger(site / "state")
    wanted = Wanted(mac, "10.20.0.66", "lease", "once", 600)
    assert ledger.give(wanted, 1000.0) is not None
    record(site, Asked("https", "10.20.0.66", "GET", "/x", 200, "bootstrap", mac=mac))
    assert "given to 10.20.0.66" in run(site, phones.command, "show", "desk2").output
    assert ledger.give(wanted, 9000.0) is None
    assert run(site, phones.command, "unlock", "desk2").return_value == 0
    assert "may be once more" in run(site, phones.command, "show", "desk2").output
    assert ledger.give(wanted, 9000.0) is not None
    ledger.close()


def record(site: Path, *events: Asked) -> None:
    """Let the device records observe events."""

    async def observe() -> None:
        records = DeviceRecords(site / "state")
        await records.start()
        for event in events:
            records.observe("http", event)
        await records.stop()

    asyncio.run(observe())
