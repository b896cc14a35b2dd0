"""Real database servers on loopback, of a temporary directory, as a user without rights: PostgreSQL and MariaDB."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from netprov.lab.process import wait_until
from tests.port import free_port

PASSWORD = "Sekret-4711/@:x"
MAC = "00:12:34:ab:45:de"
ROWS = ((MAC, "1141", "Lobby"), ("00:12:34:ab:45:01", "1201", "A"), ("00:12:34:ab:45:01", "1202", "B"))


def program(*names: str) -> str:
    """Return where a program is, with Debian's own directories of PostgreSQL; skips the test where it is absent."""
    folders = [*sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True), os.environ["PATH"]]
    for name in names:
        if found := shutil.which(name, path=":".join([*folders, "/usr/sbin"])):
            return found
    pytest.skip(f"{names[0]} is not installed (tests/lab/packages.txt)")


def _user() -> str | None:
    """Return the user that servers run as: root is refused by them."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name for each in pwd.getpwall()}
    return next(each for each in ("postgres", "mysql", "nobody") if each in known)


@contextmanager
def _folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="netprov-db-", dir="/tmp"))
    try:
        if user := _user():
            os.chown(path, pwd.getpwnam(user).pw_uid, -1)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _run(*command: str) -> None:
    done = subprocess.run(command, user=_user(), cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _running(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, user=_user(), cwd="/", stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(connect: Callable[[], Any]) -> bool:
    try:
        connect().close()
    except Exception:
        return False
    return True


@contextmanager
def postgresql() -> Iterator[str]:
    """Serve the phones' table; yields the URL without the password."""
    import psycopg

    initdb, server = program("initdb"), program("postgres")
    with _folder() as folder:
        words = folder / "words"
        words.write_text(PASSWORD)
        words.chmod(0o644)
        data = str(folder / "data")
        _run(initdb, "-D", data, "-U", "netprov", "--auth=scram-sha-256", f"--pwfile={words}", "--no-sync")
        port = free_port()
        words_of_log = folder / "log"
        options = ("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-k", str(folder))
        with _running(server, "-D", data, "-p", str(port), *options, log=words_of_log):
            where = f"host=127.0.0.1 port={port} user=netprov dbname=postgres"

            def connect() -> psycopg.Connection:
                return psycopg.connect(where, password=PASSWORD)

            wait_until(lambda: _answers(connect), what="the database", timeout=60)
            with connect() as connection:
                connection.execute("CREATE TABLE phones (mac text, extension text, display text)")
                connection.cursor().executemany("INSERT INTO phones VALUES (%s, %s, %s)", ROWS)
            yield f"postgresql://netprov@127.0.0.1:{port}/postgres"


@contextmanager
def mariadb() -> Iterator[str]:
    """Serve the same from MariaDB."""
    import pymysql

    install, server = program("mariadb-install-db", "mysql_install_db"), program("mariadbd", "mysqld")
    with _folder() as folder:
        data, sock = str(folder / "data"), str(folder / "sock")
        _run(
            install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )  # fmt: skip
        port = free_port()
        options = (f"--port={port}", f"--socket={sock}", "--bind-address=127.0.0.1", "--skip-log-bin")
        pid = f"--pid-file={folder / 'pid'}"
        with _running(server, "--no-defaults", f"--datadir={data}", *options, pid, log=folder / "log"):
            wait_until(Path(sock).exists, what="its socket", timeout=60)

            def connect() -> Any:
                return pymysql.connect(unix_socket=sock, user="root")

            wait_until(lambda: _answers(connect), what="the database", timeout=60)
            with connect() as connection, connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE site")
                cursor.execute("CREATE USER netprov@'%%' IDENTIFIED BY %s", (PASSWORD,))
                cursor.execute("GRANT ALL ON site.* TO netprov@'%'")
                cursor.execute("CREATE TABLE site.phones (mac text, extension text, display text)")
                cursor.executemany("INSERT INTO site.phones VALUES (%s, %s, %s)", ROWS)
                connection.commit()
            yield f"mysql://netprov@127.0.0.1:{port}/site"
