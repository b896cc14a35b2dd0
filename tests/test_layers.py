"""The import rules: which folder may import which, what a core may never touch, and that nothing goes in circles."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "netprov"

GROUND = {
    "auth_param",
    "cookie",
    "machine",
    "wire",
    "errors",
    "hostport",
    "number",
    "mac",
    "nonce",
    "failure",
    "rate",
    "text",
    "xml",
}
CORES = {"dhcp", "dns", "pki", "tftp", "provision", "cwmp"}
PHONE = CORES | {"phone"}

NEVER_IN_A_CORE = {
    "asyncio",
    "http",
    "inspect",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "urllib.request",
    "yaml",
}
MAY_OPEN_FILES = {
    "netprov.pki.disk": {"os", "pathlib"},
    "netprov.pki.stage": {"os", "pathlib"},
    "netprov.pki.store": {"pathlib"},
}
NEVER_CALLED_IN_A_CORE = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "open",
    "input",
    "print",
}

MAY_IMPORT: Mapping[str, set[str]] = {
    **dict.fromkeys(GROUND, GROUND),
    **{core: GROUND | {core} for core in CORES},
    "phone": GROUND | PHONE,
    "inventory": GROUND | {"inventory"},
    "convert": GROUND | {"convert", "inventory"} | PHONE,
    "plan": GROUND | {"plan", "inventory"} | PHONE,
    "check": GROUND | {"check", "plan", "inventory"} | PHONE,
    "export": GROUND | {"export", "plan", "inventory"} | PHONE,
    "state": GROUND | {"state"} | PHONE,
    "runtime": GROUND | {"runtime", "state", "plan"} | PHONE,
    "emulator": GROUND | {"emulator", "explain", "runtime", "state", "plan"} | PHONE,
    "explain": GROUND | {"explain", "runtime", "state", "plan"} | PHONE,
    "doctor": GROUND | {"doctor", "emulator", "explain", "runtime", "state", "plan"} | PHONE,
    "reason": GROUND | {"reason", "check", "explain", "doctor"},
    "compare": GROUND | {"compare", "emulator", "runtime", "state", "plan"} | PHONE,
    "diff": GROUND | {"diff", "compare", "plan"} | PHONE,
    "lab": GROUND | {"lab", "compare", "doctor", "explain", "emulator", "runtime", "state", "plan"} | PHONE,
}
EVERYTHING = set(MAY_IMPORT) | {"cli"}

WINGS: Mapping[str, set[str]] = {
    "net": {"net"},
    "web": {"web", "net"},
    "source": {"source"},
    **{
        wing: {wing, "net", "web", "source"}
        for wing in ("dhcp", "dns", "tftp", "provision", "cwmp", "control", "console")
    },
}
"""The folders of runtime/: a wing stands on net, web and source, never on another wing."""

STOREYS: Mapping[str, tuple[str, ...]] = {
    "netprov.phone": ("rule", "handset", "fetch", "", "life"),
    "netprov.dns": ("iana", "message", "zone", "server", ""),
    "netprov.dhcp": ("option", ""),
    "netprov.inventory": ("yaml", "model", ""),
    "netprov.explain": ("", "capture"),
    "netprov.runtime": ("", "net", "web", "source", "wing"),
}
"""Folders within a folder, lowest first; "" is the folder's own modules."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
NAMES = [name for name in MODULES if name != "netprov"]


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


@cache
def imports(name: str) -> frozenset[str]:
    """Return what a module imports, wherever in it: a module's full name where it is one of ours."""
    found: set[str] = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else node.module)
    return frozenset(found)


def ours(name: str) -> list[str]:
    return sorted(each for each in imports(name) if each.startswith("netprov.") and each in MODULES)


@pytest.mark.parametrize("name", NAMES)
def test_module_imports_only_what_its_folder_may(name: str) -> None:
    folder = name.split(".")[1]
    allowed = {"cli": EVERYTHING, "__main__": {"cli"}}.get(folder) or MAY_IMPORT[folder]
    assert {each.split(".")[1] for each in ours(name)} <= allowed


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("netprov.runtime.")])
def test_wing_imports_no_other_wing(name: str) -> None:
    def wing(module: str) -> str:
        parts = module.split(".")
        return parts[2] if len(parts) > 2 and parts[2] in WINGS else ""

    reached = {wing(each) for each in ours(name) if each.startswith("netprov.runtime.")} - {""}
    if wing(name):
        assert reached <= WINGS[wing(name)]
    else:
        assert not reached, "the supervisor and what wings share know no wing"


@pytest.mark.parametrize("folder", STOREYS)
def test_folders_within_a_folder_have_an_order(folder: str) -> None:
    storeys = STOREYS[folder]

    def storey(module: str) -> int:
        part = module.removeprefix(folder).removeprefix(".").split(".")[0]
        if part in storeys:
            return storeys.index(part)
        return storeys.index("wing") if "wing" in storeys and part in WINGS else storeys.index("")

    upwards = [
        (name, each)
        for name in NAMES
        if name.startswith(f"{folder}.")
        for each in ours(name)
        if each.startswith(f"{folder}.") and storey(each) > storey(name) and each not in GROUND_OF_A_FOLDER
    ]
    assert upwards == []


GROUND_OF_A_FOLDER = {"netprov.phone.action", "netprov.phone.source"}
"""Alphabets that a folder's own storeys share, though they stand at its root: they import the lowest storey alone."""


@pytest.mark.parametrize("name", [name for name in NAMES if name.split(".")[1] in PHONE])
def test_core_has_no_clock_socket_thread_or_disk(name: str) -> None:
    foreign = {each for each in imports(name) if not each.startswith("netprov")}
    touched = {
        banned for banned in NEVER_IN_A_CORE for each in foreign if f"{each}.".startswith(f"{banned}.")
    }
    assert touched <= MAY_OPEN_FILES.get(name, set())
    called = {ast.unparse(node.func) for node in ast.walk(tree(name)) if isinstance(node, ast.Call)}
    assert not called & NEVER_CALLED_IN_A_CORE


def test_imports_make_no_circle() -> None:
    graph = {name: ours(name) for name in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_folder_is_a_corridor() -> None:
    sizes = {
        folder.relative_to(ROOT).as_posix(): sum(1 for _ in folder.glob("*.py"))
        for folder in PACKAGE.rglob("*")
        if folder.is_dir() and folder.name != "__pycache__"
    }
    assert {folder: size for folder, size in sizes.items() if size > 21} == {}


def test_map_names_every_module_once_and_no_other() -> None:
    text = (PACKAGE / "__init__.py").read_text()
    listed = re.findall(r"^    ([a-z_0-9.]+) +\S", text, re.MULTILINE)
    expected = [name.removeprefix("netprov.") for name in NAMES if name != "netprov.__main__"]
    assert sorted(expected) == sorted(set(listed))
    assert len(listed) == len(set(listed))


def test_no_line_of_the_map_needs_the_one_above() -> None:
    text = (PACKAGE / "__init__.py").read_text()
    lines = re.findall(r"^    [a-z_0-9.]+ +(\S.*)$", text, re.MULTILINE)
    assert [line for line in lines if re.match(r"(its|their|the same|the other|these|those)\b", line)] == []
