"""The lines of the control protocol: both ways, and whatever else comes."""

from __future__ import annotations

import json
from typing import Any

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
    7,
    "dns: no",
    (RoleStatus("dns", ("udp+tcp 10.20.0.1:53",), ("10.20.0.2",)),),
    "abc",
    ("hosts: +pr3",),
    "",
    ("10.20.0.1:80",),
    {"released": 1},
    more=True,
)


@pytest.mark.parametrize("verb", VERBS)
def test_request_is_read_as_it_was_written(verb: str) -> None:
    fields = {
        "version": 3,
        "verb": verb,
        "reason": "why",
        "releases": ["10.20.0.1:80"],
        "operation": "dhcp.release",
        "arguments": {"address": "10.20.0.100"},
    }
    line = json.dumps(fields).encode() + b"\n"
    assert encode(decode_request(line)) == line


def test_reply_is_read_as_it_was_written() -> None:
    assert decode_reply(encode(REPLY)) == REPLY


def test_another_version_is_refused_with_what_helps() -> None:
    line = encode(Request("status")).replace(b'"version": 3', b'"version": 1')
    with pytest.raises(Malformed, match="restart what is older"):
        decode_request(line)


def is_request(fields: Any) -> bool:
    """Say by the values of JSON alone whether they are a request."""
    return (
        isinstance(fields, dict)
        and type(fields.get("version")) is int
        and fields["version"] == 3
        and fields.get("verb")
        in ("status", "inventory", "load", "prepare", "prepared", "commit", "abort", "call")
        and isinstance(fields.get("reason", ""), str)
        and are_texts(fields.get("releases"))
        and isinstance(fields.get("operation"), str)
        and isinstance(fields.get("arguments"), dict)
    )


def is_reply(fields: Any) -> bool:
    """Say by the values of JSON alone whether they are a reply."""
    return (
        isinstance(fields, dict)
        and [type(fields.get(key)) for key in ("version", "process", "error", "fingerprint", "inventory")]
        == [int, int, str, str, str]
        and [type(fields.get(key)) for key in ("answer", "more")] == [dict, bool]
        and fields["version"] == 3
        and are_texts(fields.get("differences"))
        and are_texts(fields.get("releases"))
        and isinstance(fields.get("roles"), list)
        and all(
            isinstance(each, dict)
            and isinstance(each.get("name"), str)
            and are_texts(each.get("listening"))
            and are_texts(each.get("waiting"))
            for each in fields["roles"]
        )
    )


def are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def compare(line: bytes) -> None:
    """Hold what is read against the JSON of the line: taken if, and only if, it has the fields; then word for word."""
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    for decode, expected in ((decode_request, is_request(fields)), (decode_reply, is_reply(fields))):
        try:
            written = json.loads(encode(decode(line)))
        except Malformed:
            assert not expected, line
            continue
        assert expected, line
        known = {key: fields.get(key, "") for key in written}
        if "roles" in known:
            known["roles"] = [
                {key: each[key] for key in ("name", "listening", "waiting")} for each in known["roles"]
            ]
        assert written == known


@pytest.mark.fuzz
@given(st.binary() | st.integers(0, 400).map(lambda end: encode(REPLY)[:end]))
def test_garbage_is_malformed(data: bytes) -> None:
    compare(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
GOOD: dict[str, Any] = json.loads(encode(REPLY)) | {
    "verb": "abort",
    "reason": "",
    "operation": "",
    "arguments": {},
}
FIELDS = [*GOOD, "name", "listening", "waiting"]


@pytest.mark.fuzz
@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2),
    st.sets(st.sampled_from(FIELDS), max_size=2),
    st.booleans(),
)
def test_json_of_another_shape_is_malformed(
    changed: dict[str, Any], missing: set[str], in_role: bool
) -> None:
    fields = {**GOOD, "roles": [dict(GOOD["roles"][0])]}
    target = fields["roles"][0] if in_role else fields
    target |= changed
    for key in missing & set(target):
        del target[key]
    compare(json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b'"process": 7', b'"process": Infinity'),
        (b'"process": 7', b'"process": "7"'),
        (b'"process": 7', b'"process": 7.9'),
        (b'"version": 3', b'"version": true'),
        (b'"version": 3', b'"version": 3.0'),
        (b'["10.20.0.2"]', b'"10.20.0.2"'),
        (b'"abc"', b"null"),
    ],
)
def test_reply_with_a_value_of_another_type_is_malformed(written: bytes, instead: bytes) -> None:
    line = encode(REPLY).replace(written, instead)
    assert instead in line
    with pytest.raises(Malformed):
        decode_reply(line)
