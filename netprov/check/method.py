"""Rules about how phones find their profile: SRV, a DHCP option, an ACS, and what gets in the way of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from netprov.check.rule import Finding, View, rule
from netprov.dhcp.option.provisioning import SERVER_CODES, TEXT_CODES, URL_CODES
from netprov.errors import Malformed, Path
from netprov.inventory.model import Match, PhoneClass
from netprov.inventory.option import written_options
from netprov.phone.rule.ladder import rungs
from netprov.phone.rule.url import is_host
from netprov.plan.group import ClientGroup
from netprov.provision.config import FACTORY_PATH, SRV_MAC_PATH

_URL = re.compile(r"[a-z]+://", re.IGNORECASE)
DSLFORUM = "dslforum.org"
_RELEASE_WITHOUT_TR069 = (11, 3)


@rule(
    "srv-gets-option",
    "error",
    why=(
        "A phone tries DHCP before DNS SRV: any of options 66, 150, 159 and 160 keeps it from ever asking for the SRV "
        "records. The DHCP server here therefore withholds the option from it, which cannot be what was meant."
    ),
    remedy="remove the option, or make the class `method: dhcp`",
)
def srv_gets_option(view: View) -> Iterator[Finding]:
    for group in view.groups:
        if group.method != "srv":
            continue
        for code in SERVER_CODES:
            if code in group.options and _worth_saying(view, group, group.options[code][1]):
                yield Finding(
                    group.options[code][1],
                    f"{group.label} is of method srv, and option {code} is meant for it too",
                    (group.path,),
                )


@rule(
    "srv-gets-url",
    "error",
    why=(
        "A URL in option 43, 60 or 125 is a provisioning source to the phone (DHCP_Option_To_Use), and DHCP comes before "
        "DNS SRV. The DHCP server here therefore withholds it, which cannot be what was meant."
    ),
    remedy="remove the URL, or make the class `method: dhcp` or `acs`",
)
def srv_gets_url(view: View) -> Iterator[Finding]:
    for group in view.groups:
        if group.method != "srv":
            continue
        for code in URL_CODES:
            if code not in group.options:
                continue
            value, path = group.options[code]
            if _holds_url(value) and _worth_saying(view, group, path):
                yield Finding(
                    path,
                    f"{group.label} is of method srv, and a URL in option {code} is meant for it too",
                    (group.path,),
                )


def _worth_saying(view: View, group: ClientGroup, path: Path) -> bool:
    """An option of a network is told once, at the clients of no class; a phone's inherited option at its class."""
    if group.path == ("networks",):
        return view.unclassed
    if path[0] == "networks" and group.path[0] == "classes":
        return not view.unclassed
    return path[: len(group.path)] == group.path or _method_changed(view, group)


def _method_changed(view: View, group: ClientGroup) -> bool:
    """Tell whether a phone's own method differs from its class's, so that what it inherits matters."""
    if group.path[0] != "phones":
        return False
    phone = view.inventory.phones[int(group.path[1])]
    return phone.method is not None


def _holds_url(value: object) -> bool:
    match value:
        case str():
            return bool(_URL.search(value))
        case Mapping():
            return any(_holds_url(each) for each in value.values())
        case list() | tuple():
            return any(_holds_url(each) for each in value)
    return False


@rule(
    "option-withheld",
    "warning",
    why=(
        "A provisioning server in option 66, 150, 159 or 160 would draw a phone away from its ACS, or from what was set by "
        "hand; the DHCP server withholds it from clients of methods acs and manual."
    ),
    remedy="remove the option, or make the class `method: dhcp`",
)
def option_withheld(view: View) -> Iterator[Finding]:
    for group in view.groups:
        if group.method not in {"acs", "manual"}:
            continue
        for code in SERVER_CODES:
            if code in group.options and group.options[code][1][: len(group.path)] == group.path:
                yield Finding(
                    group.options[code][1],
                    f"{group.label} is of method {group.method}, and does not get option {code}",
                    (group.path,),
                )


