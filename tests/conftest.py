"""Settings that every test shares."""

from __future__ import annotations

import getpass
import os
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
