"""URLs and programs as sources: those that answer, hang, fail, fork, lie; and how often they are asked."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from netprov.lab.process import wait_until
from netprov.provision.config import Device, JsonUrl, Program, Source
from netprov.provision.secret import Secrets
from netprov.provision.source import MAX_OCTETS, Row, SourceFailed, values_of
from netprov.runtime.role import Notice
from netprov.runtime.source.pool import AT_ONCE, SourcePool
from tests.runtime.source.server import answering, said

PHONE = Device("00:12:34:ab:45:de", serial="FCH/1?", name="desk 1")
TOKEN = "Bearer Sekret-4711"
SECRETS = Secrets({"token": TOKEN})


def asked(source: Source, *devices: Device) -> list[Row | SourceFailed]:
    """Ask for all of them at once."""
    notices: list[Notice] = []

    async def go() -> list[Row | SourceFailed]:
        pool = SourcePool({source.name: source}, SECRETS, notices.append)
        try:
            return await asyncio.gather(*(pool.ask(source.name, each) for each in devices or (PHONE,)))
        finally:
            await pool.close()

    outcomes = asyncio.run(go())
    words = "".join([*map(str, notices), *(str(each) for each in outcomes if isinstance(each, SourceFailed))])
    assert TOKEN not in words
    return outcomes


def failure(source: Source) -> tuple[str, str]:
    (outcome,) = asked(source)
    assert isinstance(outcome, SourceFailed), values_of(outcome)
    assert outcome.remedy
    return outcome.why, outcome.fault


def values(outcome: Row | SourceFailed) -> object:
    assert isinstance(outcome, Row), str(outcome)
    return dict(values_of(outcome))


def url_of(port: int, path: str = "/{mac}", **more: object) -> Source:
    how = JsonUrl(f"http://127.0.0.1:{port}{path}", (("X-Token", "token"),))
    return replace(Source("crm", how, timeout=5), **more)  # type: ignore[arg-type]


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Source]:
    """Return a source that is a program of these lines of Python."""

    def make(text: str, **more: object) -> Source:
        file = tmp_path / "program.py"
        file.write_text(text)
        command = Program((sys.executable, "-S", str(file), str(tmp_path / "trace")))
        return replace(Source("tool", command, timeout=10), **more)  # type: ignore[arg-type]

    return make


def test_url_has_what_is_known_quoted_and_its_header_from_the_secrets() -> None:
    with answering(said(b'{"extension": 1141, "vip": true, "old": null}')) as server:
        (outcome,) = asked(url_of(server.port, "/p/{mac}?s={serial}&n={name}"))
    assert values(outcome) == {"extension": 1141, "vip": True}
    head = server.asked[0].decode().split("\r\n")
    assert head[0] == "GET /p/00%3A12%3A34%3Aab%3A45%3Ade?s=FCH%2F1%3F&n=desk%201 HTTP/1.1"
    assert f"X-Token: {TOKEN}" in head


def test_url_is_asked_for_an_answer_that_is_not_compressed() -> None:
    async def compressing(request: web.Request) -> web.Response:
        response = web.json_response({"extension": "1141", "display": "Lobby" * 20})
        response.enable_compression()  # as the client accepts it, like any server in front of an application
        return response

    async def go() -> Row | SourceFailed:
        app = web.Application()
        app.router.add_get("/{mac}", compressing)
        async with TestServer(app) as server:
            pool = SourcePool({"crm": url_of(server.port or 0)}, SECRETS, lambda _: None)
            return await pool.ask("crm", PHONE)

    assert values(asyncio.run(go())) == {"extension": "1141", "display": "Lobby" * 20}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip"), ("source-answer", "it says gzip, where no coding was asked for")),
        (said(b"<html>"), ("source-answer", "what it says is not JSON: Expecting value: line 1 column 1 (char 0)")),
        (said(b"\xff\x00"), ("source-answer", "what it says is not JSON")),
        (said(b""), ("source-answer", "it said nothing")),
        (said(b"[1]"), ("source-answer", "what it says is JSON, but no object")),
        (said(b'{"a": 1, "a": 2}'), ("source-answer", "what it says is not JSON: a name stands there twice")),
        (said(b'{"a": NaN}'), ("source-answer", "what it says is not JSON: NaN is no number")),
        (said(b"[" * 60_000), ("source-answer", "what it says is not JSON")),
        (said(b'{"a": {"b": 1}}'), ("source-answer", "value a is of type dict")),
        (said(b'{"a": "\\u0007"}'), ("source-answer", "value a: character U+0007 cannot stand in XML")),
        (said(b" " * (MAX_OCTETS + 9)), ("source-answer", f"it says more than {MAX_OCTETS} octets")),
        (said(b"", "404 Not Found"), ("source-answer", "it knows no such phone (status 404)")),
        (said(b"{}", "302 Found", "Location: http://127.0.0.2/"), ("source-failed", "it answers with status 302")),
        (said(b"", "500 Oops"), ("source-failed", "it answers with status 500")),
        (b"\x00\x01garbage\r\n\r\n", ("source-failed", "it cannot be asked")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", ("source-failed", "it cannot be asked")),
    ],
)  # fmt: skip
def test_url_that_says_something_else_is_no_answer(answer: bytes, expected: tuple[str, str]) -> None:
    with answering(answer) as server:
        why, fault = failure(url_of(server.port))
    assert why == expected[0]
    assert fault.startswith(expected[1])


def test_url_that_hangs_is_given_up() -> None:
    with answering(None) as server:
        assert failure(url_of(server.port, timeout=1)) == ("source-failed", "it did not answer within 1 s")


def test_url_over_tls_wants_a_certificate_that_is_trusted() -> None:
    with answering(b"no TLS") as server:
        how = JsonUrl(f"https://127.0.0.1:{server.port}/")
        assert failure(Source("crm", how))[1].startswith("it cannot be asked")


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), ("no PEM", "no certificate or crl found")]
)
def test_ca_that_cannot_be_read_is_named(tmp_path: Path, content: str | None, reason: str) -> None:
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    why, fault = failure(Source("crm", JsonUrl("https://127.0.0.1:1/", ca=str(ca))))
    assert why == "source-failed"
    assert fault.startswith(f"its CA {ca} cannot be read: ")
    assert reason in fault


def test_threads_that_cannot_be_started_take_no_place_of_the_source(
    program: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = program("print('{}')")

    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def go() -> list[Row | SourceFailed]:
        pool = SourcePool({source.name: source}, SECRETS, lambda _: None)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", none_left)
            refused = [
                await pool.ask(source.name, Device(f"00:12:34:00:00:{each:02x}"))
                for each in range(AT_ONCE + 1)
            ]
        return [*refused, await pool.ask(source.name, PHONE)]

    *refused, last = asyncio.run(go())
    faults = {each.fault for each in refused if isinstance(each, SourceFailed)}
    assert faults == {"no thread is left to ask it: can't start new thread"}
    assert values(last) == {}


def test_program_reads_the_phone_and_says_an_object(program: Callable[..., Source]) -> None:
    text = "import json, os, sys\nsays = json.load(sys.stdin)\nsays['environment'] = ','.join(sorted(os.environ))\n"
    (outcome,) = asked(program(f"{text}print(json.dumps(says))"))
    found = values(outcome)
    assert isinstance(found, dict)
    assert (found["mac"], found["ma"], found["name"]) == (PHONE.mac, "001234ab45de", "desk 1")
    assert {"LANG", "PATH"} <= set(found["environment"].split(",")) <= {"LANG", "PATH", "LC_CTYPE"}


@pytest.mark.parametrize(
    ("text", "why", "fault"),
    [
        ("import sys\nsys.exit('no \\x1b[31m database')", "source-failed", r"its program ended with 1: no \x1b[31m database"),
        ("import os\nos.kill(os.getpid(), 15)", "source-failed", "its program was ended by signal 15"),
        ("print('hello')", "source-answer", "what it says is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("", "source-answer", "it said nothing"),
        ("while True: print('x' * 65536)", "source-answer", f"its program says more than {MAX_OCTETS} octets"),
    ],
)  # fmt: skip
def test_program_that_does_not_answer_is_told(
    program: Callable[..., Source], text: str, why: str, fault: str
) -> None:
    assert failure(program(text)) == (why, fault)


def test_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    source = Source("tool", Program((str(tmp_path / "none"),)))
    assert failure(source) == ("source-failed", "its program cannot be started: No such file or directory")


FORKS = """import os, sys, time
if os.fork() == 0:
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not os.path.exists(sys.argv[1]) or not os.path.getsize(sys.argv[1]):
    pass
