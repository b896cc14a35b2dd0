"""Rules about profile parameters: their names and values, the secrets (guide, Provisioning Formats)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from netprov.check.rule import Finding, View, named, planned, rule
from netprov.dhcp.option import table as dhcp
from netprov.dhcp.option.provisioning import TFTP_CODES
from netprov.errors import Path
from netprov.inventory.model import Auth
from netprov.plan.group import ClientGroup
from netprov.provision.parameter.catalogue import find_parameter

_SECRET = re.compile(r"password|passwd|secret|GPP_S[A-D]\Z|IKM_|shared_key|_PIN\b", re.IGNORECASE)
"""What a parameter that the catalogue lacks is taken for a secret by."""

_LINE_SUFFIX = re.compile(r"User_ID(_\d+_)\Z")


@rule(
    "value-not-ascii",
    "warning",
    why=(
        "Profiles are ASCII (guide, Provisioning Formats): other characters are sent as numeric references, which not "
        "every firmware shows."
    ),
    remedy="write it in ASCII",
)
def value_not_ascii(view: View) -> Iterator[Finding]:
    for path, values in view.values:
        for key, text in values.items():
            if not text.isascii():
                bad = next(each for each in text if ord(each) > 127)
                yield Finding((*path, key), f"{key} contains {bad!r}, which is not ASCII")


@rule(
    "value-empty",
    "warning",
    why="An empty element empties the parameter on some firmware and resets it to its default on other.",
    remedy="remove the parameter, or give it a value",
)
def value_empty(view: View) -> Iterator[Finding]:
    for path, values in view.values:
        for key, text in values.items():
            if not text.strip():
                yield Finding((*path, key), f"{key} is empty")


@rule(
    "value-newline",
    "warning",
    why="Phones turn line breaks in a value into spaces.",
    remedy="write the value on one line",
)
def value_newline(view: View) -> Iterator[Finding]:
    for path, values in view.values:
        for key, text in values.items():
            if "\n" in text.strip("\n"):
                yield Finding((*path, key), f"{key} has several lines")


@rule(
    "line-without-proxy",
    "warning",
    why="A line with a user and no SIP proxy does not register: the phone is provisioned and cannot call.",
    remedy="add the proxy to the profile",
)
def line_without_proxy(view: View) -> Iterator[Finding]:
    site = view.inventory.provisioning.values
    for phone in view.site.phones:
        own = phone.declared.values
        lines = [
            matched[1] for key in own if key.startswith("User_ID_") and (matched := _LINE_SUFFIX.match(key))
        ]
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


@cache
def is_secret_parameter(key: str) -> bool:
    """Say whether a parameter holds a password or a key."""
    known = find_parameter(key)
    return known.secret if known else _SECRET.search(key) is not None


@rule(
    "secret-in-file",
    "info",
    why="Whoever can read the inventory, or its copy in version control, has the password.",
    remedy="keep it in the secrets file, and write `{{ secret('NAME') }}` here",
)
def secret_in_file(view: View) -> Iterator[Finding]:
    for path, values in view.values:
        for key, text in values.items():
            if is_secret_parameter(key) and text.strip() and "{{" not in text:
                yield Finding((*path, key), f"{key} is a secret in plain text")


@rule(
    "acs-password-in-file",
    "info",
    why="Whoever can read the inventory, or its copy in version control, can play a phone towards the ACS.",
    remedy="keep the file readable by netprov alone (chmod 0640)",
)
def acs_password_in_file(view: View) -> Iterator[Finding]:
    if view.inventory.acs.credentials is not None:
        yield Finding(("acs", "credentials", "password"), "the ACS's password is in plain text")


@rule(
    "tsig-secret-in-file",
    "warning",
    why=(
        "Whoever can read the inventory, or its copy in version control, can sign as the secondary: take every zone, and "
        "forge what the secondary is told."
    ),
    remedy="write `file:`, `environment:` or `credential:` instead of `secret:`",
)
def tsig_secret_in_file(view: View) -> Iterator[Finding]:
    for name, key in view.inventory.dns.keys.items():
        if key.secret:
            yield Finding(("dns", "keys", name, "secret"), f"the secret of key {name} is in plain text")


@rule(
    "secret-over-http",
    "warning",
    why="Whoever is on the LAN reads the secret when the phone loads its profile.",
    remedy="serve profiles by https, or encrypt them",
)
def secret_over_http(view: View) -> Iterator[Finding]:
    clear = [group for group in view.groups if not _encrypted(view, group)]
    plain = (
        {target.service for target in view.site.targets} == {"http"}
        and "srv" in view.methods
        and any(group.method == "srv" for group in clear)
    )
    tftp = any(
        group.method == "dhcp" and any(code in group.options for code in TFTP_CODES) for group in clear
    )
    if not plain and not tftp:
        return
    for path, values in view.values:
        for key, text in values.items():
            if is_secret_parameter(key) and text.strip():
                yield Finding((*path, key), f"{key} travels in clear over {'HTTP' if plain else 'TFTP'}")
                return


def _encrypted(view: View, group: ClientGroup) -> bool:
    """Tell whether a group's profiles leave encrypted: by its class's word, else by the site's."""
    name: str | None = None
    match group.path:
        case ("classes", str() as name, *_):
            pass
        case ("phones", int() as index, *_):
            name = next((each.class_name for each in view.site.phones if each.index == index), None)
    own = view.inventory.classes[name].encryption if name in view.inventory.classes else None
    used = own or view.inventory.provisioning.encryption
    return used is not None and used.method != "none"


