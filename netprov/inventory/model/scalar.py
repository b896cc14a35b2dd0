"""The scalar types of the inventory: MAC address, names, address ranges and durations as operators write them."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from netprov.errors import BadValue
from netprov.mac import NOTATION, read_mac

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
_DURATION = re.compile(r"(\d+)\s*([smhdw]?)\Z")
_REWRITTEN = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
"""What spreadsheets make of a long number."""
LONGEST_INTERFACE = 15
"""Octets in the name of a network interface (IFNAMSIZ without its NUL)."""
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Record(BaseModel):
    """The base of every section: frozen, and an unknown key is an error. A number where text is wanted is its digits."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True)


def _digits(value: Any) -> Any:
    return str(value) if isinstance(value, float) else value


TlsVersion = Annotated[Literal["1.0", "1.1", "1.2", "1.3"], BeforeValidator(_digits)]
"""A TLS version; unquoted, YAML makes a number of it."""


def _mac(value: Any) -> str:
    text = read_mac(str(value))
    if not text and _REWRITTEN.fullmatch(str(value)):
        raise BadValue(
            f"{value!r} is a number that a spreadsheet rewrote, and its digits are lost",
            "read the MAC address off the box, and format the column as text",
        )
    if not text:
        raise BadValue(
            f"{str(value)!r} is not a MAC address", "write six pairs of hexadecimal digits, 00:12:34:ab:45:de"
        )
    return text


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue("a DNS name is text; put it in quotes")
    text = value.rstrip(".")
    if not text.isascii():
        raise BadValue(
            f"{value!r} has other letters than ASCII", f"write it as DNS has it, {_punycode(text)}"
        )
    if not text or len(text) > 253 or not all(_LABEL.match(label) for label in text.split(".")):
        meant = _host_in(text)
        usual = "write labels of 1 to 63 letters, digits and hyphens, joined by dots"
        raise BadValue(f"{value!r} is not a DNS name", f"write {meant}" if meant else usual)
    return text


def _host_in(text: str) -> str:
    """Return the name that is meant by a URL, by a host with its port, or by words; "" where none is to be seen."""
    host = re.sub(r"\A[a-z]+://|[:/].*\Z|\A[.\s]+|[.\s]+\Z", "", re.sub(r"\A[a-z]+://", "", text.strip()))
    name = re.sub(r"\s+", "-", host)
    return name if name and len(name) <= 253 and all(_LABEL.match(each) for each in name.split(".")) else ""


def _punycode(name: str) -> str:
    """Return a name with its A-labels (RFC 5891 4.4)."""
    labels = unicodedata.normalize("NFC", name.lower()).split(".")
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels
    )


