"""Settings that every test shares."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

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
