"""Rules about TR-069: phones that learn their ACS from options 43 and 125 (TR-069 3.1), and the ACS itself."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from urllib.parse import SplitResult, urlsplit

from netprov.check.rule import Finding, View, planned, rule, texts
from netprov.dhcp.option.provisioning import ACS_CODES
from netprov.errors import Path
from netprov.hostport import PORTS, scheme_of
from netprov.inventory.model import Match
from netprov.plan.cwmp import AcsListener
from netprov.provision.firmware import firmware_version

DSLFORUM = "dslforum.org"
_RELEASE_WITHOUT_TR069 = (11, 3)


@rule(
    "acs-without-url",
    "error",
    why="Phones of method acs learn their ACS from options 43 and 125, which are made from `acs_url`.",
    remedy="add `acs_url: https://pr1.example.com:7547/`",
)
def acs_without_url(view: View) -> Iterator[Finding]:
    for name, each in view.inventory.classes.items():
        if each.method == "acs" and not each.acs_url and not set(ACS_CODES) & each.options.keys():
            yield Finding(("classes", name, "method"), f"class {name} is of method acs, and has no `acs_url`")


@rule(
    "acs-url-on-other-method",
    "warning",
    why="An ACS URL in options 43 and 125 is only sent to clients of method acs; for others it has no effect.",
    remedy="write `method: acs`, or remove `acs_url`",
)
def acs_url_on_other_method(view: View) -> Iterator[Finding]:
    for name, each in view.inventory.classes.items():
        if each.acs_url and each.method != "acs":
            yield Finding(
                ("classes", name, "acs_url"),
                f"class {name} has an `acs_url`, but its method is {each.method or 'srv'}",
            )


def _acs_urls(view: View) -> Iterator[tuple[Path, str, SplitResult | None]]:
    for name, each in view.inventory.classes.items():
        if each.acs_url:
            try:
                parts = urlsplit(each.acs_url)
                parts.port  # noqa: B018 - raises on a port that is none
            except ValueError:
                parts = None
            yield ("classes", name, "acs_url"), each.acs_url, parts


@rule(
    "acs-url-plain",
    "warning",
    why="Whoever is on the LAN can read the ACS's password and every parameter that it sets, and can play the ACS.",
    remedy="use https",
)
def acs_url_plain(view: View) -> Iterator[Finding]:
    for path, url, parts in _acs_urls(view):
        if parts is not None and parts.scheme == "http":
            yield Finding(path, f"{url} is not https: the ACS's password and the profile travel in clear")


@rule(
    "acs-host-unknown",
    "error",
    why="The phone cannot resolve the ACS's name, and never sends an Inform.",
    remedy="give the host an address under `hosts:`",
)
def acs_host_unknown(view: View) -> Iterator[Finding]:
    for path, url, parts in _acs_urls(view):
        host = (parts.hostname or "") if parts else ""
        if host and not view.resolves(host):
            yield Finding(path, f"{host} of {url} has no address")


@rule(
    "acs-host-is-address",
    "warning",
    why="The phone compares the certificate with the host of the URL; the certificates issued here carry names.",
    remedy="write a host name that the certificate carries",
)
def acs_host_is_address(view: View) -> Iterator[Finding]:
    for path, url, parts in _acs_urls(view):
        if parts is not None and parts.scheme == "https" and _is_address(parts.hostname or ""):
            yield Finding(path, f"{url} names an address: certificates carry names")


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


@rule(
    "acs-elsewhere",
    "info",
    why="The ACS that runs here does not serve these phones; whether the other one is up is not known here.",
    remedy="write a host of this inventory, if its own ACS is meant",
)
def acs_elsewhere(view: View) -> Iterator[Finding]:
    for path, url, parts in _acs_urls(view):
        host = (parts.hostname or "").lower() if parts else ""
        ours = (
            host in view.names or host in view.domains or host in {str(each) for each in view.own_addresses}
        )
        if host and not view.in_zone(host) and not ours:
            yield Finding(path, f"the ACS at {url} is not of this inventory")


@rule(
    "acs-option-twice",
    "warning",
    why="What stands under `options:` replaces what `acs_url` would send: the phone never learns that URL.",
    remedy="remove the option, or `acs_url`",
)
def acs_option_twice(view: View) -> Iterator[Finding]:
    for name, each in view.inventory.classes.items():
        for code in ACS_CODES:
            if each.acs_url and code in each.options:
                yield Finding(
                    ("classes", name, "options", code),
                    f"option {code} is given, and made from `acs_url` too",
                    (("classes", name, "acs_url"),),
                )


@rule(
    "acs-without-dslforum",
    "warning",
    why=(
        "Clients that speak TR-069 say dslforum.org in option 60 (TR-069 3.1); options 43 and 125 to others are ignored, "
        "or break them."
    ),
    remedy="add `vendor_class_contains: dslforum.org` to the match",
)
def acs_without_dslforum(view: View) -> Iterator[Finding]:
    for name, each in view.inventory.classes.items():
        if each.method == "acs" and each.match is not None and not _mentions_dslforum(each.match):
            yield Finding(
                ("classes", name, "match"), f"class {name} is of method acs, and does not match {DSLFORUM}"
            )


def _mentions_dslforum(match: Match) -> bool:
    texts = (*match.vendor_class, *match.vendor_class_contains)
    return any(DSLFORUM in text for text in texts) or any(map(_mentions_dslforum, (*match.any, *match.all)))


@rule(
    "acs-off-by-default",
    "warning",
    why="From firmware 11.3, `Enable TR-069` is No until a profile says Yes: discovery of the ACS by DHCP has no effect.",
    remedy="load a profile with `Enable_TR-069: Yes` first, by method dhcp or srv",
)
def acs_off_by_default(view: View) -> Iterator[Finding]:
    for phone in view.site.phones:
        if phone.method != "acs":
            continue
        version = firmware_version(phone.declared.firmware or "")
        if version and version >= _RELEASE_WITHOUT_TR069 and not _enabled(view, phone.index):
            yield Finding(
                ("phones", phone.index, "firmware"),
                f"TR-069 is off by default in {phone.declared.firmware}: the phone ignores options 43 and 125",
            )


@rule(
    "acs-port-taken",
    "error",
    why="One socket is served by one program: the ACS, or the profiles' server, could not start.",
    remedy="give the ACS a port of its own; 7547 is CWMP's",
)
def acs_port_taken(view: View) -> Iterator[Finding]:
    if view.plan is None:
        return
    taken = {
        (each.address, each.port): f"{each.scheme} profiles"
        for each in view.plan.provision.listeners
        if each.scheme in {"http", "https"}
    }
    for path, url, parts in _acs_urls(view):
        for listener in view.plan.cwmp.listeners:
            if parts is None or not _is_at(listener, parts):
                continue
            kind = f"an ACS by {parts.scheme}"
            for address in listener.addresses:
                other = taken.setdefault((address, listener.port), kind)
                if other != kind:
                    yield Finding(path, f"{url} leads to {address}:{listener.port}, which serves {other}")


def _is_at(listener: AcsListener, url: SplitResult) -> bool:
    scheme = scheme_of(url.scheme)
    port = url.port or (PORTS[scheme] if scheme else 0)
    return (listener.host, listener.port, listener.secure) == (url.hostname, port, url.scheme == "https")


def _enabled(view: View, index: int) -> bool:
    phone = view.site.phones[index]
    profile = view.inventory.profiles.get(phone.profile or "")
    each = view.inventory.classes.get(phone.class_name or "")
    values: dict[str, str] = {}
    for source in (view.inventory.provisioning, profile, each, phone.declared):
        values |= texts(source.values) if source else {}
    return values.get("Enable_TR-069", values.get("Enable_TR_069", "No")).lower() in {"yes", "true"}


ACS_URL_INVALID = planned(
    "acs-url-invalid",
    "error",
    why="TR-069 runs over HTTP or HTTPS; the phone cannot use any other URL.",
    remedy="write https://HOST:PORT/",
)

ACS_INFORM_INTERVAL = planned(
    "acs-inform-interval",
    "error",
    why="A phone that Informs every few seconds does little else, and a hundred of them keep the ACS busy.",
    remedy="write `inform_interval: 1h` under `acs:`",
)

ACS_USERNAME = planned(
    "acs-username",
    "error",
    why=(
        "HTTP authentication writes user and password with a colon between them (RFC 7617), so the phone's password would "
        "be taken for another."
    ),
    remedy="choose a username without a colon",
)

ACS_PROVISIONING_CODE = planned(
    "acs-provisioning-code",
    "error",
    why="The phone keeps the code in DeviceInfo.ProvisioningCode, which TR-106 limits to 64 printable characters.",
    remedy="choose a shorter code",
)
