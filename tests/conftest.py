"""Settings that every test shares."""

from __future__ import annotations

import getpass
import os
import signal
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings

from netprov.errors import LabError
from netprov.lab.enclosure import stand_apart

EXAMPLES = int(os.environ.get("NETPROV_EXAMPLES", "100"))
"""Examples per property; `make fuzz` raises it."""

settings.register_profile(
    "netprov",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("netprov")


# A shell ignores them for what it runs in the background, nohup too, and so would what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    """Without root, take the workers of a parallel run (-n) along into a user namespace, where one is allowed.

    A worker cannot go by itself: it has threads from the start.
    """
    if getattr(config.option, "numprocesses", None):
        become_apart()


def become_apart() -> None:
    """Without root, become it in a user namespace, where one is allowed; else the lab's tests skip, with the reason."""
    if os.geteuid() == 0:
        return
    with suppress(
        KeyError, OSError
    ):  # pytest names its directory by this, and that of the true root is taken
        os.environ.setdefault("LOGNAME", getpass.getuser())
    with suppress(LabError):
        stand_apart()
