"""What an operator is told about octets that another server sent."""

from __future__ import annotations

import pytest

from netprov.dhcp.option.remark import remarks

URL = b"http://acs.example/"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (bytes([1, len(URL)]) + URL, []),
        (URL, ["It is a URL without sub-options"]),
        # The length says two octets more than there are: not a URL, though one begins at the third octet.
        (
            bytes([1, len(URL) + 2]) + URL,
            ["It is not made of whole sub-options (code, length, value): 21 octets"],
        ),
        (bytes([2, 1]) + b"x", ["It has no sub-option 1"]),
    ],
    ids=["whole", "url", "cut off", "no url"],
)
def test_option_43_is_judged_as_a_tr_069_client_reads_it(data: bytes, expected: list[str]) -> None:
    found = remarks(43, data)
    assert len(expected) == len(found)
    assert all(text.startswith(start) for text, start in zip(found, expected, strict=True))
