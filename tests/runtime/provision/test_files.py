"""Static files over HTTP: on connections that are kept, beside files of like names, below the phones' own paths."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path

import pytest

from netprov.provision.config import Listener
from netprov.provision.event import Asked
from netprov.runtime.provision.service import HttpService
from tests.port import free_port
from tests.runtime.provisioning import plan_of, role_context, with_service

CONTENT = bytes(range(256)) * 2000


def served(
    tmp_path: Path, exchange: Callable[[http.client.HTTPConnection], None], prefix: str = "/fw"
) -> list[Asked]:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.loads").write_bytes(CONTENT)
    (tree / "v.xml.gz").write_bytes(b"another file")
    (tree / "SEP001234AB45DE.cnf.xml").write_bytes(b"of another kind of phone")
    (tree / "001234ab45de.cfg").write_bytes(b"hides behind the phone's own")
    context, events = role_context(tmp_path)
    listener = Listener("http", "127.0.0.1", free_port())

    def go() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=20)
        exchange(connection)
        connection.close()

    with_service(HttpService(context), plan_of(listener, trees=((prefix, str(tree)),)), go)
    return [event for _, event in events if isinstance(event, Asked)]


def ask(
    connection: http.client.HTTPConnection, path: str, method: str = "GET", **fields: str
) -> tuple[int, bytes]:
    connection.request(method, path, headers={name.replace("_", "-"): each for name, each in fields.items()})
    assert connection.sock is not None
    with connection.getresponse() as reply:
        return reply.status, reply.read()


def test_a_kept_connection_carries_parts_the_unchanged_and_the_whole(tmp_path: Path) -> None:
    def exchange(connection: http.client.HTTPConnection) -> None:
        for _ in range(3):
            assert ask(connection, "/fw/a.loads", Range="bytes=0-9") == (206, CONTENT[:10])
            assert ask(connection, "/fw/a.loads", Range="bytes=-0") == (416, b"")
            assert ask(connection, "/fw/a.loads", If_None_Match="*") == (304, b"")
            assert ask(connection, "/fw/a.loads", "HEAD") == (200, b"")
            sock = connection.sock
            assert ask(connection, "/fw/a.loads") == (200, CONTENT)
            assert connection.sock is sock, "the connection is kept"

    told = [(each.status, each.octets) for each in served(tmp_path, exchange)]
    assert told[:5] == [(206, 10), (416, 0), (304, 0), (200, len(CONTENT)), (200, len(CONTENT))]


def test_another_file_is_never_sent_for_the_one_asked_for(tmp_path: Path) -> None:
    def exchange(connection: http.client.HTTPConnection) -> None:
        assert ask(connection, "/fw/v.xml", Accept_Encoding="gzip")[0] == 404
        assert ask(connection, "/fw/v.xml.gz", Accept_Encoding="gzip") == (200, b"another file")

    served(tmp_path, exchange)


def test_a_file_is_not_posted_to(tmp_path: Path) -> None:
    def exchange(connection: http.client.HTTPConnection) -> None:
        assert ask(connection, "/fw/a.loads", "POST")[0] == 405
        assert ask(connection, "/fw/a.loads", "PUT")[0] == 405

    served(tmp_path, exchange)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/SEP001234AB45DE.cnf.xml", b"of another kind of phone"),
        ("/001234ab45de.cfg", b"<flat-profile>"),
        ("/ca.pem", b"-----BEGIN"),
        ("/missing", b""),
    ],
)
def test_a_tree_at_the_root_is_below_the_phones_own_paths(tmp_path: Path, path: str, expected: bytes) -> None:
    def exchange(connection: http.client.HTTPConnection) -> None:
        status, body = ask(connection, path)
        assert body.startswith(expected)
        assert status == (200 if expected else 404)

    served(tmp_path, exchange, prefix="/")
