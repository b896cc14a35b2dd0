"""The catalogue of parameters: which one a name means, what it takes, and which phones know it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from itertools import product
from typing import Literal, get_args

from netprov.provision.firmware import firmware_version
from netprov.provision.parameter.table import TABLE
from netprov.provision.parameter.value import meant, type_fault

Kind = Literal[
    "bool",
    "choice",
    "int",
    "seconds",
    "seconds-list",
    "time",
    "ip",
    "host",
    "url",
    "rule",
    "text",
    "password",
]
RENAMED: Mapping[str, str] = {
    "Admin_Passwd": "Admin_Password",
    "Call_UnPark_Code": "Call_Unpark_Code",
    "Cfwd_No_Answer_Delay": "Cfwd_No_Ans_Delay",
    "Cfwd_No_Answer_Dest": "Cfwd_No_Ans_Dest",
    "FIPS_MODE": "FIPS_Mode",
    "LDAP_User_Name": "LDAP_Username",
    "Log_Resync_Request_Msg": "Log_Request_Msg",
    "Report_to_Server": "Report_To_Server",
    "SCA_Barge-In_Enable": "SCA_Barge-In-Enable",
    "ice_stun_enable": "ICE_STUN_Enable",
    "periodic_upload_to_server": "Periodic_Upload_To_Server",
    "ssid_1_": "Network_Name_1_",
    "securityMode_1_": "Security_Mode_1_",
}
"""Names of older phones, and slips of the guides, with the names that the phones know."""

_HEADING = re.compile(r"\[([\w-]+): (.*)\]\Z")
_NAME = re.compile(r"([^!@]+)(!?)(?:@(.+))?\Z")
_PLACE = re.compile(r"\{(?:line|n|m)\}")
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class KnownParameter:
    """One row of the table; `name` may hold places for numbers. `series` is empty where any phone may know it."""

    name: str
    kind: Kind
    values: str
    series: str
    since: str
    secret: bool

    def fault(self, text: str) -> str:
        """Return why a text is no value of it, "" if it is one."""
        return type_fault(self.kind, self.values, text)

    def meant(self, text: str) -> str:
        """Return what was probably meant by a faulty text, "" where nobody can tell."""
        return meant(self.kind, self.values, text)

    def lacked_by(self, series: str, model: str) -> bool:
        """Tell whether phones of a model are known to lack it; `series` is the model's, `model` a product name."""
        if not self.series or series in {"", "9800"}:
            return False  # no list of the 9800 series is known to be whole
        number = _DIGITS.search(model)
        ours = {series, number[1] if number else ""}
        known, _, excluded = self.series.partition(" except ")
        return not ours & set(known.split("|")) or bool(ours & set(excluded.split(", ")))

    def newer_than(self, firmware: str) -> bool:
        """Tell whether Cisco lists it as new or changed in a release after this one."""
        ours, theirs = firmware_version(firmware), firmware_version(self.since) if self.since else None
        return bool(ours and theirs) and ours < theirs  # type: ignore[operator]


def known_parameters() -> tuple[KnownParameter, ...]:
    """Return the whole table."""
    return tuple(_table().values())


@lru_cache(maxsize=16384)
def find_parameter(name: str) -> KnownParameter | None:
    """Return the parameter that a name means, None for one that no list has; case matters (guide, "XML Elements")."""
    table = _table()
    parts = _DIGITS.split(name)
    numbers = range(1, len(parts), 2)
    for chosen in product((False, True), repeat=len(numbers)):
        found = table.get(
            "".join("#" if at % 2 and chosen[at // 2] else part for at, part in enumerate(parts))
        )
        if found and _numbered(found.name, name):
            return found
    return None


def similar(name: str) -> str:
    """Return the name that was probably meant, "" where none is near."""
    if name in RENAMED:
        return RENAMED[name]
    if find_parameter(f"{name}_"):
        return f"{name}_"
    key = _DIGITS.sub("#", name)
    by_case = {each.lower(): each for each in _table()}
    near = get_close_matches(key.lower(), by_case, 1, 0.8)
    if not near:
        return ""
    numbers = iter(_DIGITS.findall(name))
    found = re.sub("#", lambda _: next(numbers, "1"), by_case[near[0]])
    return found if find_parameter(found) else ""


def example_name(parameter: KnownParameter) -> str:
    """Return a parameter's name with 1 for each number in it."""
    return _PLACE.sub("1", parameter.name)


def _numbered(pattern: str, name: str) -> bool:
    """Tell whether the numbers in a name are those that its pattern allows."""
    expression = re.escape(pattern).replace(r"\{line\}", "(?P<line>[1-9]|1[0-6])")
    expression = re.sub(r"\\\{(?:n|m)\\\}", "[0-9]{1,3}", expression)
    return re.fullmatch(expression, name) is not None


@cache
def _table() -> dict[str, KnownParameter]:
    """Return the table by names with # for numbers."""
    found: dict[str, KnownParameter] = {}
    kind, series, values = "", "", ""
    for line in TABLE.splitlines():
        if heading := _HEADING.match(line):
            kind, series, values = heading[1], heading[2], ""
        elif line.startswith("= "):
            values = line[2:]
        elif line.startswith("+ "):
            values += line[2:]
        else:
            for each in line.split(" "):
                parameter = _row(each, kind, series, values)
                found[_PLACE.sub("#", parameter.name)] = parameter
    return found


def _row(text: str, kind: str, series: str, values: str) -> KnownParameter:
    matched = _NAME.match(text)
    assert matched, text
    assert kind in get_args(Kind), kind
    name, secret, since = matched.groups()
    sure = "" if series == "all" or "?" in series else series
    return KnownParameter(name, kind, values, sure, since or "", bool(secret))  # type: ignore[arg-type]
