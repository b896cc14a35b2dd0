"""Options that hold options: 43 and 125 as TR-069 uses them, 124, and a relay agent's 82.

RFC 2132 8.4 (43), RFC 3925 (124, 125), RFC 3046 (82), Broadband Forum TR-069 3.1 and Annex F (enterprise 3561).
Every TR-069 value is text, numbers included, and is sent without NUL.
"""

from __future__ import annotations

from collections.abc import Mapping

from netprov.dhcp.option.kind import Kind, decode_text, printable, raw
from netprov.errors import BadValue, Malformed
from netprov.wire import Reader

BROADBAND_FORUM = 3561
"""Enterprise number of the Broadband Forum, formerly DSL Forum (0x00000DE9)."""

ACS_MARK = "dslforum.org"
"""What a TR-069 client puts anywhere into its vendor class, option 60 (TR-069 3.1)."""

SUBOPTIONS_43: Mapping[int, str] = {
    1: "acs_url",
    2: "provisioning_code",
    3: "retry_wait",
    4: "retry_multiplier",
}
"""Sub-options of 43 (TR-069 3.1)."""

SUBOPTIONS_125: Mapping[int, str] = {
    1: "device_oui",
    2: "device_serial",
    3: "device_class",
    4: "gateway_oui",
    5: "gateway_serial",
    6: "gateway_class",
    11: "acs_url",
    12: "provisioning_code",
    13: "retry_wait",
    14: "retry_multiplier",
}
"""Sub-options of 125 under enterprise 3561 (TR-069 Annex F; 11 to 14 TR-069 3.1)."""

SUBOPTIONS_82: Mapping[int, str] = {
    1: "circuit_id",
    2: "remote_id",
    5: "link_selection",
    10: "relay_flags",
    11: "server_id_override",
    151: "vss",
    152: "vss_control",
}
"""Sub-options of 82 (RFC 3046, 3527, 5010, 5107, 6607)."""

_SETTABLE_125 = {name: code for code, name in SUBOPTIONS_125.items() if code > 3}
_SETTABLE_43 = {name: code for code, name in SUBOPTIONS_43.items()}


def encode_tlv(pairs: Mapping[int, bytes]) -> bytes:
    """Write code, length, value triples; raise `ValueError` for a value longer than its length octet can say."""
    out = b""
    for code, data in pairs.items():
        if len(data) > 255:
            raise BadValue(f"sub-option {code} is {len(data)} octets long; 255 is the most", "shorten it")
        out += bytes([code, len(data)]) + data
    return out


def decode_tlv(data: bytes) -> dict[int, bytes]:
    """Read code, length, value triples that fill `data` exactly; repeated codes are joined."""
    reader = Reader(data)
    found: dict[int, bytes] = {}
    while reader.remaining():
        code = reader.u8()
        if code == 0:
            continue
        # Quirk: some servers end option 43 with 255 (RFC 2132 8.4 allows it; dnsmasq sends it).
        if code == 255 and not reader.remaining():
            break
        found[code] = found.get(code, b"") + reader.take(reader.u8())
    return found


def encode_vendor_identifying(blocks: Mapping[int, bytes]) -> bytes:
    """Write enterprise number, length, data blocks; data beyond 255 octets goes on in a block of its own (RFC 3925 4)."""
    out = b""
    for enterprise, data in blocks.items():
        if not 0 <= enterprise < 1 << 32:
            raise BadValue(f"{enterprise} is not an enterprise number", "write a number from 0 to 4294967295")
        for start in range(0, max(1, len(data)), 255):
            piece = data[start : start + 255]
            out += enterprise.to_bytes(4, "big") + bytes([len(piece)]) + piece
    return out


def decode_vendor_identifying(data: bytes) -> dict[int, bytes]:
    """Read enterprise blocks; those of the same enterprise are joined (RFC 3925 section 4)."""
    reader = Reader(data)
    found: dict[int, bytes] = {}
    while reader.remaining():
        enterprise = reader.u32()
        found[enterprise] = found.get(enterprise, b"") + reader.take(reader.u8())
    if not found:
        raise Malformed("no enterprise number")
    return found


def broadband_forum(data: bytes) -> dict[int, bytes]:
    """Return the TR-069 sub-options of an option 125, {} if it holds none; raise `Malformed` for garbage."""
    return decode_tlv(decode_vendor_identifying(data).get(BROADBAND_FORUM, b""))


def _suboption(value: object) -> bytes:
    if isinstance(value, Mapping):
        if set(value) != {"raw"}:
            raise BadValue(f"{value!r} is not a sub-option's value", "write text or {raw: '0x…'}")
        return raw(value["raw"])
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise BadValue(f"{value!r} is not a sub-option's value", "write text or {raw: '0x…'}")
    return str(value).encode()


def _pairs(value: Mapping[object, object], names: Mapping[str, int]) -> dict[int, bytes]:
    pairs: dict[int, bytes] = {}
    for key, each in value.items():
        code = names.get(key) if isinstance(key, str) else key
        if not isinstance(code, int) or not 1 <= code <= 254:
            raise BadValue(
                f"{key!r} is not a sub-option", f"write {', '.join(names)}, or a number from 1 to 254"
            )
        pairs[code] = _suboption(each)
    if not pairs:
        raise BadValue("at least one sub-option is needed")
    return dict(sorted(pairs.items()))


