from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netprov.lab.process import wait_until

SITE = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 192.0.2.0/24}}\n"


@pytest.fixture
def serve(tmp_path: Path) -> list[str]:
    """Return a command that serves what is on no interface here, and waits for it."""
    (tmp_path / "site.yaml").write_text(SITE)
    words = ["serve", "-f", str(tmp_path / "site.yaml"), "--state", str(tmp_path / "state")]
    return [sys.executable, "-m", "netprov", *words]


def test_second_process_of_a_role_on_a_state_directory_says_so_and_ends(
    serve: list[str], tmp_path: Path
) -> None:
    with (tmp_path / "said").open("w+") as said, subprocess.Popen([*serve, "syslog"], stdout=said) as first:
        try:
            wait_until(lambda: "Ready" in (tmp_path / "said").read_text(), what="the first", timeout=60)
            second = subprocess.run(
                [*serve, "dns", "syslog"], capture_output=True, text=True, timeout=60, check=False
            )
        finally:
            first.send_signal(signal.SIGTERM)
    assert second.returncode == 3
    assert re.search(
        rf"syslog is served with the state directory .*/state already, by process {first.pid}\b.*"
        r"`netprov reload syslog`.*a second server needs a --state of its own",
        second.stderr,
        re.DOTALL,
    ), second.stderr
    assert first.returncode == 0
