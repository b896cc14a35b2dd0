"""A draft judged by what clients get from it: the DHCP server's own offer, made in memory."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.convert.draft import format_draft
from netprov.convert.form import FORMATS
from netprov.inventory.load import parse
from netprov.inventory.model import Inventory
from netprov.mac import parse_mac
from netprov.plan.dhcp import plan_dhcp
from netprov.plan.offer import Offers
from netprov.plan.site import resolve

STRANGER = "02:00:5e:00:53:01"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a source."""

    text: str
    inventory: Inventory
    left: tuple[str, ...]
    """What was not carried over, without the name of the file."""

    def gets(
        self, mac: str = STRANGER, *, vendor: str = "", network: str = "", asks: tuple[int, ...] | None = None
    ) -> dict[int, bytes]:
        """Return the options that a client is offered; `asks` None is one that asks for nothing in particular."""
        offers = Offers(plan_dhcp(resolve(self.inventory)))
        preview = offers.preview(
            parse_mac(mac), vendor_class=vendor, network=network, asks=None if asks is None else bytes(asks)
        )
        assert preview.served, preview.reason
        return {each.code: each.data for each in preview.options}


def imported(form: str, text: str) -> Imported:
    """Read a source, and load the draft that comes of it."""
    draft = FORMATS[form](text, "source")
    draft.complete()
    written = format_draft(draft)
    left = tuple(f"{each.place.line}: {each.text}: {each.reason}" for each in draft.leftovers)
    return Imported(written, parse(written, "draft.yaml").inventory, left)


def packed(*addresses: str) -> bytes:
    """Return addresses in octets."""
    return b"".join(bytes(map(int, each.split("."))) for each in addresses)
