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

_FAULTS = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError, MemoryError)
"""What expressions of a template raise."""

_MARKS = ("{{", "{%", "{#")


def is_template(text: str | None) -> bool:
    """Say whether a value is to be rendered rather than taken as it is."""
    return text is not None and "{" in text and any(mark in text for mark in _MARKS)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a template cannot be rendered, what to do about it ("" if that depends), and the line where.

    `always`: it is so for every phone, not by what one of them has. `source` is the source that gave no such value.
    """

    message: str
    remedy: str
    line: int
    always: bool
    source: str = ""


class RenderFailed(NetprovError):
    """A template cannot be rendered for a phone; `where` names the parameter, or the profile's template."""

    def __init__(self, fault: Fault, where: str) -> None:
        self.fault = fault
        super().__init__(f"template of {where}, line {fault.line}: {fault.message}")


def render(text: str, context: Mapping[str, Any], where: str, *, xml: bool = False) -> str:
    """Render a template, of XML with what is inserted escaped; raises `RenderFailed`, and what the context raises."""
    from jinja2 import TemplateError

    from netprov.provision.template.limit import limited

    try:
        with limited():
            return _compiled(text, xml=xml).render(context)
    except (TemplateError, *_FAULTS) as error:
        raise RenderFailed(_fault(error, context), where) from error


def template_fault(text: str, context: Mapping[str, Any]) -> Fault | None:
    """Return why a template cannot be rendered in this context, or None."""
    try:
        render(text, context, "")
    except RenderFailed as error:
        return error.fault
    return None


def _fault(error: Exception, context: Mapping[str, Any]) -> Fault:
    from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError
    from jinja2.exceptions import SecurityError

    from netprov.provision.source import Row, source_of
    from netprov.provision.template.undefined import Absent, told

    match error:
        case TemplateSyntaxError():
            remedy = "correct the expression: quotes and brackets in pairs, `{{ phone.name }}`, `{% if … %}…{% endif %}`"
            return Fault(error.message or "not a template", remedy, error.lineno, always=True)
        case Absent() if found := told(error, context):
            source = source_of(error.owner) if isinstance(error.owner, Row) else ""
            return Fault(*found, _line(error), not source, source)
        case TemplateNotFound():
            message = f"a template cannot take in another file, {error.message}"
            return Fault(message, "write its text here", _line(error), always=True)
        case TemplateError():
            always = isinstance(error, SecurityError)
            return Fault(error.message or type(error).__name__, "", _line(error), always)
        case _:
            return Fault(f"{type(error).__name__}: {error}", "", _line(error), always=False)


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
    from jinja2 import DictLoader

    from netprov.provision.template.limit import LimitedEnvironment
    from netprov.provision.template.undefined import Undefined

    return LimitedEnvironment(
        undefined=Undefined, keep_trailing_newline=True, autoescape=xml, loader=DictLoader({})
    )
