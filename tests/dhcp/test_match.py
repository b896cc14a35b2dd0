"""Conditions of classes."""

from __future__ import annotations

import pytest

from netprov.dhcp.match import Client, Condition, Held, expects, held, judge, matches

CLIENT = Client(
    mac=bytes.fromhex("001234ab45de"),
    vendor_class="CP-8851-3PCC dslforum.org",
    user_classes=("lobby", "desk"),
    circuit_id=b"Gi1/0/7",
    remote_id=b"\x00\x06abcdef",
    network="voice",
    requests=bytes([1, 66, 160]),
    host_name="SEP001234AB45DE",
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
    ("host name, case aside", Condition(host_name=("sep*",)), True),
    ("other host name", Condition(host_name=("SIP*",)), False),
    ("requested option", Condition(requests=(150, 66)), True),
    ("every field must hold", Condition(network=("voice",), user_class=("nobody",)), False),
    ("any", Condition(any=(Condition(network=("data",)), Condition(network=("voice",)))), True),
    ("all", Condition(all=(Condition(network=("voice",)), Condition(network=("data",)))), False),
    ("not", Condition(negated=Condition(vendor_class=("MSFT*",))), True),
    ("not not", Condition(negated=Condition(negated=Condition(network=("data",)))), False),
]


@pytest.mark.parametrize(
    ("condition", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_condition(condition: Condition, wanted: bool) -> None:
    assert wanted == matches(condition, CLIENT)


def test_absent_relay_identifier_matches_nothing() -> None:
    assert not matches(Condition(circuit_id=("*",)), Client(mac=b""))


def test_verdicts_are_in_words() -> None:
    condition = Condition(vendor_class=("CP-*",), mac=(b"\x00\x13",), requests=(66,))
    found = [(verdict.text, verdict.held) for verdict in judge(condition, CLIENT)]
    assert found == [
        ("vendor class like CP-*", Held.YES),
        ("MAC 00:13", Held.NO),
        ("asks for option 66", Held.YES),
    ]


LISTED = Client(
    CLIENT.mac, "CP-8851-3PCC", None, None, None, network=None, requests=None, host_name=None
)  # fmt: skip
EXPECTED = [
    ("the model alone", Condition(vendor_class=("CP-*",)), Held.YES),
    ("another model", Condition(vendor_class=("SPA*",), user_class=("desk",)), Held.NO),
    ("a part nobody knows", Condition(mac=(b"\x00\x12",), user_class=("desk",)), Held.SO_FAR),
    ("nothing known", Condition(requests=(66,)), Held.OPEN),
    (
        "any of a known and an unknown",
        Condition(any=(Condition(mac=(b"\x00",)), Condition(requests=(1,)))),
        Held.YES,
    ),
    (
        "all of a known and an unknown",
        Condition(all=(Condition(mac=(b"\x00",)), Condition(requests=(1,)))),
        Held.SO_FAR,
    ),
    ("not of an unknown", Condition(negated=Condition(host_name=("SEP*",))), Held.OPEN),
    ("not of a half known", Condition(negated=Condition(mac=(b"\x00",), requests=(1,))), Held.OPEN),
    ("known and not unknown", Condition(mac=(b"\x00",), negated=Condition(network=("data",))), Held.SO_FAR),
]


@pytest.mark.parametrize(
    ("condition", "wanted"), [case[1:] for case in EXPECTED], ids=[case[0] for case in EXPECTED]
)
def test_what_is_not_known_of_a_client_is_left_open(condition: Condition, wanted: Held) -> None:
    assert wanted is held(condition, LISTED)
    assert expects(condition, LISTED) is (wanted in {Held.SO_FAR, Held.YES})
    assert matches(condition, LISTED) is (wanted is Held.YES)
