"""Rules about the rules in profiles: Profile_Rule, Upgrade_Rule and their like (guide, Provisioning Formats).

They are read by the grammar that phones have (netprov.phone.rule): what a phone refuses is found here, at its own line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netprov.check.rule import Finding, Rule, View, rule
from netprov.check.written import Reader, depends, readers
from netprov.dhcp.option.provisioning import TEXT_CODES
from netprov.errors import Path
from netprov.inventory.option import written_options
from netprov.phone.rule.condition import Comparison, comparisons, holds
from netprov.phone.rule.grammar import Branch
from netprov.phone.rule.refusal import Fault, RuleRefused
from netprov.phone.rule.url import is_allowed
from netprov.phone.rule.written import WrittenRule
from netprov.provision.firmware import load_family
from netprov.provision.macro import names_in, unknown_in
from netprov.provision.template import is_template


@rule(
    "rule-macro-unknown",
    "warning",
    why="A macro that the phone does not know stays in the path as it is, and the file is not found.",
    remedy="use $PSN, $PN, $MA, $MAU, $MAC or $SN",
)
def rule_macro_unknown(view: View) -> Iterator[Finding]:
    texts = [(written.path, written.name, written.text) for written in view.rules]
    for path, name, text in [*texts, *_option_urls(view)]:
        for macro in unknown_in(text):
            yield Finding(path, f"{name} uses {macro}, which is no macro of these phones")


def _option_urls(view: View) -> Iterator[tuple[Path, str, str]]:
    for path, code, value in written_options(view.inventory, TEXT_CODES):
        if isinstance(value, str):
            yield path, f"option {code}", value


def _refused(view: View, fault: Fault) -> Iterator[tuple[WrittenRule, RuleRefused]]:
    for written in view.rules:
        for error in written.refused:
            if error.fault is fault:
                yield written, error


@rule(
    "rule-srv-tftp",
    "error",
    why="The phone refuses the rule: Error - TFTP Scheme not supported in SRV lookups.",
    remedy="write [--srv] https://… or http://…",
)
def rule_srv_tftp(view: View) -> Iterator[Finding]:
    for written, _ in _refused(view, Fault.SRV_SCHEME):
        yield Finding(written.path, f"{written.name} combines --srv with a URL that is not http or https")


@rule(
    "rule-scheme",
    "error",
    why="Phones load by tftp, http and https; gds:// in a profile rule asks for an activation code.",
    remedy="correct the scheme",
)
def rule_scheme(view: View) -> Iterator[Finding]:
    for written, error in _refused(view, Fault.SCHEME):
        yield Finding(written.path, f"{written.name}: {error}")


@rule(
    "rule-refused",
    "error",
    why="The phone refuses the whole rule and loads nothing by it; `netprov rule` says the same of it.",
    remedy="try it with `netprov rule 'RULE' --as MODEL --firmware VERSION`",
)
def rule_refused(view: View) -> Iterator[Finding]:
    for written in view.rules:
        for error in written.refused:
            if error.fault not in REFUSALS:
                yield Finding(written.path, f"{written.name}: {error}")
        if not written.refused and depends(written):
            yield from _refused_by_phones(view, written)
    for path, values in view.values:
        for name in ("Resync_Trigger_1", "Resync_Trigger_2"):
            if (text := values.get(name, "").strip()) and not is_template(text):
                yield from _trigger((*path, name), name, _readers(view, (*path, name), text), text)


def _refused_by_phones(view: View, written: WrittenRule) -> Iterator[Finding]:
    """Find the first phone that refuses a rule once its macros are expanded, and say which."""
    for reader in _readers(view, written.path, written.text):
        try:
            reader.take(written.text, written.kind)
        except RuleRefused as error:
            yield Finding(written.path, f"{written.name}: {error} (to {_named(reader)})")
            return


def _trigger(path: Path, name: str, whose: Iterator[Reader], text: str) -> Iterator[Finding]:
    for reader in whose:
        try:
            holds(reader.handset.expand(text))
        except RuleRefused as error:
            yield Finding(path, f"{name}: {error} (to {_named(reader)})")
            return


def _readers(view: View, path: Path, text: str) -> Iterator[Reader]:
    return readers(view.phones_below(path), text, view.parameter)


def _named(reader: Reader) -> str:
    identity = reader.handset.identity
    return f"{identity.model.name} with {reader.handset.software}"


@rule(
    "load-of-other-model",
    "warning",
    why=(
        "Loads are made for one family of models, sip78xx or sip88xx: a phone cannot run another family's, and a condition "
        "on $SWVER that names one compares versions that have nothing to do with each other."
    ),
    remedy='give each family its own alternative: ("$PN" eq "CP-7841-3PCC")? http://…',
)
def load_of_other_model(view: View) -> Iterator[Finding]:
    for written in view.rules:
        if written.refused or not (written.kind == "upgrade" or "SWVER" in names_in(written.text)):
            continue
        for reader in _readers(view, written.path, written.text):
            if load := _foreign_load(reader, written):
                yield Finding(written.path, f"{written.name} gives {load} to {_named(reader)}")
                break


def _foreign_load(reader: Reader, written: WrittenRule) -> str:
    """Return the load of another family that a phone is compared with or told to run, "" for none."""
    model = reader.handset.identity.model
    if not model.series:
        return ""  # one that the catalogue of models does not know
    try:
        judged, taken = reader.take(written.text, written.kind)
    except RuleRefused:
        return ""
    loads = list(_compared(reader, judged))
    if written.kind == "upgrade" and taken:
        loads.append(taken.url.partition("?")[0].rpartition("/")[2])
    return next((load for load in loads if load_family(load) not in {"", model.family}), "")


def _compared(reader: Reader, judged: Sequence[Branch]) -> Iterator[str]:
    """Yield the loads that the running one is compared with where nothing else decides."""
    for branch in judged:
        pairs = comparisons(branch.condition) if branch.condition else ()
        loads = [each for each in pairs if reader.handset.software in {each.left, each.right}]
        if all(each.holds() for each in pairs if each not in loads):
            yield from (_other(each, reader.handset.software) for each in loads)


def _other(comparison: Comparison, software: str) -> str:
    return comparison.right if comparison.left == software else comparison.left


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
    for written in view.rules:
        applies = written.path[0] == "profiles" and written.path[1] in discovered
        fixed = any(
            each.url and not each.url.startswith("/") and not each.by_srv and not each.activates
            for each in written.alternatives
        )
        if written.name == "Profile_Rule" and applies and fixed:
            yield Finding(
                written.path,
                f"{written.name} is {written.text}: after the first profile the phone no longer discovers its server",
            )


@rule(
    "rule-host-unknown",
    "error",
    why="The phone cannot resolve the name, and what the rule names is never loaded.",
    remedy="give the host an address under `hosts:`",
)
def rule_host_unknown(view: View) -> Iterator[Finding]:
    for written in view.rules:
        for url in written.urls():
            if not url.by_address and not view.resolves(url.host):
                yield Finding(written.path, f"{written.name} names {url.host}, which has no address")


@rule(
    "upgrade-without-server",
    "error",
    why="Unlike in Profile_Rule, the server may not be left out in Upgrade_Rule: no firmware is ever loaded.",
    remedy="write http://HOST/FILE.loads",
)
def upgrade_without_server(view: View) -> Iterator[Finding]:
    for written, _ in _refused(view, Fault.SERVER):
        yield Finding(written.path, f"{written.name} names no server")


REFUSALS: Mapping[Fault, Rule] = {
    Fault.SRV_SCHEME: rule_srv_tftp,
    Fault.SCHEME: rule_scheme,
    Fault.SERVER: upgrade_without_server,
}
"""Refusals that have a rule of their own; `rule_refused` tells the others."""


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
        lost = [host for host in sorted(hosts) if not is_allowed(host, text)]
        if lost:
            names = ", ".join(lost)
            yield Finding(
                (*path, "Restricted_Access_Domains"), f"profiles come from {names}, which is not allowed"
            )
