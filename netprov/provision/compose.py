"""Composes what a phone is sent: its layers merged, its templates rendered, its way to HTTPS added.

Templates are Jinja2, sandboxed, and an undefined name is an error; they see `phone`, `site` and, as a whole
profile, `parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

from netprov.provision.asker import Asker
from netprov.provision.config import CA_PATH, Device, Provision
from netprov.provision.guard import Introduction
from netprov.provision.profile import Layer, Parameter, element, format_profile, merge
from netprov.provision.secret import Secrets

_IKM = "IKM_HTTP_Encrypt_Content"
_MARKS = ("{{", "{%", "{#")


class Composer:
    """Composes profiles of one plan."""

    def __init__(self, provision: Provision, *, has_ca: bool, secrets: Secrets) -> None:
        self._provision = provision
        self._secrets = secrets
        self._has_ca = has_ca
        self._site = {"domain": provision.domain, "server": provision.server_name}

    def profile(self, device: Device, asker: Asker) -> bytes:
        """Compose a listed phone's profile."""
        parameters = dict(merge((self._road(asker), *device.layers)))
        context: dict[str, Any] = {
            "phone": phone_fields(device),
            "site": self._site,
            "secret": lambda name: self._secrets.get(name) or "",
        }
        for name, parameter in parameters.items():
            if is_template(parameter.value):
                parameters[name] = Parameter(name, render(parameter.value or "", context), parameter.ua)
        if not device.template:
            return format_profile(parameters)
        from markupsafe import Markup

        context["parameters"] = Markup("\n".join(map(element, parameters.values())))  # noqa: S704 - element() escapes
        context["values"] = {name: parameter.value or "" for name, parameter in parameters.items()}
        return render(device.template, context, xml=True).encode("ascii", "xmlcharrefreplace")

    def bootstrap(
        self, asker: Asker, introduction: Introduction | None = None, *, locked: bool = False
    ) -> bytes:
        """Compose what leads a phone to its own profile: it is not listed, did not say who it is, or `locked` out.

        A key or password is for HTTPS only, so over other protocols a phone that needs one is led to the same
        name over HTTPS first, where it gets its `introduction`.
        """
        if introduction is None:
            path = "/$PSN.xml" if locked else "/Cisco/$MA.cfg"
            layers = [_rule(self._way(path) or f"{asker.base_url()}{path}"), self._trusted(asker)]
        else:
            options, path = introduction.options, "/Cisco/$MA.cfg"
            layers = [_rule(self._way(path, options) or f"{options}{asker.base_url()}{path}")]
            if introduction.ikm:
                layers.append({_IKM: Parameter(_IKM, introduction.ikm, "na")})
        return format_profile(merge((*layers, self._provision.unlisted or {})))

    def _road(self, asker: Asker) -> Layer:
        """Return what leads a phone to HTTPS: a factory phone does not trust a private CA until a profile says so.

        The CA is fetched the way this profile was, which the phone can evidently go.
        """
        if asker.scheme == "https" or not self._provision.secure_url:
            return {}
        return merge((self._trusted(asker), _rule(self._way("/Cisco/$MA.cfg"))))

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

    def _trusted(self, asker: Asker) -> Layer:
        if asker.scheme == "https" or not self._has_ca or not self._provision.secure_url:
            return {}
        return _trust(f"{asker.base_url()}{CA_PATH}")


@lru_cache(maxsize=256)
def _rule(rule: str) -> Layer:
    return {"Profile_Rule": Parameter("Profile_Rule", rule, "na")}


@lru_cache(maxsize=256)
def _trust(ca_url: str) -> Layer:
    return {"Custom_CA_Rule": Parameter("Custom_CA_Rule", ca_url, "na")}


def phone_fields(device: Device) -> Mapping[str, str]:
    """Return what templates know of a phone."""
    return {
        "mac": device.mac,
        "model": device.model,
        "serial": device.serial,
        "firmware": device.firmware,
        "name": device.name,
        "class": device.class_name,
        "profile": device.profile,
    }


def is_template(text: str | None) -> bool:
    """Say whether a value is to be rendered rather than taken as it is."""
    return text is not None and any(mark in text for mark in _MARKS)


def render(text: str, context: Mapping[str, Any], *, xml: bool = False) -> str:
    """Render a template, of XML with what is inserted escaped; raises what `template_fault` finds beforehand."""
    return _compiled(text, xml=xml).render(context)


def template_fault(text: str, context: Mapping[str, Any]) -> str:
    """Return why a template cannot be rendered in this context, or ""."""
    from jinja2 import TemplateError

    try:
        render(text, context)
    except TemplateError as error:
        return f"{error.message or type(error).__name__}"
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@lru_cache(maxsize=4096)
def _compiled(text: str, *, xml: bool) -> Template:
    return _environment(xml=xml).from_string(text)


@lru_cache(maxsize=2)
def _environment(*, xml: bool) -> ImmutableSandboxedEnvironment:
    """Return the environment of templates; Jinja2 is slow to load, and most inventories have none."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=xml
    )
