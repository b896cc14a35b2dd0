"""What each verb and each role loads before it does anything: imports are most of a short command's time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from netprov.cli import VERBS
from netprov.runtime.roles import ROLES

HEAVY = (
    "aiohttp",
    "asyncio",
    "cryptography",
    "dnslib",
    "jinja2",
    "prometheus_client",
    "psycopg",
    "pydantic",
    "pyroute2",
    "rich",
    "scapy",
    "sqlalchemy",
    "sqlite3",
    "yaml",
)
"""What takes 10 ms or more to load."""

INVENTORY = {"pydantic", "yaml"}
SERVE = INVENTORY | {"asyncio", "sqlite3"}
CERTIFICATES = {"cryptography"}

LIGHT = ("check", "decode", "explain", "reload")
"""Verbs whose `--help` loads none of them."""

NEVER = ("aiohttp", "jinja2", "prometheus_client", "psycopg", "pyroute2", "scapy", "sqlalchemy")
"""What a verb loads when it has found that it needs it, and not before."""

ROLE_NEEDS = {
    "dns": SERVE,
    "dhcp": SERVE,
    "syslog": SERVE,
    "tftp": SERVE | CERTIFICATES,
    "http": SERVE | CERTIFICATES | {"aiohttp"},
    "acs": SERVE | CERTIFICATES | {"aiohttp"},
}


def loaded(*statements: str) -> set[str]:
    """Return which heavy packages a program has loaded after some statements."""
    code = "\n".join(("import sys", *statements, "print(*sys.modules)"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(HEAVY).intersection(done.stdout.splitlines()[-1].split())


def getting(verb: str) -> str:
    return f"from netprov.cli import group; group.get_command(None, {verb!r})"


def test_list_of_verbs_loads_nothing_heavy() -> None:
    assert loaded("from netprov.cli import group", "group.get_help(group.context_class(group))") == set()


@pytest.mark.parametrize("verb", VERBS)
def test_verb_loads_only_what_it_always_needs(verb: str) -> None:
    found = loaded(getting(verb))
    assert found.isdisjoint(NEVER)
    if verb in LIGHT:
        assert found == set()


@pytest.mark.parametrize("role", ROLES)
def test_role_loads_no_library_of_another_role(role: str) -> None:
    module = ROLES[role].partition(":")[0]
    assert loaded(getting("serve"), f"import {module}") == ROLE_NEEDS[role]
