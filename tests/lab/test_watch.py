"""`netprov watch` on a terminal and in a pipe, beside services that serve, end and come back."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from netprov.lab.lan import Host, Lan
from netprov.lab.server import start_server
from tests.lab.conftest import PHONES, PYTHON, STAGING, STAGING_ADDRESSES, MakeLan, wait_until

pytestmark = pytest.mark.lab
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
PATIENCE_S = 30


class Terminal:
    """A program on a terminal of its own, of so many lines and columns; what it draws is read back."""

    def __init__(self, host: Host, words: Sequence[str], *, lines: int, columns: int) -> None:
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k not in {"LINES", "COLUMNS"}}
        with host.entered():
            self.process = subprocess.Popen(
                [PYTHON, "-m", "netprov", *words],
                stdin=far,
                stdout=far,
                stderr=far,
                start_new_session=True,
                env=environment | {"TERM": "xterm"},
            )
        os.close(far)
        self.text = ""

    def screen(self) -> list[str]:
        """Return the lines of the last screen that was drawn to its end."""
        frame = self.read().rpartition("\x1b[J")[0].rpartition("\x1b[H")[2]
        return [line.removesuffix("\x1b[K") for line in frame.split("\r\n")]

    def read(self) -> str:
        while select.select([self._near], [], [], 0.05)[0]:
            try:
                data = os.read(self._near, 65536)
            except OSError:  # the program has ended
                break
            self.text += data.decode()
        return self.text

    def until(self, condition: Callable[[list[str]], object], what: str) -> list[str]:
        wait_until(lambda: condition(self.screen()), what=what, timeout=PATIENCE_S)
        return self.screen()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._near)


@contextmanager
def watching(host: Host, state: Path, *, lines: int = 24, columns: int = 80) -> Iterator[Terminal]:
    words = ["watch", "-f", str(STAGING), "--state", str(state)]
    terminal = Terminal(host, words, lines=lines, columns=columns)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def lan(make_lan: MakeLan) -> Lan:
    return make_lan(server=STAGING_ADDRESSES, clients=PHONES)


def boot(host: Host, mac: str) -> subprocess.Popen[bytes]:
    """Boot a phone, and do not wait for it."""
    words = [PYTHON, "-m", "netprov", "phone", mac, "--model", "CP-8851-3PCC", "-i", host.interface]
    with host.entered():
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def dhcp_ear(host: Host) -> socket.socket:
    """Return a socket that hears every frame of a host's link."""
    with host.entered():
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        ear.bind((host.interface, 0))
    ear.settimeout(PATIENCE_S)
    return ear


def await_discover(ear: socket.socket) -> float:
    """Return when a frame from a DHCP client's port to a server's came by."""
    while True:
        frame = ear.recv(2048)
        if frame[23] == socket.IPPROTO_UDP and frame[34:38] == struct.pack("!HH", 68, 67):
            return time.monotonic()


@pytest.mark.parametrize(("lines", "columns"), [(24, 80), (12, 40), (50, 132)])
def test_row_of_a_phone_appears_while_it_boots_and_the_screen_fits(
    lan: Lan, tmp_path: Path, lines: int, columns: int, record_property: Callable[[str, object], None]
) -> None:
    start_server(lan["server"], STAGING, tmp_path)
    mac = PHONES[0]
    with (
        watching(lan["server"], tmp_path, lines=lines, columns=columns) as terminal,
        dhcp_ear(lan["server"]) as ear,
    ):
        terminal.until(lambda screen: "dhcp" in screen[0] or columns < 80, "the first screen")
        phone = boot(lan["client0"], mac)
        asked = await_discover(ear)
        terminal.until(lambda screen: any(line.startswith(mac) for line in screen), "a row of the phone")
        record_property("seconds_from_discover_to_row", time.monotonic() - asked)
        assert phone.wait(60) == 0
        screen = terminal.until(
            lambda screen: (
                any(line.startswith(mac) and "provisioned" in line for line in screen)
                if columns >= 80
                else any("provisioned" in line for line in screen[1:2])
            ),
            "the phone's last stage",
        )
        assert len(screen) <= lines
        assert max(map(len, screen)) < columns  # the last column stays free: a terminal wraps there
        os.kill(terminal.process.pid, signal.SIGINT)
        wait_until(lambda: terminal.read() and terminal.process.poll() is not None, what="its end")
        assert terminal.process.returncode == 0
        assert terminal.read().count(ENTER) == terminal.read().count(LEAVE) == 1
        assert terminal.read().rindex(LEAVE) > terminal.read().rindex("\x1b[J")


