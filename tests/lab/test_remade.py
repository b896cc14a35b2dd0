"""An interface that is removed and made anew under the same name: a phone that lives there finds it when it asks DHCP again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from netprov.emulator.dhcp import DhcpLink
from netprov.lab.netns import Namespace
from netprov.lab.process import Process, run
from netprov.phone.action import AskDhcp, Failed, Lease, Trouble
from tests.lab.conftest import PYTHON, needs, wait_until

pytestmark = pytest.mark.lab

MAC = "00:12:34:ab:45:de"
ASKED = AskDhcp("CP-8851-3PCC", (1, 3, 6), MAC)


class Cable:
    """A phone's namespace, and a switch with a DHCP server; the cable between them can be pulled out for good."""

    def __init__(self, stack: ExitStack) -> None:
        self.phone, self.switch = (Namespace(each) for each in ("phone", "switch"))
        stack.callback(self.phone.close)
        stack.callback(self.switch.close)
        with self.switch.links() as links:
            links.add_bridge("br0")
            links.add_address("br0", "10.20.0.1/24")
        self.make()
        options = ["--no-daemon", "--port=0", "--conf-file=/dev/null", "--no-ping", "--leasefile-ro"]
        ranges = ["--interface=br0", "--bind-dynamic", "--dhcp-range=10.20.0.100,10.20.0.150,1h"]
        self.server = Process(self.switch, [needs("dnsmasq"), *options, *ranges])
        stack.callback(self.server.stop)
        self.server.wait_for("DHCP, IP range")

    def make(self) -> None:
        """Make the cable; the phone's end has its MAC address and is up."""
        with self.switch.links() as links:
            links.add_cable("p0", "lan0", self.phone, mac=MAC)
            links.plug("p0", "br0")
        with self.phone.links() as links:
            links.up("lan0")

    def remove(self) -> None:
        """Remove the phone's end, and the other with it."""
        assert run(self.phone, [needs("ip"), "link", "delete", "lan0"]).returncode == 0

    def unplug(self) -> None:
        """Take the phone's end down; its addresses stay, its routes do not."""
        with self.phone.links() as links:
            links.down("lan0")

    def plug_in(self) -> None:
        """Bring it up again."""
        with self.phone.links() as links:
            links.up("lan0")

    def addresses(self) -> list[str]:
        """Return the addresses of the phone's end."""
        with self.phone.links() as links:
            return links.addresses("lan0")


@pytest.fixture
def cable(lab_allowed: None) -> Iterator[Cable]:
    with ExitStack() as stack:
        yield Cable(stack)


def test_a_phone_finds_the_interface_that_has_the_name_now(cable: Cable) -> None:
    async def live() -> None:
        async with DhcpLink("lan0", draw=random.getrandbits, timeouts=20) as link:
            assert isinstance(await link.ask(ASKED), Lease)
            await asyncio.to_thread(cable.remove)
            gone = await link.ask(ASKED)
            assert isinstance(gone, Failed)
            assert (gone.trouble, gone.detail.startswith("no interface lan0")) == (Trouble.UNREACHABLE, True)
            await asyncio.to_thread(cable.make)
            again = await link.ask(ASKED)
            assert isinstance(again, Lease)
            assert f"{again.address}/24" in await asyncio.to_thread(cable.addresses)
        assert f"{again.address}/24" not in await asyncio.to_thread(cable.addresses)

    with cable.phone.entered():
        asyncio.run(live())


def test_a_living_phone_notices_that_its_link_was_away_and_boots(cable: Cable) -> None:
    """First the cable is pulled and plugged in, then the interface is another one of the same name."""
    words = ["phone", MAC, "--model", "8851", "-i", "lan0", "--stay", "--speed", "50"]
    phone = Process(cable.phone, [PYTHON, "-u", "-m", "netprov", *words])
    try:
        phone.wait_for("Enter activation code", timeout=60)
        for number, away in enumerate((cable.unplug, cable.remove), 2):
            away()
            cable.plug_in() if away == cable.unplug else cable.make()
            wait_until(
                lambda number=number: phone.output.count("Enter activation code") >= number,  # type: ignore[misc]
                what=f"boot {number}: {phone.output}",
                timeout=60,
            )
            assert len(cable.addresses()) == 1
    finally:
        phone.stop()
