"""What a template may take: steps, octets, and numbers that make octets; an endless or a huge one ends with a message.

Jinja2's sandbox keeps a template from reaching out, not from going on for ever. Steps are counted at each turn of a loop and each
call of a macro, octets wherever text grows: products, sums, `~`, formats, filters, what is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final

from jinja2 import nodes
from jinja2.runtime import markup_join
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_STEPS: Final = 50_000
"""Turns of loops and calls of macros in one rendering: a tenth of a second."""
MOST_OCTETS: Final = 1 << 20
"""Characters that one rendering prints, and that any text in it has."""
_MOST_DIGITS: Final = 300
_WIDTH = re.compile(r"\d{5,}|\*")
_HERE = "netprov.provision.template.limit"


class TooMuchError(ValueError):
    """A template takes more than it may."""


class _Budget:
    __slots__ = ("octets", "steps")

    def __init__(self) -> None:
        self.steps = MOST_STEPS
        self.octets = MOST_OCTETS


_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def limited() -> Iterator[None]:
    """Give what is rendered within its limits."""
    token = _budget.set(_Budget())
    try:
        yield
    finally:
        _budget.reset(token)


def step() -> str:
    """Count one turn of a loop, or call of a macro; raise `TooMuchError` if it is one too many."""
    budget = _budget.get()
    if budget is not None:
        budget.steps -= 1
        if budget.steps < 0:
            raise TooMuchError(f"more than {MOST_STEPS} turns of loops and calls of macros")
    return ""


def printed(value: Any) -> Any:
    """Count what is printed; raise `TooMuchError` if it is too much."""
    budget = _budget.get()
    if budget is not None and not isinstance(value, int | float):
        budget.octets -= _weight(value)
        if budget.octets < 0:
            raise TooMuchError(f"more than {MOST_OCTETS} characters")
    return value


def concat(*parts: Any) -> str:
    """Join values as `~` does; raise `TooMuchError` if that is too much."""
    _allow(sum(map(_weight, parts)))
    return markup_join(parts)


class LimitedEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, with limits."""

    intercepted_binops = frozenset({"*", "+", "%", "**"})

    def __init__(self, **settings: Any) -> None:
        super().__init__(finalize=printed, **settings)
        self.globals.pop("lipsum", None)
        self.filters = {name: _guarded(each) for name, each in self.filters.items()}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        bodies: tuple[type[nodes.For | nodes.Macro | nodes.CallBlock], ...] = (
            nodes.For,
            nodes.Macro,
            nodes.CallBlock,
        )
        for each in tree.find_all(bodies):
            each.body.insert(0, nodes.ExprStmt(_call("step", []), lineno=each.lineno))
        _count_concat(tree)
        return tree

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator to what is not too large."""
        match operator:
            case "*":
                for text, times in ((left, right), (right, left)):
                    if isinstance(text, str | list | tuple) and isinstance(times, int):
                        _allow(_weight(text) * max(0, times))
                _allow_digits(left, right)
            case "**":
                if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > 1000:
                    raise TooMuchError("a power of more than 300 digits")
            case "+" if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
                _allow(_weight(left) + _weight(right))
            case "%" if isinstance(left, str):
                _allow_format(left)
            case _:
                pass
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, function: Any, *values: Any, **named: Any) -> Any:
        """Call a function or method with what is not too large."""
        _allow_values((*values, *named.values()))
        own = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        if isinstance(own, str):
            match getattr(function, "__name__", ""):
                case "replace" if len(values) > 1:
                    _allow(own.count(str(values[0])) * len(str(values[1])))
                case "join" if values:
                    _allow(len(own) * _weight(values[0]))
                case "format" | "format_map":
                    _allow_format(own)
                case _:
                    pass
        return super().call(context, function, *values, **named)


def _call(name: str, values: list[nodes.Expr]) -> nodes.Call:
    return nodes.Call(nodes.ImportedName(f"{_HERE}.{name}"), values, [], None, None)


def _count_concat(node: Any) -> Any:
    """Put a call that counts in the place of every `~` below a node; return what takes the node's own."""
    for field, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, field, _count_concat(value))
        elif isinstance(value, list):
            value[:] = [_count_concat(each) if isinstance(each, nodes.Node) else each for each in value]
    return _call("concat", node.nodes).set_lineno(node.lineno) if isinstance(node, nodes.Concat) else node


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def guarded(*values: Any, **named: Any) -> Any:
        _allow_values((*values, *named.values()))
        texts = [each for each in values if isinstance(each, str)]
        if function.__name__ == "do_replace" and len(texts) > 2:
            _allow(texts[0].count(texts[1]) * len(texts[2]))
        if function.__name__ in {"do_join", "sync_do_join"} and texts:
            _allow(max(map(len, texts)) * max(map(_weight, values)))
        if function.__name__ == "do_format" and texts:
            _allow_format(texts[0])
        return function(*values, **named)

    return guarded


def _allow(octets: int) -> None:
    if octets > MOST_OCTETS:
        raise TooMuchError(f"a text of more than {MOST_OCTETS} characters")


def _weight(value: Any) -> int:
    """Return about how many characters a value is when printed, or just more than may be."""
    total, waiting = 0, [value]
    while waiting and total <= MOST_OCTETS:
        each = waiting.pop()
        if isinstance(each, str):
            total += len(each)
            continue
        total += 4
        if isinstance(each, Mapping):
            waiting += [*each.keys(), *each.values()] if len(each) <= MOST_OCTETS else []
        elif isinstance(each, list | tuple | set):
            waiting += each
    return total


def _allow_values(values: tuple[Any, ...]) -> None:
    for each in values:
        if isinstance(each, int) and abs(each) > MOST_OCTETS:
            raise TooMuchError(f"an argument of more than {MOST_OCTETS}")
        _allow(_weight(each))


def _allow_digits(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > 1000:
        raise TooMuchError(f"a number of more than {_MOST_DIGITS} digits")


def _allow_format(text: str) -> None:
    if _WIDTH.search(text):
        raise TooMuchError("a format of more than 9999 characters")