def test_server_that_ends_is_told_and_watched_again_when_it_is_back(lan: Lan, tmp_path: Path) -> None:
    server = start_server(lan["server"], STAGING, tmp_path)
    with watching(lan["server"], tmp_path, columns=120) as terminal:
        terminal.until(lambda screen: "dhcp" in screen[0], "the roles")
        server.kill()
        terminal.until(lambda screen: "nothing is heard" in screen[0], "the loss")
        assert any("not heard any more" in line for line in terminal.screen())
        start_server(lan["server"], STAGING, tmp_path)
        terminal.until(lambda screen: any("heard again" in line for line in screen), "the return")
        mac = PHONES[0]
        assert boot(lan["client0"], mac).wait(60) == 0
        terminal.until(lambda screen: any(line.startswith(mac) for line in screen), "a row of the phone")


def test_pipe_gets_a_line_an_event_and_nothing_that_a_terminal_obeys(lan: Lan, tmp_path: Path) -> None:
    start_server(lan["server"], STAGING, tmp_path)
    words = [PYTHON, "-m", "netprov", "watch", "-f", str(STAGING), "--state", str(tmp_path)]
    with lan["server"].entered():
        plain = subprocess.Popen(words, stdout=subprocess.PIPE, bufsize=0)
        json_lines = subprocess.Popen([*words, "--json"], stdout=subprocess.PIPE, bufsize=0)
    try:
        with lan["client3"].links() as links:
            links.add_address("lan0", "10.20.0.250/24")
        evil = b"/\x1b]0;owned\x07\x1b[2J\xe2\x80\xae.cfg"

        def ask() -> None:
            with lan["client3"].entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(5)
                sock.sendto(b"\x00\x01" + evil + b"\x00octet\x00", ("10.20.0.1", 69))
                sock.recv(600)

        told: dict[str, bytes] = {"plain": b"", "json": b""}
        for name, process in (("plain", plain), ("json", json_lines)):
            assert process.stdout is not None
            os.set_blocking(process.stdout.fileno(), False)

            def heard(name: str = name, process: subprocess.Popen[bytes] = process) -> bool:
                assert process.stdout is not None
                told[name] += process.stdout.read() or b""
                return b"owned" in told[name] and told[name].endswith(b"\n")

            def asked(heard: Callable[[], bool] = heard) -> bool:
                ask()
                return heard()

            wait_until(asked, what=f"the refusal, {name}", timeout=PATIENCE_S)
        assert b"\x1b" not in told["plain"] + told["json"]
        events = [json.loads(line) for line in told["json"].splitlines()]
        keys = ["time", "service", "event", "mac", "address", "stands", "refusal", "text"]
        assert [list(each) for each in events] == [keys] * len(events)
        for process in (plain, json_lines):
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
    finally:
        for process in (plain, json_lines):
            if process.poll() is None:
                process.kill()
            process.communicate()


def test_nothing_to_watch_is_told_with_what_helps(lan: Lan, tmp_path: Path) -> None:
    words = [PYTHON, "-m", "netprov", "watch", "-f", str(STAGING), "--state", str(tmp_path)]
    done = lan["server"].run(words, timeout=60)
    assert done.returncode == 3
    assert "nothing that plays any role runs" in done.stderr
    assert "netprov serve" in done.stderr
