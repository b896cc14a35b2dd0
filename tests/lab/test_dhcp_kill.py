"""The short version of `make kill-dhcp`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.conftest import needs
from tests.lab.kill_dhcp import kill_again_and_again

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab_allowed")]


def test_no_acknowledged_lease_is_lost_and_none_given_twice(tmp_path: Path) -> None:
    needs("perfdhcp")
    needs("tcpdump")
    assert kill_again_and_again(tmp_path, 2, rate=200) > 50
