"""Which devices of the ACS a verb means: by name, class, model, firmware, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import reduce
from pathlib import Path
from typing import Any

import click

from netprov.cli.site import inventory_option, open_plan
from netprov.runtime.operation import Fields


@dataclass(frozen=True, slots=True)
class Choice:
    """What was said on the command line; `file` and `state` lead to the ACS."""

    devices: tuple[str, ...] = ()
    class_name: str | None = None
    model: str | None = None
    firmware: str | None = None
    not_current: bool = False
    every: bool = False
    file: str | None = None
    state: str | None = None

    @property
    def directory(self) -> Path:
        """Return the state directory of the ACS. Raises `InventoryError`."""
        return Path(self.state or open_plan(self.file).plan.site.inventory.server.state)

    @property
    def narrows(self) -> bool:
        """Say whether anything was said of which devices are meant."""
        return bool(
            self.devices or self.class_name or self.model or self.firmware or self.not_current or self.every
        )


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which devices are meant."""
    options = (
        click.option(
            "-d", "--device", "devices", multiple=True, metavar="DEVICE",
            help="MAC address, serial number, name, address or key. Repeatable.",
        ),
        click.option("--class", "class_name", metavar="NAME", help="Devices of a class of the inventory."),
        click.option("--model", metavar="PATTERN", help="Devices whose product class matches, CP-88*."),
        click.option("--firmware", metavar="PATTERN", help="Devices whose software version matches."),
        click.option("--not-current", is_flag=True, help="Devices that have not got their profile."),
        click.option("--all", "every", is_flag=True, help="Every device that the ACS knows."),
        *place_options(),
    )  # fmt: skip
    return reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


def place_options() -> tuple[Callable[..., Any], ...]:
    """Return the options that lead to the ACS."""
    help_text = "The ACS's state directory. Default: the inventory's."
    return inventory_option, click.option("--state", metavar="DIR", help=help_text)


def known(directory: Path) -> tuple[Fields, ...]:
    """Return every device that the running ACS knows, and the phones that it waits for. Raises `ServiceError`."""
    from netprov.runtime.control.client import ask

    return tuple(device for said in ask(directory, "acs.devices") for device in said["devices"])


def chosen(choice: Choice, devices: Sequence[Fields]) -> tuple[Fields, ...]:
    """Return the devices that are meant; without a word, all. Raises `InventoryError` for a name that there is not."""
    named = tuple(_named(choice, devices)) if choice.devices else devices
    return tuple(each for each in named if _fits(choice, each))


def _fits(choice: Choice, device: Fields) -> bool:
    if choice.class_name is not None and device["class"] != choice.class_name:
        return False
    if choice.model is not None and not fnmatchcase(device["model"], choice.model):
        return False
    if choice.firmware is not None and not fnmatchcase(device["firmware"], choice.firmware):
        return False
    return not choice.not_current or bool(device["behind"])


def _named(choice: Choice, devices: Sequence[Fields]) -> Iterator[Fields]:
    by_key = {device["key"]: device for device in devices if device["key"]}
    by_serial = {key.rpartition("-")[2].lower(): device for key, device in by_key.items()}
    by_mac = {device["mac"]: device for device in devices if device["mac"]}
    for text in dict.fromkeys(choice.devices):
        found = by_key.get(text) or by_serial.get(text.lower()) or by_mac.get(_mac(choice, text))
        if found is None:
            raise click.UsageError(
                f"the ACS has not heard of {text}, and its inventory does not list it for TR-069; `netprov acs list` shows what it knows"
            )
        yield found


def _mac(choice: Choice, text: str) -> str:
    """Return the MAC address of the phone that a text means. Raises `InventoryError` for none."""
    from netprov.explain.who import names_of

    site = None if choice.state and not choice.file else open_plan(choice.file).plan.site
    return names_of(site, choice.directory).find(text)
