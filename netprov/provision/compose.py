"""Composes what a phone is sent: its layers merged, its templates rendered, its way to HTTPS added.

Templates see `phone`, `site`, `post`, `source` and, as a whole profile, `parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from netprov.provision.config import CA_PATH, FACTORY_PATH, SRV_MAC_PATH, Device, Provision
from netprov.provision.gate.guard import Introduction
from netprov.provision.profile import Layer, Parameter, element, enclose, format_profile, merge
from netprov.provision.requester import Requester
from netprov.provision.secret import Secrets
from netprov.provision.source import NamedRow, Row, SourceValues
from netprov.provision.template import Fault, RenderFailed, is_template, render, template_fault
from netprov.provision.template.field import phone_fields

_IKM = "IKM_HTTP_Encrypt_Content"


@dataclass(frozen=True, slots=True)
class _Formatted:
    """Elements by parameter name; those of `templates` hold only their place until they are rendered."""

    elements: Mapping[str, str]
    templates: Mapping[str, Parameter]


_EMPTY = _Formatted({}, {})


_PLACEHOLDER = "x"

WHOLE = ""
"""Stands for the name of a parameter where the whole profile is a template."""


@dataclass(frozen=True, slots=True)
class MissingSecret:
    """A secret that a parameter's template asks for, and that there is not; `WHOLE` is the template of the profile."""

    parameter: str
    secret: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What is wrong with the templates of one device: secrets that are missing, and faults by parameter (or `WHOLE`)."""

    missing: tuple[MissingSecret, ...] = ()
    faults: tuple[tuple[str, Fault], ...] = ()
    unasked: tuple[tuple[str, str], ...] = ()
    """Parameters whose values come from a source, which is not asked for a trial, and the source."""


_FINE = Trial()
_NOBODY = Requester("https", "")


class _Tried(dict[str, Row]):
    """Has an answer of every source, and notes whose was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def get(self, name: str, default: object = None, /) -> Row:  # noqa: ARG002
        self.sources.append(name)
        return NamedRow(name)


