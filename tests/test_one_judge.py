"""Each fact stands once: walks the code for second copies of what one module says.

One section a fact; a section names the module that is its judge, and what a copy would look like.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from netprov.dhcp.client import DEFAULT_REQUEST_LIST
from netprov.dhcp.option.provisioning import ACS_CODES, ORDER, SERVER_CODES
from netprov.dhcp.option.table import VENDOR_CLASS, VENDOR_INFO
from netprov.hostport import CWMP_PORT, PORTS, SYSLOG_PORT
from netprov.phone.handset.identity import MODELS, Identity
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import DEFAULTS
from netprov.phone.rule.url import parse_url
from netprov.provision.config import LADDER
from netprov.provision.macro import NAMES

PACKAGE = Path(__file__).parents[1] / "netprov"


@cache
def sources() -> dict[str, ast.Module]:
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text())
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def constants(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the constants of a module that the code works with: neither docstrings nor examples for people."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant):
            yield node
        for child in ast.iter_child_nodes(node):
            shown = isinstance(child, ast.keyword) and child.arg in {"examples", "description", "help"}
            text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if not shown and not text:
                waiting.append(child)


def copies(judge: str, values: set[str] | set[int]) -> list[str]:
    return [
        f"netprov/{name}:{node.lineno}: {node.value!r}"
        for name, tree in sources().items()
        if name != judge
        for node in constants(tree)
        if type(node.value) is type(next(iter(values))) and node.value in values
    ]


# The ladder: which paths a phone asks for.


def test_ladder_paths_stand_once() -> None:
    assert not copies("provision/config.py", {*LADDER, *(path.lstrip("/") for path in LADDER)})


# Ports of services.

OTHER_NUMBERS = {
    "dhcp/option/table.py",  # option 69
    "convert/isc/typed.py",  # the same
    "convert/dnsmasq/option.py",  # the same
    "emulator/dhcp.py",  # 0x45: IPv4, five words of header
    "runtime/net/frame.py",  # the same
    "explain/capture/handshake.py",  # an alert of TLS
}


def test_ports_stand_once() -> None:
    found = copies("hostport.py", {*PORTS.values(), CWMP_PORT, SYSLOG_PORT})
    assert [each for each in found if each.split(":")[0].removeprefix("netprov/") not in OTHER_NUMBERS] == []


def test_ports_in_texts_are_no_second_table() -> None:
    """A mapping from schemes to numbers is a table of ports, whatever its numbers."""
    tables = [
        f"{name}:{node.lineno}"
        for name, tree in sources().items()
        if name != "hostport.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        and {"http", "https"} <= {each.value for each in node.keys if isinstance(each, ast.Constant)}
        and any(isinstance(each, ast.Constant) and isinstance(each.value, int) for each in node.values)
    ]
    assert not tables


# Hosts with ports.


def test_brackets_around_addresses_are_put_by_one_function() -> None:
    bracket = re.compile(r'f"[^"]*\[\{[\w.]*(?:address|host|server)\}\]')
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        if bracket.search(path.read_text())
    ]
    assert found == ["hostport.py"]


# Macros: their names.


def test_every_macro_has_one_value_in_the_phone() -> None:
    handset = Handset(Identity("00:12:34:ab:45:de", MODELS["CP-8851-3PCC"]), lambda _: 0)
    url = parse_url("http://pr1.example.com/x")
    secret = {"SA", "SB", "SC", "SD"}
    assert set(handset.macros(url)) | secret == NAMES
    assert not set(handset.macros(url)) & secret


def test_rules_are_read_by_the_grammar_alone() -> None:
    """Whoever looks for `--srv`, a scheme or an alternative in a rule with a regular expression reads rules a second time."""
    suspicious = re.compile(r"\\\[\[\^|\(\?:tftp\||--srv\b.*in part")
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        if suspicious.search(path.read_text())
    ]
    assert [name for name in found if name != "phone/rule/grammar.py"] == []


# Options that lead a phone to a provisioning server.

OPTION_JUDGES = ("dhcp/option/table.py", "dhcp/option/provisioning.py")
FOREIGN_NAMES = "convert/"
"""What other servers call options, by number: a vocabulary of theirs."""
AMBIGUOUS = {VENDOR_CLASS, VENDOR_INFO}
"""60 and 43 are also seconds, sizes and record types."""


def test_provisioning_options_stand_once() -> None:
    found = copies(OPTION_JUDGES[0], {*ORDER, *ACS_CODES, *SERVER_CODES} - AMBIGUOUS)
    assert [each for each in found if FOREIGN_NAMES not in each and OPTION_JUDGES[1] not in each] == []


def test_what_a_phone_tries_by_default_is_made_from_the_table() -> None:
    assert DEFAULTS["DHCP_Option_To_Use"] == "66,160,159,150,60,43,125"  # Cisco's guide, "DHCP Option To Use"
    assert DEFAULT_REQUEST_LIST == (1, 2, 3, 6, 12, 15, 42, 43, 60, 66, 125, 150, 159, 160)
    assert not copies("phone/handset/settings.py", {DEFAULTS["DHCP_Option_To_Use"]})


# Wording: no decision hangs on it.


def test_no_message_is_taken_apart_for_its_remedy() -> None:
    """Errors carry fields; a value that is quoted in a message may hold any separator."""
    apart = re.compile(
        r"str\((?:error|problem)\)\.(?:r?partition|r?split|startswith|endswith)\(|in str\((?:error|problem)\)"
    )
    found = [
        f"{path.relative_to(PACKAGE).as_posix()}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if apart.search(line)
    ]
    assert found == []


# Opening databases.


def test_databases_are_opened_in_one_place() -> None:
    found = [name for name, tree in sources().items() if "sqlite3.connect" in calls(tree)]
    assert found == ["state/sqlite.py"]


def calls(tree: ast.Module) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
