"""Conditions of classes."""

from __future__ import annotations

import pytest

from netprov.dhcp.match import Client, Condition, judge, matches

CLIENT = Client(
    mac=bytes.fromhex("001234ab45de"),
    vendor_class="CP-8851-3PCC dslforum.org",
    user_classes=("lobby", "desk"),
    circuit_id=b"Gi1/0/7",
    remote_id=b"\x00\x06abcdef",
    network="voice",
    requests=bytes([1, 66, 160]),
)

CASES: list[tuple[str, Condition, bool]] = [
    ("nothing asked takes nobody", Condition(), False),
    ("glob", Condition(vendor_class=("DP-*", "CP-88??-3PCC*")), True),
    ("glob covers the whole", Condition(vendor_class=("CP-8851",)), False),
    ("contains", Condition(vendor_class_contains=("dslforum.org",)), True),
    ("user class", Condition(user_class=("desk",)), True),
    ("mac prefix", Condition(mac=(b"\x00\x13", b"\x00\x12\x34")), True),
    ("circuit id pattern", Condition(circuit_id=("Gi1/0/*",)), True),
    ("remote id octets", Condition(remote_id=("0x0006616263646566",)), True),
    ("other remote id", Condition(remote_id=("0x00",)), False),
    ("network", Condition(network=("data",)), False),
    ("requested option", Condition(requests=(150, 66)), True),
    ("every field must hold", Condition(network=("voice",), user_class=("nobody",)), False),
    ("any", Condition(any=(Condition(network=("data",)), Condition(network=("voice",)))), True),
    ("all", Condition(all=(Condition(network=("voice",)), Condition(network=("data",)))), False),
    ("not", Condition(negated=Condition(vendor_class=("MSFT*",))), True),
    ("not not", Condition(negated=Condition(negated=Condition(network=("data",)))), False),
]


@pytest.mark.parametrize(("condition", "held"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_condition(condition: Condition, held: bool) -> None:
    assert held == matches(condition, CLIENT)


def test_absent_relay_identifier_matches_nothing() -> None:
    assert not matches(Condition(circuit_id=("*",)), Client(mac=b""))


def test_verdicts_are_in_words() -> None:
    condition = Condition(vendor_class=("CP-*",), mac=(b"\x00\x13",), requests=(66,))
    found = [(verdict.text, verdict.held) for verdict in judge(condition, CLIENT)]
    assert found == [("vendor class like CP-*", True), ("MAC 00:13", False), ("asks for option 66", True)]
