"""The consoles of living phones: what is asked over the socket, and how the verb tells it."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli.verb.lab.handset import command
from netprov.emulator.console import LONGEST, ask, consoles
from netprov.emulator.stay import Pace, Stay
from netprov.errors import ServiceError
from netprov.phone.action import Action, Result
from netprov.phone.handset.memory import Handset
from netprov.phone.life.machine import LivingPhone
from tests.phone.world import PHONE, Server, World, no_chance

FILES = {"/8851-3PCC.xml": b"<flat-profile><Display_Name_1_>4081001141</Display_Name_1_></flat-profile>"}


class Lan:
    """A LAN in memory, asked by a pump."""

    def __init__(self) -> None:
        self._world = World({66: b"10.20.0.1"}, servers={"tftp 10.20.0.1 69": Server(FILES)})

    async def perform(self, action: Action) -> Result:
        return self._world(action)


@contextmanager
def at_home(path: Path, *macs: str) -> Iterator[Path]:
    """Let phones live in a thread, their consoles at a path."""
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def live() -> None:
        stays = {}
        for mac in macs:
            identity = PHONE.__class__(mac, PHONE.model)
            phone = LivingPhone(Handset(identity, no_chance))
            stays[mac] = Stay(phone, Lan(), Pace(), lambda _step: None)
        async with consoles(path, stays):
            lives = asyncio.gather(*(each.run() for each in stays.values()))
            loop.call_soon(ready.set)
            try:
                await lives
            except asyncio.CancelledError:
                return

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(task)
        loop.close()

    task = loop.create_task(live())
    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(30)
        yield path
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(30)


def test_keys_are_answered_with_the_screen_that_follows(tmp_path: Path) -> None:
    with at_home(tmp_path / "s", PHONE.mac) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        answers = ask(path, "", ["factory-reset", "screen", "rule /nothing.xml", "resync", "status"])
        assert [shown[1] for shown, _ in answers[:2]] == ["4081001141"] * 2
        page = list(answers[-1][0])
        assert "Provisioning profile       /nothing.xml" in page
        assert any(line.startswith("Provisioning status 1") and "failed: " in line for line in page)
    assert not path.exists()


def test_which_phone_is_said_where_there_are_several(tmp_path: Path) -> None:
    with at_home(tmp_path / "s", "00:00:00:00:00:01", "00:00:00:00:00:02") as path:
        assert "name one of 00:00:00:00:00:01" in ask(path, "", ["screen"])[0][1]
        assert "name one of" in ask(path, "printer", ["screen"])[0][1]
        assert ask(path, "0000.0000.0002", ["resync"])[0][1] == ""


def test_what_is_no_request_is_refused_in_words_and_phones_live_on(tmp_path: Path) -> None:
    with at_home(tmp_path / "s", PHONE.mac) as path:
        import socket

        for line in (
            b"x\n",
            b"[]\n",
            b'{"phone": 1}\n',
            b"7\n",
            b"\xff\n",
            b"[" * 60_000 + b"\n",
            b"x" * LONGEST + b"\n",
        ):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(path))
                sock.sendall(line)
                assert "not a request" in json.loads(sock.makefile().readline())["error"]
        assert ask(path, "", ["resync"])[0][1] == ""


def test_a_line_too_long_is_refused_and_the_next_is_taken(tmp_path: Path) -> None:
    with at_home(tmp_path / "s", PHONE.mac) as path:
        assert str(LONGEST) in ask(path, "", ["rule " + "x" * 3 * LONGEST])[0][1]
        assert ask(path, "", ["screen"])[0][1] == ""


def test_octets_that_are_no_text_do_not_stay_in_the_phone(tmp_path: Path) -> None:
    with at_home(tmp_path / "s", PHONE.mac) as path:
        assert ask(path, "", ["set X=\udcff", "parameters X"])[1] == (["X=\ufffd"], "")


def test_the_verb_says_what_is_shown_and_what_is_refused(tmp_path: Path) -> None:
    def run(*words: str, stdin: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(command, [str(path), *words], standalone_mode=False, input=stdin)
        assert result.exception is None
        return result.return_value, result.output

    with at_home(tmp_path / "s", PHONE.mac) as path:
        code, said = run("resync")
        assert (code, said.splitlines()[1]) == (0, "4081001141")
        assert run("rezync") == (1, "rezync: no such command; did you mean resync?\n")
        code, said = run(stdin="rule [--srv] tftp://example.com/x\n\nresync\nstatus\nbad\n")
        assert code == 1
        assert "TFTP Scheme not supported in SRV lookups" in said


def test_nobody_at_home_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="--stay --console"):
        ask(tmp_path / "s", "", ["screen"])


def test_a_file_that_is_no_socket_stays_what_it_is(tmp_path: Path) -> None:
    path, link = tmp_path / "site.yaml", tmp_path / "link"
    path.write_text("domain: example.com")
    link.symlink_to(path)

    async def live(where: Path) -> None:
        async with consoles(where, {}):
            pass

    for where in (path, link):
        with pytest.raises(ServiceError, match="no socket"):
            asyncio.run(live(where))
    assert link.is_symlink()
    assert path.read_text() == "domain: example.com"


def test_a_socket_of_others_is_left_alone_and_one_of_the_dead_is_not(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    with at_home(tmp_path / "s", PHONE.mac) as path:

        async def second() -> None:
            async with consoles(path, {}):
                pass

        with pytest.raises(ServiceError, match="already"):
            asyncio.run(second())
        assert ask(path, "", ["screen"])[0][1] == ""


def test_what_the_phone_does_not_see_to_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_home(tmp_path / "s", PHONE.mac) as path:
        assert ask(path, "", ["resync"])[0][1] == ""
        monkeypatch.setattr(LivingPhone, "takes", lambda _self, _event: False)
        assert "64 requests before it" in ask(path, "", ["resync"])[0][1]
