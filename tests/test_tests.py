"""The tests themselves: each can fail, none guesses how long something takes, and `make fuzz` takes what it should."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREES = {path.relative_to(ROOT): ast.parse(path.read_text()) for path in sorted(ROOT.glob("tests/**/*.py"))}

Function = ast.FunctionDef | ast.AsyncFunctionDef

FAILS = {"raises", "warns", "fail", "wait_until"}
"""What fails by itself: pytest's, and the wait that has a deadline."""

PAUSES = {
    "tests/bench/server.py: quiet": "half a second is what the CPU time is measured over",
    "tests/hostile/forged.py: main": "datagrams are sent at a rate",
    "tests/lab/flood.py: send_datagrams": "datagrams are sent at a rate",
    "tests/lab/kill_dhcp.py: kill_again_and_again": "the server is killed at a random moment",
    "tests/lab/test_tls_renewal.py: request": "requests begin at moments that a rate gives",
    "tests/pki/test_kill.py: killed_at_a_random_moment": "the moment is random",
}
"""Pauses that wait for nothing, and why."""


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


def helpers(path: Path) -> dict[str, list[Function]]:
    """Return the functions and methods, by name, of a file of tests and of those that it imports from."""
    found: dict[str, list[Function]] = {}
    names = {path}
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tests"):
            base = Path(*node.module.split("."))
            names |= {base.with_suffix(".py"), *(base / f"{each.name}.py" for each in node.names)}
    for name in names & TREES.keys():
        for node in TREES[name].body:
            for each in node.body if isinstance(node, ast.ClassDef) else [node]:
                if isinstance(each, Function) and not each.name.startswith("test_"):
                    found.setdefault(each.name, []).append(each)
    return found


def can_fail(function: Function, known: dict[str, list[Function]], *, depth: int = 2) -> bool:
    """Say whether a function asserts something or waits with a deadline, itself or by a helper that it names."""
    named: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Assert() | ast.keyword(arg="check", value=ast.Constant(value=True)):
                return True
            case ast.Raise(exc=ast.Call(func=ast.Name(id="AssertionError"))):
                return True
            # asyncio's bounds a whole test, in vain: that one ends is not what it is about.
            case ast.Attribute(attr="wait_for", value=value) if ast.unparse(value) != "asyncio":
                return True
            case ast.Attribute(attr=name) | ast.Name(id=name):
                named.add(name)
    if named & FAILS or any(name.startswith("assert_") for name in named):
        return True
    return depth > 0 and any(
        can_fail(each, known, depth=depth - 1)
        for name in named
        for each in known.get(name, ())
        if each is not function
    )


def test_every_test_can_fail() -> None:
    known = {path: helpers(path) for path in TREES}
    found = {f"{path}: {node.name}" for path, node in every() if not can_fail(node, known[path])}
    assert found == set()


def test_a_test_that_cannot_fail_is_found() -> None:
    [function] = ast.parse("def test_x():\n    helper()\n    print(asyncio.wait_for(y, 1))\n").body
    [idle, strict] = ast.parse("def helper():\n    y()\ndef other():\n    assert x\n").body
    assert isinstance(function, Function)
    assert isinstance(idle, Function)
    assert isinstance(strict, Function)
    assert not can_fail(function, {"helper": [idle], "other": [strict]})
    assert can_fail(function, {"helper": [strict]})


def pauses(body: ast.AST, place: str, *, polls: bool = False) -> Iterator[str]:
    """Yield where a tree pauses but to look at a condition again or to let others run."""
    for node in ast.iter_child_nodes(body):
        here = node.name if isinstance(node, Function) else place
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "sleep"}:
            if not polls and ast.unparse(node.args[0]) != "0":
                yield here
        looks = isinstance(node, ast.While) or (polls and not isinstance(node, Function))
        yield from pauses(node, here, polls=looks)


def test_no_test_sleeps_to_synchronise() -> None:
    found = {f"{path}: {place}" for path, tree in TREES.items() for place in pauses(tree, "")}
    assert found == PAUSES.keys()


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