def _encode_43(value: object) -> bytes:
    if isinstance(value, Mapping):
        return encode_tlv(_pairs(value, _SETTABLE_43))
    if isinstance(value, str) and value:
        return value.encode()
    raise BadValue(
        f"{value!r} is neither sub-options, nor a URL as text, nor octets",
        "write {acs_url: https://…}, a URL in quotes, or {raw: '0x…'}",
    )


def _decode_43(data: bytes) -> Mapping[int, bytes] | str | bytes:
    """Read sub-options, or the plain text that Cisco's DHCP_Option_To_Use also takes, or octets."""
    if b"://" in data[:9] and all(32 <= octet < 127 for octet in data.rstrip(b"\0")):
        return decode_text(data)
    try:
        return decode_tlv(data)
    except Malformed:
        if data and all(32 <= octet < 127 for octet in data.rstrip(b"\0")):
            return decode_text(data)
        return data


def _format_tlv(pairs: Mapping[int, bytes], names: Mapping[int, str]) -> str:
    return ", ".join(f"{code} {names.get(code, 'sub-option')} = {printable(v)}" for code, v in pairs.items())


def _format_43(value: Mapping[int, bytes] | str | bytes) -> str:
    match value:
        case str():
            return f'"{value}"'
        case bytes():
            return printable(value)
        case _:
            return _format_tlv(value, SUBOPTIONS_43)


def _encode_125(value: object) -> bytes:
    if not isinstance(value, Mapping) or not value:
        raise BadValue(
            f"{value!r} is not vendor information",
            "write {acs_url: https://…}, {3561: {11: https://…}} or {raw: '0x…'}",
        )
    if all(isinstance(key, int) for key in value):
        return encode_vendor_identifying({key: _enterprise(each) for key, each in value.items()})
    return encode_vendor_identifying({BROADBAND_FORUM: encode_tlv(_pairs(value, _SETTABLE_125))})


def _enterprise(value: object) -> bytes:
    if not isinstance(value, Mapping):
        raise BadValue(f"{value!r} is not an enterprise's data", "write sub-options, {11: https://…}")
    return raw(value["raw"]) if set(value) == {"raw"} else encode_tlv(_pairs(value, _SETTABLE_125))


def _decode_125(data: bytes) -> Mapping[int, Mapping[int, bytes] | bytes]:
    found: dict[int, Mapping[int, bytes] | bytes] = {}
    for enterprise, block in decode_vendor_identifying(data).items():
        try:
            found[enterprise] = decode_tlv(block)
        except Malformed:
            found[enterprise] = block
    return found


def _format_125(value: Mapping[int, Mapping[int, bytes] | bytes]) -> str:
    texts = []
    for enterprise, block in value.items():
        names = SUBOPTIONS_125 if enterprise == BROADBAND_FORUM else {}
        text = printable(block) if isinstance(block, bytes) else _format_tlv(block, names)
        texts.append(f"enterprise {enterprise}: {text}")
    return "; ".join(texts)


def _encode_124(value: object) -> bytes:
    if not isinstance(value, Mapping) or not value or not all(isinstance(key, int) for key in value):
        raise BadValue(f"{value!r} is not a vendor class by enterprise", "write {3561: [dslforum.org]}")
    blocks = {}
    for enterprise, classes in value.items():
        texts = [_vendor_class(each) for each in (classes if isinstance(classes, list) else [classes])]
        blocks[enterprise] = b"".join(bytes([len(text)]) + text for text in texts)
    return encode_vendor_identifying(blocks)


def _vendor_class(value: object) -> bytes:
    if not isinstance(value, str) or not value:
        raise BadValue(f"{value!r} is not a vendor class", "write text")
    data = value.encode()
    if len(data) > 255:
        raise BadValue(f"a vendor class of {len(data)} octets; 255 is the most", "shorten it")
    return data


def _decode_124(data: bytes) -> Mapping[int, tuple[bytes, ...]]:
    found = {}
    for enterprise, block in decode_vendor_identifying(data).items():
        reader, classes = Reader(block), []
        while reader.remaining():
            classes.append(reader.take(reader.u8()))
        found[enterprise] = tuple(classes)
    return found


def _format_124(value: Mapping[int, tuple[bytes, ...]]) -> str:
    return "; ".join(f"enterprise {key}: {', '.join(map(printable, each))}" for key, each in value.items())


def _encode_82(value: object) -> bytes:
    names = {name: code for code, name in SUBOPTIONS_82.items()}
    if not isinstance(value, Mapping):
        raise BadValue(f"{value!r} is not relay agent information", "write {circuit_id: …}")
    return encode_tlv(_pairs(value, names))


VENDOR_SPECIFIC = Kind(
    "TR-069 sub-options, {acs_url: https://…}; or a URL as text",
    _encode_43,
    _decode_43,
    _format_43,
    "{acs_url: 'https://pr1.example.com:7547/'}",
)
VENDOR_IDENTIFYING = Kind(
    "TR-069 sub-options, {acs_url: https://…}",
    _encode_125,
    _decode_125,
    _format_125,
    "{acs_url: 'https://pr1.example.com:7547/'}",
)
VENDOR_CLASSES = Kind(
    "vendor classes by enterprise number, {3561: [dslforum.org]}",
    _encode_124,
    _decode_124,
    _format_124,
    "{3561: [dslforum.org]}",
)
RELAY = Kind("relay sub-options", _encode_82, decode_tlv, lambda pairs: _format_tlv(pairs, SUBOPTIONS_82))
