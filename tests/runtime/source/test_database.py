"""Profiles with values from real databases: what the phone gets, what the operator reads; and what never leaves."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from netprov.provision.config import Device, Source, SqlQuery
from netprov.provision.secret import Secrets
from netprov.provision.source import Row, SourceFailed, values_of
from netprov.runtime.role import Notice
from netprov.runtime.source.pool import SourcePool
from tests.runtime.source.engine import MAC, PASSWORD, ROWS, mariadb, postgresql

SECRETS = Secrets({"db": PASSWORD})
QUERY = "SELECT extension, display FROM phones WHERE mac = :mac"
PHONE = Device(MAC, name="desk1")
SERVERS: dict[str, Callable[[], AbstractContextManager[str]]] = {"postgresql": postgresql, "mariadb": mariadb}


@pytest.fixture(scope="module", params=["sqlite", *SERVERS])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param in SERVERS:
        with SERVERS[request.param]() as url:
            yield url
        return
    file = tmp_path_factory.mktemp("db") / "phones.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE phones (mac text, extension text, display text)")
        connection.executemany("INSERT INTO phones VALUES (?, ?, ?)", ROWS)
    connection.close()
    yield f"sqlite:///{file}"


def asked(
    url: str, query: str = QUERY, device: Device = PHONE, secrets: Secrets = SECRETS, timeout: int = 5
) -> Row | SourceFailed:
    password = "" if url.startswith("sqlite") else "db"
    source = Source("crm", SqlQuery(url, query, password), timeout=timeout)
    notices: list[Notice] = []

    async def go() -> Row | SourceFailed:
        pool = SourcePool({"crm": source}, secrets, notices.append)
        try:
            return await pool.ask("crm", device)
        finally:
            await pool.close()

    outcome = asyncio.run(go())
    words = [*map(str, notices), str(outcome) if isinstance(outcome, SourceFailed) else ""]
    assert PASSWORD not in "".join(words)
    return outcome


def values(outcome: Row | SourceFailed) -> dict[str, object]:
    assert isinstance(outcome, Row), str(outcome)
    return dict(values_of(outcome))


def failed(outcome: Row | SourceFailed) -> SourceFailed:
    assert isinstance(outcome, SourceFailed)
    return outcome


def test_row_of_the_phone_is_its_values(database: str) -> None:
    assert values(asked(database)) == {"extension": "1141", "display": "Lobby"}


@pytest.mark.parametrize(
    ("mac", "fault"),
    [("00:00:00:00:00:01", "its query finds no row"), ("00:12:34:ab:45:01", "its query finds several rows")],
)
def test_no_row_and_two_rows_are_no_answer(database: str, mac: str, fault: str) -> None:
    outcome = failed(asked(database, device=Device(mac)))
    assert (outcome.why, outcome.fault) == ("source-answer", fault)


def test_what_is_known_of_a_phone_is_bound_and_no_sql(database: str) -> None:
    hostile = Device(MAC, name="x' OR '1'='1")
    outcome = failed(asked(database, "SELECT extension FROM phones WHERE display = :name", hostile))
    assert outcome.fault == "its query finds no row"


def test_what_a_query_changes_does_not_stay(database: str) -> None:
    failed(asked(database, "DELETE FROM phones"))
    assert values(asked(database)) == {"extension": "1141", "display": "Lobby"}


def test_wrong_query_is_told_in_the_databases_words(database: str) -> None:
    outcome = failed(asked(database, "SELECT extension FROM phonez WHERE mac = :mac"))
    assert outcome.why == "source-failed"
    assert "phonez" in outcome.fault


def test_value_of_a_kind_that_no_parameter_takes_is_refused(database: str) -> None:
    made = {"postgresql": "'x'::bytea", "sqlite": "CAST('x' AS BLOB)", "mysql": "CAST('x' AS BINARY)"}
    query = f"SELECT {made[database.partition(':')[0]]} AS logo FROM phones WHERE mac = :mac"
    assert failed(asked(database, query)).fault == "value logo is of type bytes"


def test_null_is_a_value_that_is_not_there(database: str) -> None:
    assert values(asked(database, "SELECT extension, NULL AS display FROM phones WHERE mac = :mac")) == {
        "extension": "1141"
    }


def test_query_that_takes_for_ever_ends_with_its_time(database: str) -> None:
    endless = {
        "postgresql": "SELECT pg_sleep(30) IS NULL AS a",
        "mysql": "SELECT SLEEP(30) AS a",
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT count(*) AS a FROM n",
    }
    outcome = failed(asked(database, endless[database.partition(":")[0]], timeout=1))
    assert outcome.why == "source-failed"


def test_wrong_password_is_told_without_it(database: str) -> None:
    if database.startswith("sqlite"):
        pytest.skip("SQLite has no passwords")
    secrets = Secrets({"db": f"{PASSWORD}wrong"})
    assert failed(asked(database, secrets=secrets)).why == "source-failed"


def test_password_that_the_secrets_file_lacks_is_named(database: str) -> None:
    if database.startswith("sqlite"):
        pytest.skip("SQLite has no passwords")
    outcome = failed(asked(database, secrets=Secrets()))
    assert outcome.fault == "the secrets file has no line 'db'"


def test_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    outcome = failed(asked(f"sqlite:///{tmp_path / 'none.db'}"))
    assert "unable to open database file" in outcome.fault
    assert list(tmp_path.iterdir()) == []
