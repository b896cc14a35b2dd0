"""Rules about DHCP options written by number: their types, their size, their meaning to the phone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netprov.check.rule import Finding, View, planned, rule
from netprov.dhcp.option import table as dhcp
from netprov.errors import Path

FIELDS: Mapping[int, str] = {3: "router", 6: "dns", 15: "domain", 42: "ntp", 121: "routes"}
"""Options that have a field of their own in a network."""

SLIPS: Mapping[int, str] = {
    41: "41 is NIS servers; the lease time is 51, which `lease:` sets",
    56: "56 is the text of a refusal; time servers are 42, which `ntp:` sets",
}
"""Numbers that the guide's table of options misprints."""

SMALLEST_MESSAGE = 548
"""Octets of DHCP message that every client takes: 576 less the IP and UDP headers (RFC 2131 section 2)."""
FRAME = 240 + 3 + 6 + 6 + 6 + 6 + 6 + 1
"""Octets of fixed fields, magic cookie, and of options 53, 54, 51, 58, 59, 1 and 255."""

_ANY_LENGTH = (66, 67, 159, 160)


def _written(view: View) -> Iterator[tuple[Path, Mapping[int, object]]]:
    inventory = view.inventory
    for name, network in inventory.networks.items():
        yield ("networks", name, "options"), network.options
    for name, each in inventory.classes.items():
        yield ("classes", name, "options"), each.options
    for index, phone in enumerate(inventory.phones):
        if phone.options:
            yield ("phones", index, "options"), phone.options


def _each(view: View) -> Iterator[tuple[Path, int, object]]:
    for path, options in _written(view):
        for code, value in options.items():
            yield (*path, code), code, value


@rule(
    "option-nul",
    "error",
    why=(
        "Text in options has no NUL at its end (RFC 2132 section 2), and `\\0` outside double quotes is not even one: the "
        "phone takes it for part of the name or URL."
    ),
    remedy="delete it",
)
def option_nul(view: View) -> Iterator[Finding]:
    for path, code, value in _each(view):
        if isinstance(value, str) and value.endswith("\\0"):
            yield Finding(path, f"option {code} ends in the two characters \\0")


@rule(
    "option-66-octets",
    "error",
    why=(
        "Options 66, 159 and 160 are text. Four octets of an address are read as a name of four characters, which is "
        "looked up in DNS and not found."
    ),
    remedy="write the address as text: 10.20.0.1",
)
def option_66_octets(view: View) -> Iterator[Finding]:
    for path, code, value in _each(view):
        if code in _ANY_LENGTH and isinstance(value, Mapping) and set(value) == {"raw"}:
            text = str(value["raw"])
            if text.startswith("0x") and len(text) == 10:
                yield Finding(path, f"option {code} is four octets, an address in binary")


@rule(
    "option-43-not-tlv",
    "error",
    why=(
        "Option 43 is a list of sub-options, each number, length, value (RFC 2132 8.4): a phone that finds another "
        "structure drops it."
    ),
    remedy="write the sub-options: `43: {1: https://…}`",
)
def option_43_not_tlv(view: View) -> Iterator[Finding]:
    for path, code, value in _each(view):
        if code != 43 or not isinstance(value, Mapping) or set(value) != {"raw"}:
            continue
        try:
            data = dhcp.encode(code, value)
        except ValueError:
            continue
        if not _is_tlv(data) and b"://" not in data:
            yield Finding(path, "option 43 is not a list of sub-options")


def _is_tlv(data: bytes) -> bool:
    position = 0
    while position + 2 <= len(data):
        position += 2 + data[position + 1]
    return position == len(data)


@rule(
    "option-43-is-text",
    "warning",
    why="TR-069 clients look for the ACS URL in sub-option 1 of option 43, not in its bare text.",
    remedy="write `43: {1: https://…}`, or set `acs_url`",
)
def option_43_is_text(view: View) -> Iterator[Finding]:
    for path, code, value in _each(view):
        raw = value.get("raw") if isinstance(value, Mapping) and set(value) == {"raw"} else None
        if code == 43 and isinstance(raw, str) and "://" in raw:
            yield Finding(path, f"option 43 is the text {raw!r}, without a sub-option header")


@rule(
    "option-has-field",
    "warning",
    why="Two places give one option; which one counts is not obvious to the next reader.",
    remedy="keep the field",
)
def option_has_field(view: View) -> Iterator[Finding]:
    for name, network in view.inventory.networks.items():
        for code, field in FIELDS.items():
            if code in network.options and field in network.model_fields_set:
                yield Finding(
                    ("networks", name, "options", code),
                    f"option {code} is given by number and by `{field}:`",
                    (("networks", name, field),),
                )


@rule(
    "option-domain-differs",
    "error",
    why=(
        "The phone builds the SRV query from option 15: under another domain it gets NXDOMAIN, and the certificate "
        "carries the wrong name."
    ),
    remedy="remove option 15",
)
def option_domain_differs(view: View) -> Iterator[Finding]:
    for path, code, value in _each(view):
        if code == 15 and str(value).rstrip(".").lower() not in view.domains:
            yield Finding(path, f"option 15 is {value}, a domain that is not served here", (("domain",),))


@rule(
    "option-slip",
    "warning",
    why="The guide's table of DHCP options misprints 51 as 41.",
    remedy="remove the option",
)
def option_slip(view: View) -> Iterator[Finding]:
    for path, code, _ in _each(view):
        if code == 41:
            yield Finding(path, "option 41 is NIS servers, which no phone uses", remedy=SLIPS[code])


@rule(
    "options-too-long",
    "warning",
    why=(
        "A client that does not say otherwise takes messages of 576 octets (RFC 2131 section 2); what does not fit is "
        "left out."
    ),
    remedy="shorten URLs, or drop options that no phone of the class needs",
)
def options_too_long(view: View) -> Iterator[Finding]:
    common = FRAME + 2 + len(view.site.domain) + 2 + 4 * 4
    for group in view.groups:
        size = common
        for code, (value, _) in group.options.items():
            try:
                length = len(dhcp.encode(code, value))
            except ValueError:
                continue
            size += length + 2 * max(1, -(-length // 255))
        if size > SMALLEST_MESSAGE:
            yield Finding(
                group.path,
                f"the reply to {group.label} has about {size} octets; {SMALLEST_MESSAGE} are what every client takes",
            )


@rule(
    "force-without-value",
    "warning",
    why="An option that has no value is not sent, asked for or not.",
    remedy="give it a value under `options:`, or remove it from `force:`",
)
def force_without_value(view: View) -> Iterator[Finding]:
    for name, each in view.inventory.classes.items():
        made = {3, 6, 12, 15, 42, 1, 51, 54, 58, 59, *({43, 125} if each.acs_url else ())}
        networks = {code for network in view.inventory.networks.values() for code in network.options}
        for index, code in enumerate(each.force):
            if code not in each.options and code not in networks and code not in made:
                yield Finding(
                    ("classes", name, "force", index),
                    f"option {code} is forced, but nothing gives it a value",
                )


DHCP_OPTION = planned(
    "dhcp-option",
    "error",
    why=(
        "A value of the wrong type reaches the phone as other octets than meant, and the phone ignores it; some options "
        "the server sets by itself, and a second value contradicts it."
    ),
    remedy="write the value as the option's type asks for",
)
