"""The enclosure: what is made inside ends with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.lab.conftest import PYTHON, ROOT, needs, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab_allowed")]

PROLOGUE = """
import os, subprocess, sys, time
from pathlib import Path
from netprov.lab.enclosure import run_enclosed
def work(scratch):
    (scratch / "file").write_text("x")
    child = subprocess.Popen(["sleep", "600"])
    print(os.readlink("/proc/self"), scratch, os.getpid(), flush=True)
"""


def enclosed(body: str, *, wrapper: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start a program that runs `body` inside, after it has made a file and a process there."""
    code = (
        PROLOGUE
        + textwrap.indent(textwrap.dedent(body), "    ")
        + f"\nsys.exit(run_enclosed(work, visible=[Path({str(ROOT)!r})]))"
    )
    return subprocess.Popen(
        [*wrapper, PYTHON, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def descendants_gone(process: int) -> bool:
    """Tell whether process 1 of the enclosure has gone, and with it, by the kernel's rule, all others."""
    return not Path(f"/proc/{process}").exists()


def test_exit_code_and_output_come_through() -> None:
    process = enclosed("return 7")
    out, err = process.communicate(timeout=20)
    outer, scratch, inner = out.split()
    assert (process.returncode, inner, err) == (7, "1", "")
    assert descendants_gone(int(outer))
    assert not (Path(scratch) / "file").exists()


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else "",
)
def test_signal_ends_everything_inside(number: signal.Signals, code: int) -> None:
    process = enclosed("time.sleep(600)")
    assert process.stdout is not None
    outer, scratch, _ = process.stdout.readline().split()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == code
    wait_until(lambda: descendants_gone(int(outer)), what="the end of process 1")
    assert not (Path(scratch) / "file").exists()


def test_ctrl_c_ends_everything_inside() -> None:
    process = enclosed("time.sleep(600)")
    assert process.stdout is not None
    outer, _, _ = process.stdout.readline().split()
    # A terminal sends SIGINT to every process in the foreground; here to the two by hand.
    process.send_signal(signal.SIGINT)
    os.kill(int(outer), signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert descendants_gone(int(outer))


def test_failure_inside_shows_its_traceback_and_fails() -> None:
    process = enclosed("raise RuntimeError('broken inside')")
    _, err = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "RuntimeError: broken inside" in err


def test_without_capabilities_a_user_namespace_does() -> None:
    # CAP_SETFCAP stays: without it the kernel lets nobody map uid 0, which this test may well run as.
    process = enclosed(
        "from netprov.lab.netns import Namespace; Namespace('x').close(); return 0",
        wrapper=(needs("setpriv"), "--bounding-set=-all,+setfcap", "--inh-caps=-all"),
    )
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")


def test_forbidden_namespaces_are_an_error_that_says_what_allows_them() -> None:
    forbid = (
        'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
    )
    process = enclosed("return 0", wrapper=(needs("unshare"), "-Ur", "sh", "-c", forbid, "sh"))
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "cannot make a user namespace: not permitted" in err
    assert "sysctl -w user.max_user_namespaces=10000" in err
    assert "as root (sudo)" in err


def test_nothing_of_the_machine_s_network_is_seen_inside() -> None:
    process = enclosed("import socket; print(socket.if_nameindex()); return 0")
    out, _ = process.communicate(timeout=20)
    assert out.splitlines()[1] == "[(1, 'lo')]"
