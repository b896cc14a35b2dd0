"""The tests themselves: what has a word to say when something breaks, and what `make fuzz` takes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREES = {path.relative_to(ROOT): ast.parse(path.read_text()) for path in sorted(ROOT.glob("tests/**/*.py"))}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def every() -> Iterator[tuple[Path, Function]]:
    """Yield each test function with the file it stands in."""
    for path, tree in TREES.items():
        if path.name.startswith("test_"):
            for node in ast.walk(tree):
                if isinstance(node, Function) and node.name.startswith("test_"):
                    yield path, node


def test_what_has_fuzz_in_its_name_has_the_marker() -> None:
    fuzz = "pytest.mark.fuzz"
    for path, node in every():
        if path.name.startswith("test_fuzz"):
            assert any(ast.unparse(each) == f"pytestmark = {fuzz}" for each in TREES[path].body), path
        elif node.name.startswith("test_fuzz"):
            assert fuzz in map(ast.unparse, node.decorator_list), f"{path}:{node.lineno}: {node.name}"


@pytest.mark.parametrize(
    "folder", ["convert", "cwmp", "dhcp", "dns", "doctor", "inventory", "phone", "pki", "provision", "tftp"]
)
def test_every_codec_is_fed_by_make_fuzz(folder: str) -> None:
    assert any(
        path.is_relative_to(Path("tests") / folder)
        for path, node in every()
        if "fuzz" in f"{path.name} {node.name}"
    )


def test_no_test_patches_a_constant() -> None:
    """A limit that a test wants smaller is an argument, whose default is the constant."""
    found = [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.Call)
        and any(re.fullmatch("_?[A-Z][A-Z0-9_]*", name) for name in replaced(node))
    ]
    assert found == []


def replaced(node: ast.AST) -> Iterator[str]:
    """Yield the names of modules' attributes that a statement or call replaces for a while."""
    match node:
        case ast.Assign(targets=targets):
            for target in targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    yield target.attr
        case ast.Call(func=ast.Attribute(attr="setattr" | "patch" | "object") | ast.Name(id="setattr")):
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            yield from (text.rpartition(".")[2] for text in texts if isinstance(text, str))