class Composer:
    """Composes profiles of one plan.

    Phones share all layers but their own, so the elements of each layer are formatted once, and what the shared ones
    come to is kept: a profile then costs a copy, an update and a join.
    """

    def __init__(self, provision: Provision, *, has_ca: bool, secrets: Secrets) -> None:
        self._provision = provision
        self._secrets = secrets
        self._has_ca = has_ca
        self._site = {"domain": provision.domain, "server": provision.server_name}
        self._own: dict[int, _Formatted] = {}
        self._shared: dict[tuple[str | int, ...], _Formatted] = {}
        # Whatever has its id in a key stays alive, so that the id stays its own.
        self._alive: list[tuple[Layer, ...]] = []

    def profile(self, device: Device, requester: Requester) -> bytes:
        """Compose a listed phone's profile: none leaves with a hole in it.

        Raises `SecretMissing`, `RenderFailed`, `SourceFailed`, or `SourceWanted` where the requester brings no answer of a source.
        """
        if device.template:
            return self._whole(device, requester)
        shared = self._merged(device.layers[:-1], requester)
        own = self._formatted_layer(device.layers[-1]) if device.layers else _EMPTY
        elements = {**shared.elements, **own.elements}
        if shared.templates or own.templates:
            context = self._context(device, requester)
            for name, parameter in {**shared.templates, **own.templates}.items():
                if name in own.templates or name not in own.elements:
                    elements[name] = element(_rendered(parameter, context))
        return enclose(elements.values())

    def _whole(self, device: Device, requester: Requester) -> bytes:
        """Compose a profile whose whole text is a template."""
        from markupsafe import Markup

        context = self._context(device, requester)
        layers = (self._road(requester), *device.layers)
        parameters = {name: _rendered(parameter, context) for name, parameter in merge(layers).items()}
        context["parameters"] = Markup("\n".join(map(element, parameters.values())))  # noqa: S704 - element() escapes
        context["values"] = {name: parameter.value or "" for name, parameter in parameters.items()}
        return render(device.template, context, f"profile {device.profile}", xml=True).encode(
            "ascii", "xmlcharrefreplace"
        )

    def _context(self, device: Device, requester: Requester) -> dict[str, Any]:
        return {
            "post": dict(requester.posted),
            "phone": phone_fields(device),
            "site": self._site,
            "secret": self._secrets.demand,
            "source": SourceValues(self._provision.sources, requester.sourced),
        }

    def trial(self, device: Device) -> Trial:
        """Return what keeps the templates of the device's profile from being rendered, parameter by parameter."""
        if not device.template and not any(
            is_template(each.value) for layer in device.layers for each in layer.values()
        ):
            return _FINE
        merged = merge(device.layers)
        texts = {name: each.value or "" for name, each in merged.items() if is_template(each.value)}
        wanted: list[str] = []
        tried = _Tried()

        def ask(name: str) -> str:
            if not self._secrets.get(name):
                wanted.append(name)
            return _PLACEHOLDER

        context = {
            **self._context(device, _NOBODY),
            "secret": ask,
            "source": SourceValues(self._provision.sources, tried),
        }
        if device.template:
            shown = {
                name: _PLACEHOLDER if name in texts else each.value or "" for name, each in merged.items()
            }
            context = {**context, "parameters": "", "values": shown}
            texts[WHOLE] = device.template
        missing: list[MissingSecret] = []
        faults: list[tuple[str, Fault]] = []
        unasked: list[tuple[str, str]] = []
        for name, text in texts.items():
            fault = template_fault(text, context)
            # What fails over a value that only stands for one may be right with that which the source gives.
            if fault is not None and (fault.always or not tried.sources):
                faults.append((name, fault))
            unasked += ((name, each) for each in dict.fromkeys(tried.sources))
            tried.sources.clear()
            missing += (MissingSecret(name, each) for each in dict.fromkeys(wanted))
            wanted.clear()
        return Trial(tuple(missing), tuple(faults), tuple(unasked))

    def _merged(self, layers: tuple[Layer, ...], requester: Requester) -> _Formatted:
        """Return the shared layers with the way to HTTPS, which depends only on how the request came."""
        came = "" if requester.scheme == "https" else requester.base_url()
        key: tuple[str | int, ...] = (came, *map(id, layers))
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = _format(merge((self._road(requester), *layers)))
            self._alive.append(layers)
        return found

    def _formatted_layer(self, layer: Layer) -> _Formatted:
        found = self._own.get(id(layer))
        if found is None:
            found = self._own[id(layer)] = _format(layer)
            self._alive.append((layer,))
        return found

    def bootstrap(
        self, requester: Requester, introduction: Introduction | None = None, *, locked: bool = False
    ) -> bytes:
        """Compose what leads a phone to its own profile: it is not listed, did not say who it is, or `locked` out.

        A key or password is for HTTPS only, so over other protocols a phone that needs one is led to the same
        name over HTTPS first, where it gets its `introduction`.
        """
        if introduction is None:
            path = FACTORY_PATH if locked else SRV_MAC_PATH
            layers = [_rule(self._way(path) or f"{requester.base_url()}{path}"), self._trusted(requester)]
        else:
            options, path = introduction.options, SRV_MAC_PATH
            layers = [_rule(self._way(path, options) or f"{options}{requester.base_url()}{path}")]
            if introduction.ikm:
                layers.append({_IKM: Parameter(_IKM, introduction.ikm, "na")})
        return format_profile(merge((*layers, self._for_everybody())))

    def _for_everybody(self) -> Layer:
        """Return what unlisted phones get too: without what a template makes of a listed phone, or of a secret."""
        found = {}
        for name, parameter in (self._provision.unlisted or {}).items():
            with suppress(RenderFailed):
                found[name] = _rendered(parameter, {"site": self._site})
        return found

    def _road(self, requester: Requester) -> Layer:
        """Return what leads a phone to HTTPS: a factory phone does not trust a private CA until a profile says so.

        The CA is fetched the way this profile was, which the phone can evidently go.
        """
        if requester.scheme == "https" or not self._provision.secure_url:
            return {}
        return merge((self._trusted(requester), _rule(self._way(SRV_MAC_PATH))))

    def _way(self, path: str, options: str = "") -> str:
        """Return the rule for a path of the HTTPS servers, "" if there are none.

        By SRV where there are several targets (guide, "Set the Profile Rule with the SRV Option on the Web Page"): a
        rule that named one of them would fail with it.
        """
        if not self._provision.secure_url:
            return ""
        if self._provision.secure_srv:
            by_srv = options.replace("[", "[--srv ", 1) if options else "[--srv] "
            return f"{by_srv}https://{self._provision.domain}{path}"
        return f"{options}{self._provision.secure_url}{path}"

    def _trusted(self, requester: Requester) -> Layer:
        if requester.scheme == "https" or not self._has_ca or not self._provision.secure_url:
            return {}
        return _trust(f"{requester.base_url()}{CA_PATH}")


@lru_cache(maxsize=256)
def _rule(rule: str) -> Layer:
    return {"Profile_Rule": Parameter("Profile_Rule", rule, "na")}


@lru_cache(maxsize=256)
def _trust(ca_url: str) -> Layer:
    return {"Custom_CA_Rule": Parameter("Custom_CA_Rule", ca_url, "na")}


def _format(parameters: Layer) -> _Formatted:
    templates = {name: each for name, each in parameters.items() if is_template(each.value)}
    elements = {name: "" if name in templates else element(each) for name, each in parameters.items()}
    return _Formatted(elements, templates)


def _rendered(parameter: Parameter, context: Mapping[str, Any]) -> Parameter:
    if not is_template(parameter.value):
        return parameter
    return Parameter(parameter.name, render(parameter.value or "", context, parameter.name), parameter.ua)
