"""Syslog: both forms, anything else, and the phones' sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.provision.syslog import Message, PhoneStatement, parse_message, recognise

MAC = "00:12:34:ab:45:de"
SAID = f"CP-8851-3PCC {MAC} -- "


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (b"<134>Nov 22 12:00:00 phone CP-8851: hello", Message(6, "phone", "CP-8851: hello")),
        (b"<134>Nov  2 12:00:00 10.20.0.50 x", Message(6, "10.20.0.50", "x")),
        (b"<165>1 2026-11-22T12:00:00Z phone app 1 ID - hello", Message(5, "phone", "hello")),
        (b'<165>1 - - - - - [a b="\\]"][c] \xef\xbb\xbfhello', Message(5, "", "hello")),
        (b"<14>just text", Message(6, "", "just text")),
        (b"just text", Message(5, "", "just text")),
        (b"<999>x", Message(5, "", "<999>x")),
        (b"<13>two\r\nlines\0\x1b[31m", Message(5, "", "two lines [31m")),
        (b"\xff\xfe", Message(5, "", "\ufffd\ufffd")),
        (b"", Message(5, "", "")),
    ],
)
def test_message_is_parsed(datagram: bytes, expected: Message) -> None:
    assert expected == parse_message(datagram)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"{SAID}Requesting resync tftp://10.20.0.1:69/8851-3PCC.xml",
            PhoneStatement(MAC, "CP-8851-3PCC", "resync", "asked", "tftp://10.20.0.1:69/8851-3PCC.xml"),
        ),
        (
            f"{SAID}Successful resync https://10.20.0.1:443/a -- ok",
            PhoneStatement(MAC, "CP-8851-3PCC", "resync", "done", "https://10.20.0.1:443/a", "ok"),
        ),
        (f"{SAID}Resync failed: 404", PhoneStatement(MAC, "CP-8851-3PCC", "resync", "failed", error="404")),
        (f"{SAID}Upgrade failed:", PhoneStatement(MAC, "CP-8851-3PCC", "upgrade", "failed")),
        (
            "x cp-8851-3pcc 001234AB45DE -- Successful upgrade http://h/f.loads",
            PhoneStatement(MAC, "CP-8851-3PCC", "upgrade", "done", "http://h/f.loads"),
        ),
        ("hello", None),
        (f"{SAID}dances", None),
    ],
)
def test_phones_sentence_is_recognised(text: str, expected: PhoneStatement | None) -> None:
    assert expected == recognise(text)


def test_told_is_a_phrase() -> None:
    assert str(PhoneStatement(MAC, "m", "resync", "asked", "u")) == "begins resync from u"
    assert str(PhoneStatement(MAC, "m", "upgrade", "done", "u")) == "upgrade done from u"
    assert str(PhoneStatement(MAC, "m", "resync", "failed")) == "resync failed: no reason given"


@pytest.mark.fuzz
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda data: b"<13>1 " + data))
def test_fuzz_any_datagram_is_a_message(datagram: bytes) -> None:
    message = parse_message(datagram)
    assert 0 <= message.severity <= 7
    assert message.text.isprintable() or not message.text.isascii()
    recognise(message.text)
