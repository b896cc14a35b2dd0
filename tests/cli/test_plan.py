"""`netprov plan` as it is typed: against another file and against git, for people and for programs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group
from netprov.errors import ServiceError
from tests.lab.conftest import needs

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, ntp: 10.20.0.1}}
classes: {mpp: {match: {vendor_class: "CP-*"}, method: dhcp, options: {66: %s}}}
phones: {csv: phones.csv}
"""
PHONES = "mac,model\n00:12:34:00:00:01,CP-8851-3PCC\n00:12:34:00:00:02,CP-8851-3PCC\n"


def plan(*words: str) -> Result:
    return CliRunner().invoke(group, ["plan", *words], standalone_mode=False)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(SITE % "10.20.0.1")
    (tmp_path / "phones.csv").write_text(PHONES)
    return tmp_path / "site.yaml"


def test_another_file_is_compared_and_likes_are_told_together(site: Path) -> None:
    new = site.with_name("new.yaml")
    new.write_text(SITE % "10.20.0.9")
    result = plan("-f", str(new), "--against", str(site))
    (line,) = [each for each in result.output.splitlines() if "option 66" in each]
    assert '"10.20.0.1" → "10.20.0.9"' in line
    assert "00:12:34:00:00:01 on voice" in line
    assert "2 listed phones would see something else" in result.output
    assert result.return_value == 0
    assert plan("-f", str(new), "--against", str(site), "--exit-code").return_value == 1
    assert plan("-f", str(new), "--against", str(new), "--exit-code").return_value == 0


def test_programs_get_each_change_by_itself(site: Path) -> None:
    new = site.with_name("new.yaml")
    new.write_text(SITE % "10.20.0.9")
    found = json.loads(plan("-f", str(new), "--against", str(site), "--json").output)
    (one,) = [
        each
        for each in found
        if each["mac"] == "00:12:34:00:00:01" and each["aspect"].startswith("option 66")
    ]
    assert (one["section"], one["sign"], one["before"], one["after"]) == (
        "dhcp",
        "~",
        '"10.20.0.1"',
        '"10.20.0.9"',
    )


def test_what_was_committed_is_compared_with_all_files_that_it_includes(site: Path) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        subprocess.run([needs("git"), "-C", str(site.parent), *who, *words], check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    assert "Nothing would change" in plan("-f", str(site), "--against", "git").output
    (site.parent / "phones.csv").write_text(PHONES + "00:12:34:00:00:03,CP-7841-3PCC\n")
    git("commit", "-qam", "two")
    assert "Nothing would change" in plan("-f", str(site), "--against", "git").output
    before = plan("-f", str(site), "--against", "git:HEAD~1")
    assert "+ 00:12:34:00:00:03: profile: of its own" in before.output
    with pytest.raises(ServiceError, match="revision that is there"):
        CliRunner().invoke(
            group,
            ["plan", "-f", str(site), "--against", "git:nosuch"],
            standalone_mode=False,
            catch_exceptions=False,
        )


def test_without_running_services_the_error_names_what_else_to_compare_with(
    site: Path, tmp_path: Path
) -> None:
    with pytest.raises(ServiceError, match="--against git"):
        CliRunner().invoke(
            group,
            ["plan", "-f", str(site), "--state", str(tmp_path / "none")],
            standalone_mode=False,
            catch_exceptions=False,
        )
