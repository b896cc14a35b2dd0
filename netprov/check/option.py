"""Rules about DHCP options written by number: their types, their size, their meaning to the phone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netprov.check.rule import Finding, View, planned, rule
from netprov.dhcp.option import table as dhcp
from netprov.dhcp.option.remark import Oddity, Remark, remarks
from netprov.dhcp.reply import FIRST_OPTIONS
from netprov.dns.service import SERVICES
from netprov.errors import Path
from netprov.inventory.option import written_options
from netprov.plan.offer import left_out

NIS_SERVERS = 41

FIELDS: Mapping[int, str] = {
    dhcp.ROUTER: "router",
    dhcp.DNS: "dns",
    dhcp.DOMAIN: "domain",
    dhcp.NTP: "ntp",
    dhcp.STATIC_ROUTES: "routes",
}
"""Options that have a field of their own in a network."""

SLIPS: Mapping[int, str] = {
    NIS_SERVERS: "41 is NIS servers; the lease time is 51, which `lease:` sets",
    dhcp.MESSAGE: "56 is the text of a refusal; time servers are 42, which `ntp:` sets",
}
"""Numbers that the guide's table of options misprints."""


def _judged(view: View, *oddities: Oddity) -> Iterator[tuple[Path, int, Remark]]:
    """Yield what the judge of octets says about the values as they will be sent."""
    for path, code, value in written_options(view.inventory):
        try:
            data = dhcp.encode(code, value)
        except ValueError:
            continue  # the plan tells
        for remark in remarks(code, data):
            if remark.oddity in oddities:
                yield path, code, remark


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
    for path, code, remark in _judged(view, Oddity.NUL):
        yield Finding(path, f"option {code}: {remark.clause}")


@rule(
    "option-quoted",
    "warning",
    why=(
        "Quotation marks and blanks inside the text of an option reach the phone, which takes them for part of the name or "
        "URL. In YAML one pair of quotation marks is enough."
    ),
    remedy="delete them",
)
def option_quoted(view: View) -> Iterator[Finding]:
    for path, code, remark in _judged(view, Oddity.QUOTED, Oddity.BLANK):
        yield Finding(path, f"option {code}: {remark.clause}")


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
    for path, code, remark in _judged(view, Oddity.BINARY_ADDRESS):
        yield Finding(path, f"option {code}: {remark.clause}")


@rule(
    "option-lengths",
    "error",
    why="Lengths inside the option disagree, so that a client reads something else than was meant, or drops the option.",
    remedy="let netprov write it: `125: {acs_url: https://…}` or `125: {9: {5: …}}`",
)
def option_lengths(view: View) -> Iterator[Finding]:
    for path, code, remark in _judged(view, Oddity.LENGTHS, Oddity.WRONG_SUBOPTION):
        yield Finding(path, f"option {code}: {remark.clause}")


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
    for path, code, remark in _judged(view, Oddity.NOT_SUBOPTIONS):
        yield Finding(path, f"option {code}: {remark.clause}")


@rule(
    "option-43-is-text",
    "warning",
    why="TR-069 clients look for the ACS URL in sub-option 1 of option 43, not in its bare text.",
    remedy="write `43: {1: https://…}`, or set `acs_url`",
)
def option_43_is_text(view: View) -> Iterator[Finding]:
    for path, code, remark in _judged(view, Oddity.BARE_URL):
        yield Finding(path, f"option {code}: {remark.clause}")


@rule(
    "option-time-offset",
    "warning",
    why="Option 2 is the offset from UTC in seconds (RFC 2132 3.4); no place on Earth is less than a quarter of an hour off.",
    remedy="write seconds: 3600 for one hour east of Greenwich, -18000 for five west",
)
def option_time_offset(view: View) -> Iterator[Finding]:
    for path, code, value in written_options(view.inventory, (dhcp.TIME_OFFSET,)):
        if isinstance(value, int) and 0 < abs(value) < 900:
            hours = f"write {value * 3600} for {value} h" if abs(value) <= 14 else ""
            yield Finding(path, f"option {code} is {value} s from UTC", remedy=hours)


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
    for path, code, value in written_options(view.inventory):
        domain = str(value).rstrip(".").lower()
        if code != dhcp.DOMAIN or domain in view.domains:
            continue
        published = {name for name, label in SERVICES.items() if f"{label}.{domain}" in view.record_owners}
        if not published:
            yield Finding(path, f"option 15 is {value}, a domain that is not served here", (("domain",),))
        elif published == {"https"}:
            said = (
                f"option 15 is {value}, which has SRV records of HTTPS, and no certificate carries that name"
            )
            yield Finding(
                path, said, (("domain",),), "declare it under `domains:`, so that it gets a certificate"
            )


@rule(
    "option-slip",
    "warning",
    why="The guide's table of DHCP options misprints 51 as 41.",
    remedy="remove the option",
)
def option_slip(view: View) -> Iterator[Finding]:
    for path, code, _ in written_options(view.inventory):
        if code == NIS_SERVERS:
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
    if view.plan is None:
        return
    config = view.plan.dhcp
    phones = {phone.origin: phone for phone in config.phones.values()}
    for group in view.groups:
        phone = phones.get(group.path)
        name = phone.class_name if phone is not None else str(group.path[-1])
        found = config.class_named(name) if group.path != ("networks",) else None
        codes = next((codes for each in config.networks if (codes := left_out(each, found, phone))), ())
        if codes:
            shown = ", ".join(map(str, codes))
            yield Finding(
                group.path, f"option {shown} does not fit into 576 octets of reply to {group.label}"
            )


@rule(
    "force-without-value",
    "warning",
    why="An option that has no value is not sent, asked for or not.",
    remedy="give it a value under `options:`, or remove it from `force:`",
)
def force_without_value(view: View) -> Iterator[Finding]:
    if view.plan is None:
        return
    config = view.plan.dhcp
    for each in config.classes:
        layers = [network.settings for network in config.networks]
        layers += [phone.settings for phone in config.phones.values() if phone.class_name == each.name]
        valued = FIRST_OPTIONS.union(each.settings, *layers)
        for index, code in enumerate(each.force):
            if code not in valued:
                yield Finding(
                    ("classes", each.name, "force", index),
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