def _interface(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value or value in {".", ".."} or re.search(r"[\s/:]", value):
        raise BadValue(
            f"{value!r} is not the name of a network interface", "write it as `ip link` shows it, lan0"
        )
    if len(value.encode()) > LONGEST_INTERFACE:
        raise BadValue(
            f"{value!r} is longer than the {LONGEST_INTERFACE} octets that Linux allows an interface",
            "write it as `ip link` shows it, lan0",
        )
    return value


def seconds_of(value: Any) -> int:
    """Return a time span in seconds, written as `90s`, `30m`, `1h`, `2d` or a number. Raises `ValueError`."""
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value
    else:
        matched = _DURATION.match(str(value).strip().lower())
        if not matched:
            raise BadValue(f"{value!r} is not a time span", "write 90s, 30m, 1h, 2d or a number of seconds")
        seconds = int(matched[1]) * _SECONDS[matched[2]]
    if not 0 <= seconds <= 0xFFFFFFFF:
        raise BadValue(f"{value!r} is out of range", "0 to 4294967295 seconds")
    return seconds


def _range(value: Any) -> str:
    first, separator, last = str(value).replace(" ", "").partition("-")
    try:
        low = IPv4Address(first)
        high = IPv4Address(last) if separator else low
    except ValueError:
        raise BadValue(f"{value!r} is not an address range", "write 10.20.0.100-10.20.0.199") from None
    if low > high:
        raise BadValue(f"{value!r} ends before it starts", f"write {high}-{low}")
    return f"{low}-{high}"


def _ipv4(value: Any) -> IPv4Address:
    if isinstance(value, IPv4Address):
        return value
    try:
        return IPv4Address(str(value))
    except ValueError:
        raise BadValue(
            f"{value!r} is not an IPv4 address", "write four numbers from 0 to 255, 10.20.0.1"
        ) from None


def _ip(value: Any) -> IPv4Address | IPv6Address:
    if isinstance(value, IPv4Address | IPv6Address):
        return value
    try:
        return ip_address(str(value))
    except ValueError:
        raise BadValue(f"{value!r} is not an IP address", "write 10.20.0.1 or fd00::1") from None


def _subnet(value: Any) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    try:
        network = IPv4Network(str(value), strict=False)
    except ValueError:
        raise BadValue(f"{value!r} is not an IPv4 network", "write 10.20.0.0/24") from None
    if "/" not in str(value):
        raise BadValue(f"{value!r} lacks its prefix length", f"write {network.network_address}/24")
    if str(network.network_address) != str(value).partition("/")[0]:
        raise BadValue(f"{value!r} is an address inside a network", f"the network is {network}")
    return network


def _as_tuple(value: Any) -> Any:
    """Let an operator write one value where a list is meant."""
    if value is None or isinstance(value, list | tuple):
        return value
    return [value]


class OneOrMany:
    """Lets an operator write one value where a list is meant, and says so in the JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Wrap the list's own schema."""
        return no_info_before_validator_function(_as_tuple, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow a member in place of the list."""
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]}


def _text_schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


Mac = Annotated[
    str,
    BeforeValidator(_mac),
    _text_schema(NOTATION, "00:12:34:ab:45:de"),
]
"""A MAC address; kept as lower-case pairs joined by colons."""

Interface = Annotated[str, BeforeValidator(_interface), _text_schema(r"^[^\s/:]{1,15}$", "lan0")]
"""The name of a network interface, as Linux takes them."""

Name = Annotated[str, BeforeValidator(_name), _text_schema(r"^[A-Za-z0-9_.-]{1,254}$", "example.com")]
"""A DNS name without its trailing dot, relative or absolute as the field says."""

Duration = Annotated[
    int,
    BeforeValidator(seconds_of),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+\s*[smhdwSMHDW]?$"}],
            "examples": ["1h"],
        }
    ),
]
"""A time span in seconds; written 90s, 30m, 1h, 2d, 1w or a plain number of seconds."""

AddressRange = Annotated[
    str, BeforeValidator(_range), _text_schema(r"^[0-9.]+(\s*-\s*[0-9.]+)?$", "10.20.0.100-10.20.0.199")
]
"""`first-last`, both included; one address is a range of one."""

Ipv4 = Annotated[
    IPv4Address,
    PlainValidator(_ipv4),
    WithJsonSchema({"type": "string", "format": "ipv4", "examples": ["10.20.0.1"]}),
]
"""An IPv4 address."""

AnyIp = Annotated[
    IPv4Address | IPv6Address,
    PlainValidator(_ip),
    WithJsonSchema({"type": "string", "examples": ["10.20.0.1", "fd00::1"]}),
]
"""An IPv4 or IPv6 address."""

Subnet = Annotated[
    IPv4Network,
    BeforeValidator(_subnet),
    _text_schema(r"^[0-9.]+/[0-9]{1,2}$", "10.20.0.0/24"),
]
"""An IPv4 network with its prefix length and no host bits."""

Addresses = Annotated[tuple[Ipv4, ...], OneOrMany()]
"""One IPv4 address or a list of them."""

AnyAddresses = Annotated[tuple[AnyIp, ...], OneOrMany()]
"""One IPv4 or IPv6 address or a list of them."""

Names = Annotated[tuple[Name, ...], OneOrMany()]
"""One DNS name or a list of them."""

Texts = Annotated[tuple[str, ...], OneOrMany()]
"""One text or a list of them."""

Port = Annotated[int, Field(ge=1, le=65535)]
Priority = Annotated[int, Field(ge=0, le=65535)]
