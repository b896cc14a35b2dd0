"""Octets of options, as an inventory writes them: the shape that gives back exactly the same octets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from netprov.dhcp.option import table
from netprov.dhcp.option.kind import ROUTES
from netprov.dhcp.option.vendor import SUBOPTIONS_43, SUBOPTIONS_125, decode_vendor_identifying
from netprov.errors import Malformed

NOT_CARRIED: Mapping[int, str] = {
    table.MASK: "follows from the subnet",
    28: "clients work it out from the subnet",
    table.SERVER_ID: "follows from the server's address",
    table.T1: "follows from the lease",
    table.T2: "follows from the lease",
}
"""Options that follow from something else."""


def reason_against(code: int, data: bytes) -> str:
    """Return why an option cannot be in an inventory, "" if it can."""
    if code in NOT_CARRIED:
        return NOT_CARRIED[code]
    if code in table.NOT_SETTABLE:
        return "; ".join(table.NOT_SETTABLE[code])
    if not 1 <= code <= 254:
        return f"{code} is not an option number"
    if not data:
        return "an option without a value cannot be sent"
    if len(data) > table.MAX_OPTION:
        return f"{len(data)} octets; {table.MAX_OPTION} is the most"
    return ""


def written(code: int, data: bytes) -> Any:
    """Return the value of an option as an inventory has it."""
    for candidate in _candidates(code, data):
        try:
            if table.encode(code, candidate) == data:
                return candidate
        except ValueError:
            continue
    return {"raw": f"0x{data.hex()}"}


def _candidates(code: int, data: bytes) -> Iterator[Any]:
    row = table.OPTIONS.get(code)
    if row is not None:
        try:
            value = row.kind.decode(data)
        except Malformed:
            pass
        else:
            if row.kind is ROUTES:
                yield [{"to": str(to), "via": str(via)} for to, via in value]
            elif code == table.VENDOR_INFO and isinstance(value, Mapping):
                yield _pairs(value, SUBOPTIONS_43)
            elif code == table.VENDOR_IDENTIFYING:
                yield from _vendor_identifying(data, value)
            else:
                yield _plain(value)
    if data and all(32 <= octet < 127 for octet in data) and not data.startswith(b"0x"):
        yield {"raw": data.decode()}


def _vendor_identifying(data: bytes, value: Mapping[int, Any]) -> Iterator[Any]:
    if set(decode_vendor_identifying(data)) == {3561} and isinstance(value[3561], Mapping):
        yield _pairs(value[3561], SUBOPTIONS_125)
    if all(isinstance(block, Mapping) for block in value.values()):
        yield {enterprise: _pairs(block, {}) for enterprise, block in value.items()}


def _pairs(pairs: Mapping[int, bytes], names: Mapping[int, str]) -> dict[Any, Any]:
    return {names.get(key, key): _suboption(data) for key, data in pairs.items()}


def _suboption(data: bytes) -> Any:
    if data and all(32 <= octet < 127 for octet in data):
        return data.decode()
    return {"raw": f"0x{data.hex()}"}


def _plain(value: Any) -> Any:
    match value:
        case tuple():
            return [_plain(each) for each in value]
        case IPv4Address() | IPv4Network():
            return str(value)
        case _:
            return value


def addresses(data: bytes) -> list[str]:
    """Return the addresses of an option that holds some. Raises `Malformed`."""
    if len(data) % 4:
        raise Malformed(f"{len(data)} octets are no list of IPv4 addresses")
    return [str(IPv4Address(data[start : start + 4])) for start in range(0, len(data), 4)]
