"""Rules about trust: the local CA's lifetimes, the clock, and how a factory phone comes to trust the CA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from netprov.check.rule import Finding, View, planned, rule
from netprov.dhcp.option.provisioning import SERVER_CODES
from netprov.errors import Malformed, Path
from netprov.phone.rule.url import parse_url
from netprov.plan.provision import is_ours

LONGEST_ACCEPTED = 825 * 86400
"""Seconds: what current TLS clients accept of a server certificate."""
SHORTEST_SENSIBLE = 7 * 86400
CUSTOM_CA = "Custom_CA_Rule"
_PLAIN_FIRST = (
    "hand out an http or tftp URL, by which a first profile sets Custom_CA_Rule; ignore this if your certificates are signed by "
    "Cisco"
)


@rule(
    "https-without-time",
    "warning",
    why=(
        "A phone without the time believes in a year in which the certificate is not valid yet, and refuses HTTPS and "
        "the ACS. Factory phones have no other time server than option 42's."
    ),
    remedy="add `ntp:` to the network: a time server's address; this server's, if one such as chrony runs on it",
)
def https_without_time(view: View) -> Iterator[Finding]:
    if not _uses_tls(view):
        return
    for network in view.site.networks:
        if not network.ntp and 42 not in network.declared.options:
            yield Finding(
                ("networks", network.name), f"phones on network {network.name} get no time server (option 42)"
            )


def _uses_tls(view: View) -> bool:
    https = any(target.service == "https" for target in view.site.targets) and "srv" in view.methods
    acs = any((each.acs_url or "").startswith("https") for each in view.inventory.classes.values())
    return https or acs


@rule(
    "ca-unknown-to-factory",
    "warning",
    why=(
        "A factory phone trusts Cisco's roots, not your CA: its first profile cannot come over HTTPS from a server with "
        "your certificate."
    ),
    remedy=(
        "add `http:` under `srv:`, or hand out option 66, with a first profile that sets Custom_CA_Rule; ignore this if "
        "your certificates are signed by Cisco"
    ),
)
def ca_unknown_to_factory(view: View) -> Iterator[Finding]:
    yield from _options_over_https(view)
    services = {target.service for target in view.site.targets}
    if "https" not in services or "http" in services or "srv" not in view.methods:
        return
    if not _bootstraps(view):
        yield Finding(
            ("srv", "https"), "factory phones do not trust your CA, and there is no way to tell them"
        )


def _options_over_https(view: View) -> Iterator[Finding]:
    """Find clients whose options lead to HTTPS on this site's hosts alone."""
    for group in view.groups:
        if group.method != "dhcp" or _plain(group.options):
            continue
        for code in SERVER_CODES:
            text, path = group.options.get(code, ("", ()))
            with suppress(Malformed):
                value = str(text).partition(";")[0].strip()
                url = parse_url(value)
                if url.scheme == "https" and (view.in_zone(url.host) or is_ours(view.site, value)):
                    message = f"option {code} leads {group.label} to HTTPS alone, and factory phones do not trust your CA"
                    yield Finding(path, message, remedy=_PLAIN_FIRST)


def _bootstraps(view: View) -> bool:
    return any(_plain(group.options) for group in view.groups if group.method == "dhcp")


def _plain(options: Mapping[int, tuple[object, Path]]) -> bool:
    return any(code in options and not str(options[code][0]).startswith("https:") for code in SERVER_CODES)


@rule(
    "ca-not-handed-over",
    "warning",
    why=(
        "A factory phone takes its first profile over HTTP; unless that sets Custom_CA_Rule, the phone never trusts your "
        "CA and stays on HTTP."
    ),
    remedy="write `secure: true`, or set Custom_CA_Rule in the profile",
)
def ca_not_handed_over(view: View) -> Iterator[Finding]:
    services = {target.service for target in view.site.targets}
    if view.inventory.provisioning.secure or services != {"https", "http"} or "srv" not in view.methods:
        return
    if not any(CUSTOM_CA in values for _, values in view.values):
        yield Finding(("provisioning", "secure"), f"`secure` is off, and no profile sets {CUSTOM_CA}")


