"""Every DHCP option of an inventory as its operator wrote it, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from netprov.errors import Path
from netprov.inventory.model import Inventory


def written_options(
    inventory: Inventory, codes: Collection[int] | None = None
) -> Iterator[tuple[Path, int, object]]:
    """Yield path, number and value of each option of networks, classes and phones; of `codes` only, if they are given."""
    sections: tuple[tuple[Path, Mapping[int, object]], ...] = (
        *((("networks", name), each.options) for name, each in inventory.networks.items()),
        *((("classes", name), each.options) for name, each in inventory.classes.items()),
        *((("phones", index), each.options) for index, each in enumerate(inventory.phones) if each.options),
    )  # fmt: skip
    for path, options in sections:
        for code, value in options.items():
            if codes is None or code in codes:
                yield (*path, "options", code), code, value
