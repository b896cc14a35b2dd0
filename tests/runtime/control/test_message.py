"""The lines of the control protocol: both ways, and whatever else comes."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.runtime.control.message import (
    VERBS,
    Reply,
    Request,
    RoleStatus,
    decode_reply,
    decode_request,
    encode,
)

REPLY = Reply(
    7, "dns: no", (RoleStatus("dns", ("udp+tcp 10.20.0.1:53",), ("10.20.0.2",)),), "abc", ("hosts: +pr3",)
)


@pytest.mark.parametrize("verb", VERBS)
def test_request_is_read_as_it_was_written(verb: str) -> None:
    line = json.dumps({"version": 1, "verb": verb, "reason": "why"}).encode() + b"\n"
    assert encode(decode_request(line)) == line


def test_reply_is_read_as_it_was_written() -> None:
    assert decode_reply(encode(REPLY)) == REPLY


def test_another_version_is_refused_with_what_helps() -> None:
    line = encode(Request("status")).replace(b'"version": 1', b'"version": 2')
    with pytest.raises(Malformed, match="restart what is older"):
        decode_request(line)


@given(st.binary())
def test_garbage_is_malformed(data: bytes) -> None:
    with suppress(Malformed):
        decode_request(data)
    with suppress(Malformed):
        decode_reply(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["verb", "reason", "process", "error", "roles", "differences"]), JSON))
def test_json_of_another_shape_is_malformed(fields: dict[str, object]) -> None:
    line = json.dumps({"version": 1, **fields}).encode()
    with suppress(Malformed):
        decode_request(line)
    with suppress(Malformed):
        decode_reply(line)
