"""Transactions as they are kept: the same when read again, and without passwords once they have ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netprov.cwmp import rpc
from netprov.cwmp.transaction import Transaction
from netprov.state.acs.transaction_record import HIDDEN, MOST, decode, encode, without_secrets

PASSWORD = rpc.SetParameterValues(
    (
        rpc.ParameterValue("Device.ManagementServer.ConnectionRequestPassword", "hush-1"),
        rpc.ParameterValue("Device.ManagementServer.PeriodicInformInterval", "60", "xsd:unsignedInt"),
    ),
    "key-1",
)
ASKED = Transaction(7, "d", PASSWORD, "alice", 1.5, 9.0, batch=6, at_once=2, window=(1320, 300))


@pytest.mark.parametrize(
    "asked",
    [
        ASKED,
        replace(ASKED, window=None, call=rpc.Reboot("t-7"), state="sent", tries=1),
        replace(ASKED, call=rpc.Download("t-7", rpc.FIRMWARE, "http://a/f", delay=5), state="accepted"),
        replace(ASKED, call=rpc.AddObject("D.L."), state="done", answer=rpc.AddObjectResponse(4)),
        replace(ASKED, call=rpc.GetRPCMethods(), state="failed", note="9000 ü"),
    ],
)
def test_transaction_is_read_as_it_was_kept(asked: Transaction) -> None:
    assert asked == decode(encode(asked))


def test_password_is_kept_while_the_call_waits_and_not_longer() -> None:
    assert "hush-1" in encode(ASKED)
    ended = encode(replace(ASKED, state="cancelled"))
    assert "hush-1" not in ended
    call = decode(ended).call
    assert isinstance(call, rpc.SetParameterValues)
    assert [each.value for each in call.parameters] == [HIDDEN, "60"]


def test_password_in_an_answer_is_never_kept() -> None:
    answer = rpc.GetParameterValuesResponse((rpc.ParameterValue("Device.X.Password", "hush-2"),))
    assert "hush-2" not in encode(replace(ASKED, state="done", answer=answer))


def test_password_of_a_download_is_not_told() -> None:
    told = without_secrets(rpc.Download("", rpc.FIRMWARE, "http://u:hush@a/f", "u", "hush"))
    assert "hush" not in repr(told)


def test_mark_of_settings_is_no_secret() -> None:
    told = rpc.GetParameterValuesResponse((rpc.ParameterValue("Device.ManagementServer.ParameterKey", "r1"),))
    assert without_secrets(told) == told


def test_long_answer_is_cut_and_says_so() -> None:
    names = tuple((f"Device.P{number}", True) for number in range(MOST + 1))
    kept = decode(encode(replace(ASKED, state="done", answer=rpc.GetParameterNamesResponse(names))))
    assert isinstance(kept.answer, rpc.GetParameterNamesResponse)
    assert (MOST, f"the answer told of {MOST + 1} parameters, the first {MOST} are kept") == (
        len(kept.answer.names), kept.note,
    )  # fmt: skip
