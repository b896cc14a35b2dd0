"""What doctor says of an OFFER, without a network: beside what it lacks, what is odd about its octets."""

from __future__ import annotations

from typing import Any

from netprov.dhcp.message import Message
from netprov.doctor.dhcp import Offer, compare
from netprov.inventory.model import Inventory
from netprov.plan.dhcp import plan_dhcp
from netprov.plan.offer import Offers, Preview
from netprov.plan.site import resolve

MAC = bytes.fromhex("001234ab45de")
CLASSES = {"tftp": {"match": {"mac": "001234"}, "method": "dhcp", "options": {66: "10.20.0.1"}}}


def expected() -> Preview:
    networks = {"voice": {"interface": "lan0", "subnet": "10.20.0.0/24"}}
    inventory: dict[str, Any] = {"domain": "example.com", "networks": networks, "classes": CLASSES}
    return Offers(plan_dhcp(resolve(Inventory.model_validate(inventory)))).preview(MAC)


def told(**changed: bytes | None) -> list[tuple[str, str]]:
    preview = expected()
    options: dict[int, bytes] = dict(preview.reply.options)
    for name, data in changed.items():
        number = int(name.removeprefix("o"))
        if data is None:
            del options[number]
        else:
            options[number] = data
    message: Message = preview.reply._replace(options=options)
    return [
        (each.rule, each.message) for each in compare(preview, Offer("10.20.0.9", "10.20.0.100", message))
    ]


def test_what_the_plan_says_is_not_told() -> None:
    assert told() == []


def test_a_nul_at_the_end_is_told_and_is_no_other_value() -> None:
    """RFC 2132 section 2: text has no NUL at its end, and phones take it for a part of the name."""
    (found,) = told(o66=b"10.20.0.1\0")
    assert found[0] == "doctor-option-odd"
    assert "option 66: it ends in NUL" in found[1]


def test_lengths_that_disagree_are_told() -> None:
    """RFC 3925 section 4: the data's length, and the lengths of the sub-options within it."""
    (found,) = told(o125=bytes.fromhex("0000000907050b") + b"ABCDEFGHIJK")
    assert found == (
        "doctor-option-odd",
        "10.20.0.9 sends option 125: enterprise 9 says 7 octets, its sub-option 5 needs 11",
    )


def test_another_value_and_a_missing_one_are_told() -> None:
    assert [rule for rule, _ in told(o66=b"10.20.0.7")] == ["doctor-option-different"]
    assert [rule for rule, _ in told(o66=None)] == ["doctor-option-missing"]
    assert [rule for rule, _ in told(o43=b"")] == ["doctor-option-odd"]
