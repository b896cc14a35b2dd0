"""Nothing stands in netprov that nothing in netprov names: a test is no caller."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "netprov"

CALLED_FROM_OUTSIDE = {
    "Machine": "the contract of machine.py, written down",
    "on_url": "httptools' parser",
    "on_header": "httptools' parser",
    "on_message_complete": "httptools' parser",
    "stand_apart": "the tests' own first step into a namespace",
    "single_lan": "the topology of most tests in tests/lab",
}
"""Names that no code of netprov says, and who wants them."""

NO_MENTION = {"property", "cached_property", "classmethod", "staticmethod", "dataclass", "override"}
"""Decorators that call nothing by themselves; any other (a verb, a rule, a validator, a route) does."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def decorators(node: Definition) -> set[str]:
    return {
        re.sub(r"\(.*", "", ast.unparse(each), flags=re.DOTALL).split(".")[-1] for each in node.decorator_list
    }


def defined(node: ast.Module | ast.ClassDef, ours: set[str]) -> Iterator[tuple[str, int]]:
    """Yield the names that a module or class defines, with lines: not what foreign base classes (`module.Class`) and decorators call."""
    for child in node.body:
        match child:
            case ast.ClassDef(bases=bases):
                yield child.name, child.lineno
                if {re.sub(r"\[.*", "", ast.unparse(base)) for base in bases} <= ours:
                    yield from defined(child, ours)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if decorators(child) <= NO_MENTION:
                yield child.name, child.lineno
            case ast.AnnAssign(target=ast.Name(name)) if not name.isupper():
                yield name, child.lineno
            case ast.Assign(targets=[ast.Name(name)], value=value) if not entered(value):
                yield name, child.lineno


def entered(value: ast.expr) -> bool:
    """Whether making the constant enters it into a table: the reasons of a rule that others judge by."""
    return isinstance(value, ast.Call) and ast.unparse(value.func) in {"planned", "presented"}


def mentions(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module reads, imports, or says in a text that is no docstring."""
    nodes = list(ast.walk(tree))
    documentation = {id(each.value) for each in nodes if isinstance(each, ast.Expr)}
    for node in nodes:
        match node:
            case ast.Name(name, ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                yield name
            case ast.ImportFrom(names=names):
                yield from (each.name for each in names)
            case ast.Constant(str(text)) if id(node) not in documentation:
                yield from re.findall(r"\w+", text)
            case ast.MatchClass(kwd_attrs=names):
                yield from names


def test_what_is_defined_is_named_somewhere_else() -> None:
    trees = {path.relative_to(PACKAGE): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
    said = {name for tree in trees.values() for name in mentions(tree)}
    ours = {node.name for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    dead = [
        f"netprov/{path}:{line}: {name}"
        for path, tree in trees.items()
        for name, line in defined(tree, ours | {"Protocol", "Generic", "NamedTuple", "object"})
        if name not in said and name not in CALLED_FROM_OUTSIDE and not name.startswith("__")
    ]
    assert not dead, "\n".join(dead)


def test_exceptions_are_still_there() -> None:
    text = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    assert [name for name in CALLED_FROM_OUTSIDE if not re.search(rf"(def|class) {name}\b", text)] == []