"""


@pytest.mark.parametrize(
    ("after", "answers"), [("print('{}', flush=True)", True), ("time.sleep(600)", False)]
)
def test_nothing_of_a_program_stays_behind(
    program: Callable[..., Source], tmp_path: Path, after: str, *, answers: bool
) -> None:
    (outcome,) = asked(program(f"{FORKS}{after}", timeout=10 if answers else 2))
    if answers:
        assert values(outcome) == {}  # its grandchild holds its output open, and nobody waits for that
    else:
        assert isinstance(outcome, SourceFailed)
        assert outcome.fault.startswith("its program did not end within ")
    left = Path("/proc", (tmp_path / "trace").read_text())
    wait_until(lambda: not left.exists() or " Z " in (left / "stat").read_text(), what="the grandchild's end")


def test_many_who_ask_for_one_phone_are_one_question() -> None:
    with answering(said(b'{"a": 1}')) as server:
        outcomes = asked(url_of(server.port), *[PHONE] * 50)
    assert [values(each) for each in outcomes] == [{"a": 1}] * 50
    assert len(server.asked) == 1


def test_source_that_hangs_takes_a_few_questions_and_all_are_told() -> None:
    phones = [Device(f"00:12:34:00:00:{number:02x}") for number in range(3 * AT_ONCE)]
    with answering(None) as server:
        outcomes = asked(url_of(server.port, timeout=1), *phones)
    assert all(isinstance(each, SourceFailed) for each in outcomes)
    faults = [each.fault for each in outcomes if isinstance(each, SourceFailed)]
    assert faults.count("it did not answer within 1 s") == AT_ONCE
    assert faults.count(f"{AT_ONCE} questions before this one have no answer yet") == 2 * AT_ONCE


def test_old_answer_serves_while_the_source_fails_and_no_longer_than_allowed() -> None:
    async def go(port: int, stale: int) -> tuple[object, object, list[str]]:
        notices: list[Notice] = []
        pool = SourcePool({"crm": url_of(port, fresh=0, stale=stale)}, SECRETS, notices.append)
        first = await pool.ask("crm", PHONE)
        server.answer = said(b"", "500 Oops")
        second = await pool.ask("crm", PHONE)
        await pool.close()
        return first, second, [str(each) for each in notices]

    with answering(said(b'{"a": 1}')) as server:
        first, second, told = asyncio.run(go(server.port, 3600))
        assert second is first
        assert told == ["source crm: it answers with status 500: ask it by hand: `curl -i URL`"]
        server.answer = said(b'{"a": 1}')
        _, second, _ = asyncio.run(go(server.port, 0))
        assert isinstance(second, SourceFailed)


def test_old_answer_does_not_hide_that_the_phone_is_gone_from_the_source() -> None:
    async def go(port: int) -> Row | SourceFailed:
        pool = SourcePool({"crm": url_of(port, fresh=0, stale=3600)}, SECRETS, lambda _: None)
        await pool.ask("crm", PHONE)
        server.answer = said(b"", "404 Not Found")
        outcome = await pool.ask("crm", PHONE)
        await pool.close()
        return outcome

    with answering(said(b'{"a": 1}')) as server:
        outcome = asyncio.run(go(server.port))
    assert isinstance(outcome, SourceFailed)
    assert outcome.why == "source-answer"
