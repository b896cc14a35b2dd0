"""Templates in profiles: Jinja2, sandboxed, where an undefined name is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, Template

from netprov.errors import NetprovError
from netprov.provision.config import Device

_FAULTS = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError, MemoryError)
"""What expressions of a template raise."""

_MARKS = ("{{", "{%", "{#")


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
    return text is not None and "{" in text and any(mark in text for mark in _MARKS)


class RenderFailed(NetprovError):
    """A template cannot be rendered for a phone."""


def render(text: str, context: Mapping[str, Any], *, xml: bool = False) -> str:
    """Render a template, of XML with what is inserted escaped; raises `RenderFailed`, and what the context raises."""
    from jinja2 import TemplateError

    from netprov.provision.template_limit import limited

    try:
        with limited():
            return _compiled(text, xml=xml).render(context)
    except TemplateError as error:
        raise RenderFailed(f"template: {error.message or type(error).__name__}") from error
    except _FAULTS as error:
        raise RenderFailed(f"template: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a template cannot be rendered, and the line where."""

    message: str
    line: int


def template_fault(text: str, context: Mapping[str, Any]) -> Fault | None:
    """Return why a template cannot be rendered in this context, or None."""
    from jinja2 import TemplateError, TemplateSyntaxError

    from netprov.provision.template_limit import limited

    try:
        with limited():
            _compiled(text, xml=False).render(context)
    except TemplateSyntaxError as error:
        return Fault(error.message or "not a template", error.lineno)
    except TemplateError as error:
        return Fault(error.message or type(error).__name__, _line(error))
    except _FAULTS as error:
        return Fault(f"{type(error).__name__}: {error}", _line(error))
    return None


def _line(error: Exception) -> int:
    """Return the last line of a template that an error passed: Jinja2 gives tracebacks the template's own lines."""
    frames = walk_tb(error.__traceback__)
    return max((line for frame, line in frames if frame.f_code.co_filename == "<template>"), default=1)


@lru_cache(maxsize=4096)
def _compiled(text: str, *, xml: bool) -> Template:
    return _environment(xml=xml).from_string(text)


@lru_cache(maxsize=2)
def _environment(*, xml: bool) -> Environment:
    """Return the environment of templates; Jinja2 is slow to load, and most inventories have none."""
    from jinja2 import StrictUndefined

    from netprov.provision.template_limit import LimitedEnvironment

    return LimitedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=xml)
