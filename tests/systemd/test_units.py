"""The units: systemd accepts them, each role has one, and each has only its own capabilities."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from netprov.runtime.roles import ROLES
from tests.lab.conftest import ROOT, needs

UNITS = ROOT / "systemd"
PROGRAM = "/opt/netprov/bin/netprov"
CAPABILITIES = dict.fromkeys(ROLES, "CAP_NET_BIND_SERVICE") | {"dhcp": "CAP_NET_BIND_SERVICE CAP_NET_RAW"}
UNITS_OF = (*ROLES, "cert")
CAPABILITIES_OF = CAPABILITIES | {"cert": ""}

EXPOSURE = dict.fromkeys(ROLES, 1.4) | {"dhcp": 1.7, "cert": 1.1}
"""What `systemd-analyze security` of systemd 252 finds; other versions weigh other things, none of them more of ours."""
SAID = "1.1 for cert, 1.4 for dns, http, tftp, syslog and acs, 1.7 for dhcp"


def unit(name: str) -> ConfigParser:
    """Read a unit; of a key that is given twice, the last."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((UNITS / name).read_text())
    return parser


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a copy of the units that names a program which is there, so that systemd does not stumble over it."""
    shutil.copytree(UNITS, tmp_path / "system")
    for path in (*(tmp_path / "system").glob("*.service"), *(tmp_path / "system").glob("*.d/*.conf")):
        path.write_text(path.read_text().replace(PROGRAM, "/bin/true"))
    return tmp_path / "system"


def test_every_role_has_a_unit_and_no_unit_is_without_a_role() -> None:
    assert {f"netprov-{role}.service" for role in UNITS_OF} == {path.name for path in UNITS.glob("*.service")}


@pytest.mark.parametrize("role", ROLES)
def test_unit_runs_its_role_with_its_own_capabilities(role: str) -> None:
    service = unit(f"netprov-{role}.service")["Service"]
    words = service["ExecStart"].split()
    assert [PROGRAM, "serve", role] == words[:3]
    assert (CAPABILITIES[role], CAPABILITIES[role]) == (
        service["AmbientCapabilities"],
        service["CapabilityBoundingSet"],
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_single_value_is_not_given_in_both_a_unit_and_the_drop_in(role: str) -> None:
    """The drop-in is read last, so it would win."""
    lists = {"SystemCallFilter", "RestrictAddressFamilies", "ReadWritePaths"}
    common = unit("netprov-.service.d/10-common.conf")["Service"]
    assert set(unit(f"netprov-{role}.service")["Service"]) & set(common) <= lists


def test_dhcp_starts_last() -> None:
    after = unit("netprov-dhcp.service")["Unit"]["After"].split()
    assert {f"netprov-{role}.service" for role in ROLES if role != "dhcp"} == set(after)


@pytest.mark.parametrize("role", ["http", "tftp", "acs"])
def test_what_needs_certificates_or_secrets_starts_after_they_are_made(role: str) -> None:
    service = unit(f"netprov-{role}.service")["Unit"]
    assert (service["Wants"], service["After"]) == ("netprov-cert.service", "netprov-cert.service")


def test_systemd_accepts_the_units(installed: Path) -> None:
    units = sorted(
        str(path)
        for path in installed.iterdir()
        if path.is_file() and path.suffix in {".service", ".target", ".timer", ".path"}
    )
    result = subprocess.run(
        [needs("systemd-analyze"), "verify", "--man=no", "--recursive-errors=yes", *units],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")


def test_systemd_accepts_the_socket_units_of_the_operations_page(installed: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    found = re.findall(r"(?m)^    # /etc/systemd/system/(\S+\.socket)\n((?:    .*\n)+)", page)
    assert [name for name, _ in found] == ["netprov-dns.socket", "netprov-http.socket"]
    units = [installed / name for name, _ in found]
    for path, (_, text) in zip(units, found, strict=True):
        path.write_text(re.sub("(?m)^    ", "", text))
    result = subprocess.run(
        [needs("systemd-analyze"), "verify", "--man=no", "--recursive-errors=yes", *map(str, units)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("role", UNITS_OF)
def test_exposure_is_what_the_operations_page_says(role: str, installed: Path) -> None:
    result = subprocess.run(
        [needs("systemd-analyze"), "security", "--offline=true", str(installed / f"netprov-{role}.service")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", result.stdout)
    assert found, result.stderr
    assert float(found[1]) <= EXPOSURE[role]
    assert SAID in " ".join((ROOT / "docs" / "operations.md").read_text().split())


def test_user_and_directories_are_what_the_units_name(tmp_path: Path) -> None:
    result = subprocess.run(
        [needs("systemd-sysusers"), "--dry-run", f"--root={tmp_path}", str(UNITS / "netprov.sysusers")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    made = set(re.findall(r"Creating user '([^']+)'", result.stdout + result.stderr))
    named = {role: unit(f"netprov-{role}.service")["Service"]["User"] for role in UNITS_OF}
    assert made == set(named.values()) == {f"netprov-{role}" for role in UNITS_OF}
    assert unit("netprov-.service.d/10-common.conf")["Service"]["Group"] == "netprov"
    directories = {
        line.split()[1]: line.split()[2:5]
        for line in (UNITS / "netprov.tmpfiles").read_text().splitlines()
        if line and not line.startswith("#")
    }
    assert directories == {
        "/etc/netprov": ["0750", "root", "netprov"],
        "/etc/netprov/netprov.yaml": ["0640", "root", "netprov"],
        "/var/lib/netprov": ["0750", "root", "netprov"],
        "/var/lib/netprov/pki": ["0711", "netprov-cert", "netprov"],
        "/var/lib/netprov/pki/servers": ["02750", "netprov-cert", "netprov-tls"],
        "/var/lib/netprov/pki/imported": ["02750", "netprov-cert", "netprov-tls"],
        "/var/lib/netprov/secrets": ["0640", "netprov-cert", "netprov-secrets"],
        "/var/lib/netprov/leases": ["0750", "netprov-dhcp", "netprov"],
        "/var/lib/netprov/dns": ["0700", "netprov-dns", "netprov"],
        "/var/lib/netprov/acs": ["0700", "netprov-acs", "netprov"],
        "/var/lib/netprov/keys": ["0700", "netprov-http", "netprov"],
        "/var/lib/netprov/records": ["02770", "root", "netprov"],
        "/var/lib/netprov/control": ["03770", "root", "netprov"],
    }


def test_paths_that_units_write_are_made_beforehand() -> None:
    """A unit whose `ReadWritePaths=` is not there does not start."""
    named: set[str] = set()
    for path in (*UNITS.glob("*.service"), *UNITS.glob("*.d/*.conf")):
        for line in path.read_text().splitlines():
            key, _, value = line.partition("=")
            named |= set(value.split()) if key == "ReadWritePaths" else set()
    made = {
        line.split()[1] for line in (UNITS / "netprov.tmpfiles").read_text().splitlines() if line[:1] in "df"
    }
    assert named <= made
