"""Run the ten tests that depend most on time again and again while every core is busy, and say what failed how often.

    python -m tests.steady [RUNS]

A test that waits for a condition with a deadline holds under load; one that guesses how long something takes does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TESTS = (
    "tests/dns/test_forward.py::test_next_upstream_is_asked_where_the_first_is_silent",
    "tests/runtime/control/test_server.py::test_client_that_goes_away_has_aborted",
    "tests/runtime/cwmp/test_service.py::test_half_requests_are_closed_in_time_and_others_served_meanwhile",
    "tests/runtime/dhcp/test_batch.py::test_what_comes_within_a_pause_is_taken_in_together",
    "tests/runtime/dns/test_pumps.py::test_client_that_does_not_read_is_dropped_and_others_are_answered",
    "tests/runtime/dns/test_pumps.py::test_connections_of_one_client_are_capped_and_silent_ones_end",
    "tests/runtime/provision/test_http_service.py::test_trickling_octets_do_not_buy_time",
    "tests/runtime/test_supervise.py::test_watchdog_is_fed_while_serving",
    "tests/runtime/tftp/test_service.py::test_silent_client_is_given_up_and_reported",
    "tests/runtime/web/test_tls.py::test_what_is_about_to_expire_is_renewed_unasked",
)


class Repeat:
    """A plugin of pytest: runs each test so many times, and counts them by outcome."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self.seen = Counter[str]()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give the test a number that it does not ask for."""
        metafunc.fixturenames.append("run_number")
        metafunc.parametrize("run_number", range(self.runs))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what a run came to; a fixture that failed is a failure, too."""
        if report.when == "call" or not report.passed:
            self.seen[report.outcome] += 1


def repeat(test: str, runs: int) -> int:
    """Run one test in this process, and print its line."""
    counter = Repeat(runs)
    code = pytest.main(
        [test, "-q", "--no-header", "--tb=short", "-p", "no:xdist", "-p", "no:cacheprovider"],
        plugins=[counter],
    )
    name = test.rpartition("::")[2]
    print(f"steady: {counter.seen['passed']:5} passed {counter.seen['failed']:3} failed  {name}")
    return int(code != 0 or counter.seen["passed"] < runs)


def main(runs: int) -> int:
    """Load every core, run each test in a process of its own, and return whether any failed."""
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(loop.kill)
        failed = 0
        for test in TESTS:
            done = subprocess.run(
                [sys.executable, "-m", __spec__.name, str(runs), test],
                cwd=ROOT,
                check=False,
                capture_output=True,
                text=True,
            )
            lines = done.stdout.splitlines()
            print(
                "\n".join(each for each in lines if each.startswith("steady: ")) or done.stdout + done.stderr,
                flush=True,
            )
            if done.returncode:
                failed += 1
                print("\n".join(each for each in lines if each.startswith("E  ")), flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    sys.exit(repeat(sys.argv[2], RUNS) if len(sys.argv) > 2 else main(RUNS))
