"""Rules about the rules in profiles: Profile_Rule, Upgrade_Rule and their like (guide, Provisioning Formats)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from netprov.check.rule import Finding, View, rule
from netprov.errors import Path

_RULE_KEY = re.compile(r"(Profile_Rule(_[BCD])?|Upgrade_Rule|Custom_CA_Rule|Report_Rule)\Z")
_MACRO = re.compile(r"\$(?:\$|\(([A-Za-z0-9_]+)(?::\d+){0,2}\)|([A-Z][A-Z0-9]*))")
_OPTIONS = re.compile(r"\[[^\]]*\]")

MACROS = frozenset(
    [
        "MA",
        "MAU",
        "MAC",
        "SN",
        "PN",
        "PSN",
        "SWVER",
        "HWVER",
        "IP",
        "EXTIP",
        "CCERT",
        "PRVST",
        "UPGST",
        "UPGERR",
        "PRVTMR",
        "UPGTMR",
        "REGTMR1",
        "REGTMR2",
        "SCHEME",
        "SERV",
        "SERVIP",
        "PORT",
        "PATH",
        "ERR",
        "EMS",
        "MUID",
        "MPWD",
        "SA",
        "SB",
        "SC",
        "SD",
    ]
)
"""Macros that the phone expands (guide, Provisioning Parameters), beside $A to $P and $UID1 and up."""


def _rules(view: View) -> Iterator[tuple[Path, str, str]]:
    for path, key, text in view.directives:
        if _RULE_KEY.match(key):
            yield path, key, text


@rule(
    "rule-macro-unknown",
    "warning",
    why="A macro that the phone does not know stays in the path as it is, and the file is not found.",
    remedy="use $PSN, $PN, $MA, $MAU, $MAC or $SN",
)
def rule_macro_unknown(view: View) -> Iterator[Finding]:
    for path, key, text in [*_rules(view), *_option_urls(view)]:
        for matched in _MACRO.finditer(text):
            name = matched[1] or matched[2]
            if name and not _known_macro(name):
                yield Finding(path, f"{key} uses ${name}, which is no macro of these phones")


def _known_macro(name: str) -> bool:
    if name in MACROS or re.match(r"UID\d*\Z", name) or (len(name) == 1 and "A" <= name <= "P"):
        return True
    return any(name.startswith(each) for each in ("PSN", "PN", "MAU", "MAC", "MA", "SN"))


def _option_urls(view: View) -> Iterator[tuple[Path, str, str]]:
    for name, each in view.inventory.classes.items():
        for code in (66, 159, 160):
            if isinstance(each.options.get(code), str):
                yield ("classes", name, "options", code), f"option {code}", each.options[code]


@rule(
    "rule-srv-tftp",
    "error",
    why="The phone refuses the rule: Error - TFTP Scheme not supported in SRV lookups.",
    remedy="write [--srv] https://… or http://…",
)
def rule_srv_tftp(view: View) -> Iterator[Finding]:
    for path, key, text in _rules(view):
        for part in text.split("|"):
            if "--srv" in part and not re.search(r"https?://", _OPTIONS.sub("", part), re.IGNORECASE):
                yield Finding(path, f"{key} combines --srv with a URL that is not http or https")


@rule(
    "rule-scheme",
    "error",
    why="Phones load by tftp, http and https, and take gds for an activation code.",
    remedy="correct the scheme",
)
def rule_scheme(view: View) -> Iterator[Finding]:
    for path, key, text in _rules(view):
        for part in text.split("|"):
            url = _OPTIONS.sub("", part).rpartition("?")[2].strip()
            scheme = url.partition("://")[0].lower() if "://" in url else ""
            if scheme and scheme not in {"tftp", "http", "https", "gds"}:
                yield Finding(path, f"{key} names the scheme {scheme}, which phones do not know")


@rule(
    "rule-absolute",
    "info",
    why=(
        "DHCP options are tried only while Profile_Rule starts with `/`; once a profile sets a URL, changes of options or "
        "SRV records no longer reach the phone until it is reset."
    ),
    remedy="keep Profile_Rule out of the profile, or know that you move phones to this server for good",
)
def rule_absolute(view: View) -> Iterator[Finding]:
    discovered = {
        phone.profile for phone in view.site.phones if phone.method in {"srv", "dhcp"} and phone.profile
    } | {each.profile for each in view.inventory.classes.values() if each.method in {None, "srv", "dhcp"}}
    for path, key, text in _rules(view):
        applies = path[0] == "profiles" and path[1] in discovered
        if (
            key == "Profile_Rule"
            and applies
            and text.strip()
            and not text.strip().startswith(("/", "[", "("))
        ):
            yield Finding(
                path, f"{key} is {text}: after the first profile the phone no longer discovers its server"
            )


@rule(
    "rule-host-unknown",
    "error",
    why="The phone cannot resolve the name, and what the rule names is never loaded.",
    remedy="give the host an address under `hosts:`",
)
def rule_host_unknown(view: View) -> Iterator[Finding]:
    for path, key, text in _rules(view):
        for part in text.split("|"):
            host = _host(_OPTIONS.sub("", part).rpartition("? ")[2].strip())
            name = host.lower()
            known = name in view.names or name in view.aliases or name in view.record_owners
            if (
                host
                and "$" not in host
                and view.in_zone(host)
                and not known
                and name != view.site.domain.lower()
            ):
                yield Finding(path, f"{key} names {host}, which has no address")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "" if "://" in url else ""
    except ValueError:
        return ""


@rule(
    "upgrade-without-server",
    "error",
    why="Unlike in Profile_Rule, the server may not be left out in Upgrade_Rule: no firmware is ever loaded.",
    remedy="write http://HOST/FILE.loads",
)
def upgrade_without_server(view: View) -> Iterator[Finding]:
    for path, key, text in _rules(view):
        if key == "Upgrade_Rule" and text.strip() and "://" not in text:
            yield Finding(path, "Upgrade_Rule names no server")


@rule(
    "domains-restricted",
    "error",
    why="Once Restricted_Access_Domains is set, the phone loads nothing from other hosts, its next profile included.",
    remedy="add the domain",
)
def domains_restricted(view: View) -> Iterator[Finding]:
    hosts = {target.target.lower() for target in view.site.targets} | {view.site.domain.lower()}
    for path, values in view.values:
        text = values.get("Restricted_Access_Domains")
        if not text:
            continue
        allowed = [each.strip().lower() for each in text.split(",") if each.strip()]
        lost = [host for host in sorted(hosts) if not any(_within(host, each) for each in allowed)]
        if allowed and lost:
            names = ", ".join(lost)
            yield Finding(
                (*path, "Restricted_Access_Domains"), f"profiles come from {names}, which is not allowed"
            )


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)
