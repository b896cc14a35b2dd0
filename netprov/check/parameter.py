"""Rules about parameters: names that phones know, values that fit them, phones that have them."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.check.rule import Finding, View, rule
from netprov.errors import Path
from netprov.phone.handset.identity import model_named
from netprov.provision.parameter.catalogue import KnownParameter, find_parameter, similar
from netprov.provision.template import is_template


@rule(
    "parameter-unknown",
    "warning",
    why=(
        "Phones ignore elements that they do not know, without a word: what the parameter was meant for does not happen. "
        "netprov knows 836 names from Cisco's guides and from phones' own lists; newer firmware may have more."
    ),
    remedy="correct the name, or accept it with a comment: # netprov: ignore parameter-unknown: REASON",
)
def parameter_unknown(view: View) -> Iterator[Finding]:
    for path, values in view.named_values:
        for name in values:
            if find_parameter(name) is None:
                yield Finding((*path, name), unknown(name), remedy=instead(name))


def unknown(name: str) -> str:
    """Say that a name is in no list."""
    return f"{name} is no parameter that multiplatform phones are known to have"


def instead(name: str) -> str:
    """Return the remedy that names what was probably meant, "" for none."""
    near = similar(name)
    return f"did you mean {near}?" if near else ""


def _known(view: View) -> Iterator[tuple[Path, KnownParameter, str]]:
    for path, values in view.values:
        for name, text in values.items():
            parameter = find_parameter(name)
            if parameter is not None and not is_template(text):
                yield (*path, name), parameter, text


@rule(
    "value-type",
    "warning",
    why="The phone keeps the parameter's default, or what it had before, where it cannot read the value.",
    remedy="write a value of the parameter's type",
)
def value_type(view: View) -> Iterator[Finding]:
    for path, parameter, text in _known(view):
        if parameter.kind != "choice" and (fault := parameter.fault(text)):
            yield Finding(path, unfit(str(path[-1]), parameter, text, fault), remedy=_meant(parameter, text))


@rule(
    "value-choice",
    "warning",
    why="The parameter takes one of some texts, letter by letter; with any other the phone keeps its default.",
    remedy="write one of them",
)
def value_choice(view: View) -> Iterator[Finding]:
    for path, parameter, text in _known(view):
        if parameter.kind == "choice" and (fault := parameter.fault(text)):
            yield Finding(path, unfit(str(path[-1]), parameter, text, fault), remedy=_meant(parameter, text))


def unfit(name: str, parameter: KnownParameter, text: str, fault: str) -> str:
    """Say why a value does not fit; that of a password is not shown."""
    return f"{name}: {fault}" if parameter.secret else f"{name} is {text.strip()!r}: {fault}"


def _meant(parameter: KnownParameter, text: str) -> str:
    meant = parameter.meant(text)
    return f"write {meant}" if meant else ""


@rule(
    "parameter-model",
    "warning",
    why="Phones ignore parameters of hardware or software that they do not have.",
    remedy="give it to a class or profile of the phones that have it",
)
def parameter_model(view: View) -> Iterator[Finding]:
    for path, parameter, _ in _known(view):
        if parameter.series:
            models = (phone.declared.model for phone in view.phones_below(path))
            lacking = next(
                (model for model in dict.fromkeys(models) if model and lacked(parameter, model)), ""
            )
            if lacking:
                yield Finding(path, f"{path[-1]} is not for {lacking}: it is known of {whose(parameter)}")


def lacked(parameter: KnownParameter, model: str) -> bool:
    """Tell whether a model is known to lack a parameter."""
    known = model_named(model)
    return parameter.lacked_by(known.series, known.name)


def whose(parameter: KnownParameter) -> str:
    """Return the series and models that are known to have it."""
    return parameter.series.replace("|", ", ")


@rule(
    "parameter-newer",
    "info",
    why="Cisco lists the parameter as new or changed in a later release than the phone's firmware: it may be ignored.",
    remedy="upgrade the phone, or know that nothing happens until it is",
)
def parameter_newer(view: View) -> Iterator[Finding]:
    for path, parameter, _ in _known(view):
        if parameter.since:
            releases = (phone.declared.firmware for phone in view.phones_below(path))
            older = next(
                (each for each in dict.fromkeys(releases) if each and parameter.newer_than(each)), ""
            )
            if older:
                yield Finding(path, newer(str(path[-1]), parameter, older))


def newer(name: str, parameter: KnownParameter, firmware: str) -> str:
    """Say that a parameter is of a later release."""
    return f"{name} is new or changed in {parameter.since}, and a phone has {firmware}"
