"""Planned sockets, as far as their addresses are on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.provision.config import Listener
from netprov.runtime.net.listen import SocketSet
from netprov.runtime.net.poll import Poller
from tests.runtime.provisioning import role_context

GONE, MISTYPED = "198.51.100.77", "203.0.113.77"
"""Addresses that no machine has (RFC 5737)."""


def test_port_of_an_address_that_went_away_may_change_and_a_mistyped_address_is_refused(
    tmp_path: Path,
) -> None:
    """Seen by `make change`: HTTP and the ACS could not change places while the address of both was waited for."""

    async def work() -> None:
        poller = Poller()
        sockets = SocketSet("acs", poller, lambda *_: None, context=role_context(tmp_path)[0])
        try:
            for port in (7547, 80):
                sockets.commit(sockets.prepare([Listener("http", GONE, port)]))
                assert sockets.waiting() == (GONE,)
            with pytest.raises(ServiceError, match="no address of the inventory is on this machine"):
                sockets.prepare([Listener("http", MISTYPED, 80)])
            assert sockets.waiting() == (GONE,)
        finally:
            sockets.close()
            poller.close()

    asyncio.run(work())
