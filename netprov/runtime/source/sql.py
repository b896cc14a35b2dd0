"""Asks a database: one query, bound parameters, one row; nothing that it changes stays.

SQLAlchemy and the drivers are loaded when the first query is made: most inventories have none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

from netprov.provision.config import Source, SqlQuery
from netprov.provision.source import Row, SourceFailed, read_row
from netprov.state.sqlite import open_foreign
from netprov.text import visible

_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
}
_STEPS = 10_000
"""Steps of SQLite's machine between two looks at the clock: some milliseconds."""


class Database:
    """One database, and the connections to it; `at_once` is how many there are at most."""

    def __init__(self, source: Source, how: SqlQuery, password: str, at_once: int) -> None:
        self._source = source
        self._how = how
        self._password = password
        self._at_once = at_once
        self._engine: Engine | None = None

    def load(self) -> None:
        """Load what speaks to the database, which takes longer than many an answer; what is wrong with it is told by `ask`."""
        self._opened()

    def ask(self, facts: Mapping[str, str]) -> Row:
        """Return the row of a phone. Raises `SourceFailed`; blocks, mostly no longer than the time-out."""
        try:
            from sqlalchemy import text
            from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
        except ImportError as error:
            raise _without_driver(self._source.name, error) from None
        try:
            query = text(self._how.query)
            used = {name: facts[name] for name in query.compile().params}
            with self._opened().connect() as connection:
                self._limit(connection.connection.dbapi_connection)
                found = connection.execute(query, used)
                if not found.returns_rows:
                    raise self._answer("its query asks for nothing", "write a SELECT")
                columns, rows = list(found.keys()), found.fetchmany(2)
        except (ImportError, NoSuchModuleError) as error:
            raise _without_driver(self._source.name, error) from None
        except SQLAlchemyError as error:
            raise SourceFailed(self._source.name, self._fault(error), _REMEDY) from None
        if len(rows) != 1:
            fault = "its query finds several rows" if rows else "its query finds no row"
            raise self._answer(fault, "let it find one row for each phone")
        if len(set(columns)) != len(columns):
            raise self._answer("two columns have one name", "name each: `SELECT a.x AS one, b.x AS two`")
        return read_row(self._source.name, dict(zip(columns, rows[0], strict=True)))

    def close(self) -> None:
        """Let go of all connections."""
        if self._engine is not None:
            self._engine.dispose()

    def _opened(self) -> Engine:
        """Return what connects; two threads may make one each, and one of them is kept."""
        if self._engine is None:
            self._engine = self._open()
        return self._engine

    def _open(self) -> Engine:
        from sqlalchemy import NullPool, create_engine, make_url

        url = make_url(self._how.database)
        kind = url.get_backend_name()
        url = url.set(drivername=_DRIVERS[kind])
        if kind == "sqlite":
            connect = partial(open_foreign, Path(url.database or ""), self._source.timeout)
            return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
        if self._password:
            url = url.set(password=self._password)
        return create_engine(
            url,
            connect_args=_limits(kind, self._source.timeout),
            pool_size=self._at_once,
            max_overflow=0,
            pool_timeout=self._source.timeout,
            pool_pre_ping=True,
            hide_parameters=True,
        )

    def _limit(self, connection: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            deadline = monotonic() + self._source.timeout
            connection.set_progress_handler(lambda: monotonic() > deadline, _STEPS)

    def _fault(self, error: Exception) -> str:
        """Say what the database or its driver objects to, in a line, without the password."""
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        if self._password:
            said = said.replace(self._password, "…")
        return f"its database fails: {visible(said)[:300]}"

    def _answer(self, fault: str, remedy: str) -> SourceFailed:
        return SourceFailed(self._source.name, fault, remedy, why="source-answer")


_REMEDY = "see that the database runs, that its user may read, and that the query is right"


def _without_driver(source: str, error: Exception) -> SourceFailed:
    return SourceFailed(
        source, f"what speaks to its database is not installed: {error}", "install netprov[sources]"
    )


def _limits(kind: str, timeout: int) -> Mapping[str, Any]:
    """Return how a driver is told to give up: the server's part too, for a thread cannot be ended."""
    if kind == "postgresql":
        options = f"-c statement_timeout={timeout * 1000} -c default_transaction_read_only=on"
        return {"connect_timeout": timeout, "options": options, "tcp_user_timeout": timeout * 1000}
    return {"connect_timeout": timeout, "read_timeout": timeout, "write_timeout": timeout}
