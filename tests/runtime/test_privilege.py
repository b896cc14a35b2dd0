"""Root is given up for good, and sockets are opened all the same: now, in threads, and by programs that are started later."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from netprov.runtime.privilege import obstacle, user_to_be

USER = "nobody"
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")

_PROGRAM = """
import json, os, socket, subprocess, sys, threading
from netprov.runtime.privilege import become
become(sys.argv[1])
def fails(act):
    try:
        act()
    except OSError:
        return True
    return False
def low(kind, port):
    sock = socket.socket(socket.AF_INET, kind)
    sock.bind(("127.0.0.1", port))
in_thread = []
thread = threading.Thread(target=lambda: in_thread.append(fails(lambda: low(socket.SOCK_DGRAM, 69))))
thread.start(); thread.join()
bind = "import socket; socket.socket().bind(('127.0.0.1', 81))"
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
print(json.dumps({
    "ids": [*os.getresuid(), *os.getresgid()],
    "low port fails": fails(lambda: low(socket.SOCK_STREAM, 80)),
    "in a thread": in_thread[0],
    "in a program": subprocess.run(["/usr/bin/env", "-S", "python3", "-c", bind], capture_output=True, env={"PATH": "/usr/bin"}).returncode,
    "packet socket fails": fails(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "becomes root again": not fails(lambda: os.setuid(0)),
    "reads what is root's": not fails(lambda: open(sys.argv[2])),
    "capabilities": [status[name].strip() for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "new privileges": status["NoNewPrivs"].strip(),
}))
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory that every user may enter; that of the tests is private."""
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_mode & 0o005 != 0o005:
            each.chmod(each.stat().st_mode | 0o005)
    return tmp_path


def test_process_has_its_sockets_and_nothing_else(place: Path) -> None:
    secret = place / "secret"
    secret.touch(mode=0o600)
    # A network of its own: the ports of this machine may be taken.
    alone = ["unshare", "--net", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$@"', "sh"]
    done = subprocess.run(
        [*alone, sys.executable, "-c", _PROGRAM, USER, str(secret)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    who = pwd.getpwnam(USER)
    kept = f"{1 << 10 | 1 << 13:016x}"
    assert json.loads(done.stdout) == {
        "ids": [who.pw_uid] * 3 + [who.pw_gid] * 3,
        "low port fails": False,
        "in a thread": False,
        "in a program": 0,
        "packet socket fails": False,
        "becomes root again": False,
        "reads what is root's": False,
        "capabilities": [kept] * 4,
        "new privileges": "1",
    }


def test_user_is_the_inventorys_else_whom_sudo_was_called_by() -> None:
    sudo = {"SUDO_USER": "alice"}
    assert user_to_be("netprov", sudo) == ("netprov", True)
    assert user_to_be(None, sudo) == ("alice", False)
    assert user_to_be("root", sudo) == ("", False)
    assert user_to_be(None, {}) == ("", False)


def test_state_that_is_all_roots_is_given_and_what_is_not_state_never(place: Path) -> None:
    who = pwd.getpwnam(USER)
    inventory = place / "site.yaml"
    inventory.touch(mode=0o644)
    state = place / "state"
    (state / "pki").mkdir(parents=True)
    (state / "pki" / "link").symlink_to(inventory)
    assert obstacle(USER, state, [inventory], ()) == ""  # the program may be in root's home
    assert {each.lstat().st_uid for each in (state, *state.rglob("*"))} == {who.pw_uid}
    assert inventory.stat().st_uid == 0
    other = place / "other"
    (other / "etc").mkdir(parents=True)
    assert obstacle(USER, other, [], ()) == f"{USER} may not write {other}"
    assert other.stat().st_uid == 0


def test_what_a_user_cannot_do_is_said_and_root_is_root_again_afterwards(place: Path) -> None:
    (place / "root").touch(mode=0o600)
    (place / "state").mkdir()
    assert obstacle(USER, place / "state", [], (place / "root",)) == f"{USER} may not read {place / 'root'}"
    inventory = place / "site.yaml"
    inventory.touch(mode=0o600)
    assert obstacle(USER, place / "state", [inventory], ()) == f"{USER} may not read {inventory}"
    assert obstacle("no-such-user", place, []) == "there is no user no-such-user"
    assert obstacle("root", place, []) == "root is root"
    assert (os.geteuid(), os.access(inventory, os.R_OK)) == (0, True)