@rule(
    "encryption-over-tftp",
    "error",
    why="aes128gcm is announced by a header of HTTP (RFC 8188); a phone that loads the file by TFTP takes it for garbage. "
    "Where phones are led to HTTPS, only the first profile comes by TFTP, and that one is in clear.",
    remedy="write `method: aes-256-cbc`, or hand out an http or https URL",
)
def encryption_over_tftp(view: View) -> Iterator[Finding]:
    site = view.inventory.provisioning.encryption
    if view.plan is not None and view.plan.provision.secure_url:
        return
    for group in view.groups:
        if group.path[0] != "classes" or group.method != "dhcp":
            continue
        own = view.inventory.classes[str(group.path[1])].encryption
        used = own or site
        by_tftp = dhcp.TFTP_ADDRESSES in group.options or "://" not in str(
            group.options.get(dhcp.TFTP_NAME, ("://", ()))[0]
        )
        if used is not None and used.method == "aes128gcm" and by_tftp:
            path: Path = (*group.path, "encryption") if own else ("provisioning", "encryption")
            yield Finding(
                (*path, "method"), f"{group.label} loads by TFTP, which has no aes128gcm", (group.path,)
            )


@rule(
    "auth-in-clear",
    "warning",
    why="Whoever is on the LAN reads the phone's password when it loads its profile over HTTP.",
    remedy="write `scheme: digest`, or publish HTTPS only",
)
def auth_in_clear(view: View) -> Iterator[Finding]:
    written: list[tuple[Path, Auth | None]] = [(("provisioning", "auth"), view.inventory.provisioning.auth)]
    written += [(("classes", name, "auth"), each.auth) for name, each in view.inventory.classes.items()]
    if not any(target.service == "http" for target in view.site.targets):
        return
    for path, auth in written:
        if auth is not None and auth.scheme == "basic":
            yield Finding((*path, "scheme"), "Basic authentication sends the password in clear over HTTP")


@rule(
    "profile-unused",
    "info",
    why="Nothing loads it.",
    remedy="name it in a class or a phone, or remove it",
)
def profile_unused(view: View) -> Iterator[Finding]:
    used = {each.profile for each in view.inventory.classes.values()}
    used |= {phone.profile for phone in view.inventory.phones}
    for name in view.inventory.profiles:
        if name not in used:
            yield Finding(("profiles", name), f"no class and no phone uses profile {name}")


@rule(
    "phone-without-profile",
    "info",
    why="The phone finds its server and gets an empty profile.",
    remedy="give its class a `profile:`",
)
def phone_without_profile(view: View) -> Iterator[Finding]:
    for phone in view.site.phones:
        given = phone.profile is not None or any(values for _, values in view.layers_of(phone))
        if not given and phone.method in {"srv", "dhcp"}:
            yield Finding(("phones", phone.index), f"phone {phone.declared.mac} has no profile and no values")


PARAMETER_NAME = planned(
    "parameter-name",
    "error",
    why=(
        "Parameters are XML elements, named as on the phone's web page with `_` for spaces, brackets and slashes; any "
        "other name makes the whole profile unreadable."
    ),
    remedy="write the XML name",
)

PARAMETER_VALUE = planned(
    "parameter-value",
    "error",
    why="XML has no way to write control characters: the phone refuses the whole profile.",
    remedy="remove them",
)

TEMPLATE = planned(
    "template",
    "error",
    why="A template that fails leaves the phone without its profile.",
    remedy="use phone.mac, phone.name, site.domain and the like",
)


@rule(
    "template-fails",
    "error",
    why="A template may be right and still fail for what one phone has, or has not: that phone is refused its profile.",
    remedy="give the phone what the template needs, or let the template ask for it: `{% if phone.name %}…{% endif %}`",
)
def template_fails(view: View) -> Iterator[Finding]:
    failed: dict[tuple[Path, int, str, str], list[str]] = {}
    for phone, device, trial in view.trials:
        for name, fault in trial.faults:
            key = view.renders(phone, name), fault.line, fault.message, fault.remedy
            failed.setdefault(key, []).append(named(device))
    for (path, line, message, remedy), phones in failed.items():
        more = f" and {len(phones) - 1} more" if len(phones) > 1 else ""
        yield Finding(
            path, f"the template fails for {phones[0]}{more}: line {line}: {message}", remedy=remedy
        )


SOURCE_KIND = planned(
    "source-kind",
    "error",
    why="Each source is asked in one way; several sources may stand beside each other.",
    remedy="give each a name of its own under `sources:`",
)
SOURCE_COMMAND = planned(
    "source-command",
    "error",
    why="A server that looked for a program by its name alone might start another one.",
    remedy="name the program from the root",
)


@rule(
    "source-not-asked",
    "info",
    why="`check` asks no source: whether it answers for each phone, and with every value that the profile wants, shows when it is asked.",
    remedy="`netprov profile render PHONE` asks it as the server does",
)
def source_not_asked(view: View) -> Iterator[Finding]:
    waiting: dict[str, dict[str, None]] = {}
    for _, device, trial in view.trials:
        for _, source in trial.unasked:
            waiting.setdefault(source, {})[named(device)] = None
    for source, phones in waiting.items():
        first, *more = phones
        others = f" and {len(more)} more" if more else ""
        yield Finding(
            ("sources", source), f"source {source} has values of {first}{others}, which are not known here"
        )


FILES_PATH = planned(
    "files-path",
    "error",
    why="A directory served under this path would hide the files that phones ask for.",
    remedy="give it a path of its own, as `/firmware`",
)
