"""What takes long is told on a terminal, and nowhere else."""

from __future__ import annotations

import io
import threading

import pytest

from netprov.cli.progress import progress


class Screen(io.StringIO):
    """A stream that says whether it is a terminal, and when something was written to it."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal
        self.written = threading.Event()

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")


def test_terminal_is_told_one_line_that_fits_and_it_is_gone_at_the_end() -> None:
    screen = Screen(terminal=True)
    with progress("reads \x1b[31m" + "x" * 100, stream=screen, first=0.0, every=0.001):
        assert screen.written.wait(10)
    told = screen.getvalue()
    assert told.endswith("\r\x1b[K")
    lines = told.split("\r\x1b[K")[1:-1]
    assert lines
    assert max(map(len, lines)) < 30
    assert all(line.startswith("reads \\x1b[31m") for line in lines)


def test_what_is_done_next_replaces_what_was_done() -> None:
    screen = Screen(terminal=True)
    with progress("first", stream=screen, first=0.0, every=0.001) as shown:
        assert screen.written.wait(10)
        shown.text = "second"
        while "second" not in screen.getvalue():
            screen.written.wait(10)


def test_pipe_and_dumb_terminal_are_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Screen(terminal=False)
    with progress("reads", stream=pipe, first=0.0, every=0.001):
        assert pipe.getvalue() == ""
    monkeypatch.setenv("TERM", "dumb")
    dumb = Screen(terminal=True)
    before = threading.active_count()
    with progress("reads", stream=dumb, first=0.0, every=0.001):
        assert threading.active_count() == before
    assert pipe.getvalue() + dumb.getvalue() == ""