@rule(
    "custom-ca-over-https",
    "error",
    why=(
        "The phone loads the CA from this URL because it does not trust it yet: over HTTPS from the same servers it "
        "never gets it."
    ),
    remedy="use http or tftp for the CA's URL",
)
def custom_ca_over_https(view: View) -> Iterator[Finding]:
    for written in view.rules:
        if written.name == CUSTOM_CA and any(url.scheme == "https" for url in written.urls()):
            yield Finding(
                written.path, f"{CUSTOM_CA} is {written.text}: the phone must trust the CA to load it"
            )


@rule(
    "certificate-lifetime-long",
    "warning",
    why="TLS clients refuse server certificates that are valid for more than 825 days.",
    remedy="write `lifetime: 397d` under `certificates:`",
)
def certificate_lifetime_long(view: View) -> Iterator[Finding]:
    lifetime = view.inventory.certificates.lifetime
    if lifetime > LONGEST_ACCEPTED:
        yield Finding(
            ("certificates", "lifetime"), f"server certificates would be valid for {lifetime // 86400} days"
        )


@rule(
    "certificate-lifetime-short",
    "warning",
    why="A phone that is switched off for a while, or whose clock is off, meets an expired certificate.",
    remedy="write `lifetime: 397d` under `certificates:`",
)
def certificate_lifetime_short(view: View) -> Iterator[Finding]:
    lifetime = view.inventory.certificates.lifetime
    if lifetime < SHORTEST_SENSIBLE:
        yield Finding(
            ("certificates", "lifetime"), f"server certificates would be valid for {lifetime} s only"
        )


CERT_LIFETIME = planned(
    "cert-lifetime",
    "error",
    why=(
        "No chain is valid longer than its CA, and a lifetime of minutes is a slip of the unit: phones refuse an expired "
        "chain."
    ),
    remedy="write `ca_lifetime: 3650d` and `lifetime: 397d` under `certificates:`",
)

CERT_COMMON_NAME_LENGTH = planned(
    "cert-common-name-length",
    "error",
    why=(
        "A certificate with a longer common name cannot be issued (RFC 5280), and phones with old firmware look at the "
        "common name alone."
    ),
    remedy="choose a shorter domain",
)


@rule(
    "client-roots",
    "error",
    why="A server does not start while it cannot read the CAs by which it judges the phones' own certificates.",
    remedy="name PEM files of CAs; the names start from where `netprov serve` is started, so best with a `/` in front",
)
def client_roots(view: View) -> Iterator[Finding]:
    for index, file in enumerate(view.inventory.certificates.client_roots):
        if why := view.disk.roots_unread.get(file):
            yield Finding(("certificates", "client_roots", index), f"{file} {why}")


@rule(
    "client-roots-missing",
    "warning",
    why=(
        "Without `client_roots:` the local CA alone is believed. Phones leave the factory with a certificate of Cisco's, and "
        "are refused at the handshake: they have no profile over HTTPS."
    ),
    remedy=(
        "add `client_roots:` with Cisco's manufacturing roots (PEM), or give each phone a certificate of the local CA "
        "(`netprov cert issue --phone MAC`), or write `client_certificates: optional`"
    ),
)
def client_roots_missing(view: View) -> Iterator[Finding]:
    declared = view.inventory.certificates
    if declared.client_certificates == "required" and not declared.client_roots:
        yield Finding(
            ("certificates", "client_certificates"),
            "every phone must show a certificate, and those of the local CA alone are believed",
        )


@rule(
    "client-roots-unused",
    "info",
    why="Phones are asked for their certificate only where `client_certificates:` says so.",
    remedy="write `client_certificates: optional` or `required`, or remove `client_roots:`",
)
def client_roots_unused(view: View) -> Iterator[Finding]:
    declared = view.inventory.certificates
    if declared.client_certificates == "off" and declared.client_roots:
        yield Finding(("certificates", "client_roots"), "no phone is asked for a certificate")
