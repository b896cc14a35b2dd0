"""The import rules: which folder may import which, and what a protocol core may never touch."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "netprov"

CORES = {"dhcp", "dns", "pki", "tftp", "provision", "cwmp", "phone"}
GROUND = {"machine", "wire", "errors"}
NEVER_IN_A_CORE = {
    "yaml",
    "asyncio",
    "socket",
    "ssl",
    "time",
    "random",
    "secrets",
    "os",
    "logging",
    "subprocess",
}
MAY_OPEN_FILES = {"netprov.pki.disk": {"os"}}

MAY_IMPORT = {
    **{core: GROUND | {core} for core in CORES},
    "phone": GROUND | {"phone", "dhcp", "dns", "tftp", "provision", "cwmp"},
    **dict.fromkeys(GROUND, GROUND),
    "inventory": GROUND | {"inventory"},
    "plan": GROUND | {"plan", "inventory"} | CORES,
    "check": GROUND | {"check", "plan", "inventory"} | CORES,
    "export": GROUND | {"export", "plan"} | CORES,
    "runtime": GROUND | {"runtime", "plan"} | CORES,
    "lab": GROUND | {"lab", "runtime", "plan"} | CORES,
}
MAY_IMPORT["cli"] = {"cli"} | set(MAY_IMPORT)
MAY_IMPORT["__main__"] = {"cli"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            found |= (
                {f"{node.module}.{alias.name}" for alias in node.names}
                if node.module == "netprov"
                else {node.module}
            )
    return found


@pytest.mark.parametrize("name", [name for name in MODULES if name != "netprov"])
def test_module_imports_only_what_its_folder_may(name: str) -> None:
    folder = name.split(".")[1]
    ours = {each.split(".")[1] for each in imports(MODULES[name]) if each.startswith("netprov.")}
    assert ours <= MAY_IMPORT[folder]


@pytest.mark.parametrize(
    "name", [name for name in MODULES if name != "netprov" and name.split(".")[1] in CORES]
)
def test_core_has_no_clock_socket_or_disk(name: str) -> None:
    foreign = {each.split(".")[0] for each in imports(MODULES[name])}
    assert foreign & NEVER_IN_A_CORE <= MAY_OPEN_FILES.get(name, set())


def test_map_names_every_module_once_and_no_other() -> None:
    text = (PACKAGE / "__init__.py").read_text()
    listed = re.findall(r"^    ([a-z_0-9.]+) +\S", text, re.MULTILINE)
    expected = [
        name.removeprefix("netprov.") for name in MODULES if name not in {"netprov", "netprov.__main__"}
    ]
    assert sorted(expected) == sorted(listed)
