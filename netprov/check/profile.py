"""Rules about profile parameters: their names and values, the rules among them, the secrets (guide, Provisioning Formats)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from netprov.check.rule import Finding, Rule, View, of_the_plan
from netprov.errors import Path

_RULE_KEY = re.compile(r"(Profile_Rule(_[BCD])?|Upgrade_Rule|Custom_CA_Rule|Report_Rule)\Z")
_MACRO = re.compile(r"\$(?:\$|\(([A-Za-z0-9_]+)(?::\d+){0,2}\)|([A-Z][A-Z0-9]*))")
_SECRET = re.compile(r"password|passwd|secret|GPP_S[A-D]\Z|IKM_|shared_key|_PIN\b", re.IGNORECASE)
_LINE_SUFFIX = re.compile(r"User_ID(_\d+_)\Z")
_OPTIONS = re.compile(r"\[[^\]]*\]")
_INTERNAL_KEYS = frozenset({"Upgrade_Rule"})

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
    for path, values in view.values:
        for key, text in values.items():
            if _RULE_KEY.match(key):
                yield (*path, key), key, text


def value_not_ascii(view: View) -> Iterator[Finding]:
    for path, values in view.values:
        for key, text in values.items():
            if not text.isascii():
                bad = next(each for each in text if ord(each) > 127)
                yield Finding((*path, key), f"{key} contains {bad!r}, which is not ASCII")


def value_empty(view: View) -> Iterator[Finding]:
    for path, values in view.values:
        for key, text in values.items():
            if not text.strip():
                yield Finding((*path, key), f"{key} is empty")


def value_newline(view: View) -> Iterator[Finding]:
    for path, values in view.values:
        for key, text in values.items():
            if "\n" in text.strip("\n"):
                yield Finding((*path, key), f"{key} has several lines")


def line_without_proxy(view: View) -> Iterator[Finding]:
    for phone in view.site.phones:
        own = phone.declared.values
        site = view.inventory.provisioning.values
        lines = [matched[1] for key in own if (matched := _LINE_SUFFIX.match(key))]
        if not lines:
            continue
        profile = view.inventory.profiles.get(phone.profile or "")
        each = view.inventory.classes.get(phone.class_name or "")
        for line in lines:
            key = f"Proxy{line}"
            given = (
                key in own
                or key in site
                or (profile and key in profile.values)
                or (each and key in each.values)
            )
            if not given:
                yield Finding(
                    ("phones", phone.index, "values", f"User_ID{line}"),
                    f"line {line.strip('_')} has a user, and no {key}",
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


def rule_srv_tftp(view: View) -> Iterator[Finding]:
    for path, key, text in _rules(view):
        for part in text.split("|"):
            if "--srv" in part and not re.search(r"https?://", _OPTIONS.sub("", part), re.IGNORECASE):
                yield Finding(path, f"{key} combines --srv with a URL that is not http or https")


def rule_scheme(view: View) -> Iterator[Finding]:
    for path, key, text in _rules(view):
        for part in text.split("|"):
            url = _OPTIONS.sub("", part).rpartition("?")[2].strip()
            scheme = url.partition("://")[0].lower() if "://" in url else ""
            if scheme and scheme not in {"tftp", "http", "https", "gds"}:
                yield Finding(path, f"{key} names the scheme {scheme}, which phones do not know")


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


def upgrade_without_server(view: View) -> Iterator[Finding]:
    for path, key, text in _rules(view):
        if key == "Upgrade_Rule" and text.strip() and "://" not in text:
            yield Finding(path, "Upgrade_Rule names no server")


def domains_restricted(view: View) -> Iterator[Finding]:
    hosts = {target.target.lower() for target in view.site.targets} | {view.site.domain.lower()}
    for path, values in view.values:
        text = values.get("Restricted_Access_Domains", "")
        allowed = [each.strip().lower() for each in text.split(",") if each.strip()]
        lost = [host for host in sorted(hosts) if not any(_within(host, each) for each in allowed)]
        if allowed and lost:
            names = ", ".join(lost)
            yield Finding(
                (*path, "Restricted_Access_Domains"), f"profiles come from {names}, which is not allowed"
            )


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)


def secret_in_file(view: View) -> Iterator[Finding]:
    for path, values in view.values:
        for key, text in values.items():
            if text.strip() and "{{" not in text and _SECRET.search(key):
                yield Finding((*path, key), f"{key} is a secret in plain text")


def secret_over_http(view: View) -> Iterator[Finding]:
    plain = {target.service for target in view.site.targets} == {"http"} and "srv" in view.methods
    tftp = any(
        audience.method == "dhcp" and any(code in audience.options for code in (66, 150))
        for audience in view.audiences
    )
    if not plain and not tftp:
        return
    for path, values in view.values:
        for key, text in values.items():
            if text.strip() and _SECRET.search(key):
                yield Finding((*path, key), f"{key} travels in clear over {'HTTP' if plain else 'TFTP'}")
                return


def profile_unused(view: View) -> Iterator[Finding]:
    used = {each.profile for each in view.inventory.classes.values()}
    used |= {phone.profile for phone in view.inventory.phones}
    for name in view.inventory.profiles:
        if name not in used:
            yield Finding(("profiles", name), f"no class and no phone uses profile {name}")


def phone_without_profile(view: View) -> Iterator[Finding]:
    for phone in view.site.phones:
        if phone.profile is None and not phone.declared.values and phone.method in {"srv", "dhcp"}:
            yield Finding(("phones", phone.index), f"phone {phone.declared.mac} has no profile and no values")


RULES = (
    Rule(
        "parameter-name",
        "error",
        "Parameters are XML elements, named as on the phone's web page with `_` for spaces, brackets and slashes; any "
        "other name makes the whole profile unreadable.",
        "write the XML name",
        of_the_plan,
    ),
    Rule(
        "parameter-value",
        "error",
        "XML has no way to write control characters: the phone refuses the whole profile.",
        "remove them",
        of_the_plan,
    ),
    Rule(
        "template",
        "error",
        "A template that fails leaves the phone without its profile.",
        "use phone.mac, phone.name, site.domain and the like",
        of_the_plan,
    ),
    Rule(
        "files-path",
        "error",
        "A directory served under this path would hide the files that phones ask for.",
        "give it a path of its own, as `/firmware`",
        of_the_plan,
    ),
    Rule(
        "value-not-ascii",
        "warning",
        "Profiles are ASCII (guide, Provisioning Formats): other characters are sent as numeric references, which not "
        "every firmware shows.",
        "write it in ASCII",
        value_not_ascii,
    ),
    Rule(
        "value-empty",
        "warning",
        "An empty element empties the parameter on some firmware and resets it to its default on other.",
        "remove the parameter, or give it a value",
        value_empty,
    ),
    Rule(
        "value-newline",
        "warning",
        "Phones turn line breaks in a value into spaces.",
        "write the value on one line",
        value_newline,
    ),
    Rule(
        "line-without-proxy",
        "warning",
        "A line with a user and no SIP proxy does not register: the phone is provisioned and cannot call.",
        "add the proxy to the profile",
        line_without_proxy,
    ),
    Rule(
        "rule-macro-unknown",
        "warning",
        "A macro that the phone does not know stays in the path as it is, and the file is not found.",
        "use $PSN, $PN, $MA, $MAU, $MAC or $SN",
        rule_macro_unknown,
    ),
    Rule(
        "rule-srv-tftp",
        "error",
        "The phone refuses the rule: Error - TFTP Scheme not supported in SRV lookups.",
        "write [--srv] https://… or http://…",
        rule_srv_tftp,
    ),
    Rule(
        "rule-scheme",
        "error",
        "Phones load by tftp, http and https, and take gds for an activation code.",
        "correct the scheme",
        rule_scheme,
    ),
    Rule(
        "rule-absolute",
        "info",
        "DHCP options are tried only while Profile_Rule starts with `/`; once a profile sets a URL, changes of options or "
        "SRV records no longer reach the phone until it is reset.",
        "keep Profile_Rule out of the profile, or know that you move phones to this server for good",
        rule_absolute,
    ),
    Rule(
        "rule-host-unknown",
        "error",
        "The phone cannot resolve the name, and what the rule names is never loaded.",
        "give the host an address under `hosts:`",
        rule_host_unknown,
    ),
    Rule(
        "upgrade-without-server",
        "error",
        "Unlike in Profile_Rule, the server may not be left out in Upgrade_Rule: no firmware is ever loaded.",
        "write http://HOST/FILE.loads",
        upgrade_without_server,
    ),
    Rule(
        "domains-restricted",
        "error",
        "Once Restricted_Access_Domains is set, the phone loads nothing from other hosts, its next profile included.",
        "add the domain",
        domains_restricted,
    ),
    Rule(
        "secret-in-file",
        "info",
        "Whoever can read the inventory, or its copy in version control, has the password.",
        "keep the file readable by netprov alone (chmod 0640), or include such values from a file that is",
        secret_in_file,
    ),
    Rule(
        "secret-over-http",
        "warning",
        "Whoever is on the LAN reads the secret when the phone loads its profile.",
        "serve profiles by https, or encrypt them",
        secret_over_http,
    ),
    Rule(
        "profile-unused",
        "info",
        "Nothing loads it.",
        "name it in a class or a phone, or remove it",
        profile_unused,
    ),
    Rule(
        "phone-without-profile",
        "info",
        "The phone finds its server and gets an empty profile.",
        "give its class a `profile:`",
        phone_without_profile,
    ),
)