@rule(
    "dhcp-without-option",
    "error",
    why=(
        "A phone that is to be provisioned by DHCP needs one of options 66, 150, 159 or 160, or a URL in 43, 60 or 125; "
        "without it, it goes on to DNS SRV and to Cisco's cloud."
    ),
    remedy="add option 66, 150 or 160 under `options:`",
)
def dhcp_without_option(view: View) -> Iterator[Finding]:
    for group in view.groups:
        codes = group.options.keys()
        url = any(code in codes and _holds_url(group.options[code][0]) for code in URL_CODES)
        if group.method == "dhcp" and not url and not any(code in codes for code in SERVER_CODES):
            message = f"{group.label} is of method dhcp, and gets no option to provision by{group.where}"
            yield Finding(group.path, message)


@rule(
    "option-host-unknown",
    "error",
    why="The phone cannot resolve the name, and has no server to load its profile from.",
    remedy="give the host an address under `hosts:`, or write an address",
)
def option_host_unknown(view: View) -> Iterator[Finding]:
    for path, code, value in written_options(view.inventory, TEXT_CODES):
        for url in _texts(value):
            host = _host(url)
            if host and not view.resolves(host):
                yield Finding(path, f"option {code} names {host}, which has no address")


def _texts(value: object) -> Iterator[str]:
    for text in [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []:
        if isinstance(text, str):
            yield from (each.strip() for each in text.split(";"))


def _host(url: str) -> str:
    try:
        return urlsplit(url if "://" in url else f"tftp://{url}").hostname or ""
    except ValueError:
        return ""


@rule(
    "option-url-invalid",
    "error",
    why="Phones load profiles by tftp, http and https only (guide, Provisioning Overview).",
    remedy="write an address, a name, or scheme://host[:port]/path",
)
def option_url_invalid(view: View) -> Iterator[Finding]:
    for path, code, value in written_options(view.inventory, TEXT_CODES):
        for text in _texts(value):
            if "$" in text.rpartition("://")[2].partition("/")[0]:
                continue  # a macro names the server
            try:
                rungs(text, FACTORY_PATH, SRV_MAC_PATH)
            except Malformed as error:
                message = f"option {code} holds {text!r}, from which a phone can load nothing: {error}"
                yield Finding(path, message, remedy=_scheme_for(text))


_ONE_MODEL = re.compile(r"/((?:CP-)?\d{4}(?:-\w+)*-3PCC)\.(?:xml|cfg)\Z", re.IGNORECASE)


@rule(
    "option-one-model",
    "warning",
    why=(
        "A phone loads a URL as it is, and only where that fails with the names of its own files behind it: "
        "http://host/8851-3PCC.xml/8851-3PCC.xml. So every phone of the class loads that one model's file."
    ),
    remedy="write the server alone: phones add the name of their own file; or write $PSN for the model",
)
def option_one_model(view: View) -> Iterator[Finding]:
    for path, code, value in written_options(view.inventory, TEXT_CODES):
        for text in _texts(value):
            if "://" in text and (named := _ONE_MODEL.search(text)):
                message = f"option {code} names the file of one model, {named[0][1:]}, and phones of every model load it"
                yield Finding(
                    path,
                    message,
                    remedy=f"write {text[: named.start()]}: phones add the name of their own file",
                )


def _scheme_for(text: str) -> str:
    """Return the remedy for a path without a scheme, "" where none is meant."""
    host, slash, _ = text.partition("/")
    return f"write its scheme too: tftp://{text}, or http://{text}" if slash and is_host(host) else ""


@rule(
    "class-shadowed",
    "warning",
    why="The first class that matches wins.",
    remedy="put the narrower class first, or remove one of the two",
)
def class_shadowed(view: View) -> Iterator[Finding]:
    seen: list[tuple[str, PhoneClass]] = []
    for name, each in view.inventory.classes.items():
        if each.match is None:
            continue
        for earlier, other in seen:
            if other.match == Match() or other.match == each.match:
                yield Finding(
                    ("classes", name, "match"),
                    f"class {name} is never reached by its match: class {earlier} takes the same clients before",
                    (("classes", earlier, "match"),),
                )
                break
        seen.append((name, each))


@rule(
    "class-unused",
    "info",
    why="No client can fall into the class.",
    remedy="add a `match`, name it at phones, or remove it",
)
def class_unused(view: View) -> Iterator[Finding]:
    named = {phone.class_ for phone in view.inventory.phones}
    for name, each in view.inventory.classes.items():
        if each.match is None and name not in named:
            yield Finding(("classes", name), f"class {name} has no `match`, and no phone names it")
