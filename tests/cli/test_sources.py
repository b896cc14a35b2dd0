"""A profile whose values come from PostgreSQL: what the phone gets, and what the operator reads when the server has gone."""

from __future__ import annotations

import asyncio
import http.client
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group
from netprov.diff import changes
from netprov.errors import ServiceError
from netprov.inventory.load import load
from netprov.machine import Event
from netprov.plan import derive
from netprov.provision.config import Listener
from netprov.runtime.provision.service import HttpService
from netprov.runtime.role import RoleContext
from netprov.state.device_record import DeviceRecords
from tests.port import free_port
from tests.runtime.provisioning import running
from tests.runtime.source.engine import MAC, PASSWORD, postgresql

SITE = """domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
server: {{state: {state}}}
sources:
  crm:
    sql: {{database: "{url}", query: "SELECT extension, display FROM phones WHERE mac = :mac", password: crm-db}}
    fresh: 0
    timeout: 30s
profiles:
  desk: {{values: {{User_ID_1_: "{{{{ source.crm.extension }}}}", Display_Name_1_: "{{{{ source.crm.display }}}}"}}}}
phones:
  - {{mac: "{mac}", name: desk1, model: CP-8851-3PCC, profile: desk, address: 10.20.0.50}}
"""
VALUES = "<User_ID_1_>1141</User_ID_1_>\n<Display_Name_1_>Lobby</Display_Name_1_>\n"


def written(state: Path, url: str) -> Path:
    """Write the inventory and its secrets; return the inventory."""
    secrets = state / "secrets"
    secrets.write_text(f"site Sekret\ncrm-db {PASSWORD}\n")
    secrets.chmod(0o600)
    file = state / "site.yaml"
    file.write_text(SITE.format(state=state, url=url, mac=MAC))
    return file


def netprov(*words: str) -> Result:
    found = CliRunner().invoke(group, words)
    assert PASSWORD not in found.output
    return found


def fetch(listener: Listener) -> tuple[int, str]:
    connection = http.client.HTTPConnection(listener.address, listener.port, timeout=20)
    try:
        connection.request("GET", "/Cisco/001234ab45de.cfg")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_phone_gets_its_values_from_postgresql_and_the_operator_is_told_when_it_is_gone(
    tmp_path: Path,
) -> None:
    listener = Listener("http", "127.0.0.1", free_port())
    answers: list[tuple[int, str]] = []
    log: list[str] = []

    async def serve(file: Path, leave: asyncio.Event, gone: asyncio.Event) -> None:
        plan = derive(load(file).inventory)
        provision = replace(
            plan.provision, listeners=(listener,), syslog=(), addresses={"127.0.0.1": MAC}, secure_url=""
        )
        records = DeviceRecords(tmp_path)
        await records.start()

        def report(service: str, event: Event) -> None:
            log.append(str(event))
            records.observe(service, event)

        async with running(HttpService(RoleContext(tmp_path, report)), replace(plan, provision=provision)):
            answers.append(await asyncio.to_thread(fetch, listener))
            leave.set()
            await gone.wait()
            answers.append(await asyncio.to_thread(fetch, listener))
        await records.stop()

    async def go() -> None:
        leave, gone = asyncio.Event(), asyncio.Event()
        database = postgresql()
        file = written(tmp_path, await asyncio.to_thread(database.__enter__))
        serving = asyncio.create_task(serve(file, leave, gone))
        try:
            await asyncio.wait(
                [serving, asyncio.create_task(leave.wait())], return_when=asyncio.FIRST_COMPLETED
            )
            found = await asyncio.to_thread(netprov, "profile", "render", "desk1", "-f", str(file))
            assert found.exit_code == 0, found.output
            assert VALUES in found.output
        finally:
            await asyncio.to_thread(database.__exit__, None, None, None)
            gone.set()
            await serving

    asyncio.run(go())
    (first, profile), second = answers
    assert first == 200
    assert VALUES in profile
    assert second == (503, "")
    assert PASSWORD not in "".join(log)
    assert sum("source crm: its database fails" in each for each in log) == 2, (
        "the refusal, and that it fails"
    )
    file = str(tmp_path / "site.yaml")
    (story,) = json.loads(netprov("explain", "records", "desk1", "-f", file, "--json").output)
    assert story["cause"]["rule"] == "source-failed"
    assert "source crm: its database fails: " in story["detail"]
    found = netprov("profile", "render", "desk1", "-f", file)
    assert isinstance(found.exception, ServiceError)
    assert str(found.exception).startswith("source crm: its database fails: ")
    assert PASSWORD not in str(found.exception)


@pytest.fixture
def site(tmp_path: Path) -> str:
    return str(written(tmp_path, "postgresql://netprov@127.0.0.1:9/none"))


def test_files_says_that_it_does_not_know(site: str) -> None:
    rows = json.loads(netprov("files", "desk1", "-f", site, "--json").output)
    (own,) = {
        (row["status"], row["answer"]) for row in rows if row["url"].endswith("/Cisco/001234ab45de.cfg")
    }
    assert own == ("?", "profile: its values come from source crm, which is asked when the phone asks")


def test_render_leaves_the_profile_out_and_says_so(site: str, tmp_path: Path) -> None:
    found = netprov("render", "profiles", "-f", site, "-o", str(tmp_path / "out"))
    assert found.exit_code == 0
    assert (
        "profiles/Cisco/001234ab45de.cfg is left out: source crm is asked when the phone asks" in found.output
    )
    assert not (tmp_path / "out" / "profiles").exists()


def test_explain_phone_does_not_know_what_the_source_will_say(site: str) -> None:
    (story,) = json.loads(netprov("explain", "phone", "desk1", "--trusting", "-f", site, "--json").output)
    assert story["cause"]["rule"] == "source-unasked"
    assert story["shows"] == "not known here"


def test_export_lists_the_profile_among_what_it_cannot_carry(site: str, tmp_path: Path) -> None:
    found = netprov("export", "tftp", "-f", site, "-o", str(tmp_path / "out"))
    assert "its values come from source crm, which is asked when the phone asks" in found.output


def test_changed_query_is_told_and_a_value_is_compared_by_its_name(tmp_path: Path) -> None:
    old = load(written(tmp_path, "postgresql://netprov@127.0.0.1:9/none")).inventory
    text = (tmp_path / "site.yaml").read_text()
    (tmp_path / "site.yaml").write_text(
        text.replace("SELECT extension,", "SELECT number AS extension,").replace("crm.display", "crm.title")
    )
    found = {
        each.aspect: (each.before, each.after)
        for each in changes(derive(old), derive(load(tmp_path / "site.yaml").inventory))
    }
    assert found["Display_Name_1_"] == ("'<source crm.display>'", "'<source crm.title>'")
    before, after = found["crm"]
    assert before.startswith(
        "'SELECT extension, display FROM phones WHERE mac = :mac' of postgresql://netprov@127.0.0.1:9/none"
    )
    assert after.startswith("'SELECT number AS extension,")
